"""The shops that the ready stores are tried in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ready_stores import Shop, django_shop, postgres_url, sqlalchemy_shop, sqlite_url

SHOPS = {"sqlalchemy": sqlalchemy_shop, "django": django_shop}


@pytest.fixture(params=["sqlalchemy-sqlite", "sqlalchemy-postgresql", "django-sqlite", "django-postgresql"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    kind, _, database = str(request.param).partition("-")
    on_postgres = database == "postgresql"
    url = postgres_url(request.getfixturevalue("empty_dsn")) if on_postgres else sqlite_url(tmp_path)
    with SHOPS[kind](url) as made:
        yield made
