"""Ties: what a partner keeps on a number, and the three things that it must be able to do with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, runtime_checkable

RENEWED = frozenset({"unbound", "absent", "kept", "pending", "refused"})
TAKEN_BACK = frozenset({"restored", "absent", "irreversible", "pending"})
"""The outcomes that answer a renewal, and a retraction (docs/partners/protocol.md)."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one number (`+8613800138000`): an outcome, with the reason of a refusal and a day, if given."""

    number: str
    outcome: str
    reason: str = ""
    until: str = ""


class TieStore(Protocol):
    """A partner's ties. Numbers come as `+E164`, none twice in a call; times are aware.

    Each call is one transaction, ended before it returns. It may be made again after a crash, and then changes nothing more
    and answers the same: what this cut-off has cut before is `unbound` once more.
    """

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        """Cut the ties bound before `cutoff`, never one bound at or after it. Yields an answer for every number that
        has or had a tie; a number without one may be left out, it is `absent`.

        Cutting a tie detaches the number, ends its sessions and its SMS login; it keeps the account and its assets.
        """

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        """Give back the ties that were cut since `cutoff`: `restored`, or `irreversible` where that can't be done."""

    def bound(self, number: str) -> bool:
        """Whether there is a tie on a number (an inquiry, asked with its owner's consent)."""


@runtime_checkable
class ManyTies(Protocol):
    """What a `TieStore` may offer too, so that many orders of single numbers cost one transaction."""

    def unbind_many(self, wanted: Mapping[datetime, Sequence[str]]) -> Iterable[Answer]:
        """As `unbind` for each cut-off and its numbers, in one transaction; no number is named twice."""


class immediate:
    """A write transaction on a connection in autocommit mode, kept if the block ends well."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> sqlite3.Connection:
        self._db.execute("BEGIN IMMEDIATE")
        return self._db

    def __exit__(self, kind: object, *_: object) -> None:
        self._db.execute("ROLLBACK" if kind else "COMMIT")


def as_text(instant: datetime) -> str:
    """A time as text that sorts like the times do: RFC 3339 in UTC with microseconds."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
