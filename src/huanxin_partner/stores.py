"""Which tie store the settings of the command line name: a table in SQLite, or software that has an adapter."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from huanxin_partner.adapters.synapse import SynapseTies
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import TieStore

_OF_A_TABLE = ("table", "number_column", "bound_at_column")
_OF_SYNAPSE = ("url", "admin_token", "end_sessions")


def needed(names: Sequence[str], settings: Mapping[str, Any]) -> list[str]:
    """Those of these settings without which nothing starts: an adapter's ties are in no table."""
    return [name for name in names if "synapse" not in settings or name not in _OF_A_TABLE]


def store_from(settings: Mapping[str, Any]) -> TieStore:
    """The store. `database` is the SQLite file with the ties, or with `[synapse]` the record of what was cut there.

    Raises ValueError if the settings can't be used, with what to do.
    """
    if "synapse" in settings:
        return _synapse(settings["synapse"], str(settings.get("admin_token", "")), Path(settings["database"]))
    return table_from(settings)


def table_from(settings: Mapping[str, Any]) -> SqliteTies:
    """The table with the ties. Raises ValueError if it can't be used, with what to do."""
    return SqliteTies(
        Path(settings["database"]), table=settings["table"], number_column=settings["number_column"],
        bound_at_column=settings["bound_at_column"], zone=ZoneInfo(settings.get("zone", "UTC")),
        form=settings.get("bound_at_form", ""),
    )  # fmt: skip


def _synapse(given: Any, token: str, record: Path) -> SynapseTies:
    known = given if isinstance(given, dict) else {}
    if unknown := set(known) - set(_OF_SYNAPSE):
        raise ValueError(f"[synapse] has no setting {sorted(unknown)[0]}; there are {', '.join(_OF_SYNAPSE)}")
    if not all(isinstance(known.get(name, ""), str) for name in ("url", "admin_token")):
        raise ValueError("[synapse] url and admin_token have to be text, in quotes")
    url, token = known.get("url", ""), token or known.get("admin_token", "")
    if not url.startswith(("http://", "https://")):
        raise ValueError("[synapse] needs url: where the admin API answers, for instance http://127.0.0.1:8008")
    if not token:
        raise ValueError("[synapse] needs admin_token, or HUANXIN_PARTNER_ADMIN_TOKEN: the access token of an administrator")
    end_sessions = known.get("end_sessions", True)
    if not isinstance(end_sessions, bool):
        raise ValueError("[synapse] end_sessions is true or false")
    try:
        return SynapseTies(url, token, record=record, end_sessions=end_sessions)
    except sqlite3.Error as error:
        raise ValueError(f"database {record} can't keep the record of what was cut: {error}") from error
