"""What a buyer is told about a number before choosing it: the grade with its rule, and the words, in both languages.

Of the answers, only how many partners were asked and how many confirmed is told. Whether a partner cut a tie, had none,
refused or kept silent would say something of the former owner (rule 5): what isn't confirmed is open, whatever the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from huanxin.domain.lifecycle import sellable_from
from huanxin.domain.numbers import Carrier
from huanxin.domain.tenures import NumberTenures, State

ZH, EN = "zh_CN", "en"
Both = Mapping[str, str]
"""A text by language: ZH and EN."""


class Given(Protocol):
    """A disclosure that was acknowledged. `closed_on`: when the tenure before ended, None if there was none on record."""

    @property
    def carrier(self) -> str: ...
    @property
    def closed_on(self) -> date | None: ...
    @property
    def acknowledged_at(self) -> datetime: ...


def is_of(one: Given, closed_on: date | None) -> bool:
    """Whether a disclosure was made after the tenure that ended on that day (None: before there was any), and before the
    next."""
    return one.closed_on == closed_on


def covers(one: Given, *, carrier: Carrier, closed_on: date | None, day: date, sold_at: datetime | None) -> bool:
    """Whether a buyer was told of what a carrier sold on a day: after the tenure that ended on `closed_on`, at that carrier,
    and before the sale; on its day where nobody said when that was."""
    if one.carrier != carrier.code or not is_of(one, closed_on):
        return False
    return carrier.today(one.acknowledged_at) <= day if sold_at is None else one.acknowledged_at <= sold_at


class Grade(StrEnum):
    """How clean a number is; only A, B and C may be sold."""

    A = "A"
    B = "B"
    C = "C"
    BLOCKED = "blocked"


class NotForSale(StrEnum):
    """NotForSale a number is not for sale."""

    NO_NUMBER = "no_number"
    OTHER_CARRIER = "other_carrier"
    IN_SERVICE = "in_service"
    PORTED_OUT = "ported_out"
    FREEZING = "freezing"
    NOT_RELEASED = "not_released"
    WITHHELD = "withheld"
    """Held by an authority, taken back from its batch, objected to by a partner after the release, or never allotted: all of
    these read alike, so that nobody finds a held number by elimination."""
    ACKNOWLEDGED = "acknowledged"


GRADE_NAMES: Mapping[Grade, Both] = {
    Grade.A: {ZH: "A 首次使用", EN: "A first use"},
    Grade.B: {ZH: "B 二次使用，已全部确认", EN: "B recycled, all confirmed"},
    Grade.C: {ZH: "C 二次使用，未全部确认", EN: "C recycled, not all confirmed"},
    Grade.BLOCKED: {ZH: "不可销售", EN: "not for sale"},
}
RULES: Mapping[Grade, Both] = {
    Grade.A: {
        ZH: "已分配给运营商，且没有运营商上报过它曾被使用。",
        EN: "It is allotted to the carrier, and no carrier has reported that it was ever in use.",
    },
    Grade.B: {
        ZH: "曾被使用；冷冻期已满并已放号；被询问的接入方全部确认。",
        EN: "It was in use before; its freeze has ended and it was released; every partner that was asked has confirmed.",
    },
    Grade.C: {
        ZH: "曾被使用；冷冻期已满并已放号；部分接入方没有确认，运营商已具名决定不再等待，或其答复并非必答。",
        EN: "It was in use before; its freeze has ended and it was released; some partners have not confirmed: the carrier "
        "decided by name not to wait for them, or their answer is not required.",
    },
    Grade.BLOCKED: {ZH: "不符合销售条件。", EN: "It does not meet what a sale needs."},
}
REASONS: Mapping[NotForSale, Both] = {
    NotForSale.NO_NUMBER: {ZH: "不是号码规划中的手机号码", EN: "it is no mobile number of the numbering plan"},
    NotForSale.OTHER_CARRIER: {ZH: "属于另一家运营商", EN: "it is another carrier's"},
    NotForSale.IN_SERVICE: {ZH: "正在使用", EN: "it is in service"},
    NotForSale.PORTED_OUT: {ZH: "已携号转网", EN: "it was ported out"},
    NotForSale.FREEZING: {ZH: "冷冻期未满", EN: "its freeze has not ended"},
    NotForSale.NOT_RELEASED: {ZH: "尚未放号", EN: "it has not been released"},
    NotForSale.WITHHELD: {
        ZH: "现不可售，原因请询问运营商的操作员",
        EN: "it is not on offer now; the carrier's operators know why",
    },
    NotForSale.ACKNOWLEDGED: {ZH: "已有买家确认过告知", EN: "a buyer has acknowledged its disclosure already"},
}


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """How the renewal of a number went, in its batch of this tenure. `asked` and `confirmed` count partners; `open`:
    some required answer is missing, pending or refused, and not waived."""

    freeze_days: int
    asked: int
    confirmed: int
    open: bool
    released: bool
    taken_back: bool


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is known of a number. `today` is the day at its carrier; `sellers`: who may sell it, the first of them would."""

    number: int
    today: date
    standing: NumberTenures
    sellers: tuple[str, ...]
    renewal: Renewal | None
    held: bool
    acknowledged: bool
    allotted: bool
    """whether an allocation file of the first seller names it"""
    freeze_days: int
    """of the settings, for a number in no batch"""
    evaluable_since: date | None = None

    @property
    def closed_on(self) -> date | None:
        """When the tenure before ended; None if nobody is reported to have held the number, or somebody does."""
        return self.standing.tenures[-1].closed_on if self.standing.state is State.FROZEN else None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What is told of a number. `why`: set if and only if it is not for sale; `frozen_days`: the days since the tenure
    before ended; `sellable_from`: the first day on which a frozen number may be sold. Of a number that somebody holds,
    or that is another carrier's, nothing more is told than that; of one that is not for sale not how many confirmed.
    `evaluable_since`: what was before that day nobody can tell, since a baseline began there; None: it is as reported."""

    number: int
    carrier: str | None
    grade: Grade
    why: NotForSale | None
    recycled: bool | None
    closed_on: date | None
    frozen_days: int | None
    freeze_days: int
    sellable_from: date | None
    asked: int
    confirmed: int
    evaluable_since: date | None = None

    @property
    def open(self) -> int:
        """Partners that have not confirmed, for whatever reason."""
        return self.asked - self.confirmed

    @property
    def for_sale(self) -> bool:
        return self.why is None


def tell(case: Case, seller: str | None) -> Told:
    """Judge a number for a seller (None: whoever may sell it)."""
    why = _obstacle(case, seller)
    closed, renewal = case.closed_on, case.renewal
    grade = Grade.BLOCKED if why else Grade.A
    if why is None and renewal is not None:
        grade = Grade.B if renewal.confirmed == renewal.asked else Grade.C
    freeze = renewal.freeze_days if renewal else case.freeze_days
    ours = bool(case.sellers) and (seller is None or seller in case.sellers)
    if not ours or case.standing.state not in (State.UNKNOWN, State.FROZEN):
        closed = renewal = None
    # The counts of one that is withheld would tell objections from holds.
    told = renewal if renewal and why in (None, NotForSale.ACKNOWLEDGED) else None
    return Told(
        number=case.number, carrier=(seller or case.sellers[0]) if ours else None, grade=grade, why=why,
        recycled=closed is not None if ours and why not in (NotForSale.IN_SERVICE, NotForSale.PORTED_OUT) else None,
        closed_on=closed,
        frozen_days=(case.today - closed).days if closed else None, freeze_days=freeze,
        sellable_from=sellable_from(closed, freeze) if closed else None,
        asked=told.asked if told else 0, confirmed=told.confirmed if told else 0,
        evaluable_since=case.evaluable_since if ours else None,
    )  # fmt: skip


def _obstacle(case: Case, seller: str | None) -> NotForSale | None:
    """The first thing that keeps a number from being sold (rule 1)."""
    state, renewal, closed = case.standing.state, case.renewal, case.closed_on
    early = closed is not None and case.today < sellable_from(closed, renewal.freeze_days if renewal else case.freeze_days)
    found = {
        NotForSale.NO_NUMBER: not case.sellers,
        NotForSale.OTHER_CARRIER: seller is not None and seller not in case.sellers,
        NotForSale.IN_SERVICE: state is State.IN_SERVICE,
        NotForSale.PORTED_OUT: state is State.PORTED_OUT,
        NotForSale.FREEZING: early,
        NotForSale.NOT_RELEASED: closed is not None and (renewal is None or not renewal.released),
        NotForSale.WITHHELD: _withheld(case),
        NotForSale.ACKNOWLEDGED: case.acknowledged,
    }
    return next((why for why, holds in found.items() if holds), None)


def _withheld(case: Case) -> bool:
    renewal = case.renewal
    unallotted = case.standing.state is State.UNKNOWN and not case.allotted
    return unallotted or case.held or (renewal is not None and (renewal.taken_back or renewal.open))


VERSION = "2026-11-28"
"""Of the words below. Whoever changes one sets another version; what buyers saw stays on record as they saw it."""

_TEXTS: Mapping[Grade, Both] = {
    Grade.A: {
        ZH: "本号码为首次使用：没有运营商上报过它曾被使用。未经上报的历史，本平台不得而知。",
        EN: "This number is used for the first time: no carrier has reported that it was ever in use. What was never "
        "reported is not known here.",
    },
    Grade.B: {
        ZH: "本号码曾被他人使用，于 {closed} 停用，至少 {freeze} 天的冷冻期已满。重新销售之前，平台请 {asked} "
        "家接入方（应用、号码标记方、外呼与通知方）解除此前的绑定，{confirmed} 家均已确认。",
        EN: "This number was used by somebody else until {closed}; its freeze of at least {freeze} days has ended. Before "
        "it was offered again, partners (apps, caller labels, senders) were asked to cut what was tied to it. Asked: "
        "{asked}; every one has confirmed.",
    },
    Grade.C: {
        ZH: "本号码曾被他人使用，于 {closed} 停用，至少 {freeze} 天的冷冻期已满。重新销售之前，平台请 {asked} "
        "家接入方（应用、号码标记方、外呼与通知方）解除此前的绑定，{confirmed} 家已确认，{open} 家没有确认："
        "在那里可能还留有此前的绑定，您可能收到与您无关的电话或短信，或无法直接用本号码注册。",
        EN: "This number was used by somebody else until {closed}; its freeze of at least {freeze} days has ended. Before "
        "it was offered again, partners (apps, caller labels, senders) were asked to cut what was tied to it. Asked: "
        "{asked}; confirmed: {confirmed}; not confirmed: {open}. Where it was not confirmed, something may still be tied "
        "to it: you may get calls or messages that are not meant for you, or may not be able to register with the number "
        "at once.",
    },
}
_AFTER: Both = {
    ZH: "未接入平台的服务不在其中。购买后如发现遗留的绑定，可免费通过“一键焕新”要求解除。您可以选择其他号码。"
    "确认即表示：您在选定号码之前已看到并了解以上内容。",
    EN: "Services that are not connected to the platform are not among them. If you find something left over after the "
    "purchase, you can have it cut free of charge by “one-click renewal”. You may choose another number. By acknowledging "
    "you say that you saw and understood this before choosing the number.",
}


def disclosure_text(told: Told, language: str) -> str:
    """The exact words for a buyer. They name no number, and stay the same for as long as the answers do: days that go on
    counting are not in them. Only for a number that is for sale or acknowledged."""
    values = {
        "closed": told.closed_on.isoformat() if told.closed_on else "", "freeze": told.freeze_days, "asked": told.asked,
        "confirmed": told.confirmed, "open": told.open,
    }  # fmt: skip
    return _TEXTS[told.grade][language].format(**values) + "\n" + _AFTER[language]


def digest(text: str) -> str:
    """By which a text is named when it is acknowledged: its SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()
