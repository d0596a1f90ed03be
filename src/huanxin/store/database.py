"""The connection to PostgreSQL: one request or job is one transaction, begun and ended here and nowhere else."""

from __future__ import annotations

import re
import select
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from psycopg import errors
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg_pool import ConnectionPool

from huanxin.domain.errors import BadSetting
from huanxin.store.server import embedded, outages

_PATIENCE = 20.0  # seconds that a connection waits for an embedded server that is started again


_NUL = b"\\u0000"


def storable(text: str) -> str:
    """A text as PostgreSQL takes it: without NUL, and without half a character (a lone surrogate). What others say of an
    event goes on record whatever it is."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def _dumps(value: Any) -> bytes:
    try:
        made = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a lone surrogate, or what is no JSON at all, which fails again
        made = _NUL
    return made if _NUL not in made else orjson.dumps(_storable(value), option=orjson.OPT_NON_STR_KEYS)


def _storable(value: Any) -> Any:
    """A value of JSON with each text in it made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable(key): _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list | tuple) else value


set_json_dumps(_dumps)
set_json_loads(orjson.loads)


class Tx(psycopg.Connection[TupleRow]):
    """An open transaction. What is done with it is kept if the block that opened it ends well, undone if not."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.news: dict[tuple[str, str], None] = {}
        """channels and payloads to notify once it is committed"""

    @classmethod
    def connect(cls, conninfo: str = "", **named: Any) -> Tx:
        """As everywhere, and from an embedded server that died there is a connection once it is back."""
        try:
            return super().connect(conninfo, **named)
        except psycopg.OperationalError:
            if not embedded.revive(conninfo, _PATIENCE):
                raise
            return super().connect(conninfo, **named)


LIVE, SANDBOX = "public", "sandbox"
"""The schemas: the recorded facts, and rehearsals, which are kept apart from them."""

# No disk that seeks: PostgreSQL's own guess of 4 has it read whole tables of answers where an index leads to a few.
# Who waited for a lock has to see what was recorded meanwhile, whatever level the server or the role is set to.
_OPTIONS = r"-c timezone=UTC -c random_page_cost=1.1 -c default_transaction_isolation=read\ committed"
_FAILED = (errors.IoError, psycopg.InternalError)  # an I/O error, or a file that may not grow
_BROKE = (errors.AdminShutdown, errors.CrashShutdown)
_NAMES = 7_307  # any constant: the seed of the keys of the locks of names
_GATE = 7_305_001  # any constant: the key of the lock between facts and releases


class Database:
    """A pool of connections to one schema of one database."""

    def __init__(self, dsn: str, *, schema: str = LIVE, max_connections: int = 20) -> None:
        self.dsn = dsn
        self.schema = schema
        self._pool = ConnectionPool(
            dsn,
            connection_class=Tx,
            min_size=0,
            max_size=max_connections,
            open=False,
            timeout=30,
            check=self._check,
            kwargs={"application_name": "huanxin", "options": f"-c search_path={schema} {_OPTIONS}"},
        )

    def __enter__(self) -> Database:
        self._pool.open()
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def _check(self, connection: Tx) -> None:
        """Don't give out a connection that broke while it lay in the pool: when the server died, all did."""
        watched = select.poll()
        watched.register(connection.fileno(), select.POLLIN)
        try:
            while watched.poll(0):
                connection.pgconn.consume_input()
        except psycopg.OperationalError:
            self._pool.drain()
            raise

    @contextmanager
    def transaction(self) -> Iterator[Tx]:
        """A transaction, committed when the block ends and rolled back when it raises."""
        with self._pool.connection() as connection:
            connection.news.clear()
            yield connection
            if connection.news:
                connection.commit()
                with _autocommitting(connection):
                    _spread(connection)

    @contextmanager
    def reading(self, *, writable: bool = False) -> Iterator[Tx]:
        """A transaction that can't write: PostgreSQL refuses whatever would. `writable`: what is written is undone."""
        with self._pool.connection() as connection:
            connection.news.clear()
            connection.read_only = not writable
            try:
                yield connection
            finally:
                if not connection.broken:
                    connection.rollback()
                    connection.read_only = None

    @contextmanager
    def single(self) -> Iterator[Tx]:
        """For a single statement: it is a transaction of its own, at a third of the messages to and fro."""
        with self._pool.connection() as connection, _autocommitting(connection):
            connection.news.clear()
            yield connection
            if connection.news:
                _spread(connection)

    @contextmanager
    def listening(self, channel: str) -> Iterator[psycopg.Connection[Any]]:
        """A connection of its own that hears the notifications of a channel."""
        with Tx.connect(self.dsn, autocommit=True) as connection:
            connection.execute(f"LISTEN {channel}")
            yield connection


