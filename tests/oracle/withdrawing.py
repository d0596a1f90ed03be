"""Rules of histories: reports that were wrong."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from huanxin.acts.mending import withdraw
from huanxin.domain.mended import Mended
from oracle import mending, renewal, reporting
from oracle.comparing import same
from oracle.following import followed
from oracle.histories import OPENED, RECLAIMED, can_be_told
from oracle.machine import Histories, act, chosen, index, only_if
from oracle.world import Report


class Mending(Histories):
    """Carriers take back what they said."""

    @precondition(lambda self: self.world.reports)
    @act(which=index, two=st.booleans())
    def report_withdrawn(self, which: int, two: bool) -> None:
        """Mostly the last one."""
        stands = [one for one in self.world.reports if one.kind == "report" and not one.withdrawn]
        report: Report = chosen(self.world.reports[::-1] if which % 6 == 5 else stands[::-1], which // 2)
        wrong = [one for events in self.world.histories.values() for one in events if one.report == report.key]
        after = mending.without(self.world.histories, wrong)
        possible = report in stands and mending.can_be(self.world, after, two=two)
        done = self.attempt(lambda: self.withdrawn(report.key, approved_by="wang" if two else ""))
        if not self.refused("withdrawal", done, expected=not possible):
            same("taken back", sum(done.taken_back.values()), len(wrong))
            report.withdrawn = True
            oracle = mending.mend(self.world, after, [])
            reporting.record(self.world, report.carrier, [], oracle)
            followed(self.driver, self.world, done.consequences, oracle)
            self.counts.reported.clear()
            self.world.reports.append(Report(done.report_id, report.carrier, [], 0, "withdrawal"))
        self.step("withdraw a report")

    @precondition(lambda self: any(one.kind == "report" for one in self.world.reports))
    @act(which=index, skip_bad=st.booleans())
    def file_sent_again(self, which: int, skip_bad: bool) -> None:
        """A withdrawn one may be taken again; of one that stands nothing changes."""
        files = [one for one in self.world.reports if one.kind == "report" and (one.withdrawn or which % 6 == 5)]
        report: Report = chosen(files[::-1], which // 2)
        if self.stands(report):
            again = self.driver.report(report.carrier, report.lines, skip_bad=False, nth=report.nth)
            same("imported before", again.imported.already, True)
        else:
            only_if(can_be_told(self.world.histories, report.carrier, report.lines))
            self.report(report.carrier, report.lines, skip_bad=skip_bad, nth=report.nth)
        self.step("file sent again")

    def stands(self, report: Report) -> bool:
        """Whether a report of the same content does."""
        return any(
            (one.carrier, one.nth, one.kind, one.withdrawn) == (report.carrier, report.nth, "report", False)
            for one in self.world.reports
        )  # fmt: skip

    @act(which=index, event=st.sampled_from((RECLAIMED, RECLAIMED, OPENED)), others=st.booleans(), two=st.booleans())
    def slip_of_the_pen(self, which: int, event: str, others: bool, two: bool) -> None:
        """A frozen number in a batch is said to have left its freeze; a moment later the carrier sees that it hadn't."""
        batches = [one for one in self.world.batches if one.notices and (others or one.released)]
        batch = chosen(batches, which)
        number = chosen((one for one in batch.stands_on if renewal.rests(self.world, batch, one)), which // 2)
        line = self.line(number, event, batch.stands_on[number].carrier, 1 + which % 2 * 3)
        only_if(can_be_told(self.world.histories, batch.stands_on[number].carrier, [line]))
        self.report(batch.stands_on[number].carrier, [line], skip_bad=False)
        self.step("slip of the pen")
        self.report_withdrawn(which=0, two=two)

    # The platform -----------------------------------------------------------------------------------------------------
    def withdrawn(self, report: int, *, approved_by: str) -> Mended:
        with self.driver.platform.act("li") as act:
            return withdraw(act, report, reason="it was wrong", approved_by=approved_by)
