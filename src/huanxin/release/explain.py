"""Why one number is, or isn't, clear: rule by rule, with the facts behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from huanxin.domain.answers import Outcome, Purpose, Standing, Waiver
from huanxin.domain.lifecycle import Event, sellable_from
from huanxin.domain.numbers import NumberingPlan, masked
from huanxin.domain.rules import Rules
from huanxin.numbersets.sharded import SHARD_SIZE, load, shard_of
from huanxin.release.findings import Finding
from huanxin.release.gate import LoadedGate
from huanxin.release.single import load_single
from huanxin.release.unplanned import why_in_no_batch
from huanxin.store import batches, holds, reports
from huanxin.store.database import Tx
from huanxin.store.notices import Notice
from huanxin.store.reports import HistoryEntry


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A number's whole case: its history, and the findings of its last batch."""

    number: str
    history: tuple[str, ...]
    batch_id: int | None
    findings: tuple[Finding, ...]
    clear: bool
    released: bool


def explain(tx: Tx, number: int, *, plan: NumberingPlan, rules: Rules, now: datetime) -> Explanation:
    """Explain a number by the batch in which it is renewed, or say which reason it has for being in none."""
    offset = number % SHARD_SIZE
    past = reports.history(tx, shard=shard_of(number), holds_number=lambda stored: offset in load(stored))
    history = tuple(
        f"{entry.day} {entry.event} ({entry.carrier}, report {entry.report_id}: {entry.file_name})" for entry in past
    )
    every = batches.memberships(tx, number)
    member = [one for one in every if one.purpose == Purpose.RENEWAL]
    if not member or _cancelled_since(tx, member[-1].batch_id, past, plan):
        found = why_in_no_batch(tx, number, past, plan=plan, rules=rules, now=now)
        return Explanation(
            number=masked(number), history=history, batch_id=None, clear=False, released=False, findings=tuple(found)
        )
    held = holds.of_number(tx, number)
    loaded = load_single(tx, number, member[-1], every=every, held=held, plan=plan, now=now).loaded
    place = 0
    findings = [*_freeze(loaded, place), *_holds(loaded, place), *_retraction(loaded, place), *_partners(loaded, place)]
    return Explanation(
        number=masked(number), history=history, batch_id=loaded.batch.id, findings=tuple(findings),
        clear=place in loaded.gate.clear(), released=place in loaded.gate.released,
    )  # fmt: skip


def _cancelled_since(tx: Tx, batch_id: int, past: Sequence[HistoryEntry], plan: NumberingPlan) -> bool:
    """Whether the number was cancelled again after a batch was planned: then that batch was another tenure's."""
    batch = batches.get(tx, batch_id)
    if batch is None or past[-1].event != Event.CANCELLED:
        return False
    return batch.planned_at.astimezone(plan.carriers[past[-1].carrier].zone).date() < past[-1].day


def _freeze(loaded: LoadedGate, place: int) -> list[Finding]:
    for (carrier, day), places in loaded.gate.spans.items():
        if place in places:
            first = sellable_from(day, loaded.gate.freeze_days)
            ended = loaded.gate.today[carrier] >= first
            text = (
                f"the freeze of {loaded.gate.freeze_days} days {'has ended' if ended else 'runs'}: may be sold from {first}"
            )
            return [Finding(rule="1 freeze", ok=ended, text=text, evidence=f"{carrier} reported it cancelled on {day}")]
    return []


def _holds(loaded: LoadedGate, place: int) -> list[Finding]:
    found = [
        Finding(
            rule="1 hold", ok=False, text=f"hold {hold} keeps it frozen", evidence=f"`huanxin hold list` shows hold {hold}"
        )
        for hold, places in loaded.gate.held.items()
        if place in places
    ]
    return found or [Finding(rule="1 hold", ok=True, text="no hold is on it")]


def _retraction(loaded: LoadedGate, place: int) -> list[Finding]:
    found = [
        Finding(rule="3 retraction", ok=False, text=f"it left the freeze after the batch was planned: {event.value}")
        for event, places in loaded.gate.retracted.items() if place in places
    ]  # fmt: skip
    orders = [loaded.retractions[key] for key, places in loaded.gate.ordered.items() if place in places]
    found += [
        Finding(rule="3 retraction", ok=False, text=f"{one.planned_by} took it back for good: {one.reason}",
                evidence=f"retraction {one.id}")
        for one in orders
    ]  # fmt: skip
    return found or [Finding(rule="3 retraction", ok=True, text="it has not been reclaimed")]


def _partners(loaded: LoadedGate, place: int) -> list[Finding]:
    if not loaded.gate.sent:
        return [Finding(rule="1 answers", ok=False, text="the batch was not sent yet, so nobody was asked")]
    return [_partner(loaded.gate.standings[key], notice, loaded.waivers, place) for key, notice in loaded.notices.items()]


def _partner(standing: Standing, notice: Notice, waivers: Mapping[int, Waiver], place: int) -> Finding:
    rule = f"1 answer of {notice.partner}" + ("" if notice.required else " (optional)")
    waived = [f"{waivers[key].by}: {waivers[key].reason}" for key, places in standing.waived.items() if place in places]
    answer = next((one for one, places in standing.answers.items() if place in places), None)
    if answer is None:
        text, settled = "no answer yet", False
    else:
        text = answer.outcome.value + (f" ({answer.reason})" if answer.outcome is Outcome.REFUSED else "")
        text += f" until {answer.until}" if answer.until else ""
        settled = answer.settles
    if waived:
        text += f"; waived by {'; '.join(waived)}"
    ok = settled or bool(waived) or not notice.required
    return Finding(rule=rule, ok=ok, text=text, evidence=f"notice {notice.id}")
