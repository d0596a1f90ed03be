"""The workers that `serve` and `worker` run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import httpx

from huanxin.answer.receiving import Rosters
from huanxin.notify.files import FileWriter
from huanxin.notify.keys import Signer
from huanxin.notify.pushing import Pusher
from huanxin.notify.reminders import Escalator, Reminder
from huanxin.notify.worker import Workers
from huanxin.operations import Platform, folder_rules
from huanxin.operations.inboxes import InboxReader
from huanxin.operations.planning import Planner
from huanxin.operations.summaries import Summarizer
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.store.deliveries import EVENTS, OWNERS
from huanxin.web.refusals import note_refusal
from huanxin.web.telling import Teller, make_gateway

_IN_SANDBOX = 2  # rehearsals are few, and must not keep real notices waiting
_ZONE = ZoneInfo("Asia/Shanghai")
_CONNECTIONS = 128  # to partners that are kept open: more than a few, since a country has hundreds
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


def make_workers(platform: Platform, settings: Settings, signer: Signer) -> Workers:
    """Workers that do everything that happens by itself, ready to start: push events, write them into folders, read
    receipts from folders, remind, escalate, count, plan what the console wants planned, and tell owners that their orders
    are done."""
    outbound = Outbound(inner_allowed=platform.development, max_connections=_CONNECTIONS)
    pusher = Pusher(
        database=platform.database, signer=signer, clock=platform.clock, zone=_ZONE, outbound=outbound,
        passphrase=settings.passphrase(),
    )  # fmt: skip
    folders = folder_rules(settings, outbound)
    writer = FileWriter(database=platform.database, signer=signer, folders=folders, clock=platform.clock)
    reader = InboxReader(
        platform=platform, rosters=Rosters(platform.database), signer=signer, folders=folders,
        every=timedelta(seconds=settings.inbox_seconds), limit=settings.max_receipt_mb * 1024 * 1024,
        on_refusal=note_refusal,
    )  # fmt: skip
    url = None if platform.sandbox else settings.escalate_url  # a rehearsal bothers no one
    reminder = Reminder(
        database=platform.database, clock=platform.clock, zone=_ZONE, days=settings.days_to_remind(), escalates=bool(url)
    )
    concerns: dict[str, list[Callable[[], bool]]] = {EVENTS: [pusher.one_job, writer.one_job], OWNERS: []}
    jobs = [pusher.one_job, writer.one_job, reader.one_job, reminder.one_job]
    at_end = [pusher.close, outbound.close]
    if url:
        client = httpx.Client(
            timeout=_TIMEOUT, follow_redirects=False, limits=httpx.Limits(max_connections=settings.workers)
        )
        at_end.append(client.close)
        jobs.append(Escalator(database=platform.database, client=client, url=url, clock=platform.clock).one_job)
    count = min(settings.workers, _IN_SANDBOX) if platform.sandbox else settings.workers
    if not platform.sandbox:
        jobs += [Summarizer(platform=platform).one_job, Planner(platform=platform).one_job]
        gateway = make_gateway(platform, settings)
        teller = Teller(database=platform.database, gateway=gateway, clock=platform.clock, issuer=platform.issuer)
        jobs.append(teller.one_job)
        concerns[OWNERS] = [teller.one_job]

    def close() -> None:
        for one in at_end:
            one()

    return Workers(database=platform.database, clock=platform.clock, jobs=jobs, count=count, at_end=close, concerns=concerns)
