"""One phone number as people, programs and spreadsheets write it: read as the one number that it can mean, or refused with
the reason. `columns.numbers` reads whole columns by the same rules.

What a text without a country code means depends on who reads it: a carrier's report is of the carrier's country, a list at
the desk of any configured carrier's, a partner's receipt of none. Those countries are the reader's `Home`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from huanxin.numbersets.plain import unwrapped
from huanxin.words.sentences import Sentence

_LONGEST_MASKED_CODE = 13  # digits of a Chinese number with its country code
_SHORTEST_MASKED = 9  # digits; of a shorter number the mask would show nearly all


@dataclass(frozen=True, kw_only=True)
class Country:
    """How mobile numbers are written within a country: `code`, its calling code; `national`, a pattern of the digits after
    it; `trunk`, what may be dialled before them at home; `span`, where all are of one length, the first and the last of
    these digits."""

    code: str
    national: str
    trunk: str = ""
    span: tuple[int, int] | None = None

    @property
    def bounds(self) -> tuple[int, int]:
        """The first and the last number of its span, with the code; 0 where there is none."""
        return (int(f"{self.code}{self.span[0]}"), int(f"{self.code}{self.span[1]}")) if self.span else (0, 0)


Home = tuple[Country, ...]
"""The countries whose numbers a reader knows without their code."""

CHINA = Country(code="86", national="1[3-9][0-9]{9}", trunk="0", span=(13_000_000_000, 19_999_999_999))
E164: Home = ()
"""Numbers are written with their country code, or not taken."""

_E164 = re.compile(r"[1-9][0-9]{6,14}")
_MACHINES = re.compile(r"(?:86)?1[0-9]{12}")
"""Chinese numbers of 13 digits: all are for the Internet of Things."""
_TEL = re.compile(r"^tel:\s*", re.IGNORECASE)
_SCIENTIFIC = re.compile(r"\+?([0-9]+)(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_SHAPE = re.compile(r"[( ]{0,2}\+?[( ]{0,2}[0-9](?:[ ()-]{0,3}[0-9])*\)?")
_DOTTED = re.compile(r"\+?[0-9]{1,4}(?:\.[0-9]{3,4}){2,}")
"""Groups of digits with dots between them; one dot alone is a decimal point."""
_ZERO = re.compile(r"(\(?(?:\+|00) ?[0-9]{1,3}\)?[ -]?)\(0\)")
"""+44 (0)20…: the zero is dialled within the country only."""
_KNOWN = frozenset("0123456789+-() ")
_CELL = "#="  # how a cell begins that holds an error (#N/A) or a formula


def masked(number: int | str) -> str:
    """`138****8000`: the form in messages, logs and pages."""
    digits = str(number).lstrip("+")
    national = digits[2:] if digits.startswith("86") and len(digits) == _LONGEST_MASKED_CODE else digits
    return f"{national[:3]}****{national[-4:]}" if len(national) >= _SHORTEST_MASKED else "****"


@cache
def country(code: str) -> Country:
    """The country (or countries, as in North America) with a calling code, by the metadata of `phonenumbers`."""
    if code == CHINA.code:
        return CHINA
    from phonenumbers import PhoneMetadata, region_codes_for_country_code  # noqa: PLC0415  # most have Chinese numbers alone

    known = [PhoneMetadata.metadata_for_region(one) for one in region_codes_for_country_code(int(code))]
    patterns = [one.mobile.national_number_pattern for one in known if one and one.mobile]
    return Country(
        code=code,
        national="|".join(filter(None, patterns)),
        trunk=next((one.national_prefix or "" for one in known if one), ""),
    )


@cache
def code_of(prefix: str) -> str:
    """The calling code that a number begins with; empty if no country has one."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415

    return next(
        (
            prefix[:size]
            for size in (1, 2, 3)
            if prefix[:size].isdigit() and int(prefix[:size]) in COUNTRY_CODE_TO_REGION_CODE
        ),
        "",
    )


@cache
def home_of(prefixes: tuple[str, ...]) -> Home:
    """The countries of numbers that begin with some prefixes (country code and leading digits)."""
    return tuple(country(code) for code in sorted({code_of(one) for one in prefixes} - {""}))


def region(name: str) -> Home:
    """The country of a region (ISO 3166-1, as CN). Raises ValueError."""
    from phonenumbers import country_code_for_region  # noqa: PLC0415

    code = country_code_for_region(name.strip().upper())
    if not code:
        raise ValueError(Sentence("%(region)s is no region with phone numbers; write its two letters, like CN", region=name))
    return (country(str(code)),)


