"""A program for a self-test: one of our commands, on an empty copy of the partner's tables with the magic ties in it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from huanxin_partner.rehearsal import magic

_UP = 60.0  # seconds to start
_LOG_SHOWN = 2_000  # characters of a failed command's log that are told


class TrialFailed(Exception):
    """The command can't be tested; the text says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A command of ours under test; `port`: where it takes events, if it is pushed to."""

    port: int
    _process: subprocess.Popen[bytes]
    _log: Path

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}/events/"

    def check(self) -> None:
        """Raise TrialFailed with what it said, if it has ended."""
        if self._process.poll() is not None:
            said = self._log.read_text(encoding="utf-8", errors="replace")[-_LOG_SHOWN:]
            raise TrialFailed(f"the command that is tested has ended:\n{said}")

    def listens(self) -> bool:
        """Whether it answers on its port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until(self, up: Callable[[], bool]) -> None:
        """Wait until it is up. Raises TrialFailed."""
        end = time.monotonic() + _UP
        while not up():
            self.check()
            if time.monotonic() > end:
                raise TrialFailed(f"the command that is tested was not up after {_UP:g} s")
            time.sleep(0.05)


@contextmanager
def trial(command: str, settings: Mapping[str, Any], **own: str) -> Iterator[Trial]:
    """Run `huanxin-partner receive`, `poll` or `file` in a process, with `own` in place of some settings. The partner's
    database is read for the form of its tables only. Raises TrialFailed."""
    with TemporaryDirectory(prefix="huanxin-selftest-", ignore_cleanup_errors=True) as folder:
        database, log, port = Path(folder) / "ties.db", Path(folder) / "log.txt", _free_port()
        _copy_tables(settings, database)
        # The magic ties are written as RFC 3339, whatever form the partner's own column has.
        used = dict(settings) | own | {"audience": own["client_id"], "database": str(database), "bound_at_form": "",
                                       "journal": f"{folder}/journal.db", "jwks_file": ""}  # fmt: skip
        environment = os.environ | {f"HUANXIN_PARTNER_{name.upper()}": value for name, value in used.items()}
        more = {"receive": ["--port", str(port)], "file": ["--every", "0.2"]}.get(command, [])
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "huanxin_partner", command, *more],
                env=environment, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            yield Trial(port=port, _process=process, _log=log)
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
