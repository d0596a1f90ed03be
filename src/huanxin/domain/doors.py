"""The doors through which numbers come, and what each infers where a number has no country code and a time no zone.

All read alike (`numbersets.phones`, `numbersets.moments`, `domain.trade`); what a door adds is declared here, and
docs/files.md shows it as a table, which a test makes from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from huanxin.domain.numbers import Carrier, NumberingPlan
from huanxin.numbersets.phones import E164, Home


class Infers(Enum):
    """Whose number it is that has no country code: in Chinese and English."""

    CARRIER = ("运营商所在国家（`--region` 可另指）", "the carrier's country (`--region` names another)")
    CONFIGURED = (
        "各运营商所在国家；两国都说得通的不收",
        "any configured carrier's country; refused where two could mean it",
    )
    NOTHING = ("不推断：须有国家代码", "nothing: the country code has to be there")


class Zone(Enum):
    """In which zone a day, or a time without its offset, is read."""

    CARRIER = ("运营商时区", "the carrier's zone")
    PLATFORM = ("平台时区", "the platform's zone")
    NONE = ("无时间", "no times")


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way in. `words`: headings and words of the trade are known there, not only the platform's own."""

    chinese: str
    english: str
    infers: Infers
    zone: Zone = Zone.NONE
    words: bool = False

    def home(self, plan: NumberingPlan, carrier: Carrier | None = None) -> Home:
        """The countries whose numbers are known here without their code."""
        if self.infers is Infers.NOTHING:
            return E164
        if self.infers is Infers.CONFIGURED:
            return plan.home
        assert carrier is not None
        return carrier.home


REPORT = Door(
    chinese="上报、更正、首日现状", english="reports, corrections, first days", infers=Infers.CARRIER, zone=Zone.CARRIER,
    words=True,
)  # fmt: skip
ALLOCATION = Door(chinese="号段分配", english="allocations", infers=Infers.CARRIER, words=True)
LIST = Door(
    chinese="冻结、豁免、撤回的号码名单", english="lists of holds, waivers and retractions", infers=Infers.CONFIGURED,
    words=True,
)  # fmt: skip
RECEIPT = Door(chinese="回执", english="receipts", infers=Infers.NOTHING, zone=Zone.CARRIER)
TYPED = Door(
    chinese="营业台、查询、`/renew`、`/leave`、证明核对、命令行",
    english="the desk, searches, `/renew`, `/leave`, what is compared with a certificate, commands",
    infers=Infers.CONFIGURED, zone=Zone.PLATFORM,
)  # fmt: skip
API = Door(chinese="接口、SSF、运营商交接", english="APIs, SSF, carriers' hand-overs", infers=Infers.NOTHING)
DOORS = (REPORT, ALLOCATION, LIST, RECEIPT, TYPED, API)


_HEADS = (
    ("入口", "没有国家代码的号码", "没有时区的时间", "行业用语"),
    ("Door", "A number without its country code", "A time without its zone", "Words of the trade"),
)


def table(language: int) -> str:
    """The doors as a table of Markdown: 0 Chinese, 1 English."""
    heads = _HEADS[language]
    yes, no = (("认", "不认"), ("yes", "no"))[language]
    rows = [
        (
            (one.chinese, one.english)[language],
            one.infers.value[language],
            one.zone.value[language],
            yes if one.words else no,
        )
        for one in DOORS
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, ("---",) * len(heads), *rows))