@contextmanager
def _autocommitting(connection: Tx) -> Iterator[None]:
    connection.autocommit = True
    try:
        yield
    finally:
        if not connection.broken:
            connection.autocommit = False


def tell(tx: Tx, channel: str, payloads: Iterable[str] = ("",)) -> None:
    """Notify a channel once this transaction is committed.

    Not as a part of it: PostgreSQL lets those that notify commit one at a time, and each waits for the disk. Whoever listens
    looks again unasked after a while, in case that a process dies between the two.
    """
    tx.news.update(dict.fromkeys((channel, payload) for payload in payloads))


def _spread(tx: Tx) -> None:
    """Notify, in a transaction that writes nothing and so doesn't wait for the disk."""
    channels, payloads = zip(*tx.news, strict=True)
    try:
        tx.execute("SELECT pg_notify(u.channel, u.payload) FROM unnest(%s::text[], %s::text[]) u (channel, payload)",
                   (list(channels), list(payloads)))  # fmt: skip
    except psycopg.OperationalError as error:  # what was committed stays so, and whoever waits looks again unasked
        outages.noted(error)


@contextmanager
def within(tx: Tx, schema: str) -> Iterator[Tx]:
    """The same transaction in another schema, for what concerns both the live platform and its sandbox."""
    row = tx.execute("SELECT current_setting('search_path')").fetchone()
    assert row is not None
    tx.execute("SELECT set_config('search_path', %s, true)", (schema,))
    yield tx
    tx.execute("SELECT set_config('search_path', %s, true)", (row[0],))


def one_name_at_a_time(tx: Tx, name: str) -> None:
    """Make those who want to take one name wait for each other, until this transaction ends."""
    tx.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", (name, _NAMES))


def recording_facts(tx: Tx) -> None:
    """Say that this transaction records facts that the gate reads: it waits for a release under way, not for others."""
    tx.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_GATE,))


def deciding(tx: Tx) -> None:
    """Say that this transaction decides by the facts: none is recorded until it ends."""
    tx.execute("SELECT pg_advisory_xact_lock(%s)", (_GATE,))


def explain_connection_error(error: psycopg.Error) -> BadSetting:
    """What to do when PostgreSQL can't be reached, or could not go on to the end; a password in the address is not
    repeated."""
    said = str(error).partition("\n")[0]
    if isinstance(error, errors.DiskFull):
        return BadSetting(
            f"PostgreSQL has no room left on its disk ({said}), so nothing of this was recorded; make room first"
        )
    if isinstance(error, _FAILED):
        return BadSetting(f"PostgreSQL failed ({said}), so nothing of this was recorded; its log may say more")
    if isinstance(error, _BROKE) or "consuming input failed" in str(error) or "sending query failed" in str(error):
        return BadSetting(
            "PostgreSQL ended in the middle of this, so what was under way was recorded whole or not at all. Look, and "
            "order it again: what is on record already is not recorded twice"
        )
    text = re.sub(r"://([^:@/]+):[^@/]+@", r"://\1:***@", str(error)).strip()
    return BadSetting(f"PostgreSQL can't be reached: {text}. Check HUANXIN_DATABASE_URL and that the server runs.")
