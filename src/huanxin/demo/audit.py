"""What went wrong, counted from raw files: the carriers' reports, the holds, the partners' databases, the release lists.

The audit derives for itself what should have happened. It shares nothing with the platform: neither its rules nor its
readers nor its database.
"""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from huanxin.demo.audit_reports import CHINA, Past, Standing, day_of, moment_of, read_past

_SHOWN = 20
_TWICE = "stands on the lists twice"
_UNSETTLED = ("pending", "refused")


@dataclass(kw_only=True)
class Audit:
    """Counts of ties and numbers; the three of wrong are wrongly_cut, stale_left and released_unclear.

    batch: numbers that were due at the cut-off and not held. ties_before: ties bound before the cut-off, on any number.
    ties_cut: ties that are cut now. ties_kept: ties bound at or after the cut-off on numbers of the batch, not cut.
    wrongly_cut: cut though bound at or after the cut-off, or on a number outside the batch or reclaimed. stale_left: on a
    released number, bound before the cut-off, not cut, and not waived; waived_left: the same, but waived.
    released: rows of the release lists. released_unclear: those that may not be there, or with a wrong day.
    samples: what was found wrong, in words, the first twenty.
    """

    batch: int = 0
    ties_before: int = 0
    ties_cut: int = 0
    ties_kept: int = 0
    wrongly_cut: int = 0
    stale_left: int = 0
    waived_left: int = 0
    released: int = 0
    released_unclear: int = 0
    samples: list[str] = field(default_factory=list)

    def note(self, what: str, number: int, why: str) -> None:
        if len(self.samples) < _SHOWN:
            self.samples.append(f"{what}: {str(number)[2:5]}****{str(number)[-4:]} {why}")


@dataclass(frozen=True, kw_only=True)
class _Case:
    """What the audit knows before it looks at partners and lists."""

    past: Past
    due: Mapping[int, Standing]
    held: frozenset[int]
    waived: Mapping[str, frozenset[int] | None]
    """by partner; None: all numbers"""

    def is_waived(self, partner: str, number: int) -> bool:
        if partner not in self.waived:
            return False
        numbers = self.waived[partner]
        return numbers is None or number in numbers


def audit(
    *, reports: Sequence[tuple[str, Path]], holds: Sequence[Path], partners: Mapping[str, Path],
    releases: Sequence[tuple[str, Path]], cutoff: datetime, today: date,
    waivers: Sequence[tuple[str, Collection[str] | str]] = (),
    notices: Mapping[str, str] | None = None, optional: Collection[str] = (), freeze_days: int = 90, lead_days: int = 15,
) -> Audit:  # fmt: skip
    """Count what went wrong with one batch.

    reports: (carrier, file) in the order of import, later ones included. holds: files of held numbers. partners: database
    by name. releases: (carrier, list). cutoff: aware, of the batch. today: the day of the release, in China. waivers:
    (partner, "all" or its numbers as `+86…`). notices: the batch's notice by partner, so that only answers to it count;
    without it every recorded answer does. optional: partners whose answer is not waited for.
    """
    past = read_past(reports, cutoff=cutoff, today=today)
    held = frozenset(_number(row[0]) for path in holds for row in _csv(path))
    latest = day_of(cutoff.astimezone(CHINA).date()) + lead_days - freeze_days - 1
    case = _Case(past=past, due=_due(past, held, latest), held=held, waived=_waived(waivers))
    result = Audit(batch=len(case.due))
    listed = _check_lists(case, result, releases, first_day=freeze_days + 1, today=day_of(today))
    for partner, path in partners.items():
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            _check_ties(case, result, partner, database, listed.keys())
            if partner not in optional:
                _check_answers(case, listed, partner, database, notices[partner] if notices is not None else None)
    for number, faults in listed.items():
        twice = faults.count(_TWICE)
        result.released_unclear += twice + (len(faults) > twice)
        for fault in faults:
            result.note("released_unclear", number, fault)
    return result


def _due(past: Past, held: Collection[int], latest: int) -> dict[int, Standing]:
    """Numbers that were frozen at the cut-off, cancelled on the day `latest` at the latest, and not held."""
    due = {}
    for number in past.now:
        then = past.then(number)
        if then and then.state == "frozen" and then.day <= latest and number not in held:
            due[number] = then
    return due


def _waived(waivers: Sequence[tuple[str, Collection[str] | str]]) -> dict[str, frozenset[int] | None]:
    waived: dict[str, frozenset[int] | None] = {}
    for partner, numbers in waivers:
        before = waived.get(partner, frozenset())
        waived[partner] = None if numbers == "all" or before is None else before | {_number(one) for one in numbers}
    return waived


