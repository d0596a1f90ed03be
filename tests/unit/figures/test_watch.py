"""The figures of /watch against the same past counted by hand, one number at a time."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from pyroaring import BitMap

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.answers import Answer, Outcome, Purpose
from huanxin.domain.punctuality import quantile
from huanxin.domain.regions import CODES, UNKNOWN, regions_of
from huanxin.domain.suppression import Hidden
from huanxin.figures import summaries
from huanxin.figures.watch import batch, bulletin, opendata
from huanxin.figures.watch.facts import SourceHolds
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.database import Tx
from huanxin.store.figures import summaries as stored
from huanxin.store.plan import batches
from huanxin.store.release import releases
from watching import ANSWER_BY, BLOCKS, SENT, Past, make_past, order


@pytest.fixture
def past(platform: Platform) -> Past:
    return make_past(platform)


def made(platform: Platform, carrier: str = "") -> bulletin.Supervised:
    """What the console reads, as a worker keeps it."""
    with platform.database.transaction() as tx:
        summaries.refresh(tx, platform)
        found = stored.get(tx, bulletin.SUPERVISION.kind, carrier)
    assert found is not None
    return found.body


def exactly(platform: Platform) -> opendata.Exact:
    """What is published, before anything is hidden."""
    with platform.database.transaction() as tx:
        return bulletin.exactly(bulletin.count(tx, platform))


def from_nothing(tx: Tx, platform: Platform) -> bulletin.Supervised:
    """What the console would read if it were counted now."""
    return bulletin.SUPERVISION.make(tx, platform, [""])[""]


def published(platform: Platform) -> opendata.Publication:
    """What the public reads, as a worker keeps it."""
    with platform.database.transaction() as tx:
        summaries.refresh(tx, platform)
        return bulletin.published(tx, platform)[0]


def added(body: opendata.Exact, which: int) -> dict[tuple[str, str], list[int]]:
    """The exact lines of batches and orders added up by month and carrier (1) or region (2)."""
    found: dict[tuple[str, str], list[int]] = {}
    for lines, first, most in ((body.batches, 0, 4), (body.orders, 4, 3)):
        for codes, given in lines:
            counts = found.setdefault((codes[0], codes[which]), [0] * len(bulletin.FIGURES))
            for at, count in enumerate(given[:most]):
                counts[first + at] += count
    return found


def by_codes(body: bulletin.Supervised) -> dict[tuple[str, ...], list[int]]:
    return {codes: list(counts) for codes, counts in body.carriers}


def column(body: bulletin.Supervised, figure: str) -> int:
    return sum(counts[bulletin.FIGURES.index(figure)] for _, counts in body.carriers)


def by_hand(past: Past, *which: int) -> dict[tuple[str, ...], list[int]]:
    """The cells added up over everything but some parts of (month, carrier, region)."""
    found: dict[tuple[str, ...], list[int]] = {}
    for (*cell, figure), count in past.cells.items():
        line = found.setdefault(tuple(cell[at] for at in which), [0] * len(bulletin.FIGURES))
        line[bulletin.FIGURES.index(figure)] += count
    return {key: line for key, line in found.items() if any(line)}


def test_numbers_ties_and_orders_are_those_counted_one_by_one(platform: Platform, past: Past) -> None:
    body = exactly(platform)
    assert added(body, 1) == by_hand(past, 0, 1)
    assert added(body, 2) == by_hand(past, 0, 2)
    assert by_codes(made(platform)) == by_hand(past, 0, 1)
    assert body.partners == [("app", True, 2), ("labeler", True, 1), ("sender", False, 1)]
    assert body.breaches == (("2026-11", "opened-without-release", 12),)
    assert body.holds == (("2026-11", 1, 25),)


def test_answer_times_stand_beside_the_day_by_which_to_answer(platform: Platform, past: Past) -> None:
    october, november = map(vars, exactly(platform).answers)
    assert {key: october[key] for key in ("notices", "in_time", "late", "overdue", "waiting")} == {
        "notices": 4, "in_time": 2, "late": 1, "overdue": 1, "waiting": 0,
    }  # fmt: skip
    # 1 to 8 October 2026 are holidays: 50 hours after midnight no working day has passed, after 400 six have.
    assert october["days"] == (2, 0, 0, 0, 0, 0, 1)
    assert (october["median_hours"], october["p90_hours"]) == (50, 400)
    assert november["days"] == (1, 2, 0, 0, 0, 0, 0)


def test_the_regulator_sees_who_is_late_and_who_refuses(platform: Platform, past: Past) -> None:
    body = made(platform)
    lines = {one.name: one for one in body.partners}
    assert {name: one.refused for name, one in lines.items()} == dict(past.refused)
    assert [name for name, one in lines.items() if one.overdue] == ["白鹭号码标记", "银杏账单提醒"]
    orders = lines["晨星商城"].orders
    assert (orders.asked, orders.answered, orders.in_time, orders.refused) == (50, 50, 50, 0)
    assert body.holds == [SourceHolds(source="省公安厅", orders=1, numbers=25, binding=1, held=25)]
    assert "8613800" not in str(body), "no number of anybody"


def test_who_works_with_one_carrier_sees_what_concerns_it_alone(platform: Platform, past: Past) -> None:
    body = made(platform, "ctcc")
    mine = {key: counts for key, counts in by_hand(past, 0, 1).items() if key[1] == "ctcc"}
    assert by_codes(body) == mine
    assert body.holds == []
    assert {one.notices for one in body.partners} == {0}, "both batches hold another carrier's numbers too"


def test_a_breach_counts_for_the_carrier_whose_numbers_it_touches(platform: Platform, past: Past) -> None:
    """One was found in a carrier's report and has no batch, one in a batch of two carriers' numbers."""
    with platform.database.transaction() as tx:
        report = facts.report(
            tx, carrier="cucc", file_name="opened.csv", sha256=b"s", lines=1, accepted=1, known=0, rejected=0, counts={},
            by="test", at=SENT["2026-11"],
        )  # fmt: skip
        releases.add_report_breach(
            tx, kind="opened-without-disclosure", report_id=report, numbers=NumberSet.of([8613000000000]),
            at=SENT["2026-11"],
        )  # fmt: skip
        batch_breach = next(one for one in releases.breaches(tx) if one.batch_id)
        spans = releases.breach_spans(tx, batch_breach.id)
    assert made(platform, "cucc").breaches == (("2026-11", "opened-without-disclosure", 1),)
    for carrier, places in spans.items():
        assert made(platform, carrier).breaches == (("2026-11", "opened-without-release", len(places)),)
    assert sum(count for _, _, count in made(platform).breaches) == 13


def test_a_number_that_several_orders_hold_is_held_once(platform: Platform, clock: Clock, past: Past) -> None:
    def hold(source: str, first: int, many: int, until: date = date(2027, 1, 1)) -> int:
        with platform.database.transaction() as tx:
            return facts.hold(
                tx, source=source, order="", reason="fraud", until=until, review_on=None,
                numbers=NumberSet.of(range(first, first + many)), by="test", at=SENT["2026-11"],
            )  # fmt: skip

    hold("省公安厅", 8613800131000, 30)
    second = hold("市中级人民法院", 8613800131020, 20)
    hold("市中级人民法院", 8617712340000, 5, until=date(2026, 11, 11))  # of ctcc; has ended
    body = made(platform)
    assert body.held == 40
    assert body.holds == [
        SourceHolds(source="市中级人民法院", orders=2, numbers=25, binding=1, held=20),
        SourceHolds(source="省公安厅", orders=2, numbers=30, binding=2, held=30),
    ]
    assert (made(platform, "cmcc").held, made(platform, "ctcc").held) == (40, 0)
    assert made(platform, "ctcc").holds == [SourceHolds(source="市中级人民法院", orders=1, numbers=5, binding=0, held=0)]
    assert published(platform).holds == {"2026-11": (4, 45)}, "distinct numbers of the month"
    with platform.database.transaction() as tx:
        facts.hold_lift(tx, second, reason="decided", by="test", at=platform.now())
    clock.forward(minutes=1)
    assert made(platform).held == 30


def test_only_what_a_new_fact_touches_is_counted_again(
    platform: Platform, clock: Clock, past: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(platform)
    counted: list[int] = []
    count = batch.count_batch

    def noting(tx: Tx, one: int, zone: ZoneInfo) -> batch.BatchCounts:
        counted.append(one)
        return count(tx, one, zone)

    monkeypatch.setattr(batch, "count_batch", noting)
    with platform.database.transaction() as tx:
        facts.receipt(
            tx, receipt_id="rc", notice_id=f"nt_2026-11_{past.partners[2].id}", batch_id=past.batches["2026-11"],
            partner_id=past.partners[2].id, sha256=b"y", complete=True, idempotency_key="", lines=0,
            answers={Answer(outcome=Outcome.UNBOUND): BitMap([0])}, at=ANSWER_BY["2026-11"] + timedelta(days=1),
        )  # fmt: skip
        order(tx, past, "rq_new", 8613900000000, "cmcc", SENT["2026-11"], random.Random(2))
    assert published(platform).answers["2026-11"]["overdue"] == 1, "within a minute the figures stay"
    assert counted == []
    clock.forward(minutes=1)
    november, body = published(platform).answers["2026-11"], made(platform)
    assert counted == [past.batches["2026-11"]]
    assert (november["overdue"], november["late"]) == (0, 1)
    assert column(body, "people") == 41
    with platform.database.transaction() as tx:
        assert from_nothing(tx, platform) == body, "the same as counted from nothing"


def test_a_number_that_was_taken_back_is_not_renewed_nor_waited_for(platform: Platform, past: Past) -> None:
    before = column(made(platform), "renewed")
    with platform.database.transaction() as tx:
        numbers = batches.roster(tx, past.batches["2026-10"]).numbers[-4:]
        facts.batch(
            tx, purpose=Purpose.RETRACTION, retracts=past.batches["2026-10"], numbers=NumberSet.of(numbers), files={},
            cutoff=SENT["2026-11"], answer_by=ANSWER_BY["2026-11"], freeze_days=90, seen_report=0, by="test",
            at=SENT["2026-11"], reason="wrong list",
        )  # fmt: skip
        body = from_nothing(tx, platform)
    renewed = column(body, "renewed")
    assert before - 4 <= renewed <= before
    assert column(body, "noticed") == sum(past.cells[key] for key in past.cells if key[3] == "noticed")


def test_the_published_tables_hide_small_counts_and_add_up(platform: Platform, past: Past) -> None:
    shown, exact = published(platform), added(exactly(platform), 2)
    for month, codes in shown.regions.items():
        for figure, total in shown.totals[month].items():
            given = [exact.get((month, code), [0] * 7)[bulletin.FIGURES.index(figure)] for code in codes]
            if not isinstance(total, Hidden):
                assert total == sum(given)
            for code, count in zip(codes, given, strict=True):
                cell = codes[code][figure]
                assert cell == count if not isinstance(cell, Hidden) else True
                assert not 0 < count < 10 or isinstance(cell, Hidden)
    assert shown.answers["2026-10"]["notices"] == 4


def test_answer_times_of_fewer_than_three_companies_are_not_published(platform: Platform) -> None:
    line = opendata.MonthTimes(
        month="2026-11", partners=2, notices=2, in_time=1, late=1, overdue=0, waiting=0, days=(1, *[0] * 5, 1),
        median_hours=9.0, p90_hours=200.0,
    )  # fmt: skip
    shown = opendata.publish(opendata.Exact(answers=[line]), platform.plan.carriers, 10)
    assert set(shown.answers["2026-11"].values()) == {None}
    assert {row[3] for row in opendata.tables(shown, 10, {})["answers"].rows} == {"*"}


def test_the_data_dictionary_names_every_table_field_and_figure(platform: Platform, past: Past) -> None:
    document = (Path(__file__).parents[3] / "docs/watch.md").read_text(encoding="utf-8")
    made_tables = opendata.tables(published(platform), 10, {})
    for name, table in made_tables.items():
        fields = ", ".join(f"`{one.name}`" for one in table.fields)
        assert f"| `{name}` | {fields} |" in document, name
    assert opendata.SCHEMA in document
    assert [one for one in bulletin.FIGURES if f"| `{one}` |" not in document] == []
    days = {f"day_{day}" for day in range(1, opendata.DAYS)}  # written as `day_0` to `day_5`
    assert [one for one in opendata.TIMES if one not in days and f"`{one}`" not in document] == []


def test_blocks_are_where_the_public_data_has_them() -> None:
    numbers = [block * 10_000 + 8000 for block in BLOCKS]
    assert [CODES[at] for at in regions_of(np.array(numbers))] == [region for _, region in BLOCKS.values()]
    assert CODES[regions_of(np.array([12025550100]))[0]] == UNKNOWN


def test_quantiles_are_values_that_occurred() -> None:
    assert [quantile([3, 1, 2, 9], share) for share in (0.5, 0.9)] == [2, 9]
    assert quantile([], 0.5) is None
    assert Counter([quantile([7], 0.5), quantile([7], 0.9)]) == {7: 2}
