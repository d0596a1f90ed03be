"""`huanxin batch status`: what was asked, delivered, answered and taken back, and who is late."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import typer
from rich.console import Group
from rich.table import Table

from huanxin.cli.console import done, platform, table
from huanxin.domain.answers import OUTCOMES_OF, Purpose
from huanxin.store.notify.progress import Open, progress
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch

_TAKEN_BACK = OUTCOMES_OF[Purpose.RETRACTION]


def show_all(as_json: bool) -> None:
    """Every batch in a line."""
    with platform() as (opened, _), opened.read() as seen:
        found = batches.all_batches(seen.tx, called_off=True)
    rows = table("batch", "purpose", "#numbers", "cut-off (UTC)", "answers by", "planned by", "called off")
    for one in found:
        purpose = one.purpose if one.purpose == Purpose.RENEWAL else f"{one.purpose} of {one.retracts}"
        rows.add_row(str(one.id), purpose, f"{one.count:,}", f"{one.cutoff:%Y-%m-%d %H:%M:%S}",
                     f"{one.answer_by:%Y-%m-%d %H:%M %Z}", one.planned_by, _off(one))  # fmt: skip
    facts = [{"batch": one.id, "purpose": one.purpose, "count": one.count, "called_off": bool(one.called_off_at)}
             for one in found]  # fmt: skip
    done(as_json, {"batches": facts}, rows if found else "No batch was planned yet.")


def show_one(batch_id: int, as_json: bool) -> None:
    """One batch, partner by partner, with its retractions."""
    with platform() as (opened, _), opened.read() as seen:
        now = seen.now
        batch = batches.get(seen.tx, batch_id)
        state = progress(seen.tx, batch) if batch else []
        back = [(one, progress(seen.tx, one)) for one in batches.retractions_of(seen.tx, batch_id)]
    if batch is None:
        done(as_json, {"batch": batch_id, "partners": []}, f"There is no batch {batch_id}.")
        raise typer.Exit(1)
    facts: dict[str, Any] = {
        "batch": batch_id, "count": batch.count, "answer_by": batch.answer_by.isoformat(),
        "partners": [_facts(one, now) for one in state],
        "retractions": [
            {"batch": one.id, "count": one.count, "reason": one.reason, "by": one.planned_by,
             "partners": [_facts(partner, now) for partner in partners]}
            for one, partners in back
        ],
    }  # fmt: skip
    shown: list[str | Table] = (
        [_partners(batch, state, now)] if state else [f"Batch {batch_id} was {_off(batch) or 'not sent yet'}."]
    )
    for one, partners in back:
        why = f"{one.reason} ({one.planned_by})" if one.reason else "reclaimed, as the carrier reported"
        shown += [f"\nRetraction {one.id}; numbers taken back: {one.count:,}; {why}", _retraction(partners, now)]
    done(as_json, facts, Group(*shown))


def _facts(one: Open, now: datetime) -> dict[str, Any]:
    pending_or_refused = one.counts.get("pending", 0) + one.counts.get("refused", 0)
    return {
        "partner": one.notice.partner, "notice": one.notice.id, "delivered": one.notice.delivered_at is not None,
        "outstanding": one.unanswered, "unsettled": pending_or_refused, "outcomes": one.counts,
        "reminded": one.reminded, "late": one.late(now),
        "escalated_at": one.escalated_at.isoformat() if one.escalated_at else None,
    }  # fmt: skip


def _partners(batch: Batch, state: list[Open], now: datetime) -> Table:
    rows = table(
        "partner", "kind", "notice", "delivered", "#answered", "#outstanding", "#pending or refused", "#reminded", "late"
    )
    for one in state:
        unsettled = one.counts.get("pending", 0) + one.counts.get("refused", 0)
        rows.add_row(
            one.notice.partner, one.notice.kind, one.notice.id, _delivered(one), f"{batch.count - one.unanswered:,}",
            f"{one.unanswered:,}", f"{unsettled:,}", str(one.reminded), _late(one, now),
        )  # fmt: skip
    return rows


def _retraction(partners: list[Open], now: datetime) -> Table:
    rows = table("partner", "notice", "delivered", *(f"#{word}" for word in _TAKEN_BACK), "#outstanding", "late")
    for one in partners:
        counts = [f"{one.counts.get(word, 0):,}" for word in _TAKEN_BACK]
        rows.add_row(one.notice.partner, one.notice.id, _delivered(one), *counts, f"{one.unanswered:,}", _late(one, now))
    return rows


def _off(batch: Batch) -> str:
    if not batch.called_off_at:
        return ""
    return f"called off on {batch.called_off_at:%Y-%m-%d} by {batch.called_off_by}: {batch.called_off_why}"


def _delivered(one: Open) -> str:
    at = one.notice.delivered_at
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else f"not yet ({one.notice.attempts} tries)"


def _late(one: Open, now: datetime) -> str:
    if not one.late(now):
        return ""
    escalated = f", escalated {one.escalated_at:%Y-%m-%d %H:%M} UTC" if one.escalated_at else ""
    return f"since {one.answer_by:%Y-%m-%d %H:%M %Z}{escalated}"
