"""The lines of a carrier's report, checked one by one as far as a line can be checked alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from huanxin.domain import doors
from huanxin.domain import numbers as domain_numbers
from huanxin.domain.errors import Fault, unreadable
from huanxin.domain.lifecycle import EVENTS, REPORTED
from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.domain.trade import Trade
from huanxin.numbersets import columns, moments, tables
from huanxin.numbersets.arrow import pa
from huanxin.numbersets.instants import NO_TIME
from huanxin.numbersets.times import Order
from huanxin.words.sentences import N_, Sentence


@dataclass(frozen=True, kw_only=True)
class Form:
    """What stands in a file's three columns: a number; a word, of which `codes` has those that are known; a time. `known`:
    the words to name where one is not. `timeless`: by code, what a line says without a time; of others it needs one."""

    columns: tables.Columns
    codes: Mapping[str, int]
    known: Sequence[str]
    unknown: str
    timeless: Mapping[int, int] = field(default_factory=dict)


NAMES = ("number", "event", "at")


@cache
def report_form(words: Trade) -> Form:
    """A report's, in the words of the trade."""
    codes = {way: EVENTS.index(event) for event in REPORTED for way in (event, *words.events.get(event, ()))}
    return Form(
        columns=tables.Columns(names=NAMES, aliases=words.aliases(NAMES)), codes=codes, known=REPORTED,
        unknown=N_("event %(event)s is unknown; it is one of %(known)s"),
    )  # fmt: skip


FIRST_DAY = date(1987, 1, 1)
"""China's first mobile network opened in November 1987: an earlier year is a slip of the pen, and would end a freeze."""
_EPOCH, _START = date(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_AT = int(datetime.combine(FIRST_DAY, time(), UTC).timestamp()) * 1_000_000

Int64s = npt.NDArray[np.int64]
Check = Callable[[tables.Chunk], "tuple[Lines, list[Fault]]"]
"""`check`, for a carrier"""


@dataclass(frozen=True, kw_only=True)
class Lines:
    """Good lines as columns of one length: number, event (index into EVENTS), at (µs UTC; NO_TIME if only the day is given),
    day (since 1970), line."""

    number: Int64s
    event: npt.NDArray[np.int8]
    at: Int64s
    day: Int64s
    line: Int64s

    def __len__(self) -> int:
        return len(self.number)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Lines:
        return Lines(
            number=self.number[rows], event=self.event[rows], at=self.at[rows], day=self.day[rows], line=self.line[rows]
        )

    def text(self, row: int, zone: ZoneInfo) -> str:
        """A line as its carrier would write it: with the time, if it had one, which a second file of the day may need."""
        at = int(self.at[row])
        day = _EPOCH + timedelta(days=int(self.day[row]))
        when = day.isoformat() if at == NO_TIME else (_START + timedelta(microseconds=at)).astimezone(zone).isoformat()
        return f"{domain_numbers.written(int(self.number[row]))},{EVENTS[self.event[row]]},{when}"

    @classmethod
    def joined(cls, parts: list[Lines]) -> Lines:
        if not parts:
            nothing = np.empty(0, np.int64)
            return cls(number=nothing, event=np.empty(0, np.int8), at=nothing, day=nothing, line=nothing)
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts])
                      for name in ("number", "event", "at", "day", "line")})  # fmt: skip


@dataclass(kw_only=True)
class _Look:
    """What a file shows of the order in which it writes days such as 03/04/2026: looked for once, if it has any."""

    source: tables.Source | None = None
    columns: tables.Columns | None = None
    order: Order | None = None

    def instants(self, column: pa.Array, zone: str, *, sheet: bool) -> moments.Times:
        found = moments.instants(column, zone, order=self.order, sheet=sheet)
        if self.source is None or self.columns is None or not found.unclear:
            return found
        shown: set[Order] = set()
        with tables.read(self.source, self.columns, keep_ragged=0) as table:
            for chunk in table.chunks:
                shown |= moments.shown(chunk.columns[self.columns.names[-1]])
        self.source, self.order = None, shown.pop() if len(shown) == 1 else None
        return moments.instants(column, zone, order=self.order, sheet=sheet)