def _check_lists(
    case: _Case, result: Audit, releases: Sequence[tuple[str, Path]], *, first_day: int, today: int
) -> dict[int, list[str]]:
    """The faults of every released number, as far as they show without the partners."""
    listed: dict[int, list[str]] = {}
    for carrier, path in releases:
        for row in _csv(path):
            result.released += 1
            number = _number(row[0])
            if number in listed:
                listed[number].append(_TWICE)
                continue
            listed[number] = list(_faults(case, number, carrier, row[1], first_day=first_day, today=today))
    return listed


def _faults(case: _Case, number: int, carrier: str, day: str, *, first_day: int, today: int) -> Iterator[str]:
    if number in case.held:
        yield "is held"
    then = case.past.then(number)
    if then is None or then.state != "frozen":
        yield "was not frozen at the cut-off"
        return
    if case.past.reclaimed(number):
        yield "was taken back by its owner"
    if then.carrier != carrier:
        yield f"is not {carrier}'s to sell"
    if then.day + first_day > today:
        yield "is still in its freeze"
    try:
        if day_of(date.fromisoformat(day)) != then.day + first_day:
            yield f"may not be sold from {day}, but from another day"
    except ValueError:
        yield f"has {day!r} for a day"


def _check_ties(case: _Case, result: Audit, partner: str, database: sqlite3.Connection, released: Collection[int]) -> None:
    """Every tie of a partner: was it cut, and should it have been?"""
    cutoff, to_restore, bound_anew = case.past.cutoff, [], set()
    for written, bound_at, cut_at in database.execute("SELECT number, bound_at, cut_at FROM ties WHERE number IS NOT NULL"):
        number, bound = _number(written), moment_of(datetime.fromisoformat(bound_at))
        early, cut = bound < cutoff, cut_at is not None
        result.ties_before += early
        result.ties_cut += cut
        result.ties_kept += not early and not cut and number in case.due
        if not early:
            bound_anew.add(number)
        verdict = _verdict(case, number, bound) if cut else ""
        if verdict == "wrong":
            result.wrongly_cut += 1
            result.note("wrongly_cut", number, f"at {partner}, bound at {bound_at}")
        elif verdict == "to restore":
            to_restore.append((number, bound_at))
        elif early and not cut and number in released:
            if case.is_waived(partner, number):
                result.waived_left += 1
            else:
                result.stale_left += 1
                result.note("stale_left", number, f"at {partner}, bound at {bound_at}")
    for number, bound_at in to_restore:
        if number not in bound_anew:  # else somebody has bound it since, and it can't be given back
            result.wrongly_cut += 1
            result.note("wrongly_cut", number, f"at {partner}, bound at {bound_at}, taken back and not restored")


def _verdict(case: _Case, number: int, bound: int) -> str:
    """Whether cutting this tie was `right`, `wrong`, or right until the owner came back: `to restore`.

    A tie is a former owner's if it is older than the cut-off of the batch that has the number, or than a tenure that
    began after the cut-off: then the partner was told by `identifier-recycled`.
    """
    if any(bound < moment for event, moment in case.past.later.get(number, ()) if event in ("opened", "transferred")):
        return "right"
    if number not in case.due or bound >= case.past.cutoff:
        return "wrong"
    return "to restore" if case.past.reclaimed(number) else "right"


def _check_answers(
    case: _Case, listed: Mapping[int, list[str]], partner: str, database: sqlite3.Connection, notice: str | None
) -> None:
    """Whether the partner had settled every released number, by its own record of what it answered."""
    complete, answered, unsettled = False, set(), {}
    rows = database.execute("SELECT notice, number, outcome FROM answers ORDER BY at, rowid")
    for of, written, outcome in rows:
        if notice is not None and of != notice:
            continue
        if not written:
            complete = True
            continue
        number = _number(written)
        answered.add(number)
        if outcome in _UNSETTLED:
            unsettled[number] = outcome
        else:
            unsettled.pop(number, None)
    for number, faults in listed.items():
        if number in unsettled and not case.is_waived(partner, number):
            faults.append(f"is {unsettled[number]} at {partner}")
        elif not complete and number not in answered and not case.is_waived(partner, number):
            faults.append(f"was not answered by {partner}")


def _csv(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        yield from (row for row in rows if row)


def _number(written: str) -> int:
    return int(written.strip().lstrip("+"))
