"""The settings' file: a typo must not start a platform in development mode on a database of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
