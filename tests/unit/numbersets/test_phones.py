"""A number is read as the one that it can mean, or refused with the reason, however it is written and whoever stands beside
it: one line that passes for another's number cuts a stranger's ties."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huanxin.numbersets import columns, phones
from huanxin.numbersets.phones import CHINA, E164, Home

NUMBER = 8613800138001
HERE: Home = (CHINA,)
BOTH: Home = (phones.country("1"), CHINA)
SOUTH: Home = (phones.country("64"), CHINA)
HOMES = st.sampled_from([E164, HERE, BOTH, SOUTH])


@pytest.mark.parametrize(
    "text",
    [
        "13800138001",
        "8613800138001",
        "+8613800138001",
        "008613800138001",
        "86-138-0013-8001",
        "138-0013-8001",
        "138 0013 8001",
        "138\u00a00013\u20098001",
        "138–0013—8001",
        "138\u20120013\u22128001",
        "(86)13800138001",
        "（＋８６）１３８００１３８００１",
        "１３８００１３８００１",
        "tel:+86-138-0013-8001",
        "TEL: 13800138001",
        "'13800138001",
        '="13800138001"',
        '= "+8613800138001"',
        "13800138001.0",
        "8613800138001.00",
        "8.613800138001E+12",
        "1.3800138001e10",
        "8,613800138001E+12",
        "\ufeff13800138001",
        "138\u200b0013\u200d8001",
        "\u202d13800138001\u202c",
        " 13800138001\t",
        "+86 (0)138 0013 8001",
        "013800138001",
        "138.0013.8001",
        "+ 86 138 0013 8001",
        "'+8613800138001",
        "13800138001\ufe0f",
    ],
)
def test_a_chinese_number_is_read_however_it_is_written(text: str) -> None:
    assert phones.read(text, HERE) == NUMBER
    for beside in ([], ["+8613900000001"], ["13900000001"], ["86 139 0000 0001"], ["no number"]):
        found = columns.numbers(pa.array([text, *beside]), HERE)
        assert (found.value[0], found.good[0]) == (NUMBER, True)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"), (" \u200b", "empty"), ("1.38E+10", "rounded"), ("8.61381E+12", "rounded"), ("8.6138e12", "rounded"),
        ("861380013e10", "rounded"), ("#N/A", "an error or a formula"), ("=A1", "an error or a formula"),
        ("1380013800", r"\(10 digits\); write its 11 digits"), ("138001380011", r"\(12 digits\)"),
        ("86 1380013800", r"\(12 digits\)"), ("+861380013800", r"\(12 digits\)"), ("+86138001380011", r"\(14 digits\)"),
        ("1380013800.1", r"character \. \(U\+002E\)"), ("1380013800.0", r"\(10 digits\)"), ("12345678901", r"\(11 digits\)"),
        ("13800138001x", r"character x \(U\+0078\)"), ("138O0138001", r"character O \(U\+004F\)"),
        ("138００138〇01", r"character 〇 \(U\+3007\)"), ("13800138001\x00", r"character U\+0000"),
        ("٨٦١٣٨٠٠١٣٨٠٠١", "character ٨"), ("1380013800²", "character ²"), ("8_613800138001", "character _"),
        ("13800138001;ext=2", "character ;"), ("0x7d5abcdef01", "character x"), ("-8613800138001", "not an E.164"),
        ("+-8613800138001", "not an E.164"), ("++8613800138001", "not an E.164"),
        ("13800138001 13800138002", r"\(22 digits\)"),
        ("13800138001/13800138002", "character /"), ("1064812345678", "Internet of Things"),
        ("8614400123456789"[:15], "Internet of Things"), ("+861440012345678", "Internet of Things"), ("inf", "character i"),
        ("+0013800138001", "not an E.164"), ("447911123456", r"\(12 digits\)"),
    ],
)  # fmt: skip
def test_what_is_no_whole_number_is_refused_with_its_reason(text: str, why: str) -> None:
    """Alone, and among good ones: the quick way must not take what the careful one refuses."""
    with pytest.raises(ValueError, match=why):
        phones.read(text, HERE)
    for beside in ([], ["+8613900000001"], ["13900000001"], [text]):
        found = columns.numbers(pa.array([text, *beside]), HERE)
        assert not found.good[0]
        assert found.value[0] == 0
        assert str(found.why_not(0)[0]) == str(phones.why_not(text, HERE))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("13800138001", "no country code; write [+]86"), ("008613800138001", "not an E.164"), ("13800138", None),
        ("8613800138001", None), ("8613800138001.0", None), ("８６１３８００１３８００１", None), ("0o774", "character o"),
        ("1e10", "rounded"), ("nan", "character n"),
    ],
)  # fmt: skip
def test_who_knows_no_country_takes_numbers_with_their_code_only(text: str, why: str | None) -> None:
    """A partner's answers are of numbers that it was sent: nothing is inferred."""
    found = columns.numbers(pa.array([text, "+447911123456"]), E164)
    assert found.good.tolist() == [why is None, True]
    if why:
        with pytest.raises(ValueError, match=why):
            phones.read(text, E164)


def test_a_number_that_two_countries_could_mean_is_not_guessed() -> None:
    """138 0213 8000 is a mobile number in China, and with its 1 one of Ohio."""
    with pytest.raises(ValueError, match=r"138\*\*\*\*8000 may be a number of \+1 or \+86; write \+"):
        phones.read("13802138000", BOTH)
    assert phones.read("13802138000", HERE) == 8613802138000
    assert phones.read("+13802138000", BOTH) == 13802138000
    assert phones.read("13800138000", BOTH) == 8613800138000, "no exchange of North America begins with 0"
    assert [phones.read(text, SOUTH) for text in ("021 123 4567", "64 21 123 4567", "0064 21 123 4567")] == [64211234567] * 3
    found = columns.numbers(pa.array(["13802138000", "13800138000", "2125551234"]), BOTH)
    assert found.value.tolist() == [0, 8613800138000, 12125551234]


