"""Why one number is, or isn't, clear: rule by rule, with the facts behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from huanxin.domain.answers import Outcome, Purpose, Standing, Waiver
from huanxin.domain.lifecycle import sellable_from
from huanxin.domain.numbers import masked
from huanxin.domain.tenures import standing
from huanxin.numbersets.sharded import SHARD_SIZE, load, shard_of
from huanxin.release.findings import Finding
from huanxin.release.gate import LoadedGate
from huanxin.release.single import load_single
from huanxin.release.unplanned import why_in_no_batch
from huanxin.store.acting import Reading
from huanxin.store.database import Tx
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches, holds
from huanxin.store.plan.batches import Membership
from huanxin.store.report import reports
from huanxin.store.report.reports import HistoryEntry, TakenBack
from huanxin.words.sentences import N_, Sentence

_OUTCOMES = {
    Outcome.UNBOUND: N_("unbound"), Outcome.ABSENT: N_("absent"), Outcome.KEPT: N_("kept"),
    Outcome.PENDING: N_("pending"), Outcome.REFUSED: N_("refused (%(reason)s)"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A number's whole case: its history, and the findings of its last batch. evaluable_since: what was before that day
    nobody can tell, since a baseline began there; None: it is as reported."""

    number: str
    history: tuple[str, ...]
    batch_id: int | None
    findings: tuple[Finding, ...]
    clear: bool
    released: bool
    evaluable_since: date | None = None


def explain(reading: Reading, number: int) -> Explanation:
    """Explain a number by the batch in which it is renewed, or say which reason it has for being in none."""
    offset = number % SHARD_SIZE
    past = reports.history(reading.tx, shard=shard_of(number), holds_number=lambda stored: offset in load(stored))
    history = tuple(line for _, line in _history(past, reports.taken_back(reading.tx, number)))
    every = batches.memberships(reading.tx, number)
    member = _member(reading.tx, number, past, every)
    since = reports.baselines(reading.tx, reading.plan).get(standing([one.said for one in past]).first)
    if member is None:
        found = why_in_no_batch(reading, number, past)
        return Explanation(
            number=masked(number), history=history, batch_id=None, clear=False, released=False, findings=tuple(found),
            evaluable_since=since,
        )  # fmt: skip
    held = holds.of_number(reading.tx, number)
    loaded = load_single(reading, number, member, every=every, held=held).loaded
    place = 0
    findings = [*_freeze(loaded, place), *_holds(loaded, place), *_retraction(loaded, place), *_partners(loaded, place)]
    return Explanation(
        number=masked(number), history=history, batch_id=loaded.batch.id, findings=tuple(findings),
        clear=place in loaded.gate.clear(), released=place in loaded.gate.released, evaluable_since=since,
    )  # fmt: skip


def _history(past: Sequence[HistoryEntry], taken_back: Sequence[TakenBack]) -> list[tuple[date, str]]:
    """What reports said, and what of it was taken back, by day."""
    every: list[HistoryEntry | TakenBack] = [*past, *taken_back]
    lines = [(one.day, f"{one.day} {one.event} ({one.carrier}, report {one.report_id}: {one.file_name})") for one in every]
    for place, back in enumerate(taken_back, len(past)):
        who = f"{back.by} and {back.approved_by}" if back.approved_by else f"{back.by} (one person)"
        day, said = lines[place]
        lines[place] = day, f"{said}; taken back on {back.at:%Y-%m-%d} by {who}, report {back.voided_by}: {back.reason}"
    return sorted(lines, key=lambda line: line[0])


def _member(tx: Tx, number: int, past: Sequence[HistoryEntry], every: Sequence[Membership]) -> Membership | None:
    """The batch in which a frozen number is renewed in this tenure; else the last one that it was in."""
    closing = standing([one.said for one in past]).closing
    if closing is not None:
        return batches.renewal_of(tx, number, closing)
    return next((one for one in reversed(every) if one.purpose == Purpose.RENEWAL and not one.called_off), None)


