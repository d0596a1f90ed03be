"""`huanxin-partner listen`: hand the events of a stream to a program under development."""

from __future__ import annotations

import argparse
import functools
from typing import Any

import httpx

from huanxin_partner.commands.poll import PATIENT
from huanxin_partner.commands.settings import ACCESS, add_config, end_on_sigterm, load, platform_of, web_address
from huanxin_partner.listening import Forwarder
from huanxin_partner.polling import PollLoop
from huanxin_partner.stream import PolledStream


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("listen", help="poll a stream and push each event to a program under development")
    add_config(command, ACCESS)
    command.add_argument(
        "--forward-to", type=web_address, required=True, metavar="URL", help="where your program takes events (RFC 8935)"
    )
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Forward until it is ended."""
    settings = load(given.config, ACCESS)
    end_on_sigterm()
    say = functools.partial(print, flush=True)
    with httpx.Client(timeout=PATIENT) as platform, httpx.Client(timeout=30) as program:
        stream = PolledStream(platform=platform_of(settings, platform))
        loop = PollLoop(stream=stream, take=Forwarder(url=given.forward_to, client=program, say=say))
        say(f"listening to the stream of {settings['client_id']}; events go to {given.forward_to}")
        loop.run()
    return 0
