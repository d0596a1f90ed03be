"""`huanxin-partner poll`: fetch events where none can be pushed."""

from __future__ import annotations

import argparse
from typing import Any

import httpx

from huanxin_partner.commands.settings import (
    ACCESS,
    STORE,
    add_config,
    end_on_sigterm,
    journal_of,
    load,
    platform_of,
    store_of,
    verifier_of,
)
from huanxin_partner.handler import Handler
from huanxin_partner.polling import Inbox, PollLoop
from huanxin_partner.receiver import Worker
from huanxin_partner.stream import PolledStream

_NEEDED = (*ACCESS, *STORE)
PATIENT = httpx.Timeout(10, read=120)
"""Waits long enough for a poll that the platform answers only when there is an event."""


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("poll", help="fetch events by long polling (RFC 8936): no open port is needed")
    add_config(command, _NEEDED)
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Poll until it is ended."""
    settings = load(given.config, _NEEDED)
    end_on_sigterm()
    store, journal = store_of(settings), journal_of(settings)
    handler = Handler(store, platform_of(settings), journal)
    worker = Worker(journal, handler)
    inbox = Inbox(verifier=verifier_of(settings), journal=journal, wake=worker.wake)
    with httpx.Client(timeout=PATIENT) as client:
        loop = PollLoop(stream=PolledStream(platform=platform_of(settings, client)), take=inbox)
        worker.start()
        try:
            loop.run()
        finally:
            worker.stop()
    return 0
