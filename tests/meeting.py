"""A small world in which every two orders have something to do with each other, and what all of its facts come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from holding import hold, placed
from huanxin.acts import Platform
from huanxin.acts.batches import decide, release
from huanxin.acts.desk import acknowledge
from huanxin.acts.requests import answer_requests, order_request
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.answer.single import AnswerLine
from huanxin.disclose.acknowledging import Acknowledgement, Method
from huanxin.disclose.desk import texts_of
from huanxin.domain.acceptance import judge
from huanxin.domain.answers import Purpose
from huanxin.domain.disclosure import ZH, digest
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.notify.partners import add_partner
from huanxin.numbersets import tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.early_sales import lots_of
from huanxin.release.gate import load_gate
from huanxin.release.holds import lift_hold
from huanxin.release.proposals import Outcome
from huanxin.release.stopped import find_stopped_sales
from huanxin.release.waiving import waive
from huanxin.request.ordering import Purpose as Ordering
from huanxin.request.ordering import Wish
from huanxin.store.access import operators
from huanxin.store.connect import partners
from huanxin.store.database import Tx
from huanxin.store.disclose import disclosures
from huanxin.store.notify import attempts, notices
from huanxin.store.plan import batches, holds
from huanxin.store.plan.batches import Batch
from huanxin.store.release import proposals, releases, stops
from huanxin.store.report import reports
from huanxin.store.report.sales import sales_of
from huanxin.store.request import requests
from operators import operator as joined
from ordering import acting, imported, looked_at, plan_now, release_proposed, retracted, send_now, waiver_proposed

SILENT, FREE, BACK, HELD, FOR_SALE, DUE, SERVING = (8613800138000 + n for n in range(7))
BATCH = 1
Order = Callable[[Platform], object]


def build(platform: Platform, folder: Path) -> str:
    """A sent batch: at the shop SILENT has no answer, HELD is held, FOR_SALE is released; FREE and BACK could be. DUE waits
    for the next batch; SERVING was sold, and its owner has ordered at the shop. `late` came after the batch was sent. The
    digest of what a buyer of FOR_SALE is told."""
    lines = [f"+{number},cancelled,2026-08-20" for number in range(SILENT, DUE)]
    lines += [f"+{SERVING},opened,2024-01-05", f"+{SERVING},cancelled,2026-06-01", f"+{SERVING},opened,2026-10-01"]
    imported(platform, _file(folder, lines, "number,event,at"), carrier="cmcc", by="li")
    shop, bank = register(platform, "shop"), register(platform, "bank")
    assert plan_now(platform, by="li")
    send_now(platform, BATCH)
    said = [f"+{number},absent,," for number in range(FREE, DUE)]
    answer(platform, bank, folder, *said, complete=True)
    hold(platform, range(FREE, FOR_SALE), order="first")
    answer(platform, shop, folder, *said)
    release(platform, by="li", batch_id=BATCH)
    with platform.act("li") as act:
        lift_hold(act, 1, reason="over")
    hold(platform, [HELD], order="second")
    li = joined(platform, "supervisor", login="li")
    joined(platform, "supervisor", login="wang")
    joined(platform, "desk", carrier="cmcc", login="clerk")
    waiver_proposed(platform, BATCH, partner_id=shop.id, only=None, reason="silent", by=li)
    order(platform, 1)
    register(platform, "late")
    imported(platform, _file(folder, [f"+{DUE},cancelled,2026-08-21"], "number,event,at"), carrier="cmcc", by="li")
    return digest(texts_of(looked_at(platform, [FOR_SALE], seller="cmcc")[0])[ZH])


def register(platform: Platform, name: str) -> Partner:
    with platform.act("li") as act:
        return add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False).partner


def _file(folder: Path, lines: list[str], heading: str) -> Path:
    path = folder / f"{abs(hash(tuple(lines)))}.csv"
    path.write_text("\n".join([heading, *lines, ""]))
    return path


def answer(
    platform: Platform, partner: Partner | str, folder: Path, *lines: str, complete: bool = False, key: str = ""
) -> bool:
    """A partner files a receipt; whether it was new."""
    source = tables.inspect(_file(folder, list(lines), "number,outcome,reason,until"))
    with platform.database.transaction() as tx:
        name = partner if isinstance(partner, str) else partner.name
        notice = next(one for one in notices.of_batch(tx, BATCH) if one.partner == name)
        roster = batches.roster(tx, BATCH)
    with platform.act("li") as act:
        return file_receipt(
            act, source, Filing(notice=notice, roster=roster, zone="Asia/Shanghai", complete=complete, key=key),
        ).new  # fmt: skip


def person(platform: Platform, login: str) -> Operator:
    with platform.database.transaction() as tx:
        found = operators.by_login(tx, login)
    assert found is not None
    return found


def order(platform: Platform, *at: int) -> bool:
    """The owner of SERVING orders at some partners, at both unless they are named."""
    wish = Wish(purpose=Ordering.RENEW, number=SERVING, partner_ids=at or (1, 2), consent_text="I agree", channel="sms",
                language="en", shown_at=platform.now())  # fmt: skip
    return order_request(platform, wish).new


def writers(folder: Path, shown: str) -> dict[str, Order]:
    """Everything that changes what may happen, each as somebody would order it in this world; `shown`: what `build` gave."""

    def reported(*lines: str) -> Order:
        path = _file(folder, list(lines), "number,event,at")
        return lambda platform: imported(platform, path, carrier="cmcc", by="li").breaches

    def receipt(*lines: str, key: str = "") -> Order:
        return lambda platform: answer(platform, "shop", folder, *lines, key=key)

    def answered(outcome: str, key: str = "") -> Order:
        line = f"+{SERVING},{outcome},"

        def file(platform: Platform) -> int:
            with platform.database.transaction() as tx:
                shop = partners.get(tx, 1)
                (notice,) = requests.of_partner(tx, 1, 9)
            assert shop is not None
            number, said, reason = line.split(",")
            one = AnswerLine(line=2, notice=notice.id, number=number, outcome=said, reason=reason, until="")
            return answer_requests(platform, shop, [one], key=key).new

        return file

    def held(*numbers: int) -> Order:
        return lambda platform: placed(platform, numbers, order="third").released

    return {
        "refusal": receipt(f"+{SILENT},refused,legal_hold,", f"+{FREE},refused,debt,", f"+{FOR_SALE},pending,,"),
        "settling": receipt(f"+{SILENT},unbound,,", f"+{BACK},refused,debt,"),
        "keyed": receipt(f"+{SILENT},absent,,", key="k"),
        "waiver": _waive,
        "approval": lambda platform: decide(platform, 1, Outcome.APPROVED, note="", by=person(platform, "wang")),
        "proposal": lambda platform: release_proposed(platform, BATCH, reason="", by=person(platform, "li")) > 0,
        "hold": held(FREE, FOR_SALE, DUE),
        "lifting": _lift,
        "reclaim": reported(f"+{BACK},reclaimed,2026-11-20", f"+{DUE},reclaimed,2026-11-20"),
        "sale": reported(f"+{FOR_SALE},opened,2026-11-24", f"+{FREE},opened,2026-11-24"),
        "transfer": reported(f"+{SERVING},transferred,2026-11-20"),
        "release": lambda platform: sum(one.count for one in release(platform, by="li", batch_id=BATCH)),
        "plan": lambda platform: (made := plan_now(platform, by="li")) and made.count,
        "sending": lambda platform: len(send_now(platform, BATCH)),
        "retraction": lambda platform: retracted(platform,
            BATCH, NumberSet.of([FREE, FOR_SALE]), reason="wrong list", by="li"
        ).count,
        "order": order,
        "cut": answered("unbound"),
        "cut with a key": answered("absent", key="k"),
        "disclosure": lambda platform: acknowledge(platform,
            [Acknowledgement(number=FOR_SALE, shown=shown, method=Method.REFERENCE, evidence="17")],
            by=person(platform, "clerk"),
        ).new,
    }  # fmt: skip


def _waive(platform: Platform) -> int:
    with platform.act("li") as act:
        return waive(act, BATCH, partner_id=1, only=None, reason="closed").count


def _lift(platform: Platform) -> str:
    with platform.act("li") as act:
        return lift_hold(act, 2, reason="over").hold.order_number


def facts(platform: Platform) -> dict[str, Any]:
    """All facts of the world but for their names and instants, and what is said of a hold whose numbers are on lists."""
    with platform.database.transaction() as tx:
        return {
            "reported": sorted(
                (str(fact.event), fact.day, offset) for _, found in reports.facts_by_shard(tx) for fact in found
                for offset in fact.numbers
            ),
            "batches": sorted((_batch(tx, platform, one) for one in batches.all_batches(tx)), key=str),
            "stops": sorted(
                (
                    (one.hold_id, one.retraction_id is None, one.receipt_id is None, one.release_id, one.count)
                    for one in stops.known(tx)
                ),
                key=str,
            ),
            "holds": sorted((one.order_number, one.count, one.lifted_by) for one in holds.all_holds(tx)),
            "breaches": sorted(
                (one.kind, one.partner, _breached(tx, one.id))
                for one in releases.breaches(tx)
            ),
            "orders": sorted(
                (one.purpose, str(one.cutoff), [(told.partner, told.outcome) for told in requests.notices_of(tx, one.id)])
                for one in requests.of_number(tx, SERVING)
            ),
            "proposals": [(one.kind, one.outcome, one.freed) for one in proposals.listed(tx)],
            "disclosures": sorted((key, len(found)) for key, found in disclosures.all_standing_of(tx, [FOR_SALE]).items()),
            "events": Counter((one.partner_id, one.event) for who in (1, 2, 3) for one in attempts.latest(tx, who)),
        }  # fmt: skip


def _batch(tx: Tx, platform: Platform, batch: Batch) -> dict[str, Any]:
    told = [one.partner for one in notices.of_batch(tx, batch.id)]
    found = {
        "purpose": batch.purpose,
        "reason": batch.reason,
        "told": told,
        "of": _numbers(batches.numbers_of(tx, batch.id)),
    }
    if batch.purpose == Purpose.RETRACTION:
        return found
    gate = load_gate(acting(tx, platform), batch.id).gate
    said = {
        partner: sorted((answer.outcome.value, list(places)) for answer, places in one.answers.items() if places)
        for partner, one in gate.standings.items()
    }
    return found | {
        "said": said, "waived": {key: list(one.waived_places()) for key, one in gate.standings.items()},
        "released": list(gate.released), "clear": list(gate.clear()), "taken back": list(gate.retracted_places()),
    }  # fmt: skip


def _breached(tx: Tx, breach_id: int) -> tuple[list[int], str]:
    return _numbers(releases.breach_numbers(tx, breach_id)), str(releases.breach_spans(tx, breach_id))


def _numbers(found: NumberSet) -> list[int]:
    return [int(one) for one in found.numbers()]


def sold_at(folder: Path, instant: datetime) -> Path:
    """A carrier's report that it sold what is stopped, in the midst of that."""
    return _file(folder, [f"+{number},opened,{instant.isoformat()}" for number in (HELD, FOR_SALE)], "number,event,at")


def judged_again(platform: Platform) -> int:
    """How many sales of the last report were stopped, by all that is on record now."""
    with platform.act("li") as act:
        last, left = reports.latest(act.tx), []
        for shard, found in reports.facts_by_shard(act.tx):
            known = reports.with_instants(act.tx, shard, found, {one.day for one in found})
            before, new = ([one for one in known if (one.report == last) is said] for said in (False, True))
            left += [(shard, one) for one in judge(before, new, act.plan.owner(shard)).left]
        sales = sales_of(act.tx, left, plan=act.plan, freeze_days=act.rules.freeze_days)
        return find_stopped_sales(act, last, sales, lots_of(act.tx, sales))
