"""What the verbs raise is read in the reader's language: nobody at a console has to know English to mend a mistake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from huanxin.domain.errors import BadInput, Fault
from huanxin.web.pages.console.plain import KNOWN, lines_of, plain

SOURCES = [
    path.read_text(encoding="utf-8")
    for folder in ("access", "domain", "notify", "numbersets", "plan", "release", "web")
    for path in sorted((Path(__file__).parents[3] / "src/huanxin" / folder).rglob("*.py"))
    if path.name != "plain.py"
]


VARIES = r"%\(\w+\)s|(?<=was )(?:approved|declined|withdrawn)"


@pytest.mark.parametrize("text", KNOWN)
def test_every_known_text_is_one_that_is_raised(text: str) -> None:
    """A text that was reworded where it is raised would fall back to English, unseen."""
    pieces = [re.sub(r"\s+", " ", one).strip(" ;,:.") for one in re.split(VARIES, text)]
    flat = [re.sub(r'"\s*\n?\s*f?"', "", re.sub(r"\s+", " ", source)) for source in SOURCES]
    assert any(all(piece in source for piece in pieces) for source in flat), text


def test_a_text_keeps_its_names_and_numbers_in_chinese() -> None:
    assert plain("proposal 7 was declined by wang already", "zh_CN") == "提议 7 已由 wang 否决"
    assert plain("you proposed this, so another supervisor has to decide on it", "en").startswith("You proposed")
    assert plain("something new", "zh_CN") == "something new"


def test_bad_lines_are_told_with_their_line() -> None:
    error = BadInput("2 lines", [Fault(line=3, reason="the number is empty"), Fault(line=5, reason="138****8000 has no "
                                 "country code; write +86 before it")])  # fmt: skip
    assert lines_of(error, "zh_CN") == [(3, "号码为空"), (5, "138****8000 没有国家码，请在前面加 +86")]
