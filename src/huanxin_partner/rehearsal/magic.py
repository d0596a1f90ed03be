"""Magic numbers: made up, in no numbering plan; each chooses an outcome in a rehearsal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)
"""The cut-off of every rehearsal."""

PREFIX = "+8610000"
"""Begins every number of a rehearsal. No number of the Chinese plan does."""

OLD = "+8610000000001"
NOBODY = "+8610000000002"
ON_CUTOFF = "+8610000000003"
AFTER_CUTOFF = "+8610000000004"
DEBT = "+8610000000005"
PENDING = "+8610000000006"
BEFORE_CUTOFF = "+8610000000007"
RETRACTED = "+8610000000008"

_SECOND = timedelta(seconds=1)
_LONG_BEFORE = datetime(2025, 6, 1, tzinfo=UTC)

TIES = {
    OLD: _LONG_BEFORE,
    ON_CUTOFF: CUTOFF,
    AFTER_CUTOFF: CUTOFF + _SECOND,
    DEBT: _LONG_BEFORE,
    PENDING: _LONG_BEFORE,
    BEFORE_CUTOFF: CUTOFF - _SECOND,
    RETRACTED: _LONG_BEFORE,
}
"""The ties that a partner loads into its test database, by number: when each was bound."""

EXPECTED = {
    OLD: frozenset({"unbound"}),
    NOBODY: frozenset({"absent"}),
    ON_CUTOFF: frozenset({"kept"}),
    AFTER_CUTOFF: frozenset({"kept"}),
    DEBT: frozenset({"refused", "unbound"}),  # a system that can't refuse unbinds
    PENDING: frozenset({"pending", "unbound"}),
    BEFORE_CUTOFF: frozenset({"unbound"}),
    RETRACTED: frozenset({"unbound", "kept"}),  # kept in a second rehearsal: the first gave it back
}
"""How a renewal may be answered, by number. What else is said of them, see `scenarios`."""


def crowd(count: int) -> list[str]:
    """So many made-up numbers that nobody has, ascending; at most 900,000."""
    return [f"{PREFIX}{number:06}" for number in range(100_000, 100_000 + count)]


def ties_csv() -> Iterator[str]:
    """The lines of a CSV file with the ties to load: `number,bound_at`."""
    yield "number,bound_at"
    for number, bound_at in TIES.items():
        yield f"{number},{bound_at:%Y-%m-%dT%H:%M:%SZ}"
