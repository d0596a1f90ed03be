"""A served platform and companies that connect to it, with receivers in processes of their own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from huanxin_partner.rehearsal import magic
from processes import answers, free_port, running, started, until

CLI = "import sys; from huanxin.cli.main import main; sys.exit(main())"
RECEIVER = "import sys; from huanxin_partner.cli import main; sys.exit(main())"


@dataclass(frozen=True, kw_only=True)
class Served:
    """`huanxin serve` in a process, in development mode; `environment` is what its commands need."""

    url: str
    http: httpx.Client
    environment: Mapping[str, str]

    def order(self, *words: str, code: int = 0) -> Any:
        """Run a command of the operator; its JSON, or what it said if it was to be refused."""
        done = subprocess.run(
            [sys.executable, "-c", CLI, *words, "--json"], env=dict(self.environment), capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout else " ".join(done.stderr.split())


@contextmanager
def served_platform(dsn: str, home: Path) -> Iterator[Served]:
    """A platform on a database, served until the block ends."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"HUANXIN_DATABASE_URL": dsn, "HUANXIN_HOME": str(home), "HUANXIN_ISSUER": url, "HUANXIN_MODE": "development"}
    with running(["-c", CLI, "serve"], port, folder=None, **settings), httpx.Client(base_url=url, timeout=60) as http:
        yield Served(url=url, http=http, environment=os.environ | settings)


@dataclass(kw_only=True)
class Company:
    """An account at a served platform, and its program."""

    platform: Served
    account: dict[str, Any]

    @classmethod
    def registered(cls, platform: Served, *, name: str, domain: str, endpoint: str | None = None) -> Company:
        body = {"name": name, "kind": "app", "domain": domain, "endpoint": endpoint}
        answer = platform.http.post("/partner/v1/accounts", json=body)
        assert answer.status_code == 201, answer.text
        return cls(platform=platform, account=answer.json())

    def token(self) -> str:
        """An access token of the sandbox."""
        access = self.account["sandbox"]
        return token_of(self.platform, access, "/sandbox")

    def call(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Call the account API with a token of the sandbox."""
        headers = {"Authorization": f"Bearer {self.token()}"}
        return self.platform.http.request(method, f"/partner/v1/account{path}", headers=headers, **more)

    def todo(self) -> dict[str, str | None]:
        """The steps that are not done, and why."""
        items = self.call("GET", "").json()["checklist"]
        return {item["step"]: item["why"] for item in items if not item["done"]}

    def tested(self) -> dict[str, Any]:
        """Run the self-test by the API, and wait for its end."""
        started = self.call("POST", "/selftest")
        assert started.status_code == 202, started.text
        path = f"/selftest/{started.json()['run']}"
        until(lambda: self.call("GET", path).json()["state"] != "running", seconds=300)
        found: dict[str, Any] = self.call("GET", path).json()
        return found


def token_of(platform: Served, access: Mapping[str, str], base: str = "") -> str:
    auth = (access["client_id"], access["client_secret"])
    answer = platform.http.post(f"{base}/oauth/token", data={"grant_type": "client_credentials"}, auth=auth)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


@contextmanager
def receiving(
    folder: Path, port: int, access: Mapping[str, str], ties: Mapping[str, str] | None = None, *, command: str = RECEIVER
) -> Iterator[Path]:
    """`huanxin-partner receive` with these credentials on a table of users; the path of its database."""
    environment = settings_of(folder, access, ties)
    with running(["-c", command, "receive"], port, folder=None, **environment):
        yield Path(environment["HUANXIN_PARTNER_DATABASE"])


def settings_of(folder: Path, access: Mapping[str, str], ties: Mapping[str, str] | None = None) -> dict[str, str]:
    """The settings of a partner's program, and its database filled with ties: the magic ones unless others are given."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "shop.db"
    fill(database, ties if ties is not None else {number: f"{at:%Y-%m-%dT%H:%M:%SZ}" for number, at in magic.TIES.items()})
    return {
        "HUANXIN_PARTNER_ISSUER": access["issuer"], "HUANXIN_PARTNER_CLIENT_ID": access["client_id"],
        "HUANXIN_PARTNER_CLIENT_SECRET": access["client_secret"], "HUANXIN_PARTNER_DATABASE": str(database),
        "HUANXIN_PARTNER_TABLE": "users", "HUANXIN_PARTNER_NUMBER_COLUMN": "phone",
        "HUANXIN_PARTNER_BOUND_AT_COLUMN": "since",
    }  # fmt: skip


def fill(database: Path, ties: Mapping[str, str]) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
        db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", ties.items())


def numbers_in(database: Path) -> set[str]:
    with closing(sqlite3.connect(database, timeout=10)) as db:
        return {phone for (phone,) in db.execute("SELECT phone FROM users WHERE phone IS NOT NULL")}


@contextmanager
def serving_file(folder: Path) -> Iterator[tuple[str, Callable[[str], int]]]:
    """A web server of a company, in a process of its own: its domain, and how it puts its challenge there."""
    port = free_port()
    place = folder / ".well-known"
    place.mkdir(parents=True)
    with started(["-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]):
        until(lambda: answers(port))
        yield f"127.0.0.1:{port}", (place / "huanxin-challenge").write_text
