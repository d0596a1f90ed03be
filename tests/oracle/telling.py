"""Rules of histories: reports that say much at once, late, or in parts."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from oracle.days import today
from oracle.histories import EVENTS, TRANSFERRED, Line, Said, can_be_told, may_follow
from oracle.machine import NUMBERS, Histories, act, chosen, index, only_if


class Reports(Histories):
    """What carriers send."""

    @act(
        which=index, kinds=st.lists(st.integers(0, 4), min_size=2, max_size=4), timed=st.booleans(),
        files=st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=4), skip_bad=st.booleans(),
    )  # fmt: skip
    def busy_day(self, which: int, kinds: list[int], timed: bool, files: list[list[int]], skip_bad: bool) -> None:
        """Much happens to one number on one day, and comes in several files, in any order, some of it twice."""
        number = chosen(NUMBERS, which)
        carrier = self.reporter(number, other=False)
        now = self.world.now
        day, events = today(carrier, now), list(self.world.histories[number])
        told: list[Line] = []
        for place, kind in enumerate(kinds):
            event = chosen((one for one in EVENTS if may_follow(events, one, carrier, number)), kind)
            at = now - timedelta(minutes=10 * (len(kinds) - place))
            only_if(today(carrier, at) == day)
            told.append(Line(number, event, day, at if timed else None))
            events.append(Said(number, event, carrier, day))
        for file in files:
            lines = [told[place % len(told)] for place in sorted(file)]
            if can_be_told(self.world.histories, carrier, lines):
                self.report(carrier, lines, skip_bad=skip_bad)
                self.step("busy day")

    @act(which=index)
    def passed_on_twice(self, which: int) -> None:
        """A carrier that reports once a week: one file says that a number passed on, and on a later day once more."""
        number = chosen(NUMBERS, which)
        events, carrier = self.world.histories[number], self.reporter(number, other=False)
        only_if(may_follow(events, TRANSFERRED, carrier, number))
        first = today(carrier, self.world.now) - timedelta(days=3)
        only_if(all(one.day < first for one in events))
        days = (first, first + timedelta(days=1 + which % 2))
        self.report(carrier, [Line(number, TRANSFERRED, day) for day in days], skip_bad=False)
        self.step("passed on twice")

    @act(which=index, place=st.integers(0, 5), kinds=st.lists(st.integers(0, 4), min_size=1, max_size=2),
         days=st.sampled_from((0, 1, 30)), wrong=st.booleans())  # fmt: skip
    def forgotten(self, which: int, place: int, kinds: list[int], days: int, wrong: bool) -> None:
        """What happened before something that is on record comes after it, or what can't have."""
        number = chosen(NUMBERS, which)
        events = self.world.histories[number]
        only_if(events)
        place %= len(events)
        after = events[place]
        so_far = events[:place]
        carrier = self.reporter(number, other=False, events=so_far)
        day, told = after.day - timedelta(days=days), list[Line]()
        for at, kind in enumerate(kinds):
            event = chosen((one for one in EVENTS if wrong or may_follow(so_far, one, carrier, number)), kind)
            instant = after.at and after.at - timedelta(days=days, minutes=len(kinds) - at)
            told.append(Line(number, event, today(carrier, instant) if instant else day, instant))
            so_far = [*so_far, Said(number, event, carrier, day)]
        if can_be_told(self.world.histories, carrier, told):
            self.report(carrier, told, skip_bad=bool(which % 2))
            self.step("forgotten")
