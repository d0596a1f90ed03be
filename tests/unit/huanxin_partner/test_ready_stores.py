"""The stores for SQLAlchemy and Django, on SQLite and PostgreSQL: the same rules, and the same answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from huanxin_partner.rows import BadTable, Refuse, Tie
from huanxin_partner.sqlalchemy import SqlAlchemyTies
from huanxin_partner.ties import Answer
from ready_stores import ACCOUNTS, Shop, postgres_url, sqlalchemy_shop, sqlite_url

CUTOFF = datetime(2026, 11, 24, 5, 8, 0, 500_000, tzinfo=UTC)
OLD = datetime(2020, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
NUMBER, OTHER, NOBODY = "+8613800138000", "+8613800138001", "+8613800138002"


def said(answers: Sequence[Answer]) -> dict[str, tuple[str, str]]:
    return {answer.number: (answer.outcome, answer.reason) for answer in answers}


def test_cuts_the_older_tie_keeps_the_row_and_answers_the_same_again(shop: Shop) -> None:
    shop.add(NUMBER, OLD)
    shop.add(OTHER, CUTOFF)
    ties = shop.store()
    expected = {NUMBER: ("unbound", ""), OTHER: ("kept", "")}
    for _ in range(2):
        assert said(ties.unbind([NUMBER, OTHER, NOBODY], CUTOFF)) == expected
    assert shop.phones() == [None, OTHER]
    assert (ties.bound(NUMBER), ties.bound(OTHER)) == (False, True)
    assert ties.unbind([NUMBER], CUTOFF + timedelta(days=400)) == []


@pytest.mark.parametrize(
    ("column", "bound_at", "outcome"),
    [
        ("bound_at", CUTOFF - timedelta(microseconds=1), "unbound"),
        ("bound_at", CUTOFF.replace(microsecond=0), "kept"),  # in the boundary second: its fraction may have been left out
        ("bound_at", CUTOFF.replace(microsecond=0) - timedelta(seconds=1), "unbound"),
        ("day", date(2026, 11, 24), "kept"),
        ("day", date(2026, 11, 23), "unbound"),
        ("bound_at", None, "refused"),
    ],
)
def test_a_tie_on_the_boundary_is_kept(shop: Shop, column: str, bound_at: object, outcome: str) -> None:
    values: dict[str, Any] = {"bound_at": OLD} | {column: bound_at}
    shop.add(NUMBER, **values)
    reason = "other" if outcome == "refused" else ""
    assert said(shop.store(bound_at=column).unbind([NUMBER], CUTOFF)) == {NUMBER: (outcome, reason)}


def test_a_time_without_a_zone_is_read_in_the_one_that_is_declared(tmp_path: Path) -> None:
    with sqlalchemy_shop(sqlite_url(tmp_path)) as shop:
        shop.add(NUMBER, local=datetime(2026, 11, 24, 13, 7, 59))  # noqa: DTZ001  # as a table holds it
        shop.add(OTHER, local=datetime(2026, 11, 24, 13, 8, 1))  # noqa: DTZ001  # as above
        ties = shop.store(bound_at="local", zone=ZoneInfo("Asia/Shanghai"))
        assert said(ties.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: ("unbound", ""), OTHER: ("kept", "")}


def test_what_was_cut_is_given_back_to_its_row_and_kept_from_then_on(shop: Shop) -> None:
    shop.add(NUMBER, OLD)
    shop.add(OTHER, OLD)
    ties = shop.store()
    ties.unbind([NUMBER, OTHER], CUTOFF)
    for _ in range(2):
        assert said(ties.restore([NUMBER, NOBODY], CUTOFF)) == {NUMBER: ("restored", "")}
    assert shop.phones() == [NUMBER, None]
    assert said(ties.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: ("kept", ""), OTHER: ("unbound", "")}
    assert ties.restore([OTHER], CUTOFF + timedelta(days=400)) == []  # another renewal's


def test_a_number_that_somebody_has_bound_since_is_not_taken_from_him(shop: Shop) -> None:
    shop.add(NUMBER, OLD)
    mover = shop.add(OTHER, OLD)
    ties = shop.store(country="CN")
    ties.unbind([NUMBER, OTHER], CUTOFF)
    shop.add(NUMBER, CUTOFF, country="SG")  # also where the store's own filter doesn't look
    shop.change(mover, phone=NOBODY)
    assert said(ties.restore([NUMBER, OTHER], CUTOFF)) == {NUMBER: ("irreversible", ""), OTHER: ("irreversible", "")}
    assert shop.phones() == [None, NOBODY, NUMBER]


def test_a_debt_refuses_its_row_and_sessions_end_only_where_a_tie_is_cut(shop: Shop) -> None:
    debtor = shop.add(NUMBER, OLD)
    shop.add(NUMBER, OLD)
    shop.add(OTHER, OLD)
    asked: list[tuple[str, int]] = []

    def refuse(_: Any, ties: list[Tie]) -> dict[Any, str]:
        asked.append(("refuse", len(ties)))
        return {debtor: "debt"}

    def end_sessions(_: Any, ties: list[Tie]) -> None:
        asked.append(("end", len(ties)))
        assert debtor not in {tie.key for tie in ties}

    ties = shop.store(refuse=refuse, end_sessions=end_sessions)
    assert said(ties.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: ("refused", "debt"), OTHER: ("unbound", "")}
    assert shop.phones() == [NUMBER, None, None]
    assert asked == [("refuse", 3), ("end", 2)]  # all rows at once
    assert said(shop.store().unbind([NUMBER], CUTOFF)) == {NUMBER: ("unbound", "")}  # once it is paid


@pytest.mark.parametrize("wrong", [str, lambda key: (key,), lambda key: UUID(int=9)], ids=["text", "row", "another's"])
def test_a_refusal_of_no_tie_that_was_asked_about_is_told_and_nothing_is_cut(
    shop: Shop, wrong: Callable[[UUID], Any]
) -> None:
    """It was ignored, and the debtor's tie was cut."""
    debtor = shop.add(NUMBER, OLD)
    with pytest.raises(ValueError, match=r"refuse gave .* Tie\.key"):
        shop.store(refuse=lambda *_: {wrong(debtor): "debt"}).unbind([NUMBER], CUTOFF)
    assert shop.phones() == [NUMBER]


