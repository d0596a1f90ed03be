"""The settings' file: a typo must not start a platform in development mode on a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from huanxin.settings import Mode, Settings

Run = Callable[..., Any]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "huanxin.toml"
    monkeypatch.setenv("HUANXIN_CONFIG", str(file))
    return file


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file"),
        (b"lead_days = = 3", "can't be read as TOML"),
        (b"\xff\xfe", "can't be read as TOML"),
        (b"lead_dayz = 20", "a key lead_dayz, which is no setting; did you mean lead_days?"),
        (b"[operators]\nissuer = 'https://x'\nclient_id = 'x'\nclient_secret = 'x'\nscop = 'x'", "HUANXIN_OPERATORS__SCOP"),
        (b"freeze_days = 30", "HUANXIN_FREEZE_DAYS"),
        (b"zone = 'Asia/Peking'", "HUANXIN_ZONE"),
        (b"zone = 'Asia'", "HUANXIN_ZONE"),
        (b"[carriers.x]\nname = 'X'\nzone = 'Beijing'\nprefixes = ['+999']", "HUANXIN_CARRIERS__X__ZONE"),
    ],
)
def test_a_file_that_is_missing_broken_or_misspelt_is_named_with_what_is_wrong(
    run: Run, config: Path, content: bytes | None, says: str
) -> None:
    if content is not None:
        config.write_bytes(content)
    said = run("batch", "plan", code=3)
    assert str(config) in said
    assert says in said


def test_a_good_file_counts(run: Run, config: Path) -> None:
    config.write_text("lead_days = 21\n[carriers.xyz]\nname = 'XYZ'\nprefixes = ['+999']\n")
    assert "within 21 days" in run("batch", "plan")


@pytest.mark.parametrize("address", ["db.example/huanxin", "postgresql://[::1", "postgresql://li:secret@db/x?nonsense=1"])
def test_a_database_address_that_is_none_is_named_without_its_password(
    run: Run, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """It ended in a traceback."""
    monkeypatch.setenv("HUANXIN_DATABASE_URL", address)
    said = run("batch", "plan", code=3)
    assert "HUANXIN_DATABASE_URL" in said
    assert "postgresql://user:password@host/database" in said
    assert "secret" not in said


def test_the_first_passphrase_is_one_for_all_that_start_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that started beside the server read an empty one, and could read none of the keys."""
    monkeypatch.setenv("HUANXIN_MODE", "development")
    for turn in range(20):
        settings = Settings(home=tmp_path / str(turn), mode=Mode.DEVELOPMENT)
        ready = Barrier(8)

        def read(settings: Settings = settings, ready: Barrier = ready) -> str:
            ready.wait()
            return settings.passphrase()

        with ThreadPoolExecutor(8) as pool:
            found = [one.result() for one in [pool.submit(read) for _ in range(8)]]
        assert len(set(found)) == 1
        assert len(found[0]) == 43
        assert [one.name for one in settings.home.iterdir()] == ["key-passphrase"], "nothing else is left there"
        assert (settings.home / "key-passphrase").stat().st_mode & 0o777 == 0o600


def test_a_passphrase_that_a_kill_cut_short_is_not_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(home=tmp_path, mode=Mode.DEVELOPMENT)
    with monkeypatch.context() as patch:
        patch.setattr("os.link", _killed)
        with pytest.raises(KeyboardInterrupt):
            settings.passphrase()
    assert not (tmp_path / "key-passphrase").exists()
    assert len(settings.passphrase()) == 43


def _killed(*_: object) -> None:
    raise KeyboardInterrupt
