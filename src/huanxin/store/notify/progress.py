"""How far the partners of a batch are: what each answered, what is still open, who was reminded, who is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from huanxin.domain.answers import Progress, Standing
from huanxin.numbersets.sharded import union
from huanxin.store.answer import receipts
from huanxin.store.database import Tx
from huanxin.store.notify import notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch


@dataclass(frozen=True, kw_only=True)
class Open(Progress):
    """One partner's notice, how far it is, and how often it was `reminded`."""

    notice: Notice
    answer_by: datetime
    reminded: int
    escalated_at: datetime | None

    def late(self, now: datetime) -> bool:
        """Whether the day by which to answer has passed and something is still waited for."""
        return self.open > 0 and now >= self.answer_by


def progress(tx: Tx, batch: Batch, partner_id: int | None = None) -> list[Open]:
    """Every partner of a batch (or one), in the order of partners. Folds their answers to the batch."""
    everyone = BitMap(range(batch.count))
    taken_back = union(batches.numbers_of(tx, one.id) for one in batches.retractions_of(tx, batch.id))
    back = batches.places_of(tx, batch.id, taken_back)
    standings = receipts.standings(tx, batch.id, everyone, partner_id)
    reminders = told(tx, batch.id)
    found = []
    for notice in notices.of_batch(tx, batch.id):
        if partner_id not in (None, notice.partner_id):
            continue
        so_far = standings.get(notice.partner_id, Standing()).progress(everyone, back)
        reminded, escalated_at = reminders.get(notice.id, (0, None))
        found.append(
            Open(
                **vars(so_far), notice=notice, answer_by=notice.answer_by, reminded=reminded, escalated_at=escalated_at,
            )
        )  # fmt: skip
    return found


def told(tx: Tx, batch_id: int) -> dict[str, tuple[int, datetime | None]]:
    """How often each notice's partner was reminded, and when it was escalated, by notice."""
    rows = tx.execute(
        "SELECT e.notice_id, count(*) FILTER (WHERE e.kind = 'reminded'), max(e.at) FILTER (WHERE e.kind = 'escalated')"
        " FROM partner_event e JOIN notice n ON n.id = e.notice_id WHERE n.batch_id = %s GROUP BY e.notice_id",
        (batch_id,),
    )
    return {notice: (int(reminded), escalated_at) for notice, reminded, escalated_at in rows}