def read_lines(
    source: tables.Source,
    *,
    carrier: Carrier,
    plan: NumberingPlan,
    now: datetime,
    most_bad: int | None = None,
    form: Form | None = None,
) -> Generator[tuple[Lines, list[Fault]]]:
    """Good lines and faults, chunk by chunk; of each chunk no more than `most_bad` faults of a kind. Raises BadInput if the
    file as a whole can't be read. `form`: a report's, if none is said."""
    form = form or report_form(plan.words)
    try:
        with tables.read(source, form.columns, keep_ragged=most_bad) as table:
            look = _Look(source=source, columns=form.columns)
            for chunk in table.chunks:
                lines, faults = check(chunk, carrier=carrier, plan=plan, now=now, most_bad=most_bad, form=form, look=look)
                ragged = [Fault(line=line, reason=reason, text=text) for line, reason, text in table.ragged]
                table.ragged.clear()
                yield lines, faults + ragged
    except tables.BadTable as error:
        raise unreadable(source.name, error.reason, error.line) from error


def check(
    chunk: tables.Chunk, *, carrier: Carrier, plan: NumberingPlan, now: datetime, most_bad: int | None = None,
    form: Form | None = None, look: _Look | None = None,
) -> tuple[Lines, list[Fault]]:  # fmt: skip
    """The good lines of a chunk, and the faults of the others; a blank line is neither."""
    form = form or report_form(plan.words)
    column = {name: chunk.columns[named] for name, named in zip(NAMES, form.columns.names, strict=True)}
    number = columns.numbers(column["number"], doors.REPORT.home(plan, carrier))
    event = columns.words(column["event"], form.codes)
    times = (look or _Look()).instants(column["at"], carrier.zone.key, sheet=chunk.sheet)
    if form.timeless:
        event, times = _timeless(event, times, columns.given(column["at"]), form, carrier.today(now))
    owned = plan.covers(number.value)  # which carrier may report it depends on its history
    past = times.at <= int(now.timestamp() * 1_000_000)
    likely = times.at >= _FIRST_AT
    good = number.good & (event >= 0) & times.good & owned & past & likely
    at = times.at if times.timed.all() else np.where(times.timed, times.at, NO_TIME)
    lines = Lines(number=number.value, event=event, at=at, day=times.day, line=chunk.lines)
    if good.all():
        return lines, []
    faults = []
    blank = ~columns.any_given(column[name] for name in NAMES)
    rows = np.flatnonzero(~good & ~blank)[:most_bad]  # a blank line says nothing
    written = zip(*(columns.texts(column[name], rows) for name in NAMES), strict=True)
    for row, (number_text, event_text, at_text) in zip(rows.tolist(), written, strict=True):
        text = f"{number_text},{event_text},{at_text}"
        if not number.good[row]:
            [reason] = number.why(np.array([row]))
        elif event[row] < 0:
            reason = plan.words.why_not(event_text) or Sentence(
                form.unknown, event=repr(event_text.strip()), known=", ".join(form.known)
            )
        elif not times.good[row]:
            reason = times.why_not(row)
        elif not past[row]:
            reason = Sentence("the time lies in the future (%(instant)s); report what has happened", instant=at_text.strip())
        elif not likely[row]:
            reason = Sentence(
                "the time %(time)s lies before %(first)s, when there were no mobile numbers; is the year right?",
                time=at_text.strip(), first=f"{FIRST_DAY:%Y-%m-%d}",
            )  # fmt: skip
        else:
            reason = domain_numbers.why_not_ours(int(number.value[row]))
        faults.append(Fault(line=int(chunk.lines[row]), reason=reason, text=text))
    return lines.take(good), faults


def _timeless(
    event: npt.NDArray[np.int8], times: moments.Times, given: columns.Mask, form: Form, today: date
) -> tuple[npt.NDArray[np.int8], moments.Times]:  # fmt: skip
    """Lines without a time that need none, as of today."""
    without = ~given & np.isin(event, list(form.timeless))
    said = event.copy()
    for code, other in form.timeless.items():
        said[without & (event == code)] = other
    day = np.where(without, (today - _EPOCH).days, times.day)
    at = np.where(without, _FIRST_AT, times.at)
    return said, replace(times, at=at, day=day, timed=times.timed & ~without, good=times.good | without)
