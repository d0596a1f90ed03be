"""The settings of a partner, from a TOML file and the environment, and what is built from them."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfoNotFoundError

import httpx

from huanxin_partner import stores
from huanxin_partner.client import Platform
from huanxin_partner.journal import Journal
from huanxin_partner.ties import TieStore
from huanxin_partner.tokens import Verifier

Settings = dict[str, Any]

ACCESS = ("issuer", "client_id", "client_secret")
STORE = ("database", "table", "number_column", "bound_at_column")
FILES = ("files_out", "files_in")
_MORE = (
    "audience",
    "zone",
    "jwks_file",
    "journal",
    "admin_token",
)  # the client id, UTC, the issuer's /jwks.json, beside the database
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
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(text)
    except (ValueError, httpx.InvalidURL):
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"{text!r} is no address; write one like http://127.0.0.1:8700/events/")
    return text


def load(file: Path | None, needed: Sequence[str]) -> Settings:
    """The settings of a file, those of the environment before them. Raises BadSettings if one is missing."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8")) if file else {}
    except (OSError, ValueError) as error:
        raise BadSettings(f"the settings can't be read from {file}: {error}") from error
    names = (*ACCESS, *STORE, *FILES, *_MORE)
    found |= {name: value for name in names if (value := os.environ.get(_PREFIX + name.upper()))}
    missing = [name for name in stores.needed(needed, found) if not found.get(name)]
    if missing:
        raise BadSettings(f"{', '.join(missing)} is missing: write it in --config or set {_PREFIX}{missing[0].upper()}")
    return found | ({"issuer": str(found["issuer"]).rstrip("/")} if found.get("issuer") else {})


def store_of(settings: Mapping[str, Any]) -> TieStore:
    """The ties. Raises BadSettings."""
    try:
        return stores.store_from(settings)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise BadSettings(str(error)) from error


def journal_of(settings: Mapping[str, Any]) -> Journal:
    """The events that were taken."""
    return Journal(journal_path(settings))


def journal_path(settings: Mapping[str, Any]) -> Path:
    """Where they are kept: beside the database, unless `journal` says where."""
    return Path(settings.get("journal") or Path(settings["database"]).with_suffix(".huanxin.db"))


def platform_of(settings: Mapping[str, Any], client: httpx.Client | None = None) -> Platform:
    """The platform as a partner calls it."""
    return Platform(
        settings["issuer"], client_id=str(settings["client_id"]), client_secret=str(settings["client_secret"]), client=client
    )


def verifier_of(settings: Mapping[str, Any]) -> Verifier:
    """Verifies the platform's tokens."""
    file = settings.get("jwks_file")
    return Verifier(
        issuer=settings["issuer"], audience=str(settings.get("audience") or settings["client_id"]),
        client=httpx.Client(timeout=10), jwks_file=Path(file) if file else None,
    )  # fmt: skip


def end_on_sigterm() -> None:
    """Let SIGTERM end a loop like Ctrl-C does, and show what happens meanwhile."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
