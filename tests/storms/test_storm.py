"""A storm of faults over a platform at work: what it acknowledged is there afterwards, nothing unclear was released, nothing
wrongly cut, and it goes on. `make soak` runs long ones."""

from __future__ import annotations

import itertools
import os
import random
import time
from pathlib import Path

from storms import checks
from storms.faults import Proxy, Storm
from storms.hand import Hand
from storms.rounds import Carrier, Round, Stuck, told
from storms.site import open_site

FAULTS = int(os.environ.get("FAULTS", "40"))
SEED = int(os.environ.get("SEED", "20261130"))
PAUSE = 0.9  # seconds between faults, about


def test_nothing_acknowledged_is_lost_and_nothing_unclear_done_while_everything_dies(quick: Path) -> None:
    site = open_site(quick)
    try:
        proxy = Proxy(site.port)
        hand = Hand(url=proxy.url, client_id=site.hand["client_id"], secret=site.hand["client_secret"])
        carrier = Carrier(site=site, hand=hand)
        storm = Storm(site=site, proxy=proxy, chance=random.Random(SEED))
        stuck, last = raged(carrier, storm)
        found = {
            "stuck": stuck,
            "lost": checks.lost(site, carrier.record, hand.receipts),
            "released": checks.wrongly_released(site, carrier.record),
            "done twice": checks.doubled(site),
            "cut or left": [] if stuck else checks.in_the_end(lambda: checks.wrongly_cut(site, carrier.record)),
            "decided by a clock in doubt": storm.decided,
            "not released in the calm": not stuck and 21 - last.released,  # of 40: held, refused, reclaimed, freezing stay
            "never fired": not stuck and set(storm.classes) - set(storm.hits),
        }
        wrong = {what: which for what, which in found.items() if which}
        assert not wrong, wrong
    finally:
        site.close()


def raged(carrier: Carrier, storm: Storm) -> tuple[str, Round]:
    """Rounds while the storm rages, and one in the calm: what did not succeed in the end, and the last round."""
    rounds, began, stuck = itertools.count(), time.monotonic(), ""
    with storm.proxy, carrier.hand.busy(), storm.raging(FAULTS, PAUSE) as rages:
        last = Round(number=-1)
        try:
            while rages():
                last = carrier.play(next(rounds))
            over = time.monotonic()
            last = carrier.play(next(rounds))
        except Stuck as error:
            stuck, over = str(error), time.monotonic()
    took = f"{over - began:.0f} s, and {time.monotonic() - over:.0f} s in the calm"
    print(f"\nstorm {SEED}: {dict(storm.hits)}, {told(carrier.record)}, {len(carrier.hand.receipts)} receipts, {took}")
    return stuck, last
