"""One number's answers are those that the gate counts: looked up alone, without the sets of the others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from huanxin.acts import Platform
from huanxin.domain.answers import Answer, Outcome, Purpose, Standing
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.notices import tell_batch
from huanxin.notify.partners import add_partner
from huanxin.numbersets.numberfile import CSV, PARQUET
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import load_gate, release_batch
from huanxin.store import facts
from huanxin.store.answer import few_numbers, receipts
from huanxin.store.database import Tx
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from ordering import acting, imported, plan_now, send_now

SIZE = 12
ANSWERS = [Answer(outcome=one) for one in (Outcome.UNBOUND, Outcome.ABSENT, Outcome.KEPT, Outcome.PENDING)] + [
    Answer(outcome=Outcome.REFUSED, reason="debt"), Answer(outcome=Outcome.REFUSED, reason="other", until=date(2027, 1, 1)),
]  # fmt: skip
RECEIPT = st.tuples(st.dictionaries(st.integers(0, SIZE - 1), st.sampled_from(ANSWERS), max_size=SIZE), st.booleans())
WAIVER = st.sets(st.integers(0, SIZE - 1), min_size=1)
Entry = tuple[dict[int, Answer], bool] | set[int]
STORY = st.lists(st.tuples(st.integers(0, 2), RECEIPT | WAIVER), max_size=10)
_ids = count(1)


@pytest.fixture
def batch(platform: Platform, report: Callable[..., Path]) -> int:
    """A batch of twelve numbers in two shards, sent to two required partners and one whose answer is not required."""
    numbers = [f"+{8613800 + n % 2}{380000 + n:06}" for n in range(SIZE)]
    imported(platform, report(*(f"{number},cancelled,2026-08-25" for number in numbers)), carrier="cmcc", by="test")
    with platform.act("test") as act:
        for name, required in (("晨星商城", True), ("飞燕快递", True), ("白鹭标记", False)):
            add_partner(act, NewPartner(name=name, kind=Kind.APP, required=required), https_only=False)
    made = plan_now(platform, by="test")
    assert made
    send_now(platform, made.id)
    return made.id


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=STORY)
def test_one_place_is_answered_as_the_whole_gate_says(
    platform: Platform, batch: int, story: list[tuple[int, Entry]]
) -> None:
    with platform.act("test") as act, act.tx.transaction(force_rollback=True):
        told = notices.of_batch(act.tx, batch)
        for who, entry in story:
            record(platform, act.tx, told[who], entry)
        release_batch(act, batch)
        gate = load_gate(act, batch).gate
        required, some = few_numbers.told(act.tx, batch), BitMap([0, 5, 11])
        alone = [few_numbers.standings_at(act.tx, batch, BitMap([place])) for place in range(SIZE)]
        together = few_numbers.standings_at(act.tx, batch, some)
        released = few_numbers.released_among(act.tx, batch, some)
    for partner, whole in gate.standings.items():
        assert required[partner] == (partner in gate.required)
        for place, found in enumerate(alone):
            agree(found.get(partner, Standing()), whole, BitMap([place]))
        agree(together.get(partner, Standing()), whole, some)
    assert released == gate.released & some


def agree(found: Standing, whole: Standing, here: BitMap) -> None:
    """What is settled, open and waived at some places is what it is in the whole."""
    assert found.answered() - found.unsettled() == (whole.answered() - whole.unsettled()) & here
    assert found.open(here) == whole.open(here) & here
    assert {key: of for key, of in found.waived.items() if of} == {
        key: of & here for key, of in whole.waived.items() if of & here
    }


def record(platform: Platform, tx: Tx, notice: Notice, entry: Entry) -> None:
    of, now = {"batch_id": notice.batch_id, "partner_id": notice.partner_id}, platform.now()
    if isinstance(entry, set):
        facts.waiver(tx, places=BitMap(entry), reason="x", by="li", at=now, **of)
        return
    lines, complete = entry
    answers = {answer: BitMap(place for place, one in lines.items() if one == answer) for answer in set(lines.values())}
    receipt = f"rc_{next(_ids)}"
    facts.receipt(
        tx, receipt_id=receipt, notice_id=notice.id, sha256=receipt.encode(), complete=complete, idempotency_key="",
        lines=len(lines), answers=answers, at=now, **of,
    )  # fmt: skip


def test_of_large_sets_one_container_is_read_and_says_the_same(platform: Platform) -> None:
    size, some = 200_000, [0, 3, 65_535, 65_536, 131_073, 199_999]
    now = platform.now()
    with platform.database.transaction() as tx:
        add_partner(acting(tx, platform), NewPartner(name="晨星商城", kind=Kind.APP), https_only=False)
        files: dict[str, dict[str, str | int]] = {kind: {"sha256": "0" * 64, "bytes": 0} for kind in (CSV, PARQUET)}
        batch = facts.batch(
            tx, purpose=Purpose.RENEWAL, retracts=None, numbers=NumberSet({8613800: BitMap(range(size))}), cutoff=now,
            answer_by=now, freeze_days=90, seen_report=0, files=files, by="test", at=now,
        )  # fmt: skip
        tell_batch(acting(tx, platform), batch)
        (notice,) = notices.of_batch(tx, batch)
        for step in (3, 7, 65_537):
            lines = {place: ANSWERS[place % len(ANSWERS)] for place in range(0, size, step)}
            record(platform, tx, notice, (lines, step == 7))
        record(platform, tx, notice, set(range(60_000, 199_999, 11)))
        whole = receipts.standings(tx, batch, BitMap(range(size)))[notice.partner_id]
        alone = [few_numbers.standings_at(tx, batch, BitMap([place]))[notice.partner_id] for place in some]
        together = few_numbers.standings_at(tx, batch, BitMap(some))[notice.partner_id]
    for place, one in zip(some, alone, strict=True):
        agree(one, whole, BitMap([place]))
    agree(together, whole, BitMap(some))
