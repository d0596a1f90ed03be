"""A partner's tie store in a rehearsal: only made-up numbers reach it, and the magic ones play their part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from huanxin_partner.rehearsal import magic
from huanxin_partner.ties import Answer, TieStore

_PENDING = 60.0  # seconds


class RehearsalTies:
    """Refuses the magic number of the debtor, lets another wait for a minute after the event was issued (Unix seconds),
    and leaves the rest to the store. A number that isn't made up is `absent`, so that no rehearsal cuts a real tie."""

    def __init__(self, store: TieStore, *, issued_at: float, clock: Callable[[], float] = time.time) -> None:
        self._store, self._issued_at, self._clock = store, issued_at, clock

    @staticmethod
    def pending_for(issued_at: float, now: float) -> float:
        """How many seconds are left of the minute; none or fewer once it is over."""
        return issued_at + _PENDING - now

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> Iterator[Answer]:
        """See ties.TieStore."""
        played: dict[str, Answer] = {}
        if magic.DEBT in numbers:
            played[magic.DEBT] = Answer(number=magic.DEBT, outcome="refused", reason="debt")
        if magic.PENDING in numbers and self.pending_for(self._issued_at, self._clock()) > 0:
            until = f"{datetime.fromtimestamp(self._issued_at + _PENDING, UTC):%Y-%m-%d}"
            played[magic.PENDING] = Answer(number=magic.PENDING, outcome="pending", until=until)
        yield from played.values()
        yield from self._store.unbind([number for number in _made_up(numbers) if number not in played], cutoff)

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> Iterator[Answer]:
        """See ties.TieStore."""
        yield from self._store.restore(_made_up(numbers), cutoff)

    def bound(self, number: str) -> bool:
        """See ties.TieStore."""
        return bool(_made_up([number])) and self._store.bound(number)


def _made_up(numbers: Sequence[str]) -> list[str]:
    return [number for number in numbers if number.startswith(magic.PREFIX)]
