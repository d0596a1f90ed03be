"""A report's lines as sets: by shard, day, event and layer, so that a million lines become a few thousand bitmaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import numpy as np

from huanxin.domain.acceptance import Layered
from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import EVENTS, SetFact
from huanxin.numbersets.sharded import SHARD_SIZE, bitmap_of
from huanxin.report.lines import Int64s, Lines
from huanxin.sentences import Sentence

_EPOCH = date(1970, 1, 1)
_OFFSET_BITS, _EVENT_BITS, _LAYER_BITS = 20, 3, 8
_CLOSE = 1 << 14  # shards; with 60 years of days, layers, events and offsets that is 60 bits
MOST_A_DAY = 1 << _LAYER_BITS


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The lines that are left after repeated ones are dropped, and each one's layer. `crowded`: lines that are left out,
    since a number has no more than MOST_A_DAY events on a day."""

    lines: Lines
    layer: Int64s
    repeated: int
    crowded: Lines


def in_layers(lines: Lines) -> Layers:
    """Drop lines that repeat another (same number, event and instant); count same-day events of a number upwards.

    Nearly every number stands on a day once: that is seen with one sort, and everything is layer 0.
    """
    by_day = np.sort(_packed(lines.number, lines.day))
    if len(by_day) < 2 or bool(np.all(by_day[1:] != by_day[:-1])):  # noqa: PLR2004
        return Layers(lines=lines, layer=np.zeros(len(lines), np.int64), repeated=0, crowded=Lines.joined([]))
    order = np.lexsort((lines.line, lines.event, lines.at, lines.number))
    number, at, event = lines.number[order], lines.at[order], lines.event[order]
    repeats = np.zeros(len(order), np.bool_)
    repeats[1:] = (number[1:] == number[:-1]) & (at[1:] == at[:-1]) & (event[1:] == event[:-1])
    kept = lines.take(order[~repeats])
    # By time, and by line where two events share an instant: the order in which the carrier wrote them.
    kept = kept.take(np.lexsort((kept.line, kept.at, kept.number)))
    new_group = np.ones(len(kept), np.bool_)
    new_group[1:] = (kept.number[1:] != kept.number[:-1]) | (kept.day[1:] != kept.day[:-1])
    starts = np.flatnonzero(new_group)
    position = np.arange(len(kept)) - starts[np.cumsum(new_group) - 1]
    fits = position < MOST_A_DAY
    return Layers(
        lines=kept.take(fits), layer=position[fits].astype(np.int64), repeated=int(repeats.sum()), crowded=kept.take(~fits)
    )


def _packed(number: Int64s, day: Int64s) -> Int64s:
    """Number and day as one integer each, for one sort; days are at most 13 bits apart (22 years), else 16."""
    if not len(number):
        return number
    first = int(day.min())
    bits = max(13, int(day.max() - first).bit_length())
    return ((number - int(number.min())) << bits) | (day - first)


def _numbered(shard: Int64s) -> tuple[Int64s, Int64s]:
    """The shards of some lines, ascending, and which of them each line is of: counted upwards where they lie close, since a
    key has no room for those of two countries."""
    first = int(shard.min())
    if int(shard.max()) - first < _CLOSE:
        return np.arange(first, int(shard.max()) + 1), shard - first
    shards, which = np.unique(shard, return_inverse=True)
    if len(shards) > _CLOSE:
        raise BadInput(
            Sentence("the report names numbers of more than %(most)s ranges of a million; divide it", most=_CLOSE)
        )
    return shards, which.astype(np.int64)


def by_shard(layers: Layers, carrier: str) -> Iterator[tuple[int, list[Layered]]]:
    """Each shard's facts, in the order in which they happened: day, then layer, then event."""
    lines = layers.lines
    if not len(lines):
        return
    first_day = int(lines.day.min())
    shard, offset = np.divmod(lines.number, SHARD_SIZE)
    day_bits = max(1, int(lines.day.max() - first_day).bit_length())
    shards, key = _numbered(shard)
    for value, bits in ((lines.day - first_day, day_bits), (layers.layer, _LAYER_BITS), (lines.event, _EVENT_BITS),
                        (offset, _OFFSET_BITS)):  # fmt: skip
        key = (key << bits) | value
    key.sort()
    group = key >> _OFFSET_BITS
    starts = np.concatenate(([0], np.flatnonzero(group[1:] != group[:-1]) + 1, [len(key)]))
    offsets = (key & ((1 << _OFFSET_BITS) - 1)).astype(np.uint32)

    def facts() -> Iterator[tuple[int, Layered]]:
        heads = group[starts[:-1]].tolist()
        bounds = starts.tolist()
        for index, head in enumerate(heads):
            event, rest = head & 7, head >> _EVENT_BITS
            layer, rest = rest & 0xFF, rest >> _LAYER_BITS
            day = _EPOCH + timedelta(days=first_day + (rest & ((1 << day_bits) - 1)))
            numbers = bitmap_of(offsets[bounds[index] : bounds[index + 1]])
            fact = SetFact(day=day, carrier=carrier, event=EVENTS[event], numbers=numbers)
            yield int(shards[rest >> day_bits]), (layer, fact)

    for one_shard, found in groupby(facts(), key=lambda entry: entry[0]):
        yield one_shard, [layered for _, layered in found]
