"""The workers that `serve` and `worker` run."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import httpx

from huanxin.notify.pushing import Pusher
from huanxin.notify.worker import Workers
from huanxin.operations import Platform, open_signer
from huanxin.settings import Settings
from huanxin.web.telling import Teller, make_gateway

_IN_SANDBOX = 2  # rehearsals are few, and must not keep real notices waiting
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)


def make_workers(platform: Platform, settings: Settings) -> Workers:
    """Workers that push what is due and tell owners that their orders are done, ready to start."""
    client = httpx.Client(
        timeout=_TIMEOUT, follow_redirects=False, limits=httpx.Limits(max_connections=settings.workers)
    )  # fmt: skip
    pusher = Pusher(
        database=platform.database, signer=open_signer(platform, settings), client=client, clock=platform.clock,
        zone=ZoneInfo("Asia/Shanghai"), passphrase=settings.passphrase(),
    )  # fmt: skip
    job, count = pusher.one_job, min(settings.workers, _IN_SANDBOX)
    if not platform.sandbox:
        teller = Teller(
            database=platform.database, gateway=make_gateway(platform, settings), clock=platform.clock,
            issuer=platform.issuer,
        )  # fmt: skip
        job, count = lambda: pusher.one_job() or teller.one_job(), settings.workers
    return Workers(database=platform.database, clock=platform.clock, job=job, count=count, at_end=client.close)
