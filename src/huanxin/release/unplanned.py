"""Why a number is in no batch: which of the things that can be true of such a number is true of this one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from huanxin.domain.lifecycle import Event, sellable_from
from huanxin.release.findings import Finding
from huanxin.store.acting import Reading
from huanxin.store.plan import holds
from huanxin.store.report.reports import HistoryEntry

_NOT_FROZEN = {
    Event.OPENED: "it is in service at {carrier} since {day}: there is nothing to renew",
    Event.TRANSFERRED: "it passed to another subscriber of {carrier} on {day} and is in service: there is nothing to renew",
    Event.RECLAIMED: "its former owner reclaimed it at {carrier} on {day}, so it is in service again and not for sale",
    Event.PORTED_OUT: "it was ported out of {carrier} on {day} with its owner: it is not frozen, and the carrier that took "
    "it in reports it now",
    Event.IN_SERVICE: "it is in service at {carrier} since {day}: there is nothing to renew",
    Event.SERVED: "it was in service at {carrier} on {day}, as its carrier gave the state of its numbers: nothing to renew",
    Event.PORTED_IN: "it was taken in by {carrier} on {day} with its owner and is in service there: there is nothing to "
    "renew",
}


def why_in_no_batch(reading: Reading, number: int, past: Sequence[HistoryEntry]) -> list[Finding]:
    """Never reported, not frozen, frozen and not due (and from which day it is), held, or due and not planned yet."""
    if not past:
        return [Finding(rule="planned", ok=False, text="no report ever named this number, so nothing is known of it")]
    last = past[-1]
    evidence = evidence_of(last)
    if last.event != Event.CANCELLED:
        text = _NOT_FROZEN[Event(last.event)].format(carrier=last.carrier, day=last.day)
        return [Finding(rule="planned", ok=False, text=text, evidence=evidence)]
    today = reading.plan.carriers[last.carrier].today(reading.now)
    first = sellable_from(last.day, reading.rules.freeze_days)
    due_on = first - timedelta(days=reading.rules.lead_days)
    frozen = f"it is frozen since {last.day} and may be sold from {first}"
    held = _holds(reading, number)
    if today < due_on:
        rule, say = "1 freeze", f"it is not due yet: a batch takes it from {due_on}, {reading.rules.lead_days} days before"
    elif held:
        rule, say = "planned", "it is due, and a hold keeps it out of every batch"
    else:
        rule, say = "planned", "it is due: the next `huanxin batch plan` takes it"
    return [Finding(rule=rule, ok=False, text=f"{frozen}; {say}", evidence=evidence), *held]


def _holds(reading: Reading, number: int) -> list[Finding]:
    today = reading.plan.today(reading.now)
    return [
        Finding(rule="1 hold", ok=False, text=f"hold {hold.id} keeps it frozen until {hold.until_day}: {hold.reason}",
                evidence=f"{hold.named}, placed by {hold.placed_by} on {hold.placed_at:%Y-%m-%d}")
        for hold in holds.of_number(reading.tx, number) if hold.binds(today)
    ]  # fmt: skip


def evidence_of(entry: HistoryEntry) -> str:
    """The report that said so, and its day."""
    return f"report {entry.report_id} of {entry.carrier} ({entry.file_name}): {entry.event} on {entry.day}"