def test_a_hook_that_fails_leaves_nothing_half_done(shop: Shop) -> None:
    shop.add(NUMBER, OLD)

    def fail(_: Any, __: list[Tie]) -> None:
        raise RuntimeError("the sessions are elsewhere, and away")

    with pytest.raises(RuntimeError):
        shop.store(end_sessions=fail).unbind([NUMBER], CUTOFF)
    with pytest.raises(ValueError, match="moody"):
        shop.store(refuse=lambda _, ties: {ties[0].key: "moody"}).unbind([NUMBER], CUTOFF)
    assert shop.phones() == [NUMBER]
    assert shop.store().restore([NUMBER], CUTOFF) == []


def test_only_rows_that_count_as_ties_are_touched(shop: Shop) -> None:
    shop.add(NUMBER, OLD, country="CN")
    shop.add(NUMBER, OLD, country="SG")
    assert said(shop.store(country="SG").unbind([NUMBER], CUTOFF)) == {NUMBER: ("unbound", "")}
    assert shop.phones() == [NUMBER, None]


def test_numbers_may_be_stored_as_people_write_them(shop: Shop) -> None:
    shop.add("13800138000", OLD)
    ties = shop.store(spell=lambda number: number.removeprefix("+86"))
    assert said(ties.unbind([NUMBER], CUTOFF)) == {NUMBER: ("unbound", "")}
    assert said(ties.restore([NUMBER], CUTOFF)) == {NUMBER: ("restored", "")}
    assert shop.phones() == ["13800138000"]


def test_what_is_cut_at_once_is_only_what_the_rule_would_cut(shop: Shop) -> None:
    """Without hooks PostgreSQL cuts in one statement; a hook shows each row to the rule first. Both leave the same."""
    steps = [timedelta(days=days, microseconds=more) for days in (-4, -3, -2, -1, 0, 1) for more in (-1_000_001, -1, 0, 1)]
    zone = ZoneInfo("Etc/GMT+12")  # the last on earth to end a day
    for column in ("bound_at", "day"):
        both: list[dict[str, tuple[str, str]]] = []
        refuses: list[Refuse[Any] | None] = [None, lambda *_: {}]
        for refuse in refuses:
            bound = {f"+8613{len(column)}{len(both)}{place:07}": CUTOFF + step for place, step in enumerate(steps)}
            for number, at in bound.items():
                shop.add(number, at, day=at.date())
            found = said(shop.store(bound_at=column, zone=zone, refuse=refuse).unbind(list(bound), CUTOFF))
            assert bound.keys() & set(shop.phones()) == {number for number in bound if found[number] == ("kept", "")}
            both.append({number[-7:]: what for number, what in found.items()})
        assert both[0] == both[1]
        assert set(both[0].values()) == {("unbound", ""), ("kept", "")}


def test_an_old_tie_beside_a_new_one_and_one_given_back_are_told_apart(shop: Shop) -> None:
    shop.add(NUMBER, OLD)
    shop.add(NUMBER, CUTOFF)
    shop.add(OTHER, OLD)
    shop.add(NOBODY, OLD)
    shop.add(NOBODY, None)
    ties = shop.store()
    ties.unbind([OTHER], CUTOFF)
    ties.restore([OTHER], CUTOFF)
    shop.add(OTHER, OLD)  # not known when it was given back
    expected = {NUMBER: ("unbound", ""), OTHER: ("unbound", ""), NOBODY: ("refused", "other")}
    for _ in range(2):
        assert said(ties.unbind([NUMBER, OTHER, NOBODY], CUTOFF)) == expected
    assert shop.phones() == [None, NUMBER, OTHER, None, NOBODY, None]


