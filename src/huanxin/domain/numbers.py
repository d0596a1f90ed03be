"""Phone numbers: E.164 integers, how they are printed, masked and allotted to carriers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import phonenumbers

from huanxin.domain import ranges
from huanxin.domain.errors import BadInput
from huanxin.domain.trade import Trade, usual
from huanxin.numbersets import phones
from huanxin.numbersets.phones import masked as masked
from huanxin.numbersets.sharded import SHARD_SIZE, Numbers
from huanxin.words.sentences import Sentence

_CHINESE_DIGITS = 13  # with the country code
_CHINESE_NATIONAL = re.compile(r"1[3-9][0-9]{9}")
_YEAR, _UP_TO_12, _UP_TO_31 = r"(?:19|20)\d\d", r"(?:0?[1-9]|1[0-2])", r"(?:0?[1-9]|[12]\d|3[01])"
_DAY = (
    rf"(?:{_YEAR}(?P<by>[-./]){_UP_TO_12}(?P=by){_UP_TO_31}|{_UP_TO_31}(?P<to>[-./]){_UP_TO_31}(?P=to){_YEAR}"
    rf"|{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
)
_TIME = r"(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
_APART = r"[\s.()/_\-\u2010-\u2015\u2212\uff08\uff09\uff0d\uff0e]{0,3}"
_QUOTED = re.compile(rf"(?P<when>(?<!\d){_DAY}{_TIME})(?!{_APART}\d)|\+?\d(?:{_APART}\d){{6,}}")
"""A day or an instant, or else seven digits or more with whatever people write between them."""
_GROUP = re.compile(r"(\+?)(\d+)")
_SHORTEST_BARE = 10  # digits: what is shorter and has no + is taken for another kind of number

CHINA = ZoneInfo("Asia/Shanghai")
CHINESE_CARRIERS = {"cmcc": "中国移动", "cucc": "中国联通", "ctcc": "中国电信", "cbn": "中国广电"}
_CHINESE_PREFIXES = {
    "cmcc": (
        "1340 1341 1342 1343 1344 1345 1346 1347 1348 135 136 137 138 139 147 15 1703 1705 1706 172 178 182 "
        "183 184 187 188 195 197 198"
    ),
    "cucc": "130 131 132 145 155 156 166 167 1704 1707 1708 1709 171 175 176 185 186 196",
    "ctcc": "133 153 1700 1701 1702 173 174 177 180 181 189 190 191 193 199",
    "cbn": "161 192",
}
"""As `phonenumbers` has them, which a test holds. To read them there, among those of all countries, takes each process a
third of a second and 45 MB."""


def written(number: int) -> str:
    """`+8613800138000`: the form on the wire and in files."""
    return f"+{number}"


def masked_text(text: str) -> str:
    """A text as a page may quote it: phone numbers by the numbering plans are masked, however they are written; of a
    Sentence what stands in its places, so that it can still be said in another language. Days, instants and numbers of other
    kinds (of an order, a case, an account) stay, since whoever reads it needs them."""
    if isinstance(text, Sentence):
        kept = {name: one if isinstance(one, int) else masked_text(_text(one)) for name, one in text.values.items()}
        return Sentence(text.template, **kept)
    return _QUOTED.sub(lambda found: found[0] if found["when"] else _masked_run(found[0]), text)


def _masked_run(run: str) -> str:
    """Digits that people wrote close to each other: each phone number among their groups masked, the longest first."""
    groups = list(_GROUP.finditer(run))
    shown, at, first = "", 0, 0
    while first < len(groups):
        for last in range(len(groups), first, -1):
            digits = _digits(run[groups[first].start() : groups[last - 1].end()])
            abroad = bool(groups[first][1]) or digits.startswith("00")
            digits = digits.removeprefix("00")
            if _is_phone(digits, abroad=abroad):
                shown += run[at : groups[first].start()] + masked(digits)
                at, first = groups[last - 1].end(), last
                break
        else:
            first += 1
    return shown + run[at:]


def _is_phone(digits: str, *, abroad: bool) -> bool:
    """Whether digits are a phone number: a Chinese mobile number, or one of another country that has its code before it
    (without + a mobile number only, since numbers of cases are long too)."""
    if _CHINESE_NATIONAL.fullmatch(digits.removeprefix("86") if len(digits) == _CHINESE_DIGITS else digits):
        return True
    if not abroad and len(digits) < _SHORTEST_BARE:
        return False
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return False
    if abroad:
        return bool(phonenumbers.is_possible_number(number))
    mobile = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return phonenumbers.number_type(number) in mobile


def _text(one: object) -> str:
    return one if isinstance(one, str) else str(one)


def _digits(written: str) -> str:
    return "".join(str(unicodedata.digit(one)) for one in written if one.isdecimal())


def why_not_a_number(text: str) -> Sentence | None:
    """The reason why a text is not a number with its country code, with the remedy; None if it is one."""
    return phones.why_not(text, phones.E164)


def why_not_ours(number: int) -> Sentence:
    """The reason why a number that lies in no known carrier's range is not taken."""
    if prefix := ranges.of_machines(str(number)):
        return Sentence(
            "%(number)s is a number of the Internet of Things (+%(prefix)s), which no person holds; leave it out",
            number=masked(number), prefix=prefix,
        )  # fmt: skip
    return Sentence("%(number)s is in no range of a known carrier's mobile numbers", number=masked(number))


