"""A small past for /watch: batches of two months, what partners answered, orders of owners; and the same counted by hand."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from pyroaring import BitMap

from huanxin.acts import Platform
from huanxin.domain.answers import Answer, Outcome, Purpose, Reason
from huanxin.domain.lifecycle import Cancellation
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.notify.partners import add_partner
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.database import Tx
from huanxin.store.release import releases
from huanxin.store.request.requests import NewAnswer, Request

BLOCKS = {
    861380013: ("cmcc", "CN-BJ"), 861381790: ("cmcc", "CN-SH"), 861390200: ("cmcc", "CN-TJ"),
    861771234: ("ctcc", "CN-JS"), 861330100: ("ctcc", "CN-BJ"),
}  # fmt: skip
SHARE = {861380013: 60, 861381790: 40, 861390200: 25, 861771234: 30, 861330100: 4}
PARTNERS = (("晨星商城", Kind.APP, True), ("飞燕快递", Kind.APP, True), ("白鹭号码标记", Kind.LABELER, True),
            ("银杏账单提醒", Kind.SENDER, False))  # fmt: skip
SENT = {"2026-10": datetime(2026, 9, 30, 16, 30, tzinfo=UTC), "2026-11": datetime(2026, 11, 10, 3, 0, tzinfo=UTC)}
"""The first is half past midnight on 1 October in China."""
ANSWER_BY = {"2026-10": datetime(2026, 10, 14, 16, tzinfo=UTC), "2026-11": datetime(2026, 11, 17, 16, tzinfo=UTC)}
HOURS = {"2026-10": (2, 50, 400, None), "2026-11": (5, 30, None, 20)}
"""From the notice to the answer, by partner; None: silent."""


@dataclass(kw_only=True)
class Past:
    """What was recorded. `cells`: counts by (month, carrier, region, figure)."""

    partners: list[Partner] = field(default_factory=list)
    batches: dict[str, int] = field(default_factory=dict)
    cells: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


def make_past(platform: Platform, seed: int = 1) -> Past:
    """Record two batches, a month of orders, a hold and a breach."""
    past, rng = Past(), random.Random(seed)
    with platform.act("test") as act:
        for name, kind, required in PARTNERS:
            added = add_partner(act, NewPartner(name=name, kind=kind, required=required), https_only=False)
            past.partners.append(added.partner)
        for month in SENT:
            _batch(act.tx, past, month, rng)
        _orders(act.tx, past, rng)
        held = NumberSet.of(range(8613800131000, 8613800131025))
        facts.hold(act.tx, source="省公安厅", order="", reason="fraud", until=date(2027, 1, 1), review_on=None, numbers=held,
                  by="test", at=SENT["2026-11"])  # fmt: skip
        releases.add_breach(
            act.tx, kind="opened-without-release", batch_id=past.batches["2026-10"], partner_id=None, receipt_id=None,
            places=BitMap(range(12)), at=SENT["2026-11"],
        )  # fmt: skip
    return past


def _batch(tx: Tx, past: Past, month: str, rng: random.Random) -> None:
    numbers = sorted(block * 10_000 + n for block, many in SHARE.items() for n in rng.sample(range(10_000), many))
    past.batches[month] = batch = facts.batch(
        tx, purpose=Purpose.RENEWAL, retracts=None, numbers=NumberSet.of(numbers), cutoff=SENT[month],
        answer_by=ANSWER_BY[month], freeze_days=90, seen_report=0, files={}, by="test", at=SENT[month],
    )  # fmt: skip
    where = [BLOCKS[number // 10_000] for number in numbers]
    spans: dict[Cancellation, BitMap] = {}
    for place, (carrier, _) in enumerate(where):
        spans.setdefault(Cancellation(carrier=carrier, day=date(2026, 7, 1)), BitMap()).add(place)
    facts.batch_spans(tx, batch, spans)
    open_places: set[int] = set()
    for partner, hours in zip(past.partners, HOURS[month], strict=True):
        told = [(f"nt_{month}_{partner.id}", partner.id, partner.required)]
        facts.notices(tx, batch, told, by="li", at=SENT[month], answer_by=None)
        said = [rng.choices((Outcome.UNBOUND, Outcome.ABSENT, Outcome.REFUSED), (60, 38, 2))[0] for _ in numbers]
        if hours is None:
            said = [Outcome.PENDING] * len(numbers)
        else:
            _receipt(tx, f"rc_{month}_{partner.id}", batch, partner, said, SENT[month] + timedelta(hours=hours))
        for place, outcome in enumerate(said):
            past.cells[month, *where[place], "ties_cut"] += outcome is Outcome.UNBOUND
            past.refused[partner.name] += outcome is Outcome.REFUSED
            if partner.required and outcome in (Outcome.REFUSED, Outcome.PENDING):
                open_places.add(place)
    past.cells.update((month, *place, "noticed") for place in where)
    renewed = [place for place in range(len(numbers)) if place not in open_places]
    past.cells.update((month, *where[place], "renewed") for place in renewed)
    sold = {(one.carrier, one.day): places & BitMap(renewed[:50]) for one, places in spans.items()}
    facts.release(tx, batch_id=batch, spans={span: places for span, places in sold.items() if places}, by="test", alone=True,
        freeze_days=90, at=ANSWER_BY[month],
    )  # fmt: skip
    past.cells.update((month, *where[place], "released") for place in renewed[:50])


def _receipt(tx: Tx, receipt: str, batch: int, partner: Partner, said: list[Outcome], at: datetime) -> None:
    answers = {
        Answer(outcome=outcome, reason=Reason.DEBT if outcome is Outcome.REFUSED else ""): BitMap(
            place for place, one in enumerate(said) if one is outcome
        )
        for outcome in set(said)
    }
    month = receipt.split("_")[1]
    facts.receipt(
        tx, receipt_id=receipt, notice_id=f"nt_{month}_{partner.id}", batch_id=batch, partner_id=partner.id, sha256=b"x",
        complete=False, idempotency_key="", lines=len(said), answers=answers, at=at,
    )  # fmt: skip


def _orders(tx: Tx, past: Past, rng: random.Random) -> None:
    """In November forty people order at two partners each; the first ten of them once more."""
    people = [861380013 * 10_000 + n for n in range(30)] + [861771234 * 10_000 + n for n in range(10)]
    for turn, number in enumerate([*people, *people[:10]]):
        carrier, region = BLOCKS[number // 10_000]
        cut = order(tx, past, f"rq_{turn}", number, carrier, SENT["2026-11"] + timedelta(hours=turn), rng)
        cell = ("2026-11", carrier, region)
        past.cells[*cell, "people"] += turn < len(people)
        past.cells[*cell, "orders"] += 2
        past.cells[*cell, "order_ties_cut"] += cut


def order(tx: Tx, past: Past, request: str, number: int, carrier: str, at: datetime, rng: random.Random) -> int:
    """An owner orders at two partners, and both answer within the hour; how many ties they cut."""
    asked = {partner.id: f"{request}_{partner.id}" for partner in past.partners[:2]}
    facts.request(
        tx,
        Request(
            id=request, purpose="renew", number=number, carrier=carrier, opened_on=None, cutoff=at,
            answer_by=at + timedelta(days=7), channel="web", language="zh_CN", consent_text="", requested_at=at,
        ),
        asked,
    )  # fmt: skip
    outcomes = [rng.choice(("unbound", "absent")) for _ in asked]
    said = [
        NewAnswer(receipt=f"ra_{notice}", notice_id=notice, request_id=request, outcome=outcome, reason="", until_day=None)
        for notice, outcome in zip(asked.values(), outcomes, strict=True)
    ]
    facts.request_answers(tx, said, at + timedelta(hours=1))
    return outcomes.count("unbound")