def test_a_number_bound_anew_while_a_statement_waits_for_its_row_is_kept(shop: Shop) -> None:
    """Rule 2 in a race: the statement that cuts at once looks again at a row that it had to wait for."""
    if shop.engine.name != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    key = shop.add(NUMBER, OLD)
    shop.add(OTHER, OLD)
    ties, locked = shop.store(), threading.Event()

    def bind_anew() -> None:
        with shop.engine.begin() as binding:
            binding.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == key).values(bound_at=CUTOFF))
            locked.set()
            time.sleep(0.5)  # the store waits meanwhile

    other = threading.Thread(target=bind_anew)
    other.start()
    locked.wait()
    assert said(ties.unbind([NUMBER, OTHER], CUTOFF)) == {NUMBER: ("kept", ""), OTHER: ("unbound", "")}
    other.join()
    assert shop.phones() == [NUMBER, None]


def test_more_numbers_than_a_statement_takes(shop: Shop) -> None:
    numbers = [f"+86139{place:08}" for place in range(70_000)]
    shop.add(numbers[0], OLD)
    shop.add(numbers[-1], OLD)
    ties = shop.store(country="CN")
    assert said(ties.unbind(numbers, CUTOFF)) == {numbers[0]: ("unbound", ""), numbers[-1]: ("unbound", "")}
    assert said(ties.restore(numbers, CUTOFF)) == {numbers[0]: ("restored", ""), numbers[-1]: ("restored", "")}


def test_more_ties_than_a_statement_names_twice_come_back(shop: Shop) -> None:
    if shop.engine.name == "postgresql":
        pytest.skip("there they go as one value")
    numbers = [f"+86139{place:08}" for place in range(17_000)]
    values = {"bound_at": OLD, "country": "CN"}
    rows = [{"id": UUID(int=place + 1), "phone": number} | values for place, number in enumerate(numbers)]
    with shop.engine.begin() as connection:
        connection.execute(sa.insert(ACCOUNTS), rows)
    ties = shop.store(country="CN")
    assert len(ties.unbind(numbers, CUTOFF)) == len(numbers)
    assert {answer.outcome for answer in ties.restore(numbers, CUTOFF)} == {"restored"}
    assert shop.phones() == numbers


def test_a_number_bound_anew_while_the_store_decides_is_kept(shop: Shop) -> None:
    """Rule 2 in a race: what the store has read is locked until it has cut."""
    key = shop.add(NUMBER, OLD)
    other = threading.Thread(target=lambda: shop.change(key, phone=OTHER, bound_at=CUTOFF))

    def meanwhile(*_: Any) -> None:
        other.start()
        other.join(0.5)
        assert other.is_alive()  # it has to wait

    assert said(shop.store(end_sessions=meanwhile).unbind([NUMBER], CUTOFF)) == {NUMBER: ("unbound", "")}
    other.join()
    assert shop.phones() == [OTHER]


def test_two_workers_on_one_notice_cut_once_and_say_the_same(empty_dsn: str) -> None:
    with sqlalchemy_shop(postgres_url(empty_dsn)) as shop:
        shop.add(NUMBER, OLD)
        second: list[Answer] = []
        other = threading.Thread(target=lambda: second.extend(shop.store().unbind([NUMBER], CUTOFF)))

        def meanwhile(*_: Any) -> None:
            other.start()
            other.join(0.5)

        first = shop.store(end_sessions=meanwhile).unbind([NUMBER], CUTOFF)
        other.join()
        assert said(first) == said(second) == {NUMBER: ("unbound", "")}


def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    engine = sa.create_engine(sqlite_url(tmp_path))
    strict = sa.Table("strict", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True),
                      sa.Column("phone", sa.String, nullable=False), sa.Column("at", sa.DateTime))  # fmt: skip
    keyless = sa.Table("keyless", sa.MetaData(), sa.Column("phone", sa.String), sa.Column("at", sa.DateTime))
    with pytest.raises(BadTable, match="NOT NULL"):
        SqlAlchemyTies(engine, strict, number="phone", bound_at="at")
    with pytest.raises(BadTable, match="primary key"):
        SqlAlchemyTies(engine, keyless, number="phone", bound_at="at")
    with pytest.raises(BadTable, match="no column since"):
        SqlAlchemyTies(engine, ACCOUNTS, number="phone", bound_at="since")
    for number, bound_at in (("phone", "phone"), ("phone", "id"), ("id", "bound_at")):
        with pytest.raises(BadTable, match=r"3 columns|NOT NULL"):
            SqlAlchemyTies(engine, ACCOUNTS, number=number, bound_at=bound_at)
    engine.dispose()