def parse(text: str) -> int:
    """The number that a person or program wrote with its country code. Raises ValueError with the reason."""
    return phones.read(text, phones.E164)


@dataclass(frozen=True, kw_only=True)
class Carrier:
    """Who owns numbers: `prefixes` are country code and leading digits, six digits from the end at the longest."""

    code: str
    name: str
    zone: ZoneInfo
    prefixes: tuple[str, ...]
    region: str = ""
    """of the numbers that it writes without their country code (ISO 3166-1, as CN); empty: that of its prefixes"""

    @property
    def home(self) -> phones.Home:
        """The country whose numbers it writes without their code."""
        return phones.region(self.region) if self.region else phones.home_of(self.prefixes)

    def writing_in(self, region: str | None) -> Carrier:
        """The same carrier, whose file has numbers of a region without their country code. Raises BadInput."""
        if not region:
            return self
        try:
            phones.region(region)
        except ValueError as error:
            raise BadInput(error.args[0]) from error
        return replace(self, region=region)

    def today(self, now: datetime) -> date:
        """The day in the carrier's zone."""
        return now.astimezone(self.zone).date()


@dataclass(frozen=True, kw_only=True)
class NumberingPlan:
    """Which carrier a range of numbers is allotted to. A range is a shard: all numbers but for their last six digits."""

    carriers: Mapping[str, Carrier]
    words: Trade = field(default_factory=usual, repr=False)
    """in which carriers' files are written"""
    _owners: dict[int, str | None] = field(default_factory=dict, repr=False)
    _allotted: dict[int, str] = field(default_factory=dict, repr=False)

    @property
    def home(self) -> phones.Home:
        """The countries of all carriers: what is written without a country code is a number of one of them, or unclear."""
        return phones.home_of(tuple(prefix for one in self.carriers.values() for prefix in one.prefixes))

    def typed(self, text: str) -> int:
        """The number that a person typed, with or without its country code. Raises ValueError with the reason."""
        return phones.read(text, self.home)

    def owner(self, shard: int) -> str | None:
        """The code of the carrier that a shard's numbers are allotted to; None if nobody or not a mobile range."""
        if shard not in self._owners:
            self._owners[shard] = self._look_up(shard)
        return self._owners[shard] or self._allotted.get(shard)

    def learn(self, allotted: Mapping[int, str], *, whole: bool = False) -> None:
        """Take note of the shards that carriers were allotted by files of theirs (`whole`: these and no others): they hold
        where the plan names nobody."""
        if whole:
            self._allotted.clear()
        for shard, carrier in allotted.items():
            if carrier in self.carriers and self.may_be_allotted(shard):
                self._allotted.setdefault(shard, carrier)

    def may_be_allotted(self, shard: int) -> bool:
        """Whether a shard that the plan gives to nobody could be a carrier's: its numbers are written as mobile numbers of
        its country are, and are not of machines."""
        number = shard * SHARD_SIZE
        return not ranges.of_machines(str(number)) and phones.why_not(written(number), self.home) is None

    def today(self, now: datetime) -> date:
        """The earliest day that it is anywhere where a carrier is: nothing is due, and no hold ends, a day early."""
        return min(carrier.today(now) for carrier in self.carriers.values())

    def end_of(self, day: date) -> datetime:
        """The instant at which a day has ended wherever a carrier is."""
        return max(datetime.combine(day + timedelta(days=1), time(), one.zone) for one in self.carriers.values())

    def covers(self, numbers: Numbers) -> npt.NDArray[np.bool_]:
        """Which of some numbers lie in a range that some carrier holds."""
        shards, where = np.unique(numbers // SHARD_SIZE, return_inverse=True)
        known = np.array([self.owner(int(shard)) is not None for shard in shards], dtype=np.bool_)
        return known[where]

    def _look_up(self, shard: int) -> str | None:
        digits = str(shard)
        best = max(
            (
                (len(prefix), code)
                for code, carrier in self.carriers.items()
                for prefix in carrier.prefixes
                if digits.startswith(prefix)
            ),
            default=(0, None),
        )[1]
        return best if best and (possible_in(shard) or ranges.is_known(digits)) else None


@cache
def possible_in(shard: int) -> bool:
    """Whether numbers of this shard exist by the numbering plan (length and leading digits, from `phonenumbers`)."""
    try:
        number = phonenumbers.parse(written(shard * SHARD_SIZE))
    except phonenumbers.NumberParseException:
        return False
    return bool(phonenumbers.is_valid_number(number))


def chinese_plan(extra: Mapping[str, Carrier] | None = None) -> NumberingPlan:
    """The Chinese mobile plan by the prefix data of `phonenumbers` and our own, and carriers added by configuration."""
    carriers = {
        code: Carrier(
            code=code,
            name=name,
            zone=CHINA,
            prefixes=(*(f"86{one}" for one in _CHINESE_PREFIXES[code].split()), *ranges.prefixes_of(code)),
        )
        for code, name in CHINESE_CARRIERS.items()
    }
    return NumberingPlan(carriers=carriers | dict(extra or {}))
