"""Whose a number is. What one subscriber orders, is told or sees is none of the next one's (rule 5)."""

from __future__ import annotations

from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.tenures import NumberTenures, cutoff_of
from huanxin.store.acting import Reading
from huanxin.store.request import requests
from huanxin.store.request.requests import Request


def mark_of(where: NumberTenures) -> str:
    """What changes when a number changes hands."""
    current = where.current
    return f"{where.state}/{current.opened_on if current else ''}/{where.of_day}"


def belongs(request: Request, where: NumberTenures, *, plan: NumberingPlan) -> bool:
    """Whether an order is of whoever holds its number now: also if it changed hands that day, or twice, and whatever was
    reported late of those before. A tenure is named by the day on which it began and which of that day's it was; one of
    which nobody knew when it began was the number's first, and is while no other is on record."""
    tenure = where.current
    since = cutoff_of(tenure, plan) if tenure else None
    if tenure is None or (since and request.requested_at < since):
        return False
    if request.opened_on is None:
        return len(where.tenures) == 1
    if request.of_day is None:
        return request.opened_on == tenure.opened_on and request.tenures in (None, len(where.tenures))
    return (request.opened_on, request.of_day) == (tenure.opened_on, where.of_day)


def of_holder(reading: Reading, number: int, where: NumberTenures) -> list[Request]:
    """The orders and questions of whoever holds a number now, newest first."""
    return [one for one in requests.of_number(reading.tx, number) if belongs(one, where, plan=reading.plan)]
