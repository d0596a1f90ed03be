"""All that the bookshop says about renewal: which rows are ties, what keeps one, what ends with it."""

from __future__ import annotations

from huanxin_partner.django import DjangoTies
from huanxin_partner.rows import Tie
from shop.models import Account, LoginSession, Order


def unpaid(using: str, ties: list[Tie]) -> dict[int, str]:
    """Accounts with an unpaid order stay bound until it is paid."""
    orders = Order.objects.using(using).filter(account_id__in=[tie.key for tie in ties], paid_at=None)
    return dict.fromkeys(orders.values_list("account_id", flat=True), "debt")


def end_sessions(using: str, ties: list[Tie]) -> None:
    LoginSession.objects.using(using).filter(account_id__in=[tie.key for tie in ties]).delete()


def ties() -> DjangoTies:
    return DjangoTies(Account, number="phone", bound_at="phone_bound_at", refuse=unpaid, end_sessions=end_sessions)
