"""The workers that `serve` and `worker` run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx

from huanxin.acts import Platform
from huanxin.answer.receiving import Rosters
from huanxin.notify.files import FileWriter
from huanxin.notify.pushing import Pusher
from huanxin.onboarding.opening import folder_rules
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.signing.keys import Signer
from huanxin.store import timeouts
from huanxin.store.access import unsent
from huanxin.store.acting import PLATFORM
from huanxin.store.notify.deliveries import EVENTS, OWNERS
from huanxin.store.report import waiting
from huanxin.words.sentences import Sentence
from huanxin.work.counting import Summarizer
from huanxin.work.inboxes import InboxReader
from huanxin.work.inventories import Stocktaker
from huanxin.work.loop import Workers
from huanxin.work.planning import Planner
from huanxin.work.refusals import note_refusal
from huanxin.work.reminding import Escalator, Reminder
from huanxin.work.room import UPLOADS, Room, Turns, sweep
from huanxin.work.spelling import Speller
from huanxin.work.telling import Teller, make_post

_IN_SANDBOX = 4  # rehearsals are few, and must not keep real notices waiting
_WRITERS, _READERS = 4, 2  # threads that reach folders, which may be far away and slow
_CONNECTIONS = 128  # to partners that are kept open: more than a few, since a country has hundreds
_FETCHED = "fetched"
_FETCHED_FOR = 86_400  # seconds; a partner's folder may be slow
_SWEEP_EVERY, _LET_GO_EVERY = 600, 60  # seconds
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


@dataclass(kw_only=True)
class Sweeper:
    """A worker's job: remove what a server or worker that was killed left behind, long after anybody could be working on it,
    and forms and reports that nobody came back for. A server looks at its start too, but what its own death left is too
    young then."""

    platform: Platform
    settings: Settings
    _next: float = 0.0

    def one_job(self) -> bool:
        """Look once in a while; nothing has to be done after it, so always False."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _SWEEP_EVERY
            sweep(self.settings.home / UPLOADS, older_than=self.settings.upload_minutes * 60 * 2)
            sweep(self.settings.home / _FETCHED, older_than=_FETCHED_FOR)
            with self.platform.act(PLATFORM) as act:
                unsent.forget(act.tx, act.now - unsent.KEPT)
                waiting.forget(act.tx, act.now)
        return False


@dataclass(kw_only=True)
class Impatience:
    """A worker's job: try now what a clock that ran ahead has put off for longer than anything may wait."""

    platform: Platform
    _next: float = 0.0

    def one_job(self) -> bool:
        """Look once in a while; whether there was something."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + _LET_GO_EVERY
        with self.platform.act(PLATFORM) as act:
            return timeouts.let_go(act.tx, act.now) > 0


def make_workers(platform: Platform, settings: Settings, signer: Signer) -> Workers:
    """Workers that do everything that happens by itself, ready to start: push events, write them into folders, read
    receipts from folders, remind, escalate, count, note what carriers may sell, plan what the console wants planned, spell
    names, tell owners that their orders are done, and remove what others left behind when they were killed."""
    outbound = Outbound(inner_allowed=platform.development, max_connections=_CONNECTIONS)
    pusher = Pusher(
        database=platform.database, signer=signer, clock=platform.clock, plan=platform.plan, outbound=outbound,
        passphrase=settings.passphrase(),
    )  # fmt: skip
    folders = folder_rules(settings, outbound)
    writer = FileWriter(database=platform.database, signer=signer, folders=folders, clock=platform.clock)
    turns = Turns(what=Sentence("uploads"), each=1, every=1)
    room = Room(folder=settings.home / _FETCHED, spare=settings.spare_disk_mb << 20, uploads=turns)
    reader = InboxReader(
        platform=platform, rosters=Rosters(platform.read), signer=signer, folders=folders,
        every=timedelta(seconds=settings.inbox_seconds), limit=settings.max_receipt_mb * 1024 * 1024,
        fetched=settings.home / _FETCHED, check_room=room.check, on_refusal=note_refusal,
    )  # fmt: skip
    url = None if platform.sandbox else settings.escalate_url  # a rehearsal bothers no one
    reminder = Reminder(platform=platform, days=settings.days_to_remind(), escalates=bool(url))
    concerns: dict[str, list[Callable[[], bool]]] = {EVENTS: [pusher.one_job, writer.one_job], OWNERS: []}
    jobs = [Impatience(platform=platform).one_job, pusher.one_job, reminder.one_job]
    apart: dict[Callable[[], bool], int] = {writer.one_job: _WRITERS, reader.one_job: _READERS}
    at_end = [pusher.close, outbound.close]
    if url:
        client = httpx.Client(
            timeout=_TIMEOUT, follow_redirects=False, limits=httpx.Limits(max_connections=settings.workers)
        )
        at_end.append(client.close)
        apart[Escalator(platform=platform, client=client, url=url).one_job] = 1
    count = min(settings.workers, _IN_SANDBOX) if platform.sandbox else settings.workers
    if not platform.sandbox:
        jobs += [
            Summarizer(platform=platform).one_job,
            Planner(platform=platform).one_job,
            Speller(platform=platform).one_job,
            Sweeper(platform=platform, settings=settings).one_job,
        ]
        teller = Teller(platform=platform, post=make_post(platform, settings))
        apart[teller.one_job] = 1
        apart[Stocktaker(platform=platform, folder=settings.inventory_folder).one_job] = 1
        concerns[OWNERS] = [teller.one_job]

    def close() -> None:
        for one in at_end:
            one()

    return Workers(
        database=platform.database, clock=platform.clock, jobs=jobs, count=count, apart=apart, at_end=close,
        concerns=concerns,
    )  # fmt: skip
