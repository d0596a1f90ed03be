"""`huanxin-partner file`: exchange notices and receipts as files."""

from __future__ import annotations

import argparse
import functools
import logging
import threading
from pathlib import Path
from typing import Any

from huanxin_partner.commands.settings import (
    FILES,
    STORE,
    BadSettings,
    Settings,
    add_config,
    end_on_sigterm,
    journal_of,
    journal_path,
    load,
    seconds,
    store_of,
    verifier_of,
)
from huanxin_partner.filechannel import Exchange, FileHandler, Mail
from huanxin_partner.folders import FilesUnavailable, Folder
from huanxin_partner.journal import Journal
from huanxin_partner.outbox import Outbox
from huanxin_partner.receiver import Worker

log = logging.getLogger("huanxin_partner")
_NEEDED = ("issuer", "client_id", *STORE, *FILES)


def add(commands: Any) -> None:
    """Add the command."""
    command = commands.add_parser("file", help="read notices from one folder and write receipts to another")
    add_config(command, (*_NEEDED, "jwks_file (without HTTP)"))
    command.add_argument("--every", type=seconds, default=10, metavar="SECONDS", help="between two looks (10)")
    command.add_argument("--once", action="store_true", help="do what there is to do, and end (for cron)")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Look until it is ended; with --once, 1 if a file or a receipt was refused or something is left to do."""
    settings = load(given.config, _NEEDED)
    store, journal, verifier = store_of(settings), journal_of(settings), verifier_of(settings)
    exchange, say = _exchange(settings), functools.partial(print, flush=True)
    mail = Mail(exchange=exchange, verifier=verifier, journal=journal, say=say)
    handler = FileHandler(store, exchange, journal, say=say)
    worker = Worker(journal, handler)
    if given.once:
        bad = _look(mail)
        while worker.one_event():
            pass
        bad += _send(exchange, journal)
        return 1 if bad or handler.refused or journal.waiting() else 0
    end_on_sigterm()
    worker.start()
    try:
        while True:
            _look(mail)
            _send(exchange, journal)
            worker.wake()
            threading.Event().wait(given.every)
    finally:
        worker.stop()


def _exchange(settings: Settings) -> Exchange:
    for name in FILES:
        if Path(settings[name]).is_file():
            raise BadSettings(f"{name} names a file, {settings[name]}; it has to be a folder")
    try:
        out, inbox = Folder(str(settings["files_out"])), Folder(str(settings["files_in"]))
        return Exchange(out=out, inbox=inbox, outbox=Outbox(journal_path(settings)))
    except FilesUnavailable as error:
        raise BadSettings(str(error)) from error


def _send(exchange: Exchange, journal: Journal) -> int:
    """Write the receipts whose turn has come, unless another process is at it; what stood in the way is in the log, and is
    tried again at the next look."""
    try:
        with journal.alone(wait=False) as mine:
            if mine:
                exchange.send()
    except Exception as error:  # as below
        log.warning("receipts can't be written now: %s: %s", type(error).__name__, error)
        return 1
    return 0


def _look(mail: Mail) -> int:
    """Fetch what is new; what stood in the way is in the log, and is tried again at the next look."""
    try:
        return mail.fetch()
    except Exception as error:  # each kind of store has errors of its own
        log.warning("the folders can't be read now: %s: %s", type(error).__name__, error)
        return 1
