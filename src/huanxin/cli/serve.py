"""`huanxin serve`."""

from __future__ import annotations

import errno
import logging
import signal
import socket
import sys
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn

from huanxin.acts import open_platform
from huanxin.cli.console import EXIT_SETTING, LOG, doubt, err, explained, platform
from huanxin.domain.errors import Conflict
from huanxin.settings import note_served
from huanxin.terminal import led
from huanxin.web.app import create_app
from huanxin.web.connections import bounded

_BACKLOG = 2048  # connections that wait while we start
_SHOWN = 60  # characters of a name that is none


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)] = 8600,
    workers: Annotated[bool, typer.Option(help="Deliver events from this process too.")] = True,
) -> None:
    """Run the API, the pages and workers in one go."""
    logging.basicConfig(level=logging.WARNING, format=LOG)
    # uvicorn shuts down and then raises the signal again: that must let go of the embedded database, not end us on the spot.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    with explained():
        sockets = _listening(host, port)
        warning = note_served(host, port)
    with platform() as (opened, settings), open_platform(settings, sandbox=True) as sandbox:
        app = create_app(opened, settings, sandbox=sandbox, run_workers=workers)
        err.print(f"Huanxin serves {opened.issuer} on http://{host}:{port} (Ctrl-C ends it)")
        for one in filter(None, (warning, doubt(opened))):
            err.print(led("!", "yellow", f" {one}"))
        config = uvicorn.Config(
            app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5, http=bounded(), ws="none",
            forwarded_allow_ips=settings.trusted_proxies,
        )  # fmt: skip
        server = uvicorn.Server(config)
        with suppress(KeyboardInterrupt):
            server.run(sockets=sockets)
    if not server.started:
        raise typer.Exit(EXIT_SETTING)


def _listening(host: str, port: int) -> list[socket.socket]:
    """The sockets of an address, taken before anything is started that would have to end again. Raises Conflict if another
    program has it, or this machine doesn't."""
    made = []
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in dict.fromkeys(found):
            made.append(one := socket.socket(family, kind, protocol))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind(address)
            one.listen(_BACKLOG)  # two that start at once could both bind
    except OSError as error:
        for one in made:
            one.close()
        if error.errno == errno.EADDRINUSE:
            raise Conflict(
                f"port {port} is in use, perhaps by a Huanxin that runs already; say another with --port"
            ) from error
        raise Conflict(f"{host or 'an empty --host'} port {port} can't be listened on: {error.strerror}") from error
    except UnicodeError as error:  # what the look-up says of a name that can't be one
        raise Conflict(
            f"{host[:_SHOWN]} is no name or address of this machine; say one with --host, such as 127.0.0.1"
        ) from error
    return made