def test_a_region_is_two_letters() -> None:
    assert phones.region("nz") == (phones.country("64"),)
    assert phones.region("CN") == HERE
    with pytest.raises(ValueError, match="ZZ is no region"):
        phones.region("ZZ")


@pytest.mark.parametrize("kind", [pa.int64(), pa.float64()])
def test_numbers_that_a_spreadsheet_rounded_are_refused_where_they_are_stored_as_numbers(kind: pa.DataType) -> None:
    stored = pa.array([8613810000000, 13800138001, 8613800138001, 13810000000, 42, None], kind)
    found = columns.numbers(stored, HERE)
    assert found.good.tolist() == [False, True, True, False, False, False]
    assert "rounded" in found.why_not(0)[0]
    assert "rounded" in found.why_not(3)[0]
    assert "rounded" not in found.why_not(4)[0]
    ranges = columns.numbers(stored, HERE, spreadsheets=False)
    assert ranges.value.tolist() == [8613810000000, 8613800138001, 8613800138001, 8613810000000, 0, 0]


def test_decimals_that_are_not_whole_are_no_numbers() -> None:
    found = columns.numbers(pa.array([13800138001.5, float("nan"), float("inf"), -13800138001.0, 1e300]), HERE)
    assert not found.good.any()


@pytest.mark.parametrize("odd", ["", "139-0000-0001"])
def test_a_file_of_which_most_rows_were_rounded_is_refused_and_a_round_number_among_others_is_not(odd: str) -> None:
    some = [odd] if odd else []
    most = columns.numbers(pa.array(["8613810000000", "8613820000000", "8613830000000", "13800138001", *some]), HERE)
    assert most.good.tolist()[:4] == [False, False, False, True]
    assert "rounded" in most.why_not(0)[0]
    few = columns.numbers(pa.array(["8613810000000", "13800138002", "8613800138001", *some]), HERE)
    meant = columns.numbers(pa.array(["+8613810000000", "+8613820000000", *some]), HERE)
    assert few.good[:3].all()
    assert meant.good[:2].all(), "no spreadsheet writes + before what it rounds"


DIGITS = st.integers(10**8, 10**15 - 1).map(str)
APART = st.text(st.sampled_from(" -()\u00a0–\u200b.,/x٣³"), max_size=2)
AROUND = st.sampled_from(
    ["{}", "'{}", '="{}"', "tel:{}", "+{}", "+86{}", "86{}", "0086{}", "0{}", "{}.0", "{}0", "\ufeff{} "]
)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, str]:
    """Digits as somebody may write them, and the same without anything between them."""
    digits = draw(st.one_of(DIGITS, st.integers(13_000_000_000, 19_999_999_999).map(str)))
    cuts = sorted(draw(st.lists(st.integers(1, len(digits) - 1), max_size=4)))
    parts = [digits[start:end] for start, end in zip([0, *cuts], [*cuts, len(digits)], strict=True)]
    text = parts[0] + "".join(draw(APART) + part for part in parts[1:])
    return draw(AROUND).format(text), digits


@given(written(), HOMES)
def test_no_written_form_is_read_as_another_number(said: tuple[str, str], home: Home) -> None:
    """Whatever is taken has all the digits that were written and no others but a country code."""
    text, _ = said
    if why := phones.why_not(text, home):
        assert len(why) > 15, "every refusal says why"
        return
    number = phones.read(text, home)
    digits = "".join(one for one in text.removesuffix(".0") if one in "0123456789")
    ways = {digits, digits.removeprefix("00"), digits.replace("(0)", "")}
    ways |= {one.code + digits.removeprefix(one.trunk) for one in home} | {one.code + digits for one in home}
    assert str(number) in ways


LIKE_NUMBERS = st.one_of(
    st.from_regex(r"\+?(0[xX])?[0-9a-fA-F]{5,16}", fullmatch=True),
    st.from_regex(r"[-+ ]{0,2}[0-9_.,eE٠-٩０-９]{5,17}", fullmatch=True),
    st.from_regex(r"(\+|00)?(86|1|64)?(1[3-9]|21)[0-9]{5,12}(\.0)?", fullmatch=True),
    written().map(lambda said: said[0]),
)  # fmt: skip


@given(st.lists(LIKE_NUMBERS, min_size=1, max_size=4), HOMES)
def test_a_column_takes_what_a_person_who_types_it_is_told_to_be_a_number(said: list[str], home: Home) -> None:
    found = columns.numbers(pa.array(said), home)
    for row, text in enumerate(said):
        why = phones.why_not(text, home)
        assert bool(found.good[row]) == (why is None) or found.rounded[row], text
        assert found.value[row] == (phones.read(text, home) if found.good[row] else 0)
        assert found.good[row] or str(found.why_not(row)[0])


@given(st.lists(st.integers(10**6, 10**15), min_size=1, max_size=4), HOMES)
def test_numbers_that_are_stored_as_such_are_read_as_their_digits(said: list[int], home: Home) -> None:
    found = columns.numbers(pa.array(said), home, spreadsheets=False)
    for row, number in enumerate(said):
        expected = 0 if phones.why_not(str(number), home) else phones.read(str(number), home)
        assert found.value[row] == expected
    as_decimals = columns.numbers(pa.array(np.array(said, np.float64)), home, spreadsheets=False)
    assert as_decimals.value.tolist() == found.value.tolist()
