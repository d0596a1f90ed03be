"""A report's lines as sets: by shard, day, event and layer, so that a million lines become a few thousand bitmaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import numpy as np
import numpy.typing as npt

from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import EVENTS, SetFact
from huanxin.numbersets.instants import NO_TIME
from huanxin.numbersets.sharded import SHARD_SIZE, bitmap_of
from huanxin.report.lines import Int64s, Lines
from huanxin.words.sentences import Sentence

_EPOCH = date(1970, 1, 1)
_OFFSET_BITS, _EVENT_BITS, _LAYER_BITS = 20, 3, 8
_CLOSE = 1 << 14  # shards; with 60 years of days, layers, events and offsets that is 60 bits
MOST_A_DAY = 1 << _LAYER_BITS


@dataclass(frozen=True, kw_only=True)
class Layers:
    """The lines that are left after repeated ones are dropped, and each one's layer. Left out are also `crowded`, since a
    number has no more than MOST_A_DAY events on a day, and `unclear`: an event stands again with another between, and
    neither has a time of its own, so that nobody can tell whether it is the same one or a second."""

    lines: Lines
    layer: Int64s
    repeated: int
    crowded: Lines
    unclear: Lines


def in_layers(lines: Lines) -> Layers:
    """Drop lines that repeat another (same number, event and instant); count same-day events of a number upwards.

    Nearly every number stands on a day once: that is seen with one sort, and everything is layer 0.
    """
    by_day = np.sort(_packed(lines.number, lines.day))
    if len(by_day) < 2 or bool(np.all(by_day[1:] != by_day[:-1])):  # noqa: PLR2004
        nothing = Lines.joined([])
        return Layers(lines=lines, layer=np.zeros(len(lines), np.int64), repeated=0, crowded=nothing, unclear=nothing)
    # By time, and by line where two events share an instant: the order in which the carrier wrote them.
    lines = lines.take(np.lexsort((lines.line, _when(lines), lines.day, lines.number)))
    lines, repeated = _once(lines)
    unclear = _standing_again(lines)
    left = lines.take(~unclear)
    new_group = np.ones(len(left), np.bool_)
    new_group[1:] = _other_days(left)
    starts = np.flatnonzero(new_group)
    position = np.arange(len(left)) - starts[np.cumsum(new_group) - 1]
    fits = position < MOST_A_DAY
    return Layers(
        lines=left.take(fits), layer=position[fits].astype(np.int64), repeated=repeated,
        crowded=left.take(~fits), unclear=lines.take(unclear),
    )  # fmt: skip


def _when(lines: Lines) -> Int64s:
    """What to sort the events of a day by: the instant, and for an event without one the latest that stands before it in the
    file, so that it stays behind those."""
    untimed = lines.at == NO_TIME
    if untimed.all() or not untimed.any():
        return lines.at
    order = np.lexsort((lines.line, lines.day, lines.number))
    instants, rank = np.unique(lines.at[order], return_inverse=True)
    group = np.concatenate(([0], np.cumsum(_other_days(lines.take(order)))))
    latest = np.maximum.accumulate(group * len(instants) + rank) - group * len(instants)
    when = np.empty_like(lines.at)
    when[order] = instants[latest]
    return np.where(untimed, when, lines.at)


def _once(lines: Lines) -> tuple[Lines, int]:
    """Lines in order without those that repeat the one before, and how many were dropped."""
    one, other = _maybe_alike(lines)
    beside = other - one == 1
    untimed = lines.at[one] == NO_TIME
    repeats = np.zeros(len(lines), np.bool_)
    repeats[np.where(untimed, one, other)[beside]] = True  # of the two the one with a time stays
    return lines.take(~repeats), int(repeats.sum())


def _standing_again(lines: Lines) -> npt.NDArray[np.bool_]:
    """Which of some lines, in order and each once, may repeat an earlier one or not: another event lies between."""
    unclear = np.zeros(len(lines), np.bool_)
    unclear[_maybe_alike(lines)[1]] = True
    return unclear


def _maybe_alike(lines: Lines) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The rows of two events, the next of its kind on that day, that may be one and the same."""
    group = np.concatenate(([0], np.cumsum(_other_days(lines))))
    rows = np.lexsort((np.arange(len(lines)), lines.event, group))
    one, other = rows[:-1], rows[1:]
    at, next_at = lines.at[one], lines.at[other]
    again = (group[one] == group[other]) & (lines.event[one] == lines.event[other])
    again &= (at == next_at) | (at == NO_TIME) | (next_at == NO_TIME)
    return one[again], other[again]


def _other_days(lines: Lines) -> npt.NDArray[np.bool_]:
    """Of lines in order, whether each but the first is of another number or day than the one before."""
    other: npt.NDArray[np.bool_] = (lines.number[1:] != lines.number[:-1]) | (lines.day[1:] != lines.day[:-1])
    return other


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


def by_shard(layers: Layers, carrier: str) -> Iterator[tuple[int, list[SetFact]]]:
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
    order = np.argsort(key)
    key, at = key[order], lines.at[order]
    group = key >> _OFFSET_BITS
    starts = np.concatenate(([0], np.flatnonzero(group[1:] != group[:-1]) + 1, [len(key)]))
    offsets = (key & ((1 << _OFFSET_BITS) - 1)).astype(np.uint32)

    def facts() -> Iterator[tuple[int, SetFact]]:
        heads = group[starts[:-1]].tolist()
        bounds = starts.tolist()
        for index, head in enumerate(heads):
            event, rest = head & 7, head >> _EVENT_BITS
            layer, rest = rest & 0xFF, rest >> _LAYER_BITS
            day = _EPOCH + timedelta(days=first_day + (rest & ((1 << day_bits) - 1)))
            here = slice(bounds[index], bounds[index + 1])
            fact = SetFact(
                day=day, carrier=carrier, event=EVENTS[event], numbers=bitmap_of(offsets[here]), layer=layer, at=at[here]
            )
            yield int(shards[rest >> day_bits]), fact

    for one_shard, found in groupby(facts(), key=lambda entry: entry[0]):
        yield one_shard, [fact for _, fact in found]
