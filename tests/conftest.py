"""What all tests share: a real PostgreSQL, a network that ends at this machine, and Hypothesis that repeats itself."""

from __future__ import annotations

import atexit
import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle
from pathlib import Path
from typing import Any

import certifi
import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import RSAKey
from psycopg import sql
from psycopg.conninfo import make_conninfo

from clocks import Clock
from huanxin.access import people
from huanxin.acts import Platform
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules
from huanxin.signing import keys
from huanxin.store.database import LIVE, SANDBOX, Database
from huanxin.store.migrate import migrate
from huanxin.store.server.embedded import embedded_dsn, leave
from processes import tell_warden

# A red test must be red again the next time, on any machine: no fresh randomness, no clock.
# `--hypothesis-profile=search` looks further; `unshrunk` is for who wants to know only whether a test fails.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, database=None, print_blob=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=2000)
hypothesis.settings.register_profile(
    "unshrunk", derandomize=True, deadline=None, database=None, phases=(hypothesis.Phase.explicit, hypothesis.Phase.generate)
)
hypothesis.settings.load_profile("ci")

_runtime = Path(tempfile.mkdtemp(prefix="huanxin-run-"))
atexit.register(shutil.rmtree, _runtime, ignore_errors=True)

# Nobody out there is talked to, and reading all authorities of the web takes each HTTP client a twentieth of a second: one
# of them is enough, for the processes that tests start too.
_authority = certifi.contents().partition("-----END CERTIFICATE-----")
(_runtime / "authority.pem").write_text("".join(_authority[:2]) + "\n", encoding="ascii", errors="ignore")
os.environ["SSL_CERT_FILE"] = str(_runtime / "authority.pem")
os.environ["XDG_STATE_HOME"] = str(_runtime / "authority.pem")  # no folder: whose home was the last is remembered nowhere

TEMPLATE = f"huanxin_template_{os.getpid()}"  # several test processes may share a server
_names = count(1)
MEMORY, ROOM = "/dev/shm", 4 << 30  # bytes


# The network ends here -----------------------------------------------------------------------------------------------
def _is_local(host: object) -> bool:
    if not isinstance(host, str | bytes):
        return host is None
    name = host.decode() if isinstance(host, bytes) else host
    if name in ("", "localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def guard(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
            raise PermissionError(f"a test may not reach {address[0]}: tests talk to servers on this machine only")
        return connect(self, address)

    return guard


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """A connection or a name look-up that leaves this machine fails at once and says so."""
    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
        if not _is_local(host):
            raise PermissionError(f"a test may not look up {host!r}: tests talk to servers on this machine only")
        return look_up(host, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", _guarded(socket.socket.connect))
        patch.setattr(socket.socket, "connect_ex", _guarded(socket.socket.connect_ex))
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


@pytest.fixture(scope="session", autouse=True)
def few_rsa_keys() -> Iterator[None]:
    """A platform's RSA keys come from a few that are made once, and their arithmetic isn't checked each time they are read:
    both together take each platform of a test a third of a second."""
    pool = cycle([RSAKey.generate_key(2048, private=True) for _ in range(4)])  # more than a test ever has of one platform
    unchecked = partial(load_pem_private_key, unsafe_skip_rsa_key_validation=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(keys._GENERATE, keys.RS256, lambda: next(pool))
        patch.setattr("joserfc._rfc7517.pem.load_pem_private_key", unchecked)
        yield


# PostgreSQL ----------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session")
def quick() -> Iterator[Path]:
    """A folder in memory if the machine has one with room: the thousand files of each new database cost half there."""
    memory = MEMORY if Path(MEMORY).is_dir() and shutil.disk_usage(MEMORY).free > ROOM else None
    with tempfile.TemporaryDirectory(prefix="huanxin-test-", dir=memory, ignore_cleanup_errors=True) as folder:
        tell_warden(f"folder {folder}")
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(quick: Path) -> Iterator[str]:
    """The address of a server of this run's own: the embedded one, or HUANXIN_TEST_DATABASE_URL (its databases
    `huanxin_test_*` and `huanxin_template_*` are made anew)."""
    own = os.environ.get("HUANXIN_TEST_DATABASE_URL")
    if own:
        yield own
        return
    dsn = embedded_dsn(quick / "home")
    with psycopg.connect(dsn, autocommit=True) as connection:
        # Nothing here has to outlive a power cut. What a killed client leaves behind stays exactly as in production.
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
    yield dsn
    leave(quick / "home")  # it has to stop before its folder goes


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """The name of a database with the present schema and nothing in it, to be copied: HUANXIN_TEST_TEMPLATE or a new one."""
    if ready := os.environ.get("HUANXIN_TEST_TEMPLATE"):
        return ready
    _recreate(postgres, TEMPLATE, template="template1")
    for schema in (LIVE, SANDBOX):
        migrate(make_conninfo(postgres, dbname=TEMPLATE), schema, simulated=True)
    return TEMPLATE


@pytest.fixture
def dsn(postgres: str, migrated: str) -> Iterator[str]:
    """The address of a fresh database with the present schema, gone after the test."""
    name = f"huanxin_test_{os.getpid()}_{next(_names)}"
    _recreate(postgres, name, template=migrated)
    yield make_conninfo(postgres, dbname=name)
    _drop(postgres, name)


@pytest.fixture(scope="module")
def module_dsn(postgres: str, migrated: str) -> Iterator[str]:
    """As `dsn`, one for all tests of a file, which then meet each other's facts."""
    name = f"huanxin_test_{os.getpid()}_{next(_names)}"
    _recreate(postgres, name, template=migrated)
    yield make_conninfo(postgres, dbname=name)
    _drop(postgres, name)


@pytest.fixture
def empty_dsn(postgres: str) -> Iterator[str]:
    """The address of a database without any schema, for tests of the migrations themselves."""
    name = f"huanxin_test_{os.getpid()}_{next(_names)}"
    _recreate(postgres, name, template="template1")
    yield make_conninfo(postgres, dbname=name)
    _drop(postgres, name)


@pytest.fixture
def database(dsn: str) -> Iterator[Database]:
    """A fresh database with the present schema, opened as the platform opens it."""
    with Database(dsn) as opened:
        yield opened


def _recreate(server: str, name: str, *, template: str) -> None:
    _drop(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def _drop(server: str, name: str) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


# People ---------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords of tests are hashed as by a far weaker argon2: they guard nothing, and the real one is made to take long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(people, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield


# A platform -----------------------------------------------------------------------------------------------------------
@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(database: Database, clock: Clock) -> Platform:
    return Platform(
        database=database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=clock, development=True
    )


Report = Callable[..., Path]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Writes a report: lines as they stand in the file, under the usual heading unless another is given."""

    def write(
        *lines: str, name: str = "report.csv", heading: str = "number,event,at", encoding: str = "utf-8", end: str = "\n"
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(end.join([heading, *lines, ""]).encode(encoding))
        return path

    return write
