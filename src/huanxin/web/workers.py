"""The workers that `serve` and `worker` run."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from huanxin.notify.pushing import Pusher
from huanxin.notify.worker import Workers
from huanxin.operations import Platform, open_signer
from huanxin.outbound import Outbound
from huanxin.settings import Settings

_IN_SANDBOX = 2  # rehearsals are few, and must not keep real notices waiting


def make_workers(platform: Platform, settings: Settings) -> Workers:
    """Workers that push what is due, ready to start."""
    outbound = Outbound(inner_allowed=platform.development, max_connections=settings.workers)
    pusher = Pusher(
        database=platform.database,
        signer=open_signer(platform, settings),
        outbound=outbound,
        clock=platform.clock,
        zone=ZoneInfo("Asia/Shanghai"),
        passphrase=settings.passphrase(),
    )
    count = min(settings.workers, _IN_SANDBOX) if platform.sandbox else settings.workers
    return Workers(database=platform.database, clock=platform.clock, job=pusher.one_job, count=count, at_end=outbound.close)
