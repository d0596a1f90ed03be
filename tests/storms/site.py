"""The platform of a storm: every process of its own, on a file system of its own, started again as an init system would."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import psycopg

import waiting
from processes import SOURCES, answers, bound, free_port
from storms.room import Room, open_room

PASSPHRASE = "a storm of its own"
NEWER = "2031-01-01T00:00:00Z"
"""When ties were made that belong to the new owner: after every cut-off of a storm."""
OLDER = "2020-05-01T00:00:00Z"
SPARE = 16
"""MB that the platform keeps for itself on its disk, which is a small one."""
_COMES_UP = 30.0  # seconds


@dataclass(kw_only=True)
class Program:
    """A server in a process of its own, and how it is started. It is started again by whoever watches it."""

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int | None = None
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    ended: bool = False

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = bound(subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                env=os.environ | {"PYTHONPATH": str(SOURCES)} | dict(self.environment),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            ))  # fmt: skip
        self.starts += 1

    def kill(self, how: signal.Signals = signal.SIGKILL) -> bool:
        """Whether there was a process to end."""
        process = self.process
        if process is None or process.poll() is not None:
            return False
        process.send_signal(how)
        return True

    def watch(self) -> None:
        if not self.ended and (self.process is None or self.process.poll() is not None):
            self.start()

    def is_up(self) -> bool:
        return self.port is None or answers(self.port)

    def end(self) -> None:
        self.ended = True
        if self.process is not None:
            self.kill(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@dataclass(kw_only=True)
class Shop:
    """A partner that runs `huanxin-partner receive` on an SQLite database."""

    name: str
    database: Path
    program: Program

    def ties(self) -> dict[int, tuple[str | None, str]]:
        """By row: the number that it is tied to now (None: cut), and when the tie was made."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return {row: (phone, at) for row, phone, at in connection.execute("SELECT id, phone, bound_at FROM users")}

    def tie(self, rows: Mapping[int, tuple[str, str]]) -> bool:
        """Make ties, those that are not there yet."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection, connection:
            connection.executemany("INSERT OR IGNORE INTO users (id, phone, bound_at) VALUES (?, ?, ?)",
                                   [(key, *row) for key, row in rows.items()])  # fmt: skip
        return True


@dataclass(kw_only=True)
class Site:
    """Where everything is, and what runs there."""

    place: Room
    port: int
    server: Program
    worker: Program
    shops: list[Shop] = field(default_factory=list)
    hand: dict[str, str] = field(default_factory=dict)
    """the credentials of the partner that this test plays by hand"""
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def room(self) -> Path:
        return self.place.folder

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return _environment(self.room, self.port)

    def command(self, *words: str, prefix: Sequence[str] = ("-m", "huanxin.cli.main")) -> subprocess.Popen[bytes]:
        """A command under way; its output is read by `outcome`."""
        return bound(subprocess.Popen(
            [sys.executable, *prefix, *words], env=os.environ | {"PYTHONPATH": str(SOURCES)} | self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=self.room,
        ))  # fmt: skip

    def database(self) -> psycopg.Connection[Any]:
        """A look past the platform, in a transaction of its own for each statement. The database is not kept up by it; it
        may just be on its way up."""
        end = time.monotonic() + _COMES_UP
        while True:
            try:
                return psycopg.connect(f"postgresql://postgres@/postgres?host={self.room}/home/postgres", autocommit=True)
            except psycopg.OperationalError:
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def programs(self) -> list[Program]:
        return [self.server, self.worker, *(shop.program for shop in self.shops)]

    def watch(self) -> None:
        """Starts again what died, until the site is closed."""
        while not self._stop.wait(0.1):
            for one in self.programs():
                one.watch()

    def postmasters(self) -> list[psutil.Process]:
        """The PostgreSQL servers on this site's data; those they forked are not among them."""
        found = self._postgres()
        pids = {one.pid for one in found}
        return [one for one in found if one.info["ppid"] not in pids]

    def processes(self) -> list[psutil.Process]:
        """Everything that writes on this site's disk but for commands: our programs, PostgreSQL, whoever keeps it."""
        ours = {one.process.pid for one in self.programs() if one.process is not None}
        keeper = {"huanxin.store.server.keeper", str(self.room / "home")}
        return self._postgres() + [
            one for one in psutil.process_iter(["pid", "cmdline"])
            if one.info["pid"] in ours or keeper <= set(one.info["cmdline"] or ())
        ]  # fmt: skip

    def _postgres(self) -> list[psutil.Process]:
        data = str(self.room / "home" / "postgres")
        return [one for one in psutil.process_iter(["name", "cwd", "ppid"])
                if one.info["name"] == "postgres" and one.info["cwd"] == data]  # fmt: skip

    def close(self) -> None:
        """End everything, in the order in which it ends by itself: the database does once nobody uses it."""
        self._stop.set()
        for one in reversed(self.programs()):
            one.end()
        waiting.until(lambda: not self.processes(), 60)
        self.place.close()


