"""The login guard: whether a code sent to a number may still open the account that the number is bound to."""

from __future__ import annotations

from datetime import UTC, tzinfo

from huanxin_partner.events import IDENTIFIER_RECYCLED, RENEWAL, cutoff_of, notice_of
from huanxin_partner.journal import Journal
from huanxin_partner.times import latest_instant
from huanxin_partner.tokens import Event


def may_enter(journal: Journal, number: str, bound_at: object, *, zone: tzinfo = UTC, form: str = "") -> bool:
    """False if the journal knows that `number` (`+E164`) got a new owner after `bound_at` (times.Times, where `zone` and
    `form` are), or since a time that is in doubt.

    Ask at each login by SMS. It matters where the tie was not cut: refused for a debt, or not yet handled.
    """
    since = max((cutoff_of(event) for event in journal.about(number) if _stands(journal, event, number)), default=None)
    latest = latest_instant(bound_at, zone, form)
    return since is None or (latest is not None and latest >= since)


def _stands(journal: Journal, event: Event, number: str) -> bool:
    """Whether an event says that there is a new owner, and has not been taken back."""
    if event.name == RENEWAL:
        return number not in journal.taken_back(notice_of(event))
    return event.name == IDENTIFIER_RECYCLED
