"""One number's gate, read alone, decides as the gate of its whole batch does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pyroaring import BitMap

from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.domain.answers import Answer, Outcome, Reason
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Kind, NewPartner
from huanxin.figures.tracing import Trace, trace
from huanxin.notify.partners import add_partner
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import load_gate
from huanxin.release.single import load_single
from huanxin.release.waiving import waive
from huanxin.store import facts
from huanxin.store.plan import batches, holds
from ordering import imported, plan_now, retracted, send_now

NUMBERS = [f"+861380013800{n}" for n in range(9)]
PLACES = {
    "silent": 0,
    "tie": 1,
    "refused": 2,
    "waived": 3,
    "held": 4,
    "reclaimed": 5,
    "ordered": 6,
    "released": 7,
    "later": 8,
}


@pytest.fixture
def batch(platform: Platform, report: Callable[..., Path], clock: Clock) -> int:
    """A batch in which each number has a fate of its own; two required partners and an optional one."""
    lines = [f"{n},cancelled,{'2026-09-01' if at == PLACES['later'] else '2026-08-20'}" for at, n in enumerate(NUMBERS)]
    imported(platform, report(*lines), carrier="cmcc", by="test")
    with platform.act("test") as act:
        shop, bank, label = (
            add_partner(act, NewPartner(name=name, kind=Kind.APP, required=needed), https_only=False).partner.id
            for name, needed in (("shop", True), ("bank", True), ("label", False))
        )  # fmt: skip
    made = plan_now(platform, by="test")
    assert made is not None
    told = {one.partner_id: one.id for one in send_now(platform, made.id)}
    cut, debt = Answer(outcome=Outcome.UNBOUND), Answer(outcome=Outcome.REFUSED, reason=Reason.DEBT)
    others = BitMap(range(1, 9)) - BitMap([PLACES["refused"], PLACES["waived"]])
    said = (
        (shop, {Answer(outcome=Outcome.PENDING): BitMap([1])}, False), (shop, {cut: BitMap([1, 7])}, True),
        (bank, {Answer(outcome=Outcome.KEPT): others, debt: BitMap([2, 3])}, False), (label, {debt: BitMap([1])}, False),
    )  # fmt: skip
    with platform.act("wang") as act:
        for seq, (partner, answers, complete) in enumerate(said):
            facts.receipt(
                act.tx, receipt_id=f"rc_{seq}", notice_id=told[partner], batch_id=made.id, partner_id=partner,
                sha256=bytes([seq]), complete=complete, idempotency_key="", lines=1, answers=answers, at=platform.now(),
            )  # fmt: skip
        waive(act, made.id, partner_id=bank, only=NumberSet.of([parse(NUMBERS[3])]), reason="closed down")  # fmt: skip
    release(platform, by="zhao", batch_id=made.id)
    hold(platform, [parse(NUMBERS[4])])
    imported(platform, report(f"{NUMBERS[5]},reclaimed,2026-11-24", name="b.csv"), carrier="cmcc", by="test")
    retracted(platform, made.id, NumberSet.of([parse(NUMBERS[6])]), reason="wrongly cancelled", by="wang")
    clock.forward(hours=1)
    return made.id


def traced(platform: Platform, name: str) -> Trace:
    with platform.database.transaction() as tx:
        return trace(tx, platform, parse(NUMBERS[PLACES[name]]))


def test_the_gate_of_one_number_says_what_the_whole_gate_says_of_its_place(platform: Platform, batch: int) -> None:
    with platform.act("li") as act:
        whole = load_gate(act, batch)
        for place, number in enumerate(map(parse, NUMBERS)):
            every = batches.memberships(act.tx, number)
            member = next(one for one in every if one.batch_id == batch)
            alone = load_single(act, number, member, every=every, held=holds.of_number(act.tx, number)).loaded.gate
            one, all_ = (
                {
                    "clear": at in gate.clear(), "open": at in gate.open(), "frozen": at in gate.frozen_still(),
                    "held": at in gate.held_places(), "retracted": at in gate.retracted_places(),
                    "released": at in gate.released,
                    "standing": {
                        partner: {answer for answer, places in found.answers.items() if at in places}
                        for partner, found in gate.standings.items()
                    },
                }
                for gate, at in ((alone, 0), (whole.gate, place))
            )  # fmt: skip
            assert one == all_, number


def test_each_fact_of_a_number_has_its_evidence(platform: Platform, batch: int) -> None:
    kinds = {name: [entry.kind for entry in traced(platform, name).entries] for name in PLACES}
    assert kinds["silent"] == ["cancelled", "planned", "noticed", "absent"]
    assert kinds["waived"] == ["cancelled", "planned", "noticed", "answered", "absent", "waived", "released"]
    assert "held" in kinds["held"]
    assert kinds["reclaimed"].count("reclaimed") == 1
    assert "retracted" in kinds["reclaimed"]
    assert "retracted" in kinds["ordered"]
    entries = [entry for name in PLACES for entry in traced(platform, name).entries]
    assert [entry for entry in entries if not entry.evidence] == []
    answered = {entry.evidence[0] for entry in traced(platform, "tie").entries if entry.kind == "answered"}
    assert answered == {("receipt", f"rc_{n}") for n in range(4)}
    assert batch == 1


def test_what_another_number_has_is_not_shown(platform: Platform, batch: int) -> None:
    """Rule 5: the page of one number tells of no other's hold, waiver or retraction."""
    assert batch
    silent = traced(platform, "silent")
    assert silent.holds == ()
    assert [(one.waivers, one.releases, one.retractions) for one in silent.batches] == [((), (), ())]
