"""The shop desk: what is told of numbers, which are offered next."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from pyroaring import BitMap

from huanxin.domain import disclosure, tenures
from huanxin.domain.answers import Standing
from huanxin.domain.disclosure import Case, Grade, Renewal, Told, is_of
from huanxin.domain.errors import BadInput
from huanxin.domain.lifecycle import Cancellation, ShardState, freeze_of
from huanxin.numbersets.sharded import SHARD_SIZE, NumberSet, shard_of, union, values_of
from huanxin.store.acting import Reading
from huanxin.store.answer import few_numbers
from huanxin.store.database import Tx
from huanxin.store.disclose import disclosures
from huanxin.store.plan import batches, holds
from huanxin.store.report import allocations, reports, settled
from huanxin.words.sentences import Sentence

SHORTEST_PREFIX, LONGEST_PREFIX = 3, 10
_SPARE, _MANY, _ROUNDS = 3, 500, 12  # of those looked at first, some aren't clean; then many at a time
_COUNTRY, _NATIONAL = "86", 11  # the country code of the Chinese plan, and the digits after it


def look_up(reading: Reading, numbers: Iterable[int], *, seller: str | None) -> list[Told]:
    """What is told of each number, in the order given. Reads the numbers' shards, and of their batches only their places.

    seller: the carrier that wants to sell them; None: whichever may.
    """
    wanted = list(numbers)
    asked = NumberSet.of(wanted)
    facts = dict(reports.facts_by_shard(reading.tx, shards=asked.shards))
    where = {
        number: tenures.standing(tenures.said_of(facts.get(shard_of(number), []), number % SHARD_SIZE)) for number in wanted
    }
    sellers = {number: _sellers(where[number], reading.plan.owner(shard_of(number))) for number in wanted}
    zones = {number: reading.plan.carriers[who[0]].zone for number, who in sellers.items() if who}
    resting = {number: one for number in zones if (one := where[number].closing)}
    renewals = dict(_renewals(reading, resting))
    held = union(holds.held_among(reading.tx, asked, reading.plan.today(reading.now)).values())
    known = disclosures.all_standing_of(reading.tx, wanted)
    unused = {number: sellers[number][0] for number in zones if not where[number].tenures}
    allotted = allocations.allotted(reading.tx, unused)
    baselines = reports.baselines(reading.tx, reading.plan)

    def case(number: int) -> Case:
        closed_on = resting[number].day if number in resting else None
        return Case(
            number=number, today=reading.now.astimezone(zones.get(number)).date(), standing=where[number],
            sellers=sellers[number], renewal=renewals.get(number), held=number in held,
            freeze_days=reading.rules.freeze_days, acknowledged=any(is_of(one, closed_on) for one in known.get(number, ())),
            allotted=number in allotted, evaluable_since=baselines.get(where[number].first),
        )  # fmt: skip

    return [disclosure.tell(case(number), seller) for number in wanted]


def _sellers(where: tenures.NumberTenures, owner: str | None) -> tuple[str, ...]:
    """Who may open a number next (domain.lifecycle.possible): whoever cancelled it, and the owner of its range."""
    if owner is None:
        return ()
    last = where.tenures[-1].carrier if where.tenures else owner
    return (last,) if last == owner else (last, owner)


def _renewals(reading: Reading, resting: Mapping[int, Cancellation]) -> Iterator[tuple[int, Renewal]]:
    """How the renewal of each frozen number went, in the newest batch of this tenure."""
    by_cancellation: dict[Cancellation, list[int]] = {}
    for number, one in resting.items():
        by_cancellation.setdefault(one, []).append(number)
    newest: dict[int, tuple[int, int]] = {}
    for found in batches.renewed_since(reading.tx, {one: NumberSet.of(numbers) for one, numbers in by_cancellation.items()}):
        for number, place in zip(found.numbers.tolist(), found.places.tolist(), strict=True):
            newest[number] = (found.batch_id, place)
    in_batch: dict[int, dict[int, int]] = {}
    for number, (batch_id, place) in newest.items():
        in_batch.setdefault(batch_id, {})[number] = place
    for batch_id, places_of in in_batch.items():
        yield from _renewal(reading, batch_id, places_of)


def _renewal(reading: Reading, batch_id: int, member: Mapping[int, int]) -> Iterator[tuple[int, Renewal]]:
    """The same of one batch; `member`: its place by number."""
    batch = batches.get(reading.tx, batch_id)
    assert batch is not None
    wanted = BitMap(member.values())
    told = few_numbers.told(reading.tx, batch_id)
    standings = few_numbers.standings_at(reading.tx, batch_id, wanted)
    under = {place: days for days, out in few_numbers.released_under(reading.tx, batch_id, wanted).items() for place in out}
    freeze_days = freeze_of(batch.freeze_days, reading.rules.freeze_days)
    shards = {shard_of(number) for number in member}
    ordered = [
        batches.numbers_of(reading.tx, one.id, shards) for one in batches.retractions_of(reading.tx, batch_id) if one.reason
    ]
    taken_back = union(ordered)
    order = values_of(wanted)
    confirmed = np.zeros(len(order), dtype=np.int64)
    still_open = BitMap() if told else wanted
    for partner, required in told.items():
        where = standings.get(partner, Standing())
        settled = where.answered() - where.unsettled()
        # Mostly everybody answered for all: counting that one by one would cost more than all the rest.
        confirmed += 1 if settled == wanted else np.isin(order, values_of(settled))
        if required:
            still_open |= where.open(wanted)
    count = dict(zip(order.tolist(), confirmed.tolist(), strict=True))
    for number, place in member.items():
        yield number, Renewal(
            freeze_days=under.get(place, freeze_days), asked=len(told), confirmed=count[place], open=place in still_open,
            released=place in under, taken_back=number in taken_back,
        )  # fmt: skip


def read_prefix(text: str) -> str:
    """The leading digits that somebody typed, after the country code. Raises BadInput."""
    digits = "".join(text.split()).removeprefix("+86")
    if not (digits.isascii() and digits.isdigit() and SHORTEST_PREFIX <= len(digits) <= LONGEST_PREFIX):
        raise BadInput(
            Sentence(
                "a prefix is %(shortest_prefix)s to %(longest_prefix)s digits, such as 1380013",
                shortest_prefix=SHORTEST_PREFIX,
                longest_prefix=LONGEST_PREFIX,
            )
        )
    return digits


@dataclass(frozen=True, kw_only=True)
class Offer:
    """The next numbers, and how far was looked: above `reached` one may go on; None if the prefix is at its end."""

    found: list[Told]
    reached: int | None


def next_clean(
    reading: Reading, prefix: str, *, grades: Collection[Grade], after: int, most: int, seller: str | None
) -> Offer:
    """The next numbers with a prefix that are for sale and of these grades, ascending, above `after`: never used ones if A
    is among them, else recycled ones. Gives up after some thousands that are not, with what it has."""
    found: list[Told] = []
    turns = _in_turn(reading, prefix, first_use=Grade.A in grades, after=after, few=most + _SPARE)
    for rounds, numbers in enumerate(turns, start=1):
        looked = look_up(reading, numbers, seller=seller)
        found += [one for one in looked if one.grade in grades]
        if len(found) >= most:
            return Offer(found=found[:most], reached=found[most - 1].number)
        if rounds == _ROUNDS:
            return Offer(found=found, reached=numbers[-1])
    return Offer(found=found, reached=None)


def _in_turn(reading: Reading, prefix: str, *, first_use: bool, after: int, few: int) -> Iterator[list[int]]:
    """Numbers with a prefix that may be clean, ascending, a few at first and then many at a time: each batch that one of
    them was in costs some milliseconds."""
    start = int((_COUNTRY + prefix).ljust(len(_COUNTRY) + _NATIONAL, "0"))
    high = start + 10 ** (_NATIONAL - len(prefix))
    low, size = max(start, after + 1), few
    for shard in range(shard_of(low), shard_of(high - 1) + 1):
        if reading.plan.owner(shard) is None:
            continue
        first = shard * SHARD_SIZE
        among = BitMap(range(max(0, low - first), min(SHARD_SIZE, high - first)))
        offsets = values_of(_candidates(reading.tx, shard, among, reading.plan.owner(shard), first_use=first_use))
        while len(offsets):
            some, offsets = offsets[:size], offsets[size:]
            size = _MANY
            yield [first + int(offset) for offset in some]


def _candidates(tx: Tx, shard: int, among: BitMap, owner: str | None, *, first_use: bool) -> BitMap:
    """Offsets that may be clean: the owner of the range was allotted them and nobody reported them, or they were released
    and sleep."""
    state = next((state for _, state in settled.states(tx, [shard])), ShardState())
    if first_use:
        return (among & _allotted(tx, shard, owner)) - state.known
    return state.sleeping(few_numbers.released_in_shard(tx, shard) & among)


def _allotted(tx: Tx, shard: int, owner: str | None) -> BitMap:
    """Offsets that a carrier's allocation names, or a baseline as never sold."""
    known = allocations.latest(tx).get(owner or "")
    first = shard * SHARD_SIZE
    found = BitMap(allocations.unsold_in(tx, [shard]).shards.get(shard, ()))
    for low, high in allocations.ranges_of(tx, known.id) if known else ():
        if low < first + SHARD_SIZE and high >= first:
            found.add_range(max(low - first, 0), min(high - first, SHARD_SIZE - 1) + 1)
    return found


def texts_of(told: Told) -> Mapping[str, str]:
    """The words for a buyer by language; none for a number that is not for sale."""
    return {lang: disclosure.disclosure_text(told, lang) for lang in (disclosure.ZH, disclosure.EN)} if told.for_sale else {}
