"""`huanxin worker`."""

from __future__ import annotations

import logging
import signal

from huanxin.acts import open_platform
from huanxin.cli.console import LOG, err, platform
from huanxin.onboarding.opening import open_signer
from huanxin.work.workers import make_workers


def worker() -> None:
    """Run more workers on the same database, on any machine."""
    logging.basicConfig(level=logging.INFO, format=LOG)
    with platform() as (opened, settings), open_platform(settings, sandbox=True) as sandbox:
        running = [make_workers(one, settings, open_signer(one, settings)) for one in (opened, sandbox)]
        for one in running:
            one.start()

        def stop(*_: object) -> None:
            for one in running:
                one.stop()

        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, stop)
        err.print(f"Workers that deliver events: {settings.workers} (Ctrl-C ends them)")
        for one in running:
            one.wait()
