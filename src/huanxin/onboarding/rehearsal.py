"""Notices of a rehearsal (演练): made-up numbers, told to one partner of the sandbox, and marked for what they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huanxin.acts import Platform
from huanxin.domain.answers import Purpose
from huanxin.domain.clock import answer_by
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Partner
from huanxin.domain.rules import random_id
from huanxin.notify.events import batch_notice
from huanxin.numbersets.numberfile import described
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.acting import Reading
from huanxin.store.database import Tx
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch

_BY = "演练 rehearsal"


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """A notice of a rehearsal and the batch that it is about; `of` is the notice that it takes numbers back from."""

    notice: str
    batch: Batch
    of: str | None


def make_notice(
    tx: Tx, sandbox: Platform, partner: Partner, numbers: Sequence[str], *, cutoff: datetime, of: Rehearsed | None = None
) -> Rehearsed:
    """Record a batch of made-up numbers (`+E164`) with this cut-off, and its notice to this partner and nobody else; with
    `of`, a retraction of that notice. Nothing is sent."""
    now, wanted = sandbox.now(), NumberSet.of([parse(number) for number in numbers])
    owners = {owner for shard in wanted.shards if (owner := sandbox.plan.owner(shard))}
    zones = [sandbox.plan.carriers[owner].zone for owner in owners] or [sandbox.zone]
    batch_id = facts.batch(
        tx, purpose=Purpose.RETRACTION if of else Purpose.RENEWAL, retracts=of.batch.id if of else None, numbers=wanted,
        cutoff=cutoff, answer_by=answer_by(now, zones, sandbox.rules.answer_days),
        freeze_days=sandbox.rules.freeze_days, seen_report=0, files=described(wanted.numbers()), by=_BY, at=now,
    )  # fmt: skip
    batch = batches.get(tx, batch_id)
    assert batch is not None
    notice = random_id("rehearsal")
    facts.notices(tx, batch_id, [(notice, partner.id, False)], by=_BY, at=now, answer_by=None)
    return Rehearsed(notice=notice, batch=batch, of=of.notice if of else None)


def claims_of(reading: Reading, told: Rehearsed, *, audience: str, jti: str) -> dict[str, Any]:
    """The event that tells of a notice. That it is a rehearsal is written where it is signed (signing.keys)."""
    return batch_notice(
        reading, told.batch, notice=told.notice, of_notice=told.of, answer_by=told.batch.answer_by, audience=audience,
        jti=jti,
    )  # fmt: skip
