"""What is said loudly on the console: numbers on release lists that may not be sold any more, for whom they concern."""

from __future__ import annotations

from datetime import timedelta

from huanxin.store.database import Tx
from huanxin.store.release import stops
from huanxin.store.release.stops import Stop
from huanxin.web.pages.console.signing import Working

_FRESH = timedelta(days=30)
_MOST = 20


def of_batch(tx: Tx, who: Working, batch_id: int) -> list[Stop]:
    """What of a batch's lists this person sees that is stopped, newest first."""
    return _standing(who, stops.known(tx, batch_id=batch_id))


def of_holds(tx: Tx, who: Working) -> list[Stop]:
    """What holds stop that bind."""
    return _standing(who, stops.known(tx, bound_on=who.platform.today()))[:_MOST]


def fresh(tx: Tx, who: Working) -> list[Stop]:
    """What was stopped of late, by whatever."""
    since = who.platform.now() - _FRESH
    return _standing(who, stops.known(tx, since=since))[:_MOST]


def _standing(who: Working, found: list[Stop]) -> list[Stop]:
    today = who.platform.today()
    return [one for one in reversed(found) if one.binds(today) and who.operator.sees([one.carrier])]
