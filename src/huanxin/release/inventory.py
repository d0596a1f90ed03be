"""A carrier's inventory: the numbers that it may sell, and what changed since it asked last.

What is on sale follows from the facts as a release list does (release.stopped). Each change of it is noted once, in an order
that has no gaps: a carrier's machine that asks from where it stopped sees each once, whenever it asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from pyroaring import BitMap

from huanxin.domain.errors import BadRequest, Conflict
from huanxin.domain.lifecycle import sellable_from
from huanxin.release.gate import load_gate
from huanxin.release.stopped import off_sale
from huanxin.store.acting import Act, Reading
from huanxin.store.database import Tx
from huanxin.store.figures import summaries
from huanxin.store.figures.summaries import SummaryKind
from huanxin.store.plan import batches
from huanxin.store.release import inventories, releases
from huanxin.words.sentences import Sentence

RELEASED, TAKEN_BACK = "released", "taken_back"


@dataclass(frozen=True, kw_only=True)
class LookedAt:
    """Nothing but that everything was looked at."""


_SEEN = SummaryKind("inventory", LookedAt)


# What has changed -----------------------------------------------------------------------------------------------------
def unseen(reading: Reading) -> tuple[list[int], str]:
    """The batches that facts have come to, or holds ended of, since they were looked at, and what all that was seen is."""
    everything = "@".join((summaries.stamp(reading.tx), *map(str, _days(reading).values())))
    seen = summaries.get(reading.tx, _SEEN)
    if seen and seen.stamp == everything:
        return [], everything
    before = inventories.looked_at(reading.tx)
    now = inventories.facts_of(reading.tx, reading.today, _days(reading))
    return [batch for batch, stamp in sorted(now.items()) if before.get(batch) != stamp], everything


def _days(reading: Reading) -> dict[str, date]:
    """Today, by carrier."""
    return {code: one.today(reading.now) for code, one in reading.plan.carriers.items()}


def note_changes(act: Act, batch_id: int) -> None:
    """Note what of a batch may be sold now and could not before, or the other way round."""
    inventories.one_at_a_time(act.tx)
    found = inventories.facts_of(act.tx, act.today, _days(act), batch_id)  # before they are read: later ones change it
    stamp = found[batch_id]
    if inventories.looked_at(act.tx, batch_id).get(batch_id) == stamp:
        return
    loaded = load_gate(act, batch_id)
    off = off_sale(act.tx, loaded)
    gone = BitMap.union(BitMap(), *off.values())
    told = inventories.on_sale(act.tx, batch_id)
    for carrier, given in _given(act.tx, batch_id).items():
        before, now = told.get(carrier, BitMap()), given - gone
        for why, places in (*((why.value, before & out) for why, out in off.items()), ("", now - before)):
            if places:
                inventories.note(act.tx, batch_id, carrier, why=why, places=places, at=act.now)
        inventories.keep(act.tx, batch_id, carrier, now, stamp=stamp)


def all_seen(act: Act, everything: str) -> None:
    """Keep that there is nothing to look for until other facts come. `everything`: as `unseen` gave it."""
    summaries.put(act.tx, _SEEN, "", stamp=everything, body=LookedAt(), at=act.now)


def _given(tx: Tx, batch_id: int) -> dict[str, BitMap]:
    """What releases gave back of a batch, by carrier."""
    found: dict[str, BitMap] = {}
    for release in releases.all_releases(tx, batch_id):
        for (carrier, _), places in releases.spans_of(tx, release.id).items():
            found[carrier] = found.get(carrier, BitMap()) | places
    return found


# What is told ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class InventoryLine:
    """One number that may be sold (`change` released, with the day from which) or may not any more (taken_back, with why, in
    the words of the desk: domain.disclosure.NotForSale). `at`: when that was noted."""

    number: int
    change: str
    why: str
    sellable_from: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Page:
    """Lines in their order. `onward`: from where the next page goes on, now or on another day; `more`: whether there is one
    now."""

    lines: list[InventoryLine]
    onward: str
    more: bool


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far somebody has read: so many lines of one change, and all before it; or, while they read what there is to begin
    with, so many places of one batch, to go on with what changed since that change. Machines send it back as it is."""

    change: int
    mark: str
    lines: int
    batch: int | None = None

    def __str__(self) -> str:
        return "-".join(str(one) for one in (self.change, self.mark, self.lines, self.batch) if one is not None)

    @classmethod
    def read(cls, text: str) -> Cursor:
        """Raises BadRequest for what was never given out."""
        found = re.fullmatch(r"(\d{1,18})-(\w{1,8})-(\d{1,9})(?:-(\d{1,18}))?", text, re.ASCII)
        if not found:
            raise BadRequest(Sentence("this cursor is none that was given out; leave `after` out to begin anew"))
        change, mark, lines, batch = found.groups()
        return cls(change=int(change), mark=mark, lines=int(lines), batch=int(batch) if batch else None)