def read(text: str, home: Home) -> int:
    """The number that a text means, and no other can. Raises ValueError with the reason and the remedy."""
    plain = _unwrapped(text)
    if not plain:
        raise ValueError(Sentence("the number is empty"))
    plain = _unrounded(plain)
    if plain[0] in _CELL:
        raise ValueError(
            Sentence("%(text)s is an error or a formula of a spreadsheet, not a number; mend it there and save", text=plain)
        )
    if not _SHAPE.fullmatch(plain) and not _DOTTED.fullmatch(plain):
        raise ValueError(_misshapen(plain))
    digits = "".join(one for one in _ZERO.sub(r"\1", plain) if one in "0123456789")
    if "+" in plain or (home and digits.startswith("00")):
        return _abroad(digits if "+" in plain else digits[2:], home)
    return _bare(digits, home)


def why_not(text: str, home: Home) -> Sentence | None:
    """The reason why a text is no number; None if it is one."""
    try:
        read(text, home)
    except ValueError as error:
        reason: Sentence = error.args[0]
        return reason
    return None


def rounded(text: str) -> Sentence:
    """Why a number is not taken that a spreadsheet has rounded."""
    return Sentence("%(text)s is a number that a spreadsheet rounded; export the column as text", text=text.strip())


def _unwrapped(text: str) -> str:
    """A text without what a spreadsheet or a link puts around a number."""
    return unwrapped(_TEL.sub("", unwrapped(text), count=1))


def _unrounded(plain: str) -> str:
    """Scientific notation that has all digits as these digits. Raises ValueError if it lacks some."""
    found = _SCIENTIFIC.fullmatch(plain)
    if not found:
        return plain
    decimals, exponent = found[2] or "", int(found[3])
    if len(decimals) < exponent or decimals[exponent:].strip("0"):
        raise ValueError(rounded(plain))
    return found[1] + decimals[:exponent]


def _misshapen(plain: str) -> Sentence:
    strange = next((one for one in plain if one not in _KNOWN), "")
    if not strange:
        return Sentence("not an E.164 number; write + and the country code, then digits only, like +8613800138000")
    shown = f"{strange} (U+{ord(strange):04X})" if strange.isprintable() else f"U+{ord(strange):04X}"
    return Sentence("the character %(character)s belongs in no number; write it like +8613800138000", character=shown)


def _abroad(digits: str, home: Home) -> int:
    """A number that has its country code."""
    if not _E164.fullmatch(digits):
        raise ValueError(
            Sentence("not an E.164 number; write + and the country code, then digits only, like +8613800138000")
        )
    for one in home:
        if one.span and digits.startswith(one.code) and not _within(digits, one):
            raise ValueError(_not_whole(digits, home))
    return int(digits)


def _within(digits: str, one: Country) -> bool:
    assert one.span
    rest = digits.removeprefix(one.code)
    return len(rest) == len(str(one.span[0])) and one.span[0] <= int(rest) <= one.span[1]


def _bare(digits: str, home: Home) -> int:
    """Digits without + before them: a number of the reader's countries, with or without the code; where there are none, one
    with its code."""
    if not home:
        if re.fullmatch(CHINA.national, digits):
            raise ValueError(Sentence("%(number)s has no country code; write +86 before it", number=masked(digits)))
        return _abroad(digits, home)
    found = {one.code + rest for one in home for rest in _nationals(digits, one)}
    if len(found) > 1:
        codes = Sentence("%(first)s or %(second)s", first=f"+{code_of(min(found))}", second=f"+{code_of(max(found))}")
        raise ValueError(
            Sentence("%(number)s may be a number of %(codes)s; write + and the country code before it",
                     number=masked(digits), codes=codes)
        )  # fmt: skip
    if not found:
        raise ValueError(_not_whole(digits, home))
    return int(found.pop())


def _nationals(digits: str, one: Country) -> list[str]:
    """What comes after the country code in each number of a country that digits can mean."""
    ways = {digits, digits.removeprefix(one.code), digits.removeprefix(one.trunk)} if one.national else set()
    return [rest for rest in ways if re.fullmatch(one.national, rest)]


def _not_whole(digits: str, home: Home) -> Sentence:
    if CHINA in home and _MACHINES.fullmatch(digits):
        return Sentence(
            "%(number)s has 13 digits: a number of the Internet of Things, which no person holds; leave it out",
            number=masked(digits),
        )
    if home == (CHINA,):
        return Sentence(
            "not a whole mobile number (%(count)s digits); write its 11 digits, like 138 0013 8000, or + and another "
            "country's code", count=len(digits),
        )  # fmt: skip
    return Sentence(
        "not a whole mobile number of %(codes)s (%(count)s digits); write + and the country code before it",
        codes=", ".join(f"+{one.code}" for one in home), count=len(digits),
    )  # fmt: skip
