"""Partners that take the connection and never answer hold up nobody who does; real servers, in a process of their own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from huanxin.acts import Platform
from huanxin.domain.clock import system_clock
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.notify.partners import add_partner
from huanxin.notify.streams import send_verification
from huanxin.onboarding.opening import open_signer
from huanxin.settings import Mode, Settings
from huanxin.store.notify import attempts
from huanxin.work.workers import make_workers
from waiting import until

HANGING = 19


@dataclass
class Scene:
    """A platform at work, partners that hang, and one that answers at once."""

    platform: Platform
    hanging: list[Partner]
    good: Partner

    def told(self, *partners: Partner) -> None:
        with self.platform.act("li") as act:
            for one in partners:
                send_verification(act, one)

    def taken(self) -> int:
        with self.platform.database.transaction() as tx:
            return sum(one.delivered_at is not None for one in attempts.latest(tx, self.good.id))

    def delay(self) -> float:
        """Seconds until the good one has taken an event that is made now."""
        before, started = self.taken(), time.monotonic()
        self.told(self.good)
        until(lambda: self.taken() > before, 60)
        return time.monotonic() - started


@contextmanager
def listening(how_many: int) -> Iterator[list[int]]:
    with subprocess.Popen([sys.executable, str(Path(__file__).parents[1] / "hanging.py"), str(how_many)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # fmt: skip
        assert process.stdout
        yield [int(port) for port in process.stdout.readline().split()]
        process.kill()


@pytest.fixture
def scene(platform: Platform, tmp_path: Path) -> Iterator[Scene]:
    platform = replace(platform, clock=system_clock)
    settings = Settings(home=tmp_path, mode=Mode.DEVELOPMENT)
    with listening(HANGING) as ports:
        with platform.act("li") as act:
            made = [
                add_partner(
                    act,
                    NewPartner(name=f"partner {place}", kind=Kind.APP, endpoint=f"http://127.0.0.1:{port}/events"),
                    https_only=False,
                ).partner
                for place, port in enumerate(ports)
            ]
        scene = Scene(platform, made[:-1], made[-1])
        scene.told(*scene.hanging)
        workers = make_workers(platform, settings, open_signer(platform, settings))
        workers.start()
        yield scene
    workers.stop()  # at once, now that nobody hangs any more


def test_nineteen_partners_that_hang_delay_a_good_one_by_moments(scene: Scene) -> None:
    """They had each worker wait for fifteen seconds, and the good one for half a minute."""
    delays = [scene.delay() for _ in range(5)]
    print("delays:", *(f"{delay:.2f}" for delay in delays))
    assert max(delays) < 8, "two seconds on a machine that does nothing else"
