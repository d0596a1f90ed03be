"""What a carrier and its partners do again and again in a storm, and the record of what was acknowledged to them.

The record is this test's own: plain values, written down when an answer arrived, and never read from the platform. What was
not acknowledged is done again, as an operator, a program or a person would.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from storms.hand import UNREACHED, Hand
from storms.site import NEWER, OLDER, Site, outcome

FIRST = 8613800000000
A_ROUND = 40
"""Numbers of a round; of these, by place: which are held, refused by the partner that is played by hand, taken back by their
owners, and still frozen."""
HELD, REFUSED, RECLAIMED, FREEZING = range(3), range(3, 6), range(6, 9), range(30, 40)
_PATIENCE = 180.0  # seconds in which anything has to succeed at last
_PARTS = 6


@dataclass(kw_only=True)
class Round:
    """One batch, from the report to its release."""

    number: int
    batch: int = 0
    answered_from: datetime | None = None
    """when the last part of the last answer was first sent: before it nothing of the batch is clear"""
    released: int = 0

    @property
    def numbers(self) -> list[int]:
        return [FIRST + self.number * 1000 + at for at in range(A_ROUND)]

    def at(self, places: range) -> list[int]:
        return [self.numbers[place] for place in places]


@dataclass(kw_only=True)
class Record:
    """What was acknowledged, and by what."""

    reports: list[str] = field(default_factory=list)
    holds: list[int] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    again: Counter[str] = field(default_factory=Counter)
    """how often acts had to be done again"""


class Stuck(Exception):
    """What did not succeed however often it was tried."""


@dataclass(kw_only=True)
class Carrier:
    """Goes through rounds on a site; `hand` is the partner who is played by hand."""

    site: Site
    hand: Hand
    record: Record = field(default_factory=Record)

    def until_done(self, what: str, act: Callable[[], Any]) -> Any:
        """Do something until it is acknowledged. Raises Stuck."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                if (done := act()) is not None:
                    return done
            except (*UNREACHED, sqlite3.Error):
                pass
            if time.monotonic() > end:
                raise Stuck(f"{what}: no success in {_PATIENCE:g} s")
            self.record.again[what] += 1
            time.sleep(0.3)

    def command(self, *words: str) -> dict[str, Any]:
        done: dict[str, Any] = self.until_done(" ".join(words[:2]), lambda: outcome(self.site.command(*words, "--json")))
        return done

    def tie(self, round_: Round) -> None:
        """Before anything: accounts of former owners at the shops, and some that new owners have made."""
        for place, shop in enumerate(self.site.shops):
            base = round_.number * 1000
            rows = {base + at: (f"+{number}", NEWER if (at + place) % 5 == 0 else OLDER)
                    for at, number in enumerate(round_.numbers)}  # fmt: skip
            self.until_done("tie", partial(shop.tie, rows))

    def play(self, number: int) -> Round:
        """A round: report, plan, hold, send, answers, reclaim, release, a sale and its owner's order."""
        one = Round(number=number)
        self.tie(one)
        self.report(f"cancelled-{number}", [
            f"+{each},cancelled,{_days_ago(80 if at in FREEZING else 120)}" for at, each in enumerate(one.numbers)
        ])  # fmt: skip
        one.batch = self.planned(one)
        self.record.rounds.append(one)
        self.hold(one)
        self.command("batch", "send", str(one.batch))
        self.report(f"reclaimed-{number}", [f"+{each},reclaimed,{_days_ago(2)}" for each in one.at(RECLAIMED)])
        self.answer(one)
        self.until_done("answered", lambda: self.answered(one))
        self.released(one)
        return one

    def report(self, name: str, lines: list[str]) -> None:
        path = self.site.room.parent / f"{self.site.room.name}-{name}.csv"  # a carrier's own disk
        path.write_text("\n".join(["number,event,at", *lines, ""]))
        self.command("report", "import", str(path), "--carrier", "cmcc")
        self.record.reports.append(path.name)
        path.unlink()

    def planned(self, one: Round) -> int:
        """The batch that these numbers are in: planned by the command whose answer came, or by one that died after it."""

        def plan() -> int | None:
            done = outcome(self.site.command("batch", "plan", "--json"))
            if done is None:
                return None
            found = self.explained(one.numbers[-1])
            return found or None

        return int(self.until_done("plan", plan))

    def explained(self, number: int) -> int:
        found = outcome(self.site.command("gate", "explain", f"+{number}", "--json"))
        return int(found["batch"] or 0) if found else 0

    def hold(self, one: Round) -> None:
        path = self.site.room.parent / f"{self.site.room.name}-hold-{one.number}.csv"
        path.write_text("\n".join(["number", *(f"+{each}" for each in one.at(HELD)), ""]))
        until = f"{datetime.now(UTC) + timedelta(days=300):%Y-%m-%d}"
        done = self.command("hold", "add", str(path), "--source", "court", "--reason", "storm", "--order", f"{one.number}",
                            "--until", until, "--review", until)  # fmt: skip
        self.record.holds.append(int(done["hold"]))
        path.unlink()

    def answer(self, one: Round) -> None:
        """The partner that is played by hand files parts over HTTP; only the last is complete."""
        notice = str(self.until_done("notice", lambda: self.hand.notice_of(one.numbers[0], one.batch)))
        refused = [f"+{each},refused,debt," for each in one.at(REFUSED)]
        cut = [[f"+{each},unbound,,"] for each in one.numbers[10 : 10 + _PARTS - 1]]
        for part, lines in enumerate((refused, *cut)):
            last = part == _PARTS - 1
            if last:
                one.answered_from = datetime.now(UTC)
            file = partial(self.hand.file, notice, lines, key=f"round-{one.number}-part-{part}", complete=last)
            self.until_done("receipt", file)
            self.hand.standing = (notice, one.at(REFUSED))

    def answered(self, one: Round) -> bool | None:
        """Whether every partner has answered for everything, or None."""
        found = outcome(self.site.command("batch", "status", str(one.batch), "--json"))
        if found is None:
            return None
        return True if all(not partner["outstanding"] for partner in found["partners"]) else None

    def released(self, one: Round) -> None:
        def release() -> bool | None:
            done = outcome(self.site.command("release", "--out", str(self.site.room / "lists"), "--json"))
            if done is None:
                return None
            return True if self.given(one) else None

        self.until_done("release", release)

    def given(self, one: Round) -> int:
        """How many numbers of a batch the gate says were released."""
        found = outcome(self.site.command("gate", "--batch", str(one.batch), "--json"))
        one.released = int(found["released"]) if found else 0
        return one.released


def _days_ago(days: int) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%d}"


def told(record: Record) -> str:
    """The record as JSON, for whoever looks at it after a failure."""
    counts = {"rounds": len(record.rounds), "reports": len(record.reports), "holds": len(record.holds)}
    return json.dumps(counts | {"again": record.again})
