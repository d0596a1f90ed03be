"""Whose a number is. What one subscriber orders, is told or sees is none of the next one's (rule 5)."""

from __future__ import annotations

from huanxin.domain.numbers import NumberingPlan
from huanxin.domain.tenures import Standing, cutoff_of
from huanxin.store.acting import Reading
from huanxin.store.request import requests
from huanxin.store.request.requests import Request


def mark_of(where: Standing) -> str:
    """What changes when a number changes hands."""
    current = where.current
    return f"{where.state}/{len(where.tenures)}/{current.opened_on if current else ''}"


def belongs(request: Request, where: Standing, *, plan: NumberingPlan) -> bool:
    """Whether an order is of whoever holds its number now: also if it changed hands that day, or twice."""
    tenure = where.current
    if tenure is None or request.opened_on != tenure.opened_on or request.tenures not in (None, len(where.tenures)):
        return False
    since = cutoff_of(tenure, plan)
    return since is None or request.requested_at >= since


def of_holder(reading: Reading, number: int, where: Standing) -> list[Request]:
    """The orders and questions of whoever holds a number now, newest first."""
    return [one for one in requests.of_number(reading.tx, number) if belongs(one, where, plan=reading.plan)]