def _freeze(loaded: LoadedGate, place: int) -> list[Finding]:
    for (carrier, day), places in loaded.gate.spans.items():
        if place in places:
            first = sellable_from(day, loaded.gate.freeze_days)
            ended = loaded.gate.today[carrier] >= first
            said = (
                N_("the freeze of %(days)s days has ended: may be sold from %(first)s") if ended
                else N_("the freeze of %(days)s days runs: may be sold from %(first)s")
            )  # fmt: skip
            text = Sentence(said, days=loaded.gate.freeze_days, first=first)
            evidence = f"{carrier} reported it cancelled on {day}"
            return [Finding(rule=Sentence("1 freeze"), ok=ended, text=text, evidence=evidence)]
    return []


def _holds(loaded: LoadedGate, place: int) -> list[Finding]:
    found = [
        Finding(
            rule=Sentence("1 hold"),
            ok=False,
            text=Sentence("hold %(hold)s keeps it frozen", hold=hold),
            evidence=f"`huanxin hold list` shows hold {hold}",
        )
        for hold, places in loaded.gate.held.items()
        if place in places
    ]
    return found or [Finding(rule=Sentence("1 hold"), ok=True, text=Sentence("no hold is on it"))]


def _retraction(loaded: LoadedGate, place: int) -> list[Finding]:
    rule = Sentence("3 retraction")
    left = N_("it left the freeze after the batch was planned: %(event)s")
    found = [
        Finding(rule=rule, ok=False, text=Sentence(left, event=Sentence(event.value)))
        for event, places in loaded.gate.retracted.items() if place in places
    ]  # fmt: skip
    orders = [loaded.retractions[key] for key, places in loaded.gate.ordered.items() if place in places]
    found += [
        Finding(rule=rule, ok=False, evidence=f"retraction {one.id}",
                text=Sentence("%(who)s took it back for good: %(why)s", who=one.planned_by, why=one.reason))
        for one in orders
    ]  # fmt: skip
    return found or [Finding(rule=rule, ok=True, text=Sentence("it has not been reclaimed"))]


def _partners(loaded: LoadedGate, place: int) -> list[Finding]:
    if not loaded.gate.sent:
        return [
            Finding(rule=Sentence("1 answers"), ok=False, text=Sentence("the batch was not sent yet, so nobody was asked"))
        ]
    return [_partner(loaded.gate.standings[key], notice, loaded.waivers, place) for key, notice in loaded.notices.items()]


def _granted(waiver: Waiver) -> Sentence:
    said = N_("%(by)s (one person): %(why)s") if waiver.alone else N_("%(by)s: %(why)s")
    return Sentence(said, by=waiver.by, why=waiver.reason)


def _partner(standing: Standing, notice: Notice, waivers: Mapping[int, Waiver], place: int) -> Finding:
    asked = N_("1 answer of %(partner)s") if notice.required else N_("1 answer of %(partner)s (optional)")
    waived = [_granted(waivers[key]) for key, places in standing.waived.items() if place in places]
    answer = next((one for one, places in standing.answers.items() if place in places), None)
    if answer is None:
        text, settled = Sentence("no answer yet"), False
    else:
        text, settled = Sentence(_OUTCOMES.get(answer.outcome, answer.outcome.value), reason=answer.reason), answer.settles
        if answer.until:
            text = Sentence("%(answer)s until %(day)s", answer=text, day=answer.until)
    if waived:
        who = waived[0] if len(waived) == 1 else "; ".join(waived)
        text = Sentence("%(answer)s; waived by %(who)s", answer=text, who=who)
    ok = settled or bool(waived) or not notice.required
    return Finding(
        rule=Sentence(asked, partner=notice.partner), ok=ok, text=text, evidence=f"notice {notice.id}"
    )  # fmt: skip
