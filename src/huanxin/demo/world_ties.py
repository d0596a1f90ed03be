"""What partners keep on the world's numbers: ties to former owners, to owners of today, and some made after the cut-off.

A number's ties follow from the seed, the partner and the number alone, whatever other numbers are asked for with it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from huanxin.demo.partner_store import make_partner_db
from huanxin.demo.world_numbers import Ints, State, Truth, day_number
from huanxin.demo.world_partners import PartnerSpec

SINGER = "歌手 阿岚(已故)"
"""The invented owner of the account that a stranger got into (FACTS: login lands in a dead singer's account)."""

UNPAID = "unpaid"
"""The note of an account with an unpaid order."""

_UNPAID_SHARE = 0.03
_SERVING_SHARE = 0.2  # ties on numbers in service, against those on numbers that are due
_EARLIER = 0.12  # of the ties, those older than a tenure is likely to last
_DAY = 86_400
_CHINA = 8 * 3600
_MICRO = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NOTES = {
    "app": ("",),
    "labeler": ("label:快递", "label:外卖", "label:诈骗", "label:骚扰"),
    "sender": ("contact:本人", "contact:紧急联系人"),
}


class TieRow(NamedTuple):
    """A tie and the account that it leads to. Times are RFC 3339 in UTC, as `2026-11-24T05:08:00.000000Z`."""

    number: str
    """`+8613800138000`"""
    bound_at: str
    owner: str
    note: str
    """`unpaid`, a label, a contact's role, or empty"""
    created_at: str


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The numbers that ties are made on, as arrays: frozen ones with the day they were cancelled, and those in service.

    Days count from 1970-01-01 in China. singer_number: where the music app has the singer's account.
    """

    frozen: Ints
    closed: npt.NDArray[np.int32]
    serving: Ints
    singer_number: int


def ground(truth: Truth, *, singer_number: int) -> Ground:
    """What ties need of a world."""
    frozen = truth.frozen()
    return Ground(
        frozen=truth.number[frozen],
        closed=truth.closed[frozen],
        serving=truth.number[truth.state == State.IN_SERVICE],
        singer_number=singer_number,
    )


def ties(spec: PartnerSpec, *, seed: int, on: Ground, today: date) -> Iterator[TieRow]:
    """A partner's ties. Those on frozen numbers were bound before the cancellation, in the last tenure or an earlier one.

    Those on numbers in service are their owners' own and must never be touched.
    """
    draw = _Draw(seed, spec.name)
    had = draw.chance(on.frozen, "has") < spec.share
    had |= (on.frozen == on.singer_number) & (spec.behaviour == "music")
    number = on.frozen[had]
    ends = on.closed[had].astype(np.int64) * _DAY  # midnight of the day of cancellation: before it in any case
    yield from _rows(spec, draw, number, ends, on.singer_number)
    number = on.serving[draw.chance(on.serving, "has") < spec.share * _SERVING_SHARE]
    yield from _rows(spec, draw, number, np.full(len(number), day_number(today) * _DAY), on.singer_number)


def make_ties(database: Path, spec: PartnerSpec, *, seed: int, on: Ground, today: date) -> int:
    """Make a partner's database with its ties; how many."""
    return make_partner_db(database, ties(spec, seed=seed, on=on, today=today))


def late_ties(spec: PartnerSpec, numbers: Ints, *, seed: int, cutoff: datetime, until: datetime) -> Iterator[TieRow]:
    """A tie on each of some numbers, bound at the cut-off or later, before `until` (aware); no renewal may cut them.

    The first of them is bound in the very instant of the cut-off.
    """
    first, end = ((at - _EPOCH) // timedelta(microseconds=1) for at in (cutoff, until))
    moments = first + (_Draw(seed, spec.name).chance(numbers, "late") * max(0, end - first)).astype(np.int64)
    moments[:1] = first
    for number, at in zip(numbers.tolist(), _spelt(moments), strict=True):
        yield TieRow(f"+{number}", at, f"新用户 {number % 7919:04d}", "", at)


def _rows(spec: PartnerSpec, draw: _Draw, number: Ints, ends: Ints, singer_number: int) -> Iterator[TieRow]:
    """A tie on each number, bound before `ends` (seconds since 1970 on China's clock)."""
    ago = -np.log1p(-draw.chance(number, "ago")) * 400 * _DAY
    ago += (draw.chance(number, "earlier") < _EARLIER) * 1200 * _DAY
    bound = ends - _CHINA - 1 - ago.astype(np.int64)
    created = bound - (draw.chance(number, "created") * 30 * _DAY).astype(np.int64)
    notes = _NOTES[spec.kind]
    note = (draw.chance(number, "note") * len(notes)).astype(np.int64)
    unpaid = (draw.chance(number, "unpaid") < _UNPAID_SHARE) & (spec.behaviour == "debt") & (number != singer_number)
    person = (draw.chance(number, "owner") * (1 << 24)).astype(np.int64)
    singer = (number == singer_number) & (spec.behaviour == "music")
    told = [UNPAID, *notes]
    which = np.where(unpaid, 0, 1 + note).tolist()
    columns = zip(
        number.tolist(),
        _spelt(bound * _MICRO),
        person.tolist(),
        which,
        _spelt(created * _MICRO),
        singer.tolist(),
        strict=True,
    )
    for one, at, who, text, made, is_singer in columns:
        yield TieRow(f"+{one}", at, SINGER if is_singer else f"用户 {who:06x}", told[text], made)


class _Draw:
    """Chances that depend on the seed, the partner, what is drawn, and the number: SplitMix64 over all four."""

    def __init__(self, seed: int, name: str) -> None:
        self._salt = f"{seed} {name}"

    def chance(self, numbers: Ints, what: str) -> npt.NDArray[np.float64]:
        """One number in [0, 1) for each phone number."""
        salt = np.uint64(zlib.crc32(f"{self._salt} {what}".encode()) * 0x9E3779B97F4A7C15 & 0xFFFF_FFFF_FFFF_FFFF)
        mixed = numbers.astype(np.uint64) * np.uint64(0xD1342543DE82EF95) + salt
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
        return (mixed >> np.uint64(11)).astype(np.float64) / (1 << 53)


def _spelt(moments: Ints) -> list[str]:
    """Microseconds since 1970 as RFC 3339 in UTC."""
    return [f"{text}Z" for text in np.datetime_as_string(moments.astype("datetime64[us]")).tolist()]
