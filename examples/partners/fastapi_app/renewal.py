"""All that the tea shop says about renewal: which rows are ties, what keeps one, what ends with it."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
from shop import Account, LoginSession, Order, sessions
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from huanxin_partner import Handler, Journal, Platform, Verifier, Worker, receiver_app
from huanxin_partner.rows import Tie
from huanxin_partner.sqlalchemy import SqlAlchemyTies, record_table

record = record_table(Account.metadata)


def unpaid(session: Session, ties: list[Tie]) -> dict[int, str]:
    """Accounts with an unpaid order stay bound until it is paid."""
    orders = select(Order.account_id).where(Order.account_id.in_([tie.key for tie in ties]), Order.paid_at.is_(None))
    return dict.fromkeys(session.scalars(orders), "debt")


def end_sessions(session: Session, ties: list[Tie]) -> None:
    session.execute(delete(LoginSession).where(LoginSession.account_id.in_([tie.key for tie in ties])))


ties = SqlAlchemyTies(
    sessions, Account, number=Account.phone, bound_at=Account.phone_bound_at, record=record, refuse=unpaid,
    end_sessions=end_sessions,
)  # fmt: skip
issuer, client_id = os.environ["HUANXIN_ISSUER"], os.environ["HUANXIN_CLIENT_ID"]
platform = Platform(issuer, client_id=client_id, client_secret=os.environ["HUANXIN_CLIENT_SECRET"])
journal = Journal(Path(os.environ.get("HUANXIN_JOURNAL", "huanxin.db")))
worker = Worker(journal, Handler(ties, platform, journal))
events = receiver_app(Verifier(issuer=issuer, audience=client_id, client=httpx.Client(timeout=10)), journal, worker)
