"""`huanxin-partner`: settings that lack something are refused with what to do; its help names every command."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from asgi_calls import post
from huanxin_partner import cli

SETTINGS = """
issuer = "http://127.0.0.1:8600/"
client_id = "pc_1"
database = "{folder}/a.db"
table = "users"
number_column = "phone"
bound_at_column = "since"
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    with closing(sqlite3.connect(tmp_path / "a.db")) as db, db:
        db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
    file = tmp_path / "c.toml"
    file.write_text(SETTINGS.format(folder=tmp_path), encoding="utf-8")
    monkeypatch.setenv("HUANXIN_PARTNER_CLIENT_SECRET", "s")
    return file


def test_it_serves_a_receiver(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr("uvicorn.run", lambda app, **options: served.append((app, options["port"])))
    assert cli.main(["receive", "--config", str(config), "--port", "8701"]) == 0
    ((app, port),) = served
    assert port == 8701
    answer = post(app, "/events/", content="x", headers={"Content-Type": "application/secevent+jwt"})
    assert answer.json()["err"] == "invalid_request"


def test_a_missing_setting_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HUANXIN_PARTNER_CLIENT_SECRET")
    assert cli.main(["receive", "--config", str(config)]) == cli.WRONG_SETTING
    assert "HUANXIN_PARTNER_CLIENT_SECRET" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "value", "said"), [("TABLE", "people", "people"), ("ZONE", "Mars/Base", "Mars/Base")])
def test_a_setting_that_cannot_be_used_is_named(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"HUANXIN_PARTNER_{name}", value)
    assert cli.main(["receive", "--config", str(config)]) == cli.WRONG_SETTING
    assert said in capsys.readouterr().err


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.toml").write_text("issuer = ", encoding="utf-8")
    for name in ("bad.toml", "none.toml"):
        assert cli.main(["poll", "--config", str(tmp_path / name)]) == cli.WRONG_SETTING
        assert name in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ("selftest", "--polling", "--port", "99999999"), ("selftest", "--polling", "--port", "-3"),
        ("selftest", "--endpoint", "http://[::1"), ("selftest", "--endpoint", "nonsense"),
        ("selftest", "--endpoint", "http://127.0.0.1:99999/x"), ("selftest", "--polling", "--patience", "-1"),
        ("selftest", "--polling", "--patience", "nan"), ("selftest", "--polling", "--patience", "inf"),
        ("receive", "--port", "70000"), ("file", "--every", "0"), ("listen", "--forward-to", "127.0.0.1:5000/events"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_an_option_that_can_not_be_meant_is_named_before_anything_is_started(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """A port that is none ended in a traceback, and a time to wait that is none in waiting for ever."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    said = capsys.readouterr().err
    assert ended.value.code == 2, "the command was written wrongly"
    assert words[-2] in said
    assert f"{words[-1]!r} is no" in said
    assert "write" in said


def test_a_folder_that_can_not_be_made_is_not_blamed_on_the_port(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert cli.main(["selftest", "--folder", str(tmp_path / "file"), "--port", "0"]) == cli.WRONG_SETTING
    said = capsys.readouterr().err
    assert str(tmp_path / "file" / "OUT") in said
    assert "--port" not in said


def test_the_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["--help"])
    said = capsys.readouterr().out
    assert ended.value.code == 0
    for word in ("receive", "poll", "file", "listen", "verify", "survey", "selftest", "magic-ties", "exit codes"):
        assert word in said


def test_the_magic_ties_are_printed_as_csv(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["magic-ties"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading == "number,bound_at"
    assert "+8610000000003,2026-01-01T00:00:00Z" in lines
    assert "+8610000000007,2025-12-31T23:59:59Z" in lines
    assert not any(line.startswith("+8610000000002") for line in lines)  # nobody has it


def test_an_adapter_needs_no_table(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    monkeypatch.setattr("uvicorn.run", lambda app, **options: served.append(app))
    monkeypatch.setenv("HUANXIN_PARTNER_ADMIN_TOKEN", "t")
    lines = config.read_text(encoding="utf-8").splitlines()
    about_a_table = ("table", "number_column", "bound_at_column")
    kept = [line for line in lines if not line.startswith(about_a_table)]
    config.write_text("\n".join([*kept, "[synapse]", 'url = "http://127.0.0.1:8008"']), encoding="utf-8")
    assert cli.main(["receive", "--config", str(config)]) == 0
    assert len(served) == 1


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ('admin_token = "t"', "needs url"),
        ('url = "synapse.example"\nadmin_token = "t"', "needs url"),
        ('url = "http://127.0.0.1:8008"', "HUANXIN_PARTNER_ADMIN_TOKEN"),
        ('url = "http://127.0.0.1:8008"\nadmin_token = "t"\nend_sessions = "no"', "true or false"),
        ('url = "http://127.0.0.1:8008"\ntoken = "t"', "no setting token"),
    ],
)
def test_a_section_that_lacks_something_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str], section: str, said: str
) -> None:
    config.write_text(config.read_text(encoding="utf-8") + f"\n[synapse]\n{section}\n", encoding="utf-8")
    assert cli.main(["receive", "--config", str(config)]) == cli.WRONG_SETTING
    assert said in capsys.readouterr().err
