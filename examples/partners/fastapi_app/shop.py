"""The tea shop's tables: accounts with a phone number, login codes and sessions, orders."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from sqlalchemy import DateTime, ForeignKey, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

engine = create_engine(os.environ.get("DATABASE_URL", "sqlite:///tea.db"))
sessions = sessionmaker(engine)


def now() -> datetime:
    return datetime.now(UTC)


class Base(DeclarativeBase):
    """All tables."""


class Account(Base):
    """A customer. The number may be NULL: an account without one keeps its name, coins and orders."""

    __tablename__ = "accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    phone: Mapped[str | None] = mapped_column(unique=True)
    phone_bound_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    name: Mapped[str]
    coins: Mapped[int] = mapped_column(default=0)


class LoginCode(Base):
    """A code that was sent to a number."""

    __tablename__ = "login_codes"
    phone: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    sent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), default=now)


class LoginSession(Base):
    """Somebody who is logged in."""

    __tablename__ = "login_sessions"
    token: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)


class Order(Base):
    """Tea that was ordered; unpaid while `paid_at` is NULL."""

    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    amount: Mapped[int]
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
