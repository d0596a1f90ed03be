"""HUANXIN_PARTNER in a Django project's settings: looked at before an event is taken, as the command line does."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test.utils import override_settings

from huanxin_partner.rows import RowTies
from ready_stores import django_account, django_shop, sqlite_url

_stores: list[RowTies[Any]] = []


def own_ties() -> RowTies[Any]:
    """What the settings of these tests name."""
    return _stores[-1]


def good(folder: Path) -> dict[str, object]:
    return {"issuer": "http://127.0.0.1:1", "client_id": "pc_1", "client_secret": "s", "journal": folder / "j.db",
            "ties": f"{__name__}.own_ties"}  # fmt: skip


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"audiense": "pc_2"}, "knows no 'audiense'"),
        ({"client_secret": ""}, "lacks client_secret"),
        ({"client_id": 7}, "client_id has to be text"),
        ({"issuer": "huanxin.example"}, "issuer is"),
        ({"ties": "shop.none.ties"}, "ties can't be imported"),
        ({"journal": "@"}, "is a folder"),
        ({"journal": "@/none/j.db"}, "there is no folder"),
        ({"journal": "@/shop.db"}, "holds the table"),
    ],
    ids=str,
)
def test_what_can_not_be_meant_is_told(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    django_account()
    from huanxin_partner.django import running

    with django_shop(sqlite_url(tmp_path)) as shop:
        _stores.append(shop.store())
        given = good(tmp_path) | {
            name: value.replace("@", str(tmp_path)) if isinstance(value, str) else value for name, value in wrong.items()
        }
        running._made.cache_clear()
        with override_settings(HUANXIN_PARTNER=given), pytest.raises(ImproperlyConfigured, match=said):
            running.partner()


def test_what_is_in_doubt_is_counted_before_going_live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    django_account()
    from huanxin_partner.django import running

    monkeypatch.setattr(running, "import_string", lambda _: own_ties)
    with django_shop(sqlite_url(tmp_path)) as shop:
        shop.add("+8613800138000", datetime(2020, 1, 1, tzinfo=UTC))
        shop.add("+8613800138001")
        _stores.append(shop.store())
        said = io.StringIO()
        with override_settings(HUANXIN_PARTNER=good(tmp_path)):
            call_command("huanxin_survey", stdout=said)
    assert "2 rows have a number. When 1 of them were bound is in doubt" in said.getvalue()
