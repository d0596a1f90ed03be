"""The audit's own reading of carriers' reports: where each number stood at the cut-off, and what happened to it after.

It shares no line with the platform, so that a mistake there can't hide here: plain Python, a row at a time. Days are
days since 1970-01-01 in China, moments are microseconds since then in UTC.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

CHINA = timezone(timedelta(hours=8))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DAY = 86_400_000_000
_AHEAD = 8 * 3_600_000_000

_NUMBER = re.compile(r"\s*\+?(861[3-9][0-9]{9})\s*")
_WORDS = {
    "opened": "opened", "cancelled": "cancelled", "reclaimed": "reclaimed", "transferred": "transferred",
    "ported_out": "ported_out", "ported_in": "ported_in",
    "开户": "opened", "开通": "opened", "销户": "cancelled", "销号": "cancelled",
    "复机": "reclaimed", "过户": "transferred", "携出": "ported_out", "携入": "ported_in",
}  # fmt: skip
_LEADS_TO = {
    "opened": "serving", "cancelled": "frozen", "reclaimed": "serving", "transferred": "serving", "ported_out": "away",
    "ported_in": "serving",
}  # fmt: skip
_HEADS = {"number": 0, "号码": 0, "手机号码": 0, "event": 1, "事件": 1, "at": 2, "时间": 2, "发生时间": 2}

_RANGES = {
    "cmcc": "1340 1341 1342 1343 1344 1345 1346 1347 1348 135 136 137 138 139 147 150 151 152 157 158 159 1703 1705 "
            "1706 165 172 178 182 183 184 187 188 195 197 198",
    "cucc": "130 131 132 145 155 156 166 167 1704 1707 1708 1709 171 175 176 185 186 196",
    "ctcc": "133 1349 149 153 162 1700 1701 1702 173 174 177 180 181 189 190 191 193 199",
    "cbn": "161 192",
}  # fmt: skip
_OWNERS = {digits: carrier for carrier, ranges in _RANGES.items() for digits in ranges.split()}


class Line(NamedTuple):
    """A readable line of a report; lines sort by time, and as they were written within an instant."""

    moment: int
    line: int
    number: int
    event: str
    day: int


class Standing(NamedTuple):
    """Where a number stands: `serving`, `frozen` or `away`, by whose report, since which day."""

    state: str
    carrier: str
    day: int


@dataclass(kw_only=True)
class Past:
    """What the reports say. A number that no report names is in neither table.

    now: where each number stands. at_cutoff: where it stood then, if anything happened to it later (None: unknown).
    later: what happened after the cut-off, as (event, moment), in order.
    """

    cutoff: int
    now: dict[int, Standing] = field(default_factory=dict)
    at_cutoff: dict[int, Standing | None] = field(default_factory=dict)
    later: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    def then(self, number: int) -> Standing | None:
        """Where a number stood at the cut-off."""
        return self.at_cutoff[number] if number in self.at_cutoff else self.now.get(number)

    def reclaimed(self, number: int) -> bool:
        """Whether the former owner took the number back after the cut-off."""
        events = self.later.get(number, [])
        return bool(events) and events[0][0] == "reclaimed"

    def take(self, carrier: str, lines: Iterable[Line]) -> None:
        """Take a report's lines, as far as they can be true."""
        for moment, _, number, event, day in sorted(lines):
            before = self.now.get(number)
            if (before and day < before.day) or not _possible(before, event, carrier, number):
                continue
            if moment > self.cutoff:
                self.at_cutoff.setdefault(number, before)
                self.later.setdefault(number, []).append((event, moment))
            self.now[number] = Standing(_LEADS_TO[event], carrier, day)


def read_past(reports: Sequence[tuple[str, Path]], *, cutoff: datetime, today: date) -> Past:
    """Read all (carrier, file) in the order in which they were imported."""
    past = Past(cutoff=moment_of(cutoff))
    for carrier, path in reports:
        past.take(carrier, read_lines(path, until=day_of(today)))
    return past


def read_lines(path: Path, *, until: int) -> Iterator[Line]:
    """The lines that can be read and are not of a day after `until`; what is broken is passed over."""
    for line, (number, event, at) in _rows(path):
        digits, word = _NUMBER.fullmatch(number), _WORDS.get(event.strip())
        moment = _moment(at)
        if digits and word and moment is not None:
            day = (moment + _AHEAD) // _DAY
            if day <= until:
                yield Line(moment, line, int(digits[1]), word, day)


def moment_of(at: datetime) -> int:
    """Microseconds since 1970 in UTC; a time without a zone is China's."""
    return ((at if at.tzinfo else at.replace(tzinfo=CHINA)) - _EPOCH) // _MICROSECOND


def day_of(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - _EPOCH.toordinal()


def _moment(at: str | datetime) -> int | None:
    if isinstance(at, datetime):
        return moment_of(at)
    try:
        return moment_of(datetime.fromisoformat(at.strip()))
    except ValueError:
        return None


def _rows(path: Path) -> Iterator[tuple[int, tuple[str, str, str | datetime]]]:
    """Line and the three cells that matter."""
    data = path.read_bytes()
    if data[:4] == b"PAR1":
        table = pq.read_table(path)
        columns = sorted((_HEADS[name], table[name].to_pylist()) for name in table.column_names if name in _HEADS)
        numbers, events, times = (cells for _, cells in columns)
        for line, (number, event, at) in enumerate(zip(numbers, events, times, strict=True), 1):
            yield line, (str(number), event, at)
        return
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("gb18030")
    rows = csv.reader(io.StringIO(text, newline=""))
    header = [cell.strip() for cell in next(rows)]
    places = sorted((_HEADS[name], index) for index, name in enumerate(header) if name in _HEADS)
    first, second, third = (index for _, index in places)
    for line, row in enumerate(rows, 2):
        if len(row) == len(header):
            yield line, (row[first], row[second], row[third])


def _possible(before: Standing | None, event: str, carrier: str, number: int) -> bool:
    """Whether this carrier can report this event of the number now."""
    national = str(number)[2:]
    owner = _OWNERS.get(national[:3]) or _OWNERS.get(national[:4])
    if owner is None:
        return False
    if before is None:
        return event != "reclaimed" and carrier == owner
    if before.state == "frozen":
        mine = before.carrier == carrier
        return (event == "reclaimed" and mine) or (event == "opened" and (mine or carrier == owner))
    if event == "ported_in":
        return before.state == "away"
    if event not in ("cancelled", "transferred", "ported_out"):
        return False
    return (before.carrier == carrier) == (before.state == "serving")
