"""What waits to be done is done once, by one worker, and what fails is tried again later and later, not for ever."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.retries import Retries
from huanxin.store import jobs
from huanxin.store.acting import Act
from huanxin.store.jobs import Job
from huanxin.work.jobs import Failed, Jobs, Later

HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Made(Jobs):
    KIND = "made up"

    answers: list[Exception | datetime | None] = field(default_factory=list)
    done: list[str] = field(default_factory=list)

    def do(self, act: Act, job: Job) -> datetime | None:
        self.done.append(job.key)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def made(platform: Platform, *answers: Exception | datetime | None) -> Made:
    retries = Retries(first=HOUR, longest=24 * HOUR, days=2)
    return Made(platform=platform, answers=list(answers), retries=retries, chance=lambda: 0.0)


def put(platform: Platform, *keys: str) -> None:
    with platform.act("li") as act:
        for key in keys:
            jobs.put(act.tx, Made.KIND, key, at=act.now)


def test_what_can_not_be_done_yet_is_not_counted_as_a_failure_and_what_is_done_goes(
    platform: Platform, clock: Clock
) -> None:
    put(platform, "order 1")
    work = made(platform, Later(clock.now + HOUR), None)
    assert work.one_job()
    assert not work.one_job(), "it waits"
    clock.forward(hours=1)
    with platform.act("li") as act:
        job = jobs.claim(act.tx, Made.KIND, act.now)
        assert job is not None
        assert job.tries == 0
    assert work.one_job()
    clock.forward(days=400)
    assert not work.one_job(), "it was done for good"


def test_what_fails_waits_longer_each_time_and_is_given_up_after_its_days(platform: Platform, clock: Clock) -> None:
    put(platform, "order 1")
    work = made(platform, Failed(), Failed(), Failed(), Failed())
    assert work.one_job()
    clock.forward(minutes=59)
    assert not work.one_job()
    clock.forward(minutes=1)
    assert work.one_job()
    clock.forward(hours=1)
    assert not work.one_job(), "twice in vain: it waits twice as long"
    clock.forward(days=1)
    assert work.one_job(), "the second day"
    clock.forward(days=1)
    assert work.one_job(), "the third, after which it is given up"
    clock.forward(days=400)
    assert not work.one_job()


def test_what_failed_is_done_apart_so_that_it_keeps_nothing_waiting(platform: Platform, clock: Clock) -> None:
    put(platform, "slow", "quick")
    work = made(platform, Failed(), clock.now + HOUR, None, None)
    assert work.claimed(failing=False)
    assert work.claimed(failing=False)
    clock.forward(hours=1)
    assert work.claimed(failing=False)
    assert not work.claimed(failing=False), "only what did not fail"
    assert work.claimed(failing=True)
    assert sorted(work.done[:2]) == ["quick", "slow"]
    assert work.done[2:] == [work.done[1], work.done[0]]


def test_a_worker_that_dies_in_the_middle_leaves_the_job_to_the_next(platform: Platform) -> None:
    put(platform, "order 1")
    with platform.act("dying") as act:
        assert jobs.claim(act.tx, Made.KIND, act.now)
        assert not made(platform, None).one_job(), "it is in somebody's hands"
        act.tx.rollback()
    assert made(platform, None).one_job()
