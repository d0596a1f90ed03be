"""The ready stores, each on a table of accounts of the same form, for tests that all of them pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

import django
import sqlalchemy as sa
from django.conf import settings
from django.core.management import call_command
from django.db import connections, models
from psycopg.conninfo import conninfo_to_dict

from huanxin_partner.rows import RowTies
from huanxin_partner.sqlalchemy import SqlAlchemyTies, record_table

METADATA = sa.MetaData()
RECORD = record_table(METADATA)
ACCOUNTS = sa.Table(
    "accounts", METADATA,
    sa.Column("id", sa.Uuid, primary_key=True), sa.Column("phone", sa.String(20), index=True),
    sa.Column("bound_at", sa.DateTime(timezone=True)), sa.Column("day", sa.Date), sa.Column("local", sa.DateTime),
    sa.Column("country", sa.String(2), nullable=False), sa.Column("spare", sa.String(20), index=True),
)  # fmt: skip


class MakeStore(Protocol):
    """Makes the store of one kind. `hooks` get what the store gives them."""

    def __call__(
        self,
        *,
        number: str = "phone",
        bound_at: str = "bound_at",
        country: str | None = None,
        zone: tzinfo = UTC,
        **hooks: Any,
    ) -> RowTies[Any]: ...


class Shop:
    """A table of accounts and the stores on it."""

    def __init__(self, engine: sa.Engine, make: MakeStore) -> None:
        self.engine, self.store = engine, make
        self._rows = 0

    def add(self, phone: str | None, bound_at: datetime | None = None, *, country: str = "CN", **more: Any) -> UUID:
        """An account, and its key."""
        self._rows += 1
        key = UUID(int=self._rows)
        row = {"id": key, "phone": phone, "bound_at": bound_at, "country": country} | more
        with self.engine.begin() as connection:
            connection.execute(sa.insert(ACCOUNTS).values(row))
        return key

    def change(self, key: UUID, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == key).values(values))

    def phones(self, column: str = "phone") -> list[str | None]:
        with self.engine.connect() as connection:
            return list(connection.scalars(sa.select(ACCOUNTS.c[column]).order_by(ACCOUNTS.c.id)))

    def write(self, sql: str, **values: object) -> None:
        """What a program may do to its own tables, whatever it is."""
        with self.engine.begin() as connection:
            connection.execute(sa.text(sql), values)


@contextmanager
def sqlalchemy_shop(url: sa.URL) -> Iterator[Shop]:
    engine = sa.create_engine(url)
    METADATA.create_all(engine)

    def make(
        *, number: str = "phone", bound_at: str = "bound_at", country: str | None = None, zone: tzinfo = UTC, **hooks: Any
    ) -> SqlAlchemyTies:
        where = None if country is None else ACCOUNTS.c.country == country
        return SqlAlchemyTies(
            engine, ACCOUNTS, number=number, bound_at=bound_at, where=where, record=RECORD, zone=zone, **hooks
        )

    yield Shop(engine, make)
    engine.dispose()


@contextmanager
def django_shop(url: sa.URL) -> Iterator[Shop]:
    account, ties = django_account()
    connections.settings["shop"] = connections.configure_settings({"default": {}, "shop": _django_form(url)})["shop"]
    call_command("migrate", database="shop", verbosity=0)
    engine = sa.create_engine(url)
    ACCOUNTS.create(engine)

    def make(
        *, number: str = "phone", bound_at: str = "bound_at", country: str | None = None, zone: tzinfo = UTC, **hooks: Any
    ) -> RowTies[str]:
        rows = account._default_manager.all() if country is None else account._default_manager.filter(country=country)
        store: RowTies[str] = ties(rows, number=number, bound_at=bound_at, using="shop", zone=zone, **hooks)
        return store

    try:
        yield Shop(engine, make)
    finally:
        connections["shop"].close()
        del connections["shop"], connections.settings["shop"]
        engine.dispose()


@cache
def django_account() -> tuple[type[models.Model], Callable[..., Any]]:
    """The model, and the store; once in a process, as Django has it."""
    settings.configure(
        DATABASES={"default": {}}, INSTALLED_APPS=["huanxin_partner.django"], USE_TZ=True, TIME_ZONE="Asia/Shanghai",
        ROOT_URLCONF="huanxin_partner.django.urls", SECRET_KEY="tests", ALLOWED_HOSTS=["testserver"],
    )  # fmt: skip
    django.setup()
    from huanxin_partner.django import DjangoTies

    class Account(models.Model):
        id: models.UUIDField[UUID, UUID] = models.UUIDField(primary_key=True)
        phone: models.CharField[str | None, str | None] = models.CharField(max_length=20, null=True)
        bound_at: models.DateTimeField[datetime, datetime] = models.DateTimeField()
        day: models.DateField[Any, Any] = models.DateField()
        country: models.CharField[str, str] = models.CharField(max_length=2)
        spare: models.CharField[str | None, str | None] = models.CharField(max_length=20, null=True)

        class Meta:
            app_label, managed, db_table = "shop", False, "accounts"

    return Account, DjangoTies


def _django_form(url: sa.URL) -> dict[str, Any]:
    if url.get_backend_name() == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": url.database, "TIME_ZONE": "UTC"}
    host = url.query.get("host", url.host or "")
    return {
        "ENGINE": "django.db.backends.postgresql", "NAME": url.database, "USER": url.username or "", "HOST": host,
        "PASSWORD": url.password or "", "PORT": url.port or "",
    }  # fmt: skip


def postgres_url(dsn: str) -> sa.URL:
    """An address as SQLAlchemy has it."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value}
    socket = {"host": parts["host"]} if parts.get("host", "").startswith("/") else {}
    return sa.URL.create(
        "postgresql+psycopg", username=parts.get("user"), password=parts.get("password"),
        host=None if socket else parts.get("host"), port=None if socket else int(parts.get("port", 5432)),
        database=parts["dbname"], query=socket,
    )  # fmt: skip


def sqlite_url(folder: Path) -> sa.URL:
    return sa.URL.create("sqlite", database=str(folder / "shop.db"))