_NEVER = Cursor(change=0, mark="0", lines=0)
"""Before the first change."""


def page(reading: Reading, carrier: str, *, after: str, most: int) -> Page:
    """What a carrier may sell (`after` empty), a page at a time, and then what changed. Raises BadRequest for a cursor that
    is none, Conflict for one that this record doesn't know: it was restored from a backup, or is another carrier's."""
    cursor = Cursor.read(after) if after else _begun(reading.tx, carrier)
    if cursor != _NEVER:
        known = inventories.last_change(reading.tx, carrier, cursor.change)
        if known is None or known.mark != cursor.mark or (cursor.batch is None and cursor.lines > len(known.places)):
            raise Conflict(Sentence("this record has no such change, so what came after it can't be told; leave `after` out"
                                    " to begin anew"))  # fmt: skip
    pages = _everything if cursor.batch is not None else _changes
    return pages(reading.tx, carrier, cursor, most)


def _begun(tx: Tx, carrier: str) -> Cursor:
    last = inventories.last_change(tx, carrier)
    return Cursor(change=last.id, mark=last.mark, lines=0, batch=0) if last else _NEVER


def _everything(tx: Tx, carrier: str, cursor: Cursor, most: int) -> Page:
    """A part of what may be sold. It is as it is now: what changed since the first part is told once more, as a change."""
    last = inventories.last_change(tx, carrier, cursor.change)
    assert last is not None and cursor.batch is not None  # noqa: PT018
    lines: list[InventoryLine] = []
    for batch, places in inventories.everything(tx, carrier, since=cursor.batch):
        start = cursor.lines if batch == cursor.batch else 0
        some = BitMap(islice(places.iter_equal_or_larger(start), most - len(lines)))
        lines += _lines(tx, batch, some, why="", at=last.noted_at)
        if len(lines) >= most:
            onward = Cursor(change=last.id, mark=last.mark, lines=some[-1] + 1 if some else start, batch=batch)
            return Page(lines=lines, onward=str(onward), more=True)
    changes = Cursor(change=last.id, mark=last.mark, lines=len(last.places))
    return Page(lines=lines, onward=str(changes), more=_changes(tx, carrier, changes, 1).lines != [])


def _changes(tx: Tx, carrier: str, cursor: Cursor, most: int) -> Page:
    lines: list[InventoryLine] = []
    for one in inventories.changes(tx, carrier, since=cursor.change):
        start = cursor.lines if one.id == cursor.change else 0
        if start < len(one.places) and len(lines) >= most:
            return Page(lines=lines, onward=str(cursor), more=True)
        some = one.places[start : start + most - len(lines)]
        lines += _lines(tx, one.batch_id, some, why=one.why, at=one.noted_at)
        cursor = Cursor(change=one.id, mark=one.mark, lines=start + len(some))
        if cursor.lines < len(one.places):
            return Page(lines=lines, onward=str(cursor), more=True)
    return Page(lines=lines, onward=str(cursor), more=False)


def _lines(tx: Tx, batch_id: int, places: BitMap, *, why: str, at: datetime) -> Iterator[InventoryLine]:
    if not places:
        return
    days = {} if why else _first_days(tx, batch_id, places)
    for place, number in zip(places, batches.numbers_at(tx, batch_id, places).tolist(), strict=True):
        yield InventoryLine(
            number=number, change=TAKEN_BACK if why else RELEASED, why=why, sellable_from=days.get(place, ""), at=at
        )  # fmt: skip


def _first_days(tx: Tx, batch_id: int, places: BitMap) -> Mapping[int, str]:
    """From which day each of some places may be sold, by what released it."""
    return {
        place: str(sellable_from(day, release.freeze_days))
        for release in releases.all_releases(tx, batch_id)
        for (_, day), given in releases.spans_of(tx, release.id).items()
        for place in given & places
    }
