"""What follows from what carriers say: sales that should not have been and, where the past is another now, all that stood on
it. The same by one function, whatever changed the past: a withdrawal, a correction, or a file that came late."""

from __future__ import annotations

from collections.abc import Iterable

from huanxin.disclose.breaches import find_undisclosed
from huanxin.disclose.mending import revoke_corrected
from huanxin.domain.leaving import Left
from huanxin.domain.mended import Changed, Consequence, What
from huanxin.notify.mending import mend_batches
from huanxin.notify.notices import send_request
from huanxin.release.early_sales import find_early_sales, lots_of
from huanxin.release.in_error import find_released_in_error
from huanxin.release.stopped import find_stopped_sales
from huanxin.request.mending import mend_orders
from huanxin.store.acting import Act
from huanxin.store.release.stops import Listed
from huanxin.store.report.sales import sales_of


def judge_sales(act: Act, report_id: int, left: Iterable[tuple[int, Left]]) -> tuple[int, int, int]:
    """Record what should not have been sold of what a report took out of the freeze: without a release or too early, while
    it was stopped, without a disclosure; how many numbers of each."""
    sales = sales_of(act.tx, left, plan=act.plan, freeze_days=act.rules.freeze_days)
    lots = lots_of(act.tx, sales)
    breaches = find_early_sales(act, report_id, sales, lots)
    stopped = find_stopped_sales(act, report_id, sales, lots)
    return breaches, stopped, find_undisclosed(act, report_id, [one for one in sales if one.known])


def set_right(act: Act, changed: Changed, on_lists: Iterable[Listed]) -> list[Consequence]:
    """Set right what stood on facts that are on record no more, or otherwise: batches, releases, certificates, orders.

    on_lists: what releases had given back of the numbers and nobody had bought, by what was on record before.
    """
    listed = list(on_lists)
    done = list(mend_batches(act, changed, listed))
    done += find_released_in_error(act, changed, listed, done)
    if revoked := revoke_corrected(act, changed.numbers, note=changed.reason):
        done.append(Consequence(what=What.REVOKED, numbers=revoked))
    orders = list(mend_orders(act, changed))
    for one in orders:
        send_request(act, one.request, one.notices)
    if orders:
        done.append(Consequence.of(What.ORDERS, [one.request.number for one in orders]))
    return done
