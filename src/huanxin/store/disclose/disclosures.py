"""Disclosures as stored: what buyers were told and acknowledged, one row each."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from huanxin.numbersets.sharded import Numbers
from huanxin.store.database import Tx


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """What a buyer was told and acknowledged. `closed_on`: when the tenure before ended, None if there was none on record;
    `evidence`: the path of a signature, a reference, or nothing."""

    id: str
    number: int
    carrier: str
    closed_on: date | None
    grade: str
    asked: int
    confirmed: int
    text_sha256: bytes
    method: str
    evidence: str
    acknowledged_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewDisclosure(Acknowledged):
    """A disclosure to be recorded, with its clerk."""

    operator_id: int


@dataclass(frozen=True, kw_only=True)
class Disclosure(Acknowledged):
    """A recorded disclosure. `withdrawn_at`: set if the buyer did not take the number."""

    seq: int
    clerk: str
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None
    withdrawn_by: str | None = None

    @property
    def stands(self) -> bool:
        return self.withdrawn_at is None


@dataclass(frozen=True, kw_only=True)
class SeenText:
    """The words that a buyer saw."""

    version: str
    language: str
    text: str

    @property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.text.encode()).digest()


_SELECT = """
SELECT d.id, d.seq, d.number, d.carrier, d.closed_on, d.grade, d.asked, d.confirmed, d.text_sha256, d.method,
    d.evidence, o.login AS clerk, d.acknowledged_at, w.withdrawn_at, w.reason AS withdrawn_reason,
    v.login AS withdrawn_by
FROM disclosure d
JOIN operator o ON o.id = d.operator_id
LEFT JOIN disclosure_withdrawal w ON w.disclosure_id = d.id
LEFT JOIN operator v ON v.id = w.operator_id
"""


def one_at_a_time(tx: Tx) -> None:
    """Make whoever records disclosures wait for each other, until this transaction ends; readers don't wait."""
    tx.execute("LOCK TABLE disclosure IN SHARE ROW EXCLUSIVE MODE")


def get(tx: Tx, disclosure_id: str) -> Disclosure | None:
    with tx.cursor(row_factory=class_row(Disclosure)) as cursor:
        return cursor.execute(f"{_SELECT} WHERE d.id = %s", (disclosure_id,)).fetchone()


def text_of(tx: Tx, sha256: bytes) -> SeenText:
    """The words with this digest."""
    with tx.cursor(row_factory=class_row(SeenText)) as cursor:
        found = cursor.execute("SELECT version, language, text FROM disclosure_text WHERE sha256 = %s", (sha256,)).fetchone()
    assert found is not None
    return found


def of_number(tx: Tx, number: int) -> list[tuple[Disclosure, SeenText]]:
    """Every disclosure of one number with the words that its buyer saw, oldest first; withdrawn ones too."""
    with tx.cursor(row_factory=class_row(Disclosure)) as cursor:
        found = cursor.execute(f"{_SELECT} WHERE d.number = %s ORDER BY d.seq", (number,)).fetchall()
    return [(one, text_of(tx, one.text_sha256)) for one in found]


def all_standing_of(tx: Tx, numbers: Numbers | list[int]) -> dict[int, list[Disclosure]]:
    """The disclosures of each of these numbers that were not withdrawn, oldest first: of one that was sold before, those
    of its former tenures too."""
    found: dict[int, list[Disclosure]] = {}
    with tx.cursor(row_factory=class_row(Disclosure)) as cursor:
        rows = cursor.execute(
            f"{_SELECT} JOIN unnest(%s::int8[]) AS wanted (number) ON d.number = wanted.number"
            " WHERE w.withdrawn_at IS NULL ORDER BY d.seq",
            ([int(number) for number in numbers],),
        )
        for one in rows:
            found.setdefault(one.number, []).append(one)
    return found


def latest(tx: Tx, *, carrier: str | None, before: int | None = None, most: int = 100) -> list[Disclosure]:
    """Disclosures of a carrier (or all), newest first; `before` one to go on from it."""
    with tx.cursor(row_factory=class_row(Disclosure)) as cursor:
        return cursor.execute(
            f"{_SELECT} WHERE (%(of)s::text IS NULL OR d.carrier = %(of)s)"
            " AND d.seq < coalesce(%(before)s, 9223372036854775807) ORDER BY d.seq DESC LIMIT %(most)s",
            {"of": carrier, "before": before, "most": most},
        ).fetchall()
