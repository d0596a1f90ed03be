"""A receiver for a self-test: the partner's own settings, with an empty copy of its tables and the magic ties in it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huanxin_partner.rehearsal import magic

_UP = 60.0  # seconds to start
_LOG = 2_000  # characters of a failed receiver's log that are told


class TrialFailed(Exception):
    """The receiver can't be started; the text says why, and what to do."""


@contextmanager
def trial_receiver(settings: Mapping[str, Any], *, issuer: str, client_id: str, client_secret: str) -> Iterator[str]:
    """Run `huanxin-partner receive` in a process; the URL of its endpoint. The partner's database is read for the form of
    its tables only. Raises TrialFailed."""
    with TemporaryDirectory(prefix="huanxin-selftest-", ignore_cleanup_errors=True) as folder:
        database = Path(folder) / "ties.db"
        _copy_tables(settings, database)
        own = dict(settings) | {"issuer": issuer, "client_id": client_id, "client_secret": client_secret,
                                "audience": client_id, "database": str(database), "journal": f"{folder}/journal.db",
                                "jwks_file": ""}  # fmt: skip
        environment = os.environ | {f"HUANXIN_PARTNER_{name.upper()}": str(value) for name, value in own.items()}
        port = _free_port()
        log = Path(folder) / "receiver.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "huanxin_partner", "receive", "--port", str(port)],
                env=environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            _wait_until_up(process, port, log)
            yield f"http://127.0.0.1:{port}/events/"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def load_magic_ties(database: Path, table: str, number_column: str, bound_at_column: str) -> None:
    """Insert the magic ties into a test database. Raises TrialFailed if a row needs more than a number and a time."""
    names = ", ".join('"' + name.replace('"', '""') + '"' for name in (number_column, bound_at_column))
    quoted = '"' + table.replace('"', '""') + '"'
    rows = [tuple(line.split(",")) for line in magic.ties_csv()][1:]
    try:
        with closing(sqlite3.connect(database)) as db, db:
            db.executemany(f"INSERT INTO {quoted} ({names}) VALUES (?, ?)", rows)
    except sqlite3.Error as error:
        raise TrialFailed(
            f"the magic ties don't fit into {table}: {error}. Load what `huanxin-partner magic-ties` prints into a test"
            " database yourself, start your receiver on it, and give --endpoint"
        ) from error


def _copy_tables(settings: Mapping[str, Any], target: Path) -> None:
    source = Path(settings["database"])
    if not source.is_file():
        raise TrialFailed(f"there is no database {source}; its tables are copied for the test")
    with (
        closing(sqlite3.connect(f"{source.resolve().as_uri()}?mode=ro", uri=True)) as db,
        closing(sqlite3.connect(target)) as copy,
    ):
        made = db.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND type = 'table'"
        )
        for (sql,) in made.fetchall():
            copy.execute(sql)
    load_magic_ties(target, settings["table"], settings["number_column"], settings["bound_at_column"])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def _wait_until_up(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + _UP
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    said = log.read_text(encoding="utf-8", errors="replace")[-_LOG:]
    raise TrialFailed(f"the receiver did not start:\n{said}")