def _environment(room: Path, port: int) -> dict[str, str]:
    return {
        "HUANXIN_HOME": str(room / "home"), "HUANXIN_ISSUER": f"http://127.0.0.1:{port}", "HUANXIN_MODE": "development",
        "HUANXIN_KEY_PASSPHRASE": PASSPHRASE, "HUANXIN_TOTP_REQUIRED": "false", "HUANXIN_WORKERS": "3",
        "HUANXIN_SPARE_DISK_MB": str(SPARE),
    }  # fmt: skip


def open_site(where: Path) -> Site:
    """Everything in a folder below this one, and started but for the partners, who are registered first."""
    place, port = open_room(where), free_port()
    room = place.folder
    environment = _environment(room, port)
    server = Program(name="server", arguments=["huanxin.cli.main", "serve", "--port", str(port)], environment=environment,
                     log=room / "server.log", port=port)  # fmt: skip
    worker = Program(
        name="worker", arguments=["huanxin.cli.main", "worker"], environment=environment, log=room / "worker.log"
    )
    site = Site(place=place, port=port, server=server, worker=worker)
    try:
        server.start()
        waiting.until(server.is_up, 60)
        worker.start()
        site.hand = _registered(site, "by hand")
        for name in ("shop", "chat"):
            site.shops.append(_shop(site, name))
    except BaseException:
        site.close()
        raise
    threading.Thread(target=site.watch, name="watch", daemon=True).start()
    return site


def _registered(site: Site, name: str, *more: str) -> dict[str, str]:
    found = outcome(site.command("partner", "add", name, "--kind", "app", *more, "--json"))
    assert found, f"{name} could not be registered"
    return {"client_id": found["client_id"], "client_secret": found["client_secret"]}


def _shop(site: Site, name: str) -> Shop:
    """A partner with its database, registered and started."""
    port, folder = free_port(), site.room / name
    folder.mkdir()
    database = folder / "app.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, bound_at TEXT NOT NULL)")
    given = _registered(site, name, "--endpoint", f"http://127.0.0.1:{port}/events/")
    environment = {
        "HUANXIN_PARTNER_ISSUER": site.url, "HUANXIN_PARTNER_CLIENT_ID": given["client_id"],
        "HUANXIN_PARTNER_CLIENT_SECRET": given["client_secret"], "HUANXIN_PARTNER_DATABASE": str(database),
        "HUANXIN_PARTNER_TABLE": "users", "HUANXIN_PARTNER_NUMBER_COLUMN": "phone",
        "HUANXIN_PARTNER_BOUND_AT_COLUMN": "bound_at",
    }  # fmt: skip
    program = Program(name=name, arguments=["huanxin_partner.cli", "receive", "--port", str(port)], environment=environment,
                      log=folder / "log", port=port)  # fmt: skip
    program.start()
    return Shop(name=name, database=database, program=program)


def outcome(process: subprocess.Popen[bytes], seconds: float = 90) -> dict[str, Any] | None:
    """What a command printed as JSON once it was done; None if it failed or was killed: nothing is acknowledged then."""
    try:
        out, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return None
    if process.returncode:
        return None
    return json.loads(out.splitlines()[-1])  # type: ignore[no-any-return]
