"""The partner as the project's settings make it: one verifier, journal and worker in a process.

HUANXIN_PARTNER = {
    "issuer": "https://platform.example", "client_id": ..., "client_secret": ...,
    "journal": BASE_DIR / "huanxin.db",      # a file that all processes of the site see
    "ties": "shop.renewal.ties",             # a function that gives the TieStore
}
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from django.utils.module_loading import import_string

from huanxin_partner.client import Platform
from huanxin_partner.handler import Handler
from huanxin_partner.journal import BadJournal, Journal
from huanxin_partner.receiver import Worker
from huanxin_partner.ties import TieStore
from huanxin_partner.tokens import Event, Verifier

_NEEDED = ("issuer", "client_id", "client_secret", "journal", "ties")
_KNOWN = (*_NEEDED, "audience")


@dataclass(frozen=True, kw_only=True)
class Partner:
    """What the view and the worker need."""

    verifier: Verifier
    journal: Journal
    worker: Worker


def partner() -> Partner:
    """The partner of this process. Raises ImproperlyConfigured, which names what is missing."""
    return _made(os.getpid())  # a forked server process must not use its parent's connections


def start_worker() -> None:
    """Handle events in this process; for asgi.py or wsgi.py of a site that runs as one. Others run `huanxin_work`."""
    worker = partner().worker
    worker.start()
    atexit.register(worker.stop)


class _Handler(Handler):
    """The worker's thread is no request, at whose end Django gives up a connection that broke."""

    def handle(self, event: Event) -> str:
        with _fresh_connections():
            return super().handle(event)

    def handle_many(self, events: Sequence[Event]) -> dict[str, str]:
        with _fresh_connections():
            return super().handle_many(events)


@contextmanager
def _fresh_connections() -> Iterator[None]:
    close_old_connections()
    try:
        yield
    finally:
        close_old_connections()


def ties() -> TieStore:
    """What the settings name as `ties`. Raises ImproperlyConfigured."""
    return _ties(_given())


def _given() -> Mapping[str, Any]:
    """The settings, checked. Raises ImproperlyConfigured with what is missing, unknown, or no text."""
    given = getattr(settings, "HUANXIN_PARTNER", {})
    if unknown := [name for name in given if name not in _KNOWN]:
        raise ImproperlyConfigured(f"HUANXIN_PARTNER knows no {unknown[0]!r}; there are {', '.join(_KNOWN)}")
    if missing := [name for name in _NEEDED if not given.get(name)]:
        raise ImproperlyConfigured(f"HUANXIN_PARTNER in the settings lacks {', '.join(missing)}")
    kinds = {name: (str, os.PathLike) if name == "journal" else (str,) for name in given}
    if wrong := [name for name, kind in kinds.items() if not isinstance(given[name] or "", kind)]:
        raise ImproperlyConfigured(f"HUANXIN_PARTNER: {wrong[0]} has to be text")
    if not str(given["issuer"]).startswith(("http://", "https://")):
        raise ImproperlyConfigured("HUANXIN_PARTNER: issuer is what the platform calls itself, https://huanxin.example")
    return dict(given)


def _ties(given: Mapping[str, Any]) -> TieStore:
    try:
        make = import_string(given["ties"])
    except ImportError as error:
        raise ImproperlyConfigured(f"HUANXIN_PARTNER: ties can't be imported: {error}") from error
    found: TieStore = make()
    return found


@cache
def _made(_process: int) -> Partner:
    given = _given()
    issuer, client_id = given["issuer"].rstrip("/"), given["client_id"]
    try:
        journal = Journal(Path(given["journal"]))
    except BadJournal as error:
        raise ImproperlyConfigured(f"HUANXIN_PARTNER: journal: {error}") from error
    platform = Platform(issuer, client_id=client_id, client_secret=given["client_secret"])
    handler = _Handler(_ties(given), platform, journal)
    audience = given.get("audience") or client_id
    verifier = Verifier(issuer=issuer, audience=audience, client=httpx.Client(timeout=10))
    return Partner(verifier=verifier, journal=journal, worker=Worker(journal, handler))
