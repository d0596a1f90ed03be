"""Reminders before the day by which to answer, escalation after it: at the right hour, once, to whom it concerns."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from clocks import Clock
from exchanging import NUMBERS, Shop, cancelled, decides, notice_of, planned, reader_of, register, writer_of
from huanxin.acts import Platform
from huanxin.domain.errors import Conflict
from huanxin.domain.numbers import parse
from huanxin.domain.partners import REMINDER, Partner
from huanxin.figures import batch_figures, history
from huanxin.figures.watch import batch as watch_batch
from huanxin.numbersets.sharded import NumberSet
from huanxin.store import facts
from huanxin.store.connect import partners
from huanxin.store.notify import attempts, notices
from huanxin.store.notify.progress import progress
from huanxin.store.plan import batches
from huanxin.web.pages.partner import data as partner_data
from huanxin.work.reminding import Escalator, Reminder
from ordering import reminded, retracted, send_now

SHANGHAI = ZoneInfo("Asia/Shanghai")


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@dataclass
class World:
    """A batch sent on Tuesday, November 24, to be answered until the end of Tuesday, December 1."""

    platform: Platform
    clock: Clock
    shop: Shop
    silent: Partner
    batch: int

    def job(self) -> Reminder:
        return Reminder(platform=self.platform, days=(2, 1), escalates=True)

    def at(self, text: str) -> bool:
        self.clock.now = shanghai(text)
        return decides(self.job())

    def recorded(self, partner: Partner) -> list[tuple[str, str]]:
        with self.platform.database.transaction() as tx:
            found = partners.events_of_notice(tx, notice_of(self.platform, partner, self.batch))
        return [(one.kind, one.detail["step"]) for one in found]

    def events(self, partner: Partner) -> list[dict[str, Any]]:
        with self.platform.database.transaction() as tx:
            found = attempts.latest(tx, partner.id)[::-1]
        return [one.claims["events"][REMINDER] for one in found if one.event == REMINDER]

    def answer(self, lines: list[str], part: int = 1, complete: bool = True) -> None:
        self.shop.answer(lines, notice=notice_of(self.platform, self.shop.partner, self.batch), part=part, complete=complete)
        assert reader_of(self.platform).one_job()


@pytest.fixture
def world(platform: Platform, clock: Clock, report: Callable[..., Path], tmp_path: Path) -> World:
    shop, silent = Shop.opened(platform, "shop", tmp_path), register(platform, "silent", required=False)
    cancelled(platform, report)
    batch = planned(platform)
    send_now(platform, batch)
    return World(platform, clock, shop, silent, batch)


def test_each_reminder_goes_out_once_at_its_hour_and_the_silence_is_escalated_once(world: World) -> None:
    moments = ("2026-11-27T08:59", "2026-11-27T09:00", "2026-11-27T09:01", "2026-11-30T09:00", "2026-12-01T23:59",
               "2026-12-02T00:00", "2026-12-02T00:01", "2026-12-20T00:00")  # fmt: skip
    assert [world.at(moment) for moment in moments] == [False, True, False, True, False, True, False, False]
    for partner in (world.shop.partner, world.silent):
        assert world.recorded(partner) == [("reminded", "2"), ("reminded", "1"), ("escalated", "overdue")]
        assert [one["overdue"] for one in world.events(partner)] == [False, False, True]
    notice = notice_of(world.platform, world.silent, world.batch)
    assert world.events(world.silent)[0] == {
        "notice": notice, "answer_by": "2026-12-01T16:00:00.000000Z", "outstanding": 4, "pending": 0, "overdue": False,
    }  # fmt: skip


def test_after_an_outage_there_is_no_burst_of_reminders(world: World) -> None:
    assert world.at("2026-12-05T12:00")
    assert world.recorded(world.silent) == [("escalated", "overdue")]
    assert len(world.events(world.silent)) == 1


def test_only_who_still_has_to_answer_is_reminded_and_with_what_is_open(world: World) -> None:
    world.answer([f"{NUMBERS[0]},pending,,"])
    world.at("2026-11-27T09:00")
    assert [(one["outstanding"], one["pending"]) for one in world.events(world.shop.partner)] == [(0, 1)]
    world.clock.forward(minutes=1)
    world.answer([f"{NUMBERS[0]},unbound,,"], part=2)
    world.at("2026-11-30T09:00")
    world.at("2026-12-02T00:00")
    assert world.recorded(world.shop.partner) == [("reminded", "2")]
    assert len(world.recorded(world.silent)) == 3


def test_numbers_that_were_taken_back_are_not_waited_for(world: World) -> None:
    retracted(world.platform, world.batch, NumberSet.of([parse(NUMBERS[0])]), reason="wrongly cancelled", by="wang")
    world.at("2026-11-27T09:00")
    renewal = [
        one for one in world.events(world.silent) if one["notice"] == notice_of(world.platform, world.silent, world.batch)
    ]
    assert [one["outstanding"] for one in renewal] == [3]


def test_two_workers_at_once_remind_once(world: World) -> None:
    world.clock.now = shanghai("2026-11-27T09:00")
    threads = [threading.Thread(target=world.job().one_job) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.recorded(world.silent) == [("reminded", "2")]
    assert len(world.events(world.silent)) == 1


def test_a_reminder_reaches_a_folder_after_its_notice(world: World) -> None:
    world.at("2026-11-27T09:00")
    world.at("2026-11-30T09:00")
    writer = writer_of(world.platform)
    while writer.one_job():
        pass
    notice = notice_of(world.platform, world.shop.partner, world.batch)
    assert sorted(path.name for path in world.shop.out.iterdir()) == [
        f"{notice}.notice.json", f"{notice}.numbers.csv", f"{notice}.reminder-1.json", f"{notice}.reminder-2.json",
    ]  # fmt: skip
    second = json.loads((world.shop.out / f"{notice}.reminder-2.json").read_text())
    assert (second["notice"], second["outstanding"], second["overdue"]) == (notice, 4, False)
    assert second["set"].count(".") == 2


def test_reminding_by_hand_is_recorded_with_who_did_it_and_says_when_nobody_is_left(world: World) -> None:
    told = reminded(world.platform, world.batch, partner_id=world.shop.partner.id, by="lin")
    assert [(one.notice.partner, one.outstanding) for one in told] == [("shop", 4)]
    with world.platform.database.transaction() as tx:
        noted = partners.events_of(tx, world.shop.partner.id, kind="reminded")
    assert [(one.recorded_by, one.detail["step"]) for one in noted] == [("lin", "by hand")]
    world.answer([])
    with pytest.raises(Conflict, match="nobody to remind"):
        reminded(world.platform, world.batch, partner_id=world.shop.partner.id, by="lin")


def test_who_said_pending_is_reminded_after_its_time_until_it_says_more(world: World) -> None:
    """A "pending" of the last day, and one that came after it, were never asked about again."""
    world.clock.now = shanghai("2026-12-01T18:00")
    world.answer([f"{NUMBERS[0]},pending,,"])
    moments = ("2026-12-02T00:00", "2026-12-08T08:59", "2026-12-08T09:00", "2026-12-09T12:00", "2026-12-15T09:00")
    assert [world.at(moment) for moment in moments] == [True, False, True, False, True]
    steps = [("escalated", "overdue"), ("reminded", "late-5"), ("reminded", "late-10")]
    assert world.recorded(world.shop.partner) == steps
    assert world.recorded(world.silent) == steps[:1], "who says nothing is somebody's matter by now"
    assert [(one["overdue"], one["pending"]) for one in world.events(world.shop.partner)][1:] == [(True, 1), (True, 1)]
    world.clock.now = shanghai("2026-12-16T10:00")
    world.answer([f"{NUMBERS[0]},unbound,,"], part=2)
    assert world.at("2026-12-22T09:00")
    assert [world.at(f"2026-12-{day}T09:00") for day in (23, 29, 31)] == [False, False, False]
    assert world.recorded(world.shop.partner) == steps


def test_a_pending_that_comes_after_all_was_settled_is_escalated_with_the_next_reminder(world: World) -> None:
    world.answer([])
    world.at("2026-12-02T00:00")
    world.clock.now = shanghai("2026-12-20T10:00")
    world.answer([f"{NUMBERS[0]},pending,,"], part=2, complete=False)
    assert not world.at("2026-12-20T10:05"), "it has just said so"
    assert world.at("2026-12-22T09:00")
    assert world.recorded(world.shop.partner) == [("escalated", "late-15")]
    assert world.at("2026-12-29T09:00")
    assert world.recorded(world.shop.partner)[1:] == [("reminded", "late-20")]


def test_a_pending_that_comes_in_the_instant_of_a_decision_is_asked_about_like_any_other(world: World) -> None:
    world.answer([])
    assert world.at("2026-12-02T00:00"), "all was settled"
    world.answer([f"{NUMBERS[0]},pending,,"], part=2, complete=False)
    assert world.at("2026-12-08T09:00")
    assert world.recorded(world.shop.partner) == [("escalated", "late-5")]


def test_a_partner_that_is_told_late_has_as_much_time_as_the_others_had(world: World) -> None:
    """It was late in the minute in which it was told, escalated, and counted as late for good."""
    world.at("2026-12-02T00:00")
    world.clock.now = shanghai("2026-12-08T10:00")
    late = register(world.platform, "late")
    retracted(world.platform, world.batch, NumberSet.of([parse(NUMBERS[3])]), reason="wrongly cancelled", by="wang")
    send_now(world.platform, world.batch)
    with world.platform.database.transaction() as tx:
        told = notices.of_partner(tx, late.id)
        batch = batches.get(tx, world.batch)
        claims = [one.claims["events"][one.event] for one in attempts.latest(tx, late.id)]
        assert batch is not None
        figures = batch_figures.figures(tx, world.platform, world.batch)
        waits = {one.notice.partner: one.late(world.clock()) for one in progress(tx, batch)}
        seen, _ = partner_data._notice_row(tx, told[-1], batch, world.clock())
    due = shanghai("2026-12-16T00:00")
    assert [one.answer_by for one in told] == [due, due]
    assert [one["answer_by"] for one in claims] == ["2026-12-15T16:00:00.000000Z"] * 2
    assert waits == {"shop": True, "silent": True, "late": False}
    assert (seen.answer_by, seen.left > 0) == (due, True)
    assert figures.late(world.clock()) == 2
    assert figures.late(due) == 3
    assert {one.name for one in figures.partners if one.late(world.clock())} == {"shop", "silent"}
    assert not world.at("2026-12-08T10:01")
    assert [world.at(f"2026-12-{day}") for day in ("11T09:00", "14T09:00", "15T23:59", "16T00:00")] == [
        True,
        True,
        False,
        True,
    ]
    assert [step for _, step in world.recorded(late)] == ["2", "1", "overdue"]


def test_a_partner_that_was_told_late_and_answers_in_its_time_counts_as_in_time(world: World) -> None:
    world.clock.now = shanghai("2026-12-08T10:00")
    late = register(world.platform, "late")
    send_now(world.platform, world.batch)
    world.clock.now = shanghai("2026-12-15T10:00")
    with world.platform.database.transaction() as tx:
        (told,) = notices.of_partner(tx, late.id)
        facts.receipt(tx, receipt_id="rc_1", notice_id=told.id, batch_id=world.batch, partner_id=late.id, sha256=b"1",
                     complete=True, idempotency_key="", lines=0, answers={}, at=world.clock())  # fmt: skip
    with world.platform.database.transaction() as tx:
        body = watch_batch.count_batch(tx, world.batch, SHANGHAI)
        answers = history.answered(tx, world.platform, "cmcc", newest=1)
    (line,) = [one for one in body.partners if one.partner == late.id]
    assert line.in_time
    (one,) = [one for one in answers if one.partner == "late"]
    assert one.answered_at is not None
    assert one.answered_at < one.answer_by


def test_who_is_late_and_since_when_is_shown_until_the_answer_is_in(world: World) -> None:
    def late() -> list[tuple[str, bool]]:
        with world.platform.database.transaction() as tx:
            batch = batches.get(tx, world.batch)
            assert batch is not None
            state = progress(tx, batch)
        return [(one.notice.partner, one.escalated_at is not None) for one in state if one.late(world.clock())]

    assert late() == []
    world.at("2026-12-02T00:00")
    assert late() == [("shop", True), ("silent", True)]
    world.answer([])
    assert late() == [("silent", True)]


@dataclass
class Webhook:
    """The operator's webhook: a real server that answers 500 `failures` times."""

    url: str
    failures: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            hook.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            hook.failures -= 1
            self.send_response(500 if hook.failures >= 0 else 204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook = Webhook(f"http://127.0.0.1:{server.server_port}/late")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield hook
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_operators_webhook_hears_who_is_late_until_it_has_taken_it(world: World, webhook: Webhook) -> None:
    webhook.failures = 1
    world.answer([])
    world.at("2026-12-02T00:00")
    with httpx.Client() as client:
        escalator = Escalator(platform=world.platform, client=client, url=webhook.url, chance=lambda: 0.0)
        assert escalator.one_job()
        assert not escalator.one_job()
        world.clock.forward(seconds=2)
        assert escalator.one_job()
        world.clock.forward(days=1)
        assert not escalator.one_job()
    assert len(webhook.heard) == 2
    assert webhook.heard[1] == {
        "kind": "answers-late", "batch": world.batch, "purpose": "renewal", "answer_by": "2026-12-01T16:00:00.000000Z",
        "late": [{"partner": "silent", "notice": notice_of(world.platform, world.silent, world.batch), "required": False,
                  "answer_by": "2026-12-01T16:00:00.000000Z", "outstanding": 4, "pending": 0}],
    }  # fmt: skip
