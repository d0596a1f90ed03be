"""Rules of histories: who is reminded, by a worker or by hand."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from oracle import deadlines, renewal
from oracle.machine import Histories, act, chosen, index
from ordering import escalated, reminded

MINUTE = timedelta(minutes=1)


class Reminders(Histories):
    """A worker looks once a minute."""

    @precondition(lambda self: any(one.notices for one in self.world.batches))
    @act()
    def worker_reminds(self) -> None:
        if self.world.now < self.world.reminded_at + MINUTE:
            self.pass_to(self.world.now + MINUTE)
        self.world.reminded_at = self.world.now
        self.stage.reminder.one_job()
        deadlines.remind_due(self.world)
        self.step("reminders")

    @precondition(lambda self: any(one.notices for one in self.world.batches))
    @act(which=index, early=st.booleans())
    def jump_and_remind(self, which: int, early: bool) -> None:
        """To the next instant at which a reminder may be due, or a moment before it."""
        at = chosen(deadlines.ahead(self.world, timedelta(days=40))[:4], which)
        self.pass_to(max(self.world.now, at - timedelta(microseconds=early)))
        self.worker_reminds()

    @precondition(lambda self: any(one.notices for one in self.world.batches))
    @act(which=index, urgent=st.booleans())
    def operator_reminds(self, which: int, urgent: bool) -> None:
        """By hand, all who are waited for; or tells all who are late that this is somebody's matter now."""
        of = chosen(deadlines.subjects(self.world), which)
        waited = {key: renewal.waits_for(self.world, of, key) for key in of.notices}
        meant = [of.notices[key] for key, (out, pending, late) in waited.items() if (late if urgent else out + pending)]
        platform = self.driver.platform
        done = self.attempt(
            lambda: escalated(platform, of.key, partner_id=None, by="li", escalates=False) if urgent
            else reminded(platform, of.key, partner_id=None, by="li")
        )  # fmt: skip
        if not self.refused("reminder by hand", done, expected=not meant):
            for notice in meant:
                deadlines.remind(self.world, of, notice, urgent=urgent)
        self.step("escalate" if urgent else "remind")
