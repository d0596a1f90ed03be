"""Reminders before the day by which to answer, escalation after it, each recorded and each once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from huanxin.domain.clock import zone_of_deadline
from huanxin.domain.deadlines import LATE, OVERDUE, Checkpoint, newest_due, newest_late, steps
from huanxin.domain.errors import Conflict, NotFound
from huanxin.domain.rules import NewId, random_id
from huanxin.notify.events import reminder, rfc3339
from huanxin.notify.notices import wanted
from huanxin.store.acting import Act
from huanxin.store.connect import partners
from huanxin.store.notify import deliveries, progress, reminders, streams
from huanxin.store.notify.progress import Open
from huanxin.store.notify.reminders import Waiting
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.words.sentences import Sentence

_ESCALATED = "escalated"


def decide_due(
    act: Act, *, days: tuple[int, ...], zone: ZoneInfo, escalates: bool, new_id: NewId = random_id
) -> int:  # fmt: skip
    """Remind (or escalate) wherever a step is due and an answer is missing; how many steps were decided.

    Of the steps that an outage made late only the newest counts. Answers are read of batches with a due step only. After
    the overdue step who said "pending" is reminded again and again, and escalated if that was not done yet.
    """
    # Twice the working days and a long holiday: more than any calendar stretches them.
    horizon = act.now + timedelta(days=2 * max(days, default=0) + 14)
    decided = 0
    waiting = reminders.waiting(act.tx, horizon)
    carriers = batches.carriers_of(act.tx, {one.batch_id for one in waiting})
    for batch_id, group in groupby(waiting, key=lambda one: one.batch_id):
        zones = {act.plan.carriers[code].zone for code in carriers.get(batch_id, ())}
        due = _due(group, days=days, zones=zones, zone=zone, now=act.now)
        if not due:
            continue
        batch = batches.get(act.tx, batch_id)
        assert batch is not None
        state = {one.notice.id: one for one in progress.progress(act.tx, batch)}
        still = {notice: _still_open(state[notice], step) for notice, step in due.items()}
        late = [state[notice] for notice, step in due.items() if still[notice] and _escalates(state[notice], step)]
        for notice, step in due.items():
            reminders.decide(act.tx, notice, step, still_open=still[notice], at=act.now)
        for step in dict.fromkeys(due.values()):
            told = [state[notice] for notice, other in due.items() if other == step and still[notice]]
            _remind(act, [one for one in told if one in late], step=step, new_id=new_id, kind=_ESCALATED)
            _remind(act, [one for one in told if one not in late], step=step, new_id=new_id)
        if late and escalates:
            reminders.add_escalation(act.tx, batch_id=batch_id, body=_escalation(batch, late), at=act.now)
        decided += len(due)
    return decided


def _still_open(one: Open, step: str) -> bool:
    """Whether a step is to be told: who is silent after the overdue step is somebody's matter, and hears no more."""
    return one.pending > 0 if step.startswith(LATE) else one.open > 0


def _escalates(one: Open, step: str) -> bool:
    return step == OVERDUE or (step.startswith(LATE) and one.escalated_at is None)


def _due(
    group: Iterable[Waiting], *, days: tuple[int, ...], zones: Collection[ZoneInfo], zone: ZoneInfo, now: datetime
) -> dict[str, str]:
    """The newest due step of each notice of a batch, if it was not decided."""
    found = {}
    plans: dict[datetime, list[Checkpoint]] = {}
    for one in group:
        zone = zone_of_deadline(one.answer_by, zones, zone)
        plan = plans.get(one.answer_by) or plans.setdefault(one.answer_by, steps(one.answer_by, days=days, zone=zone))
        step = newest_due(plan, now=now, sent_at=one.sent_at)
        if OVERDUE in one.decided:
            step = newest_late(one.answer_by, zone=zone, now=now)
            if step and one.told_at and step.at <= one.told_at:
                step = None  # it said something since
        if step and step.name not in one.decided:
            found[one.id] = step.name
    return found


