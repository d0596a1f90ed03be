"""Facts are appended, never edited (rule 6); a transaction is kept whole or not at all; a release waits for facts."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.database import Database, Tx, deciding, explain_connection_error, recording_facts, tell
from huanxin.store.migrate import migrate
from huanxin.store.plan import holds

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def hold(tx: Tx) -> int:
    return facts.hold(
        tx, source="police", order="17", reason="fraud", until=date(2027, 1, 1), review_on=None, by="li", at=NOW,
        numbers=NumberSet.of([8613800138000, 8613900139000]),
    )  # fmt: skip


@pytest.mark.parametrize("change", ["UPDATE hold SET reason = 'none'", "DELETE FROM hold_set", "TRUNCATE hold_lift"])
def test_the_database_itself_refuses_to_edit_or_drop_a_fact(database: Database, change: str) -> None:
    with database.transaction() as tx:
        hold(tx)
    with pytest.raises(psycopg.errors.RaiseException, match="appended, never edited"), database.transaction() as tx:
        tx.execute(change.encode())
    with database.transaction() as tx:
        assert [one.reason for one in holds.all_holds(tx)] == ["fraud"]
        assert list(holds.numbers_of(tx, 1)) == [8613800138000, 8613900139000]


def test_what_fails_half_way_leaves_nothing(database: Database) -> None:
    def fails() -> None:
        with database.transaction() as tx:
            hold(tx)
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        fails()
    with database.transaction() as tx:
        assert holds.all_holds(tx) == []


def test_a_release_waits_for_a_fact_that_is_being_recorded(database: Database) -> None:
    """Else a hold recorded in the same moment would come a moment after its number was sold."""
    seen: list[int] = []
    started = threading.Event()

    def decide() -> None:
        with database.transaction() as tx:
            started.set()
            deciding(tx)
            seen.append(len(holds.all_holds(tx)))

    with database.transaction() as tx:
        recording_facts(tx)
        hold(tx)
        other = threading.Thread(target=decide)
        other.start()
        assert started.wait(10)
        assert seen == []
    other.join(10)
    assert seen == [1]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_whoever_waits_for_a_fact_sees_it_whatever_level_the_server_is_set_to(dsn: str, level: str) -> None:
    """A release that waited for a hold released the held number: it went on seeing what was so before it waited."""
    server_is_set_to(dsn, level)
    with Database(dsn) as database:
        with database.transaction() as tx:
            assert tx.execute("SHOW transaction_isolation").fetchone() == ("read committed",)
        with database.single() as tx:
            assert tx.execute("SHOW transaction_isolation").fetchone() == ("read committed",)


def server_is_set_to(dsn: str, level: str) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        name = sql.Identifier(str(conninfo_to_dict(dsn)["dbname"]))
        owner.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_isolation = {}").format(name, sql.Literal(level)))


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_many_processes_may_bring_the_schema_up_to_date_at_once(empty_dsn: str, level: str) -> None:
    server_is_set_to(empty_dsn, level)
    applied: list[list[str]] = []
    threads = [threading.Thread(target=lambda: applied.append(migrate(empty_dsn))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    first, *others = sorted(applied, key=len, reverse=True)
    assert first[0] == "0001_facts"
    assert others == [[], []]


def test_a_password_is_not_repeated_in_an_error() -> None:
    error = psycopg.OperationalError("connection to postgresql://huanxin:secret@db.example/huanxin failed")
    assert "secret" not in str(explain_connection_error(error))
    assert "HUANXIN_DATABASE_URL" in str(explain_connection_error(error))


@pytest.mark.parametrize("error", [errors.DiskFull("could not extend file"), errors.InternalError_("could not extend file")])
def test_a_server_that_fails_is_not_said_to_be_out_of_reach(error: psycopg.Error) -> None:
    """Who is sent to look at an address doesn't look at a disk."""
    said = str(explain_connection_error(error))
    assert "could not extend file" in said
    assert "HUANXIN_DATABASE_URL" not in said


def test_news_are_told_once_the_transaction_is_committed_and_never_if_it_is_not(database: Database) -> None:
    """Whoever hears of an order looks for it at once: it has to be there."""
    with database.listening("huanxin_test") as listener:
        undone = database.transaction()
        tell(undone.__enter__(), "huanxin_test", ["undone"])
        assert not undone.__exit__(RuntimeError, RuntimeError("the power went"), None)
        with database.transaction() as tx:
            tell(tx, "huanxin_test", ["done", "done"])
            assert not list(listener.notifies(timeout=0.1, stop_after=1))
        with database.single() as tx:
            tell(tx, "huanxin_test", ["single"])
        assert [heard.payload for heard in listener.notifies(timeout=5, stop_after=2)] == ["done", "single"]
