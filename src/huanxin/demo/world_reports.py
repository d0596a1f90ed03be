"""The carriers' files of the demo's world, each written as such files really come.

cmcc  CSV, gzip, UTF-8, RFC 3339 with the offset of China
cucc  CSV, UTF-8 with BOM, CRLF, times in UTC; with broken lines of every sort
ctcc  CSV, GB18030, Chinese words, 86… without a plus, dates without a time, a column 省份
cbn   Parquet, numbers and times typed
"""

from __future__ import annotations

import codecs
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huanxin.demo.allotments import BLOCK_SIZE, CARRIERS, blocks
from huanxin.demo.world_broken import BrokenLine
from huanxin.demo.world_numbers import EVENTS, Events, Ints, Truth

_DAY = 86_400
_CHINA = 8 * 3600  # seconds that Asia/Shanghai is ahead of UTC, all year
_CHINESE = ("开户", "销户", "复机", "过户", "携出", "携入")
_TWICE = 0.003  # share of lines that stand in a file twice
_ROWS_AT_A_TIME = 1_000_000
_SMALL = 20 << 20  # bytes; beyond, the hardest compression takes too long


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A broken line of a file: its line (the header is line 1), what is wrong (a word of world_broken) and its text."""

    line: int
    sort: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ReportFile:
    """A written file: data lines in all, how many of them repeat another, and the broken ones."""

    carrier: str
    path: Path
    lines: int
    repeated: int
    broken: tuple[Broken, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Form:
    """How a carrier writes CSV."""

    header: str
    encoding: str = "utf-8"
    ending: str = "\n"
    mark: bytes = b""
    plus: str = "+"
    words: Sequence[str] = EVENTS
    time: str = "T{}+08:00"
    ahead: int = _CHINA
    province: bool = False


_FORMS = {
    "cmcc": _Form(header="number,event,at"),
    "cucc": _Form(header="number,event,at", ending="\r\n", mark=codecs.BOM_UTF8, time="T{}Z", ahead=0),
    "ctcc": _Form(
        header="号码,省份,事件,时间", encoding="gb18030", plus="", words=_CHINESE, time="", province=True
    ),
}  # fmt: skip


def write_reports(
    out: Path, truth: Truth, events: Events, *, rng: np.random.Generator, broken: Sequence[BrokenLine], packed: bool
) -> tuple[ReportFile, ...]:
    """Write each carrier's file to `out`; `broken` goes into that of cucc, `packed` puts gzip around every CSV."""
    files = []
    for index, carrier in enumerate(CARRIERS):
        mine = events.take(np.flatnonzero(truth.carrier[events.place] == index))
        times = 1 + (rng.random(len(mine.place)) < _TWICE)
        doubled = mine.take(np.repeat(np.arange(len(times)), times))
        repeated = len(doubled.place) - len(mine.place)
        if carrier not in _FORMS:
            path = out / f"{carrier}.parquet"
            _write_parquet(path, truth, doubled)
            files.append(ReportFile(carrier=carrier, path=path, lines=len(doubled.place), repeated=repeated))
            continue
        bad = sorted(broken, key=lambda line: line.second) if carrier == "cucc" else []
        gzipped = packed or carrier == "cmcc"
        path = out / (f"{carrier}.csv.gz" if gzipped else f"{carrier}.csv")
        places = np.searchsorted(doubled.second, [line.second for line in bad], side="right")
        _write_csv(path, _FORMS[carrier], truth, doubled, list(zip(places.tolist(), bad, strict=True)), gzipped)
        listed = tuple(
            Broken(line=2 + int(place) + nth, sort=line.sort, text=line.text)
            for nth, (place, line) in enumerate(zip(places, bad, strict=True))
        )
        lines = len(doubled.place) + len(bad)
        files.append(ReportFile(carrier=carrier, path=path, lines=lines, repeated=repeated, broken=listed))
    return tuple(files)


def _write_parquet(path: Path, truth: Truth, events: Events) -> None:
    instants = pa.array((events.second - _CHINA) * 1000).cast(pa.timestamp("ms", "UTC"))
    words = pa.DictionaryArray.from_arrays(pa.array(events.event), pa.array(EVENTS[: int(events.event.max()) + 1]))
    table = pa.table({"number": truth.number[events.place], "event": words, "at": instants})
    pq.write_table(table, path, compression="zstd", compression_level=12)


def _write_csv(
    path: Path, form: _Form, truth: Truth, events: Events, broken: list[tuple[int, BrokenLine]], gzipped: bool
) -> None:
    """Write events line by line, each broken line before the event with its index."""
    parts = [form.mark + (form.header + form.ending).encode(form.encoding)]
    waiting = list(reversed(broken))
    for start in range(0, max(1, len(events.place)), _ROWS_AT_A_TIME):
        end = min(start + _ROWS_AT_A_TIME, len(events.place))
        last = end == len(events.place)
        rows = _rows(form, truth, events.take(np.arange(start, end)))
        pieces, at = [], start
        while waiting and (waiting[-1][0] < end or last):
            place, line = waiting.pop()
            pieces += [rows[at - start : place - start], pa.array([line.text])]
            at = place
        joined = pa.concat_arrays([*pieces, rows[at - start :]])
        if len(joined):
            text = pc.binary_join(pa.ListArray.from_arrays([0, len(joined)], joined), form.ending)[0].as_py()
            parts.append((text + form.ending).encode(form.encoding))
    data = b"".join(parts)
    path.write_bytes(gzip.compress(data, 9 if len(data) < _SMALL else 6, mtime=0) if gzipped else data)


def _rows(form: _Form, truth: Truth, events: Events) -> pa.Array:
    """Each event as a line of text, without its ending."""
    number = pa.array(truth.number[events.place])
    seconds = events.second - _CHINA + form.ahead
    cells = [pc.binary_join_element_wise(form.plus, number.cast(pa.string()), "")]
    if form.province:
        cells.append(_provinces(truth.number[events.place]))
    cells.append(pa.array(list(form.words)).take(pa.array(events.event)))
    day, clock = np.divmod(seconds, _DAY)
    at = _spelt(day, "datetime64[D]")
    if form.time:
        before, after = form.time.split("{}")
        at = pc.binary_join_element_wise(at, before, _spelt(clock, "clock"), after, "")
    return pc.binary_join_element_wise(*cells, at, ",")


def _spelt(values: Ints, kind: str) -> pa.Array:
    """Days or seconds of the day as text; each distinct one is spelt once."""
    distinct, where = np.unique(values, return_inverse=True)
    if kind == "clock":
        texts = [f"{value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}" for value in distinct.tolist()]
    else:
        texts = np.datetime_as_string(distinct.astype(kind)).tolist()
    return pa.array(texts, pa.string()).take(pa.array(where))


def _provinces(number: Ints) -> pa.Array:
    plan = blocks()
    return pa.array(plan.province).take(pa.array(np.searchsorted(plan.start, number // BLOCK_SIZE * BLOCK_SIZE)))