def _remind(act: Act, which: Sequence[Open], *, step: str, new_id: NewId, kind: str = "reminded") -> None:
    """Queue a reminder for each of some notices, and record it. Few statements, however many partners there are."""
    if not which:
        return
    known = partners.client_ids(act.tx, [one.notice.partner_id for one in which])
    ways = streams.all_streams(act.tx)
    # Behind the notice itself, which may still be on its way.
    subjects = deliveries.subjects_of(act.tx, [one.notice.id for one in which])
    events = []
    for one in which:
        jti, partner = new_id("ev"), one.notice.partner_id
        claims = reminder(
            notice=one.notice.id, answer_by=one.answer_by, outstanding=one.outstanding, pending=one.pending,
            audience=known[partner], jti=jti, now=act.now,
        )  # fmt: skip
        subject = subjects.get(one.notice.id, one.notice.id)
        events += wanted(ways.get(partner), partner, jti=jti, notice_id=one.notice.id, subject=subject, claims=claims)
    deliveries.add_all(act.tx, events, at=act.now)
    deliveries.wake_workers(act.tx)
    partners.note_all(
        act.tx, kind, [(one.notice.partner_id, one.notice.id, _noted(one, step)) for one in which], by=act.by, at=act.now
    )


def _noted(one: Open, step: str) -> dict[str, object]:
    return {"step": step, "outstanding": one.outstanding, "pending": one.pending, "answer_by": rfc3339(one.answer_by)}


def remind_now(act: Act, batch_id: int, *, partner_id: int | None, new_id: NewId = random_id) -> list[Open]:
    """Remind the partners of a batch (or one) by hand; those reminded. Raises Conflict if nobody has anything open."""
    batch = batches.get(act.tx, batch_id)
    if batch is None:
        raise NotFound(Sentence("there is no batch %(batch)s; `huanxin batch status` shows them", batch=batch_id))
    chosen = [one for one in progress.progress(act.tx, batch, partner_id) if one.open]
    if not chosen:
        raise Conflict(Sentence("nothing is waited for on batch %(batch)s, so there is nobody to remind", batch=batch_id))
    _remind(act, chosen, step="by hand", new_id=new_id)
    return chosen


def escalate_now(
    act: Act, batch_id: int, *, partner_id: int | None, escalates: bool, new_id: NewId = random_id
) -> list[Open]:
    """Tell the partners of a batch (or one) that are late, and the operator's webhook if there is one, that this is now
    somebody's matter; those told. Raises Conflict if nobody is late."""
    batch = batches.get(act.tx, batch_id)
    if batch is None:
        raise NotFound(Sentence("there is no batch %(batch)s; `huanxin batch status` shows them", batch=batch_id))
    late = [one for one in progress.progress(act.tx, batch, partner_id) if one.late(act.now)]
    if not late:
        raise Conflict(
            Sentence(
                "no answer to batch %(batch)s is overdue, so there is nothing to escalate; a reminder can go out now",
                batch=batch_id,
            )
        )
    _remind(act, late, step=OVERDUE, new_id=new_id, kind=_ESCALATED)
    if escalates:
        reminders.add_escalation(act.tx, batch_id=batch_id, body=_escalation(batch, late), at=act.now)
    return late


def _escalation(batch: Batch, late: list[Open]) -> dict[str, object]:
    """What the operator's webhook is told: which partners are late with a batch."""
    return {
        "kind": "answers-late", "batch": batch.id, "purpose": batch.purpose, "answer_by": rfc3339(batch.answer_by),
        "late": [
            {"partner": one.notice.partner, "notice": one.notice.id, "required": one.notice.required,
             "answer_by": rfc3339(one.answer_by), "outstanding": one.outstanding, "pending": one.pending}
            for one in late
        ],
    }  # fmt: skip
