"""Rules of histories: reports that were wrong."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from huanxin.acts.mending import correct, withdraw
from huanxin.domain.mended import Mended
from oracle import mending, renewal, reporting
from oracle.comparing import same
from oracle.days import today
from oracle.following import followed
from oracle.histories import CANCELLED, EVENTS, OPENED, RECLAIMED, Line, Said, can_be_told
from oracle.machine import NUMBERS, Histories, act, chosen, index, only_if
from oracle.mending import Correction
from oracle.world import Report

KINDS = ("day", "day", "gone", "event", "missing")
DAYS = (-100, -30, -1, 0, 1, 10, 30)


class Mending(Histories):
    """Carriers take back what they said."""

    @precondition(lambda self: self.world.reports)
    @act(which=index, two=st.booleans())
    def report_withdrawn(self, which: int, two: bool) -> None:
        """Mostly the last one."""
        stands = [one for one in self.world.reports if one.kind in ("report", "baseline") and not one.withdrawn]
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

    @act(
        which=index, two=st.booleans(), by_day=st.booleans(), timed=st.booleans(),
        what=st.lists(st.tuples(index, st.sampled_from(KINDS), st.sampled_from(DAYS), st.sampled_from(EVENTS)),
                      min_size=1, max_size=2),
    )  # fmt: skip
    def events_corrected(
        self, which: int, two: bool, by_day: bool, timed: bool, what: list[tuple[int, str, int, str]]
    ) -> None:
        """One or two events were wrong, or missing: most are the last ones of their numbers."""
        every = [one for number in NUMBERS for one in self.world.histories[number][-1 - which // 4 :]]
        carrier = chosen(every, what[0][0]).carrier
        mine = [one for one in every if one.carrier == carrier and one.event in EVENTS]
        only_if(mine)
        lines: list[Correction] = []
        for place, kind, days, event in what:
            one: Said = mine[place % len(mine)]
            wrong = None if kind == "missing" else Line(one.number, one.event, one.day, None if by_day else one.at)
            day = one.day + timedelta(days=days)
            at = one.at + timedelta(days=days, minutes=days % 3) if one.at and timed else None
            told = Line(one.number, one.event if kind == "day" else event, today(carrier, at) if at else day, at)
            lines.append(Correction(one.number, wrong, None if kind == "gone" else told))
        self.correct(carrier, lines, two=two)

    @act(
        which=index,
        others=st.booleans(),
        days=st.sampled_from((-10, -1, 1, 10, 30)),
        more=st.sampled_from(("", "", RECLAIMED)),
    )
    def day_was_wrong(self, which: int, others: bool, days: int, more: str) -> None:
        """A number in a batch was cancelled on another day; and perhaps it has left its freeze since."""
        batch = chosen((one for one in self.world.batches if one.notices and (others or one.released)), which)
        number = chosen((one for one in batch.stands_on if renewal.rests(self.world, batch, one)), which // 2)
        one: Said = batch.stands_on[number]
        lines = [
            Correction(number, Line(number, CANCELLED, one.day), Line(number, CANCELLED, one.day + timedelta(days=days)))
        ]
        if more:
            lines.append(Correction(number, None, Line(number, more, one.day + timedelta(days=abs(days) * (which % 3) + 1))))
        self.correct(one.carrier, lines, two=True)

    def correct(self, carrier: str, lines: list[Correction], *, two: bool) -> None:
        wrong = mending.found_wrong(self.world.histories, carrier, lines)
        left = self.world.histories | mending.without(self.world.histories, wrong or [])
        only_if(can_be_told(left, carrier, [one.right for one in lines if one.right]))
        expected = mending.corrected(self.world, carrier, lines, two=two)
        done = self.attempt(lambda: self.corrected(carrier, lines, approved_by="wang" if two else ""))
        if not self.refused("correction", done, expected=expected is None) and expected is not None:
            after, out, new = expected
            same(
                "taken back, put on record", (sum(done.taken_back.values()), sum(done.added.values())), (len(out), len(new))
            )
            for one in new:
                one.report = done.report_id
            oracle = mending.mend(self.world, after, new)
            reporting.record(self.world, carrier, new, oracle, out)
            followed(self.driver, self.world, done.consequences, oracle)
            self.counts.reported.clear()
            self.world.reports.append(Report(done.report_id, carrier, [], 0, "correction"))
        self.step("correction refused" if expected is None else "correction")

    # The platform -----------------------------------------------------------------------------------------------------
    def withdrawn(self, report: int, *, approved_by: str) -> Mended:
        with self.driver.platform.act("li") as act:
            return withdraw(act, report, reason="it was wrong", approved_by=approved_by)

    def corrected(self, carrier: str, lines: list[Correction], *, approved_by: str) -> Mended:
        def said(one: Line | None, between: str) -> str:
            return f"{one.event}{between}{(one.at or one.day).isoformat()}" if one else "," * (between == ",")

        path = self.driver.path("number,event,at,instead_of", [
            f"+{one.number},{said(one.right, ',')},{said(one.wrong, ' ')}" for one in lines
        ] + [""] * self.driver.files)  # fmt: skip
        with self.driver.platform.act("li") as act:
            return correct(act, path, carrier=carrier, reason="a slip of the pen", approved_by=approved_by)
