"""Every setting is looked at before anything starts: what is unknown, or can't be meant, is told in one sentence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from huanxin_partner import cli
from huanxin_partner.journal import BadJournal, Journal
from partner_signing import jwks, key

GOOD = {
    "issuer": "http://127.0.0.1:8600/", "client_id": "pc_1", "client_secret": "s", "database": "shop.db", "table": "users",
    "number_column": "phone", "bound_at_column": "since", "files_out": "OUT", "files_in": "IN", "jwks_file": "keys.json",
}  # fmt: skip
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a partner works: a database, keys, a note and two folders."""
    monkeypatch.chdir(tmp_path)
    for name in ("OUT", "IN", "sub"):
        (tmp_path / name).mkdir()
    (tmp_path / "keys.json").write_text(json.dumps(jwks(key("k1"))), encoding="utf-8")
    (tmp_path / "note.txt").write_text("this is no database, but it is long enough to look at" * 20, encoding="utf-8")
    for name, table in (("shop.db", "users"), ("other.db", "orders")):
        with closing(sqlite3.connect(tmp_path / name)) as db, db:
            db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
    (tmp_path / "link.db").symlink_to(tmp_path / "shop.db")
    return tmp_path


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command with the good settings and these; its exit code and what it said on stderr. Nothing may be served."""

    def served(*_: Any, **__: Any) -> None:
        raise AssertionError("it started")

    monkeypatch.setattr("uvicorn.run", served)

    def run(*words: str, **settings: Any) -> tuple[int, str]:
        found = GOOD | settings
        lines = [f"{name} = {json.dumps(value)}" for name, value in found.items() if value is not None and name != "synapse"]
        if isinstance(found.get("synapse"), dict):
            lines += ["[synapse]", *(f"{name} = {json.dumps(value)}" for name, value in found["synapse"].items())]
        (folder / "c.toml").write_text("\n".join(lines), encoding="utf-8")
        code = cli.main([*(words or ("receive",)), "--config", "c.toml"])
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"zonee": "Asia/Shanghai"}, "zonee is no setting; did you mean zone?"),
        ({"bound_at": "since"}, "bound_at is no setting"),
        ({"x": "y"}, "there are issuer"),
        ({"client_id": 1}, "client_id has to be text"),
        ({"client_secret": True}, "client_secret has to be text"),
        ({"database": ["shop.db"]}, "database has to be text"),
        ({"zone": 8}, "zone has to be text"),
        ({"zone": "Mars/Base"}, "no zone 'Mars/Base'"),
        ({"zone": "Asia"}, "no zone 'Asia'"),
        ({"zone": "../UTC"}, "no zone '../UTC'"),
        ({"zone": "x\0y"}, "no zone"),
        ({"bound_at_form": "%Y"}, "bound_at_form: '%Y' is no form"),
        ({"issuer": "huanxin.example"}, "issuer is 'huanxin.example'"),
        ({"issuer": "https://user@huanxin.example"}, "issuer is"),
        ({"issuer": "http://[::1"}, "issuer is"),
        ({"issuer": None}, "issuer is missing"),
        ({"table": ""}, "table is missing"),
        ({"database": "none.db"}, "there is no database none.db"),
        ({"database": "sub"}, "there is no database sub"),
        ({"database": "note.txt"}, "note.txt can't be read as an SQLite database"),
        ({"table": "people"}, "there is no table people"),
        ({"number_column": "mobile"}, "with a column mobile"),
        ({"number_column": "id"}, "three columns"),
        ({"bound_at_column": "id"}, "three columns"),
        ({"bound_at_column": "phone"}, "number_column and bound_at_column are the same"),
        ({"journal": "shop.db"}, "journal and database are the same file"),
        ({"journal": "sub/../shop.db"}, "journal and database are the same file"),
        ({"journal": "link.db"}, "journal and database are the same file"),
        ({"journal": "other.db"}, "other.db holds the table orders"),
        ({"journal": "sub"}, "sub is a folder"),
        ({"journal": "none/j.db"}, "there is no folder none"),
        ({"journal": "note.txt"}, "note.txt can't be used as a journal"),
        ({"jwks_file": "none.json"}, "jwks_file none.json"),
        ({"jwks_file": "note.txt"}, "jwks_file note.txt"),
        ({"jwks_file": "sub"}, "jwks_file sub"),
        ({"synapse": {"url": 8008, "admin_token": "t"}}, "url and admin_token have to be text"),
        ({"synapse": {"url": "http://127.0.0.1:1", "admin_token": "t"}, "database": "sub"}, "database sub can't keep"),
        ({"synapse": {"url": "http://127.0.0.1:1", "admin_token": "t"}, "database": "none/r.db"}, "none/r.db can't keep"),
        ({"synapse": {"url": "http://127.0.0.1:1", "admin_token": "t"}, "database": "note.txt"}, "note.txt can't keep"),
        ({"synapse": {"url": "http://127.0.0.1:1", "admin_token": "t"}, "database": "r.db", "journal": "r.db"}, "same file"),
    ],
    ids=str,
)  # fmt: skip
def test_what_can_not_be_meant_is_told_before_anything_starts(
    run: Run, folder: Path, settings: dict[str, Any], said: str
) -> None:
    """A misspelt zone was accepted in silence, and a tie of the new owner was cut; other settings ended in tracebacks."""
    code, told = run(**settings)
    assert (code, told.count("\n")) == (cli.WRONG_SETTING, 1)
    assert said in told
    assert not (folder / "none.db").exists(), "what is misspelt isn't made"
    with closing(sqlite3.connect(folder / "shop.db")) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables <= {"users", "huanxin_cuts"}


def test_a_section_that_is_none_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "c.toml").write_text("synapse = 3", encoding="utf-8")
    assert cli.main(["receive", "--config", "c.toml"]) == cli.WRONG_SETTING
    assert "synapse has to be a section" in capsys.readouterr().err
    assert cli.main(["receive", "--config", "sub"]) == cli.WRONG_SETTING
    assert "can't be read from sub" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"files_in": "OUT/"}, "files_out and files_in are the same"),
        ({"files_out": "note.txt"}, "files_out names a file"),
        ({"files_in": "pigeon://loft"}, "pigeon://"),
        ({"journal": "shop.db"}, "journal and database are the same file"),
    ],
    ids=str,
)
def test_folders_that_are_none_are_told(run: Run, settings: dict[str, str], said: str) -> None:
    code, told = run("file", "--once", **settings)
    assert (code, told.count("\n")) == (cli.WRONG_SETTING, 1)
    assert said in told


@pytest.mark.parametrize(("name", "said"), [("ZONEE", "did you mean zone?"), ("SECRET", "HUANXIN_PARTNER_SECRET is no")])
def test_what_is_misspelt_in_the_environment_is_told(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    monkeypatch.setenv(f"HUANXIN_PARTNER_{name}", "Asia/Shanghai")
    code, told = run()
    assert code == cli.WRONG_SETTING
    assert said in told


def test_good_settings_are_taken(run: Run, folder: Path) -> None:
    with pytest.raises(AssertionError, match="it started"):
        run(zone="Asia/Shanghai", bound_at_form="%Y%m%d", journal="sub/j.db", audience="pc_9")
    assert run("file", "--once") == (0, "")
    assert (folder / "sub/j.db").exists()


def test_what_is_in_doubt_is_counted_before_going_live(run: Run, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(folder / "shop.db")) as db, db:
        rows = [("+8613800138000", "2020-01-01"), ("+8613800138001", "2026-W01"), (None, "soon")]
        db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", rows)
    (folder / "c.toml").write_text("\n".join(f'{name} = "{value}"' for name, value in GOOD.items()), encoding="utf-8")
    assert cli.main(["survey", "--config", "c.toml"]) == 1
    said = capsys.readouterr().out
    assert "2 rows have a number. When 1 of them were bound is in doubt" in said
    assert "0000-W00: 1 rows, for instance 2026-W01" in said
    assert cli.main(["survey", "--config", "c.toml", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == {"rows": 2, "doubtful": 1, "forms": {"0000-W00": {"rows": 1, "example": "2026-W01"}}}
    with closing(sqlite3.connect(folder / "shop.db")) as db, db:
        db.execute("DELETE FROM users WHERE id = 2")
    before = (folder / "shop.db").read_bytes()
    assert cli.main(["survey", "--config", "c.toml"]) == 0
    assert (folder / "shop.db").read_bytes() == before
    assert run("survey", synapse={"url": "http://127.0.0.1:1", "admin_token": "t"})[0] == cli.WRONG_SETTING


def test_a_journal_is_a_file_of_its_own_for_every_program(folder: Path) -> None:
    with pytest.raises(BadJournal, match="holds the table users"):
        Journal(folder / "shop.db")
    Journal(folder / "j.db").close()
    Journal(folder / "j.db").close()
