"""A storm of faults over a platform at work: what it acknowledged is there afterwards, nothing unclear was released, nothing
wrongly cut, and it goes on. `make storm` runs one."""

from __future__ import annotations

import os
import random
import threading

import pytest

import waiting
from storms import checks
from storms.faults import Proxy, Storm
from storms.rounds import Carrier, told
from storms.site import open_site

FAULTS = int(os.environ.get("FAULTS", "0"))
SEED = int(os.environ.get("SEED", "20261130"))
PAUSE = 1.2  # seconds between faults, about


@pytest.mark.skipif(not FAULTS, reason="a storm takes minutes: make storm FAULTS=40")
def test_nothing_acknowledged_is_lost_and_nothing_unclear_done_while_everything_dies(
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = open_site()
    try:
        proxy = Proxy(site.port)
        proxy.start()
        carrier = Carrier(site=site, proxied=proxy.url)
        storm = Storm(site=site, proxy=proxy, chance=random.Random(SEED))
        raging = threading.Thread(target=storm.rage, args=(FAULTS, PAUSE), daemon=True)
        raging.start()
        number = 0
        while raging.is_alive() or number < 2:
            carrier.play(number)
            number += 1
        proxy.stop()
        carrier.proxied = ""
        last = carrier.play(number)  # progress: a whole round in the calm
        waiting.until(lambda: not checks.wrongly_cut(site, carrier.record), 120)
        with capsys.disabled():
            print(f"\nstorm {SEED}: {dict(storm.hits)}, {told(carrier.record)}")
        assert checks.lost(site, carrier.record) == []
        assert checks.wrongly_released(site, carrier.record) == []
        assert checks.wrongly_cut(site, carrier.record) == []
        assert last.released == 21, "40 numbers but for those held, refused, reclaimed or freezing"
        assert set(storm.hits) == set(storm.classes), "a class that never fired has tested nothing"
    finally:
        site.close()
