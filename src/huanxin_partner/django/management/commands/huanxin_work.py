"""`manage.py huanxin_work`: cut ties and file receipts for the events that the site took."""

from __future__ import annotations

import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from huanxin_partner.django.running import partner


class Command(BaseCommand):
    """Runs until it is stopped. One is enough, and what it leaves undone goes on at its next start."""

    help = "Handle renewal events: cut the former owners' ties and file the receipts. Run one beside the site."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="handle what is due now and end, for a timer")

    def handle(self, *_: Any, once: bool, **__: Any) -> None:
        log = logging.getLogger("huanxin_partner")
        log.addHandler(logging.StreamHandler(self.stdout))
        log.setLevel(logging.INFO)
        desk = partner()
        if once:
            while desk.worker.one_event():
                pass
        else:
            stopped = threading.Event()
            for which in (signal.SIGINT, signal.SIGTERM):
                signal.signal(which, lambda *_: stopped.set())
            desk.worker.start()
            stopped.wait()
            desk.worker.stop()
        self.stdout.write(f"{desk.journal.waiting()} events wait")
