"""The settings of a partner, from a TOML file and the environment, and what is built from them."""

from __future__ import annotations

import argparse
import difflib
import logging
import os
import signal
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import httpx

from huanxin_partner import stores
from huanxin_partner.client import Platform
from huanxin_partner.journal import BadJournal, Journal
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import TieStore
from huanxin_partner.times import BadForm, Times
from huanxin_partner.tokens import KeysUnreachable, Verifier, fetch_keys

Settings = dict[str, Any]

ACCESS = ("issuer", "client_id", "client_secret")
STORE = ("database", "table", "number_column", "bound_at_column")
FILES = ("files_out", "files_in")
_MORE = ("audience", "zone", "bound_at_form", "jwks_file", "journal", "admin_token")
"""what may be left out; else the client id, UTC, what is beyond doubt, the issuer's /jwks.json, beside the database"""
_TEXTS = (*ACCESS, *STORE, *FILES, *_MORE)
_SECTION = "synapse"
_PREFIX = "HUANXIN_PARTNER_"
_LAST_PORT, _DIGITS = 65_535, 5
_LONGEST_WAIT = 86_400  # seconds


class BadSettings(Exception):
    """A setting is missing or can't be used; the text says which, and what to do."""


def add_config(command: argparse.ArgumentParser, needed: Sequence[str]) -> None:
    """Add `--config` to a command, and say in its help what has to stand there."""
    command.add_argument("--config", type=Path, metavar="FILE", help=f"TOML with {', '.join(needed)}; {_PREFIX}* wins")


def a_port(text: str) -> int:
    """The value of --port; 0 takes a free one."""
    if not text.isascii() or not text.isdecimal() or len(text) > _DIGITS or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to {_LAST_PORT}")
    return int(text)


def seconds(text: str) -> float:
    """The value of an option that says how long to wait."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 < found <= _LONGEST_WAIT:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time to wait; write seconds, more than 0, at most {_LONGEST_WAIT:,}"
        )
    return found


def web_address(text: str) -> str:
    """The value of an option that names an address of HTTP."""
    if not _is_web_address(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write one like http://127.0.0.1:8700/events/")
    return text


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        httpx.URL(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        return False


def load(file: Path | None, needed: Sequence[str]) -> Settings:
    """The settings of a file, those of the environment before them. Raises BadSettings if one is missing, unknown, or can't
    be meant; what they name is looked at by what is made of them."""
    found = _in_file(file) | _in_environment()
    missing = [name for name in stores.needed(needed, found) if not found.get(name)]
    if missing:
        raise BadSettings(f"{', '.join(missing)} is missing: write it in --config or set {_PREFIX}{missing[0].upper()}")
    _check(found)
    return found | ({"issuer": found["issuer"].rstrip("/")} if "issuer" in found else {})


def _in_file(file: Path | None) -> Settings:
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError) as error:
        raise BadSettings(f"the settings can't be read from {file}: {error}") from error
    for name, value in found.items():
        if name not in (*_TEXTS, _SECTION):
            raise BadSettings(f"{file}: {name} is no setting{_meant(name)}")
        if not isinstance(value, dict if name == _SECTION else str):
            raise BadSettings(f"{file}: {name} has to be {'a section' if name == _SECTION else 'text, in quotes'}")
    return {name: value for name, value in found.items() if not isinstance(value, str) or value.strip()}


def _in_environment() -> Settings:
    found = {name.removeprefix(_PREFIX).lower(): value for name, value in os.environ.items() if name.startswith(_PREFIX)}
    if unknown := [name for name in found if name not in _TEXTS]:
        raise BadSettings(f"{_PREFIX}{unknown[0].upper()} is no setting{_meant(unknown[0])}")
    return {name: value for name, value in found.items() if value.strip()}


def _meant(name: str) -> str:
    near = difflib.get_close_matches(name.lower(), _TEXTS, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(_TEXTS)}"


def _check(found: Settings) -> None:
    """Raises BadSettings for what can't be meant, whatever there is on this machine."""
    issuer = found.get("issuer", "")
    if issuer and (not _is_web_address(issuer) or set("?#@") & set(issuer)):
        raise BadSettings(f"issuer is {issuer!r}; write what the platform calls itself, such as https://huanxin.example")
    try:
        ZoneInfo(found.get("zone", "UTC"))
        Times(form=found.get("bound_at_form", ""))
    except BadForm as error:
        raise BadSettings(f"bound_at_form: {error}") from error
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadSettings(f"there is no zone {found['zone']!r}; write one like Asia/Shanghai") from error
    for one, other in (("number_column", "bound_at_column"), FILES):
        if one in found and found[one].rstrip("/") == found.get(other, "").rstrip("/"):
            raise BadSettings(f"{one} and {other} are the same, {found[one]!r}; they have to be two")


def store_of(settings: Mapping[str, Any]) -> TieStore:
    """The ties, ready to be cut. Raises BadSettings."""
    try:
        store = stores.store_from(settings)
        if isinstance(store, SqliteTies):
            store.prepare()
        return store
    except ValueError as error:
        raise BadSettings(str(error)) from error


def journal_of(settings: Mapping[str, Any]) -> Journal:
    """The events that were taken. Raises BadSettings."""
    path, database = journal_path(settings), Path(settings["database"])
    if path.resolve() == database.resolve() or (path.exists() and database.exists() and path.samefile(database)):
        raise BadSettings(f"journal and database are the same file, {path}; the journal has to be a file of its own")
    try:
        return Journal(path)
    except BadJournal as error:
        raise BadSettings(f"journal: {error}") from error


def journal_path(settings: Mapping[str, Any]) -> Path:
    """Where they are kept: beside the database, unless `journal` says where."""
    return Path(settings.get("journal") or Path(settings["database"]).with_suffix(".huanxin.db"))


def platform_of(settings: Mapping[str, Any], client: httpx.Client | None = None) -> Platform:
    """The platform as a partner calls it."""
    return Platform(
        settings["issuer"], client_id=str(settings["client_id"]), client_secret=str(settings["client_secret"]), client=client
    )


def verifier_of(settings: Mapping[str, Any]) -> Verifier:
    """Verifies the platform's tokens. Raises BadSettings for a file of keys that can't be read."""
    file, client = Path(settings["jwks_file"]) if settings.get("jwks_file") else None, httpx.Client(timeout=10)
    try:
        if file:
            fetch_keys(settings["issuer"], client, file)
    except KeysUnreachable as error:
        raise BadSettings(f"jwks_file {file}: {error}") from error
    audience = settings.get("audience") or settings["client_id"]
    return Verifier(issuer=settings["issuer"], audience=audience, client=client, jwks_file=file)


def end_on_sigterm() -> None:
    """Let SIGTERM end a loop like Ctrl-C does, and show what happens meanwhile."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
