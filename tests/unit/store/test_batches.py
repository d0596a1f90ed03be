"""A batch is its numbers in order; a place that names another number after a reload would renew a stranger's."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from huanxin.domain.answers import Purpose
from huanxin.domain.lifecycle import Cancellation
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.database import Database, Tx
from huanxin.store.plan import batches

NOW = datetime(2026, 11, 24, tzinfo=UTC)
NUMBERS = st.sets(st.sampled_from([8613800138000, 8613800138001, 8613800999999, 8613801000000, 8618912345678]), min_size=1)


def add(tx: Tx, numbers: NumberSet) -> int:
    return facts.batch(
        tx, purpose=Purpose.RENEWAL, retracts=None, numbers=numbers, cutoff=NOW, answer_by=NOW, freeze_days=90,
        seen_report=0, files={}, by="li", at=NOW,
    )  # fmt: skip


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NUMBERS)
def test_a_number_keeps_its_place_in_a_stored_batch(database: Database, numbers: set[int]) -> None:
    with database.transaction() as tx:
        batch = add(tx, NumberSet.of(numbers))
        roster = batches.roster(tx, batch)
        assert roster.numbers.tolist() == sorted(numbers)
        for place, number in enumerate(sorted(numbers)):
            newest = batches.memberships(tx, number)[-1]
            assert (newest.batch_id, newest.place) == (batch, place)


def test_spans_come_back_by_carrier_and_day(database: Database) -> None:
    numbers = NumberSet.of([8613800138000, 8613800138001])
    places = Roster.of(numbers).places_in(NumberSet.of([8613800138001]))
    with database.transaction() as tx:
        batch = add(tx, numbers)
        facts.batch_spans(tx, batch, {Cancellation(carrier="cmcc", day=date(2026, 8, 20)): places})
        assert batches.spans(tx, batch) == {("cmcc", date(2026, 8, 20)): places}
        assert batches.get(tx, batch + 1) is None
