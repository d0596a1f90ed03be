"""The statement that a certificate makes, in both languages. It is signed by its version, so a version never changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from huanxin.domain.numbers import written

VERSION = 1


class Before(StrEnum):
    """Whom the number belonged to before the day. Nothing reported is never a plain "nobody" (rule 4)."""

    ANOTHER = "another_subscriber"
    NOBODY = "nobody_reported"


@dataclass(frozen=True, kw_only=True)
class Statement:
    """What is certified: that `number` was opened on `opened_on` for who has it now, and whom it belonged to before."""

    number: int
    opened_on: date
    before: Before

    def chinese(self) -> str:
        """The statement in Chinese, two sentences on two lines."""
        day = f"{self.opened_on.year}年{self.opened_on.month}月{self.opened_on.day}日"
        return f"号码 {written(self.number)} 于{day}为现机主开通。\n{_CHINESE[self.before]}"

    def english(self) -> str:
        """The statement in English, likewise."""
        day = f"{self.opened_on.day} {_MONTHS[self.opened_on.month - 1]} {self.opened_on.year}"
        return f"The number {written(self.number)} was opened for its present subscriber on {day}.\n{_ENGLISH[self.before]}"


_CHINESE = {
    Before.ANOTHER: "在此之前，该号码属于他人。",
    Before.NOBODY: "在此之前，据各运营商上报的记录，该号码没有机主。",
}
_ENGLISH = {
    Before.ANOTHER: "Before that day it belonged to somebody else.",
    Before.NOBODY: "Before that day it belonged to nobody, as far as carriers have reported.",
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip
