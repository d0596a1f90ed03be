"""A file that is refused whole says what is likely behind, in a sentence, not in as many as it has lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from huanxin.acts import Platform
from huanxin.domain.errors import BadInput
from ordering import imported

Report = Callable[..., Path]
MANY = 500
OURS, THEIRS = 8613800138000, 8613000138000


def lines(event: str, day: str, *, first: int = OURS, count: int = MANY) -> list[str]:
    return [f"+{first + one},{event},{day}" for one in range(count)]


def refusal(platform: Platform, path: Path, carrier: str) -> BadInput:
    with pytest.raises(BadInput) as refused:
        imported(platform, path, carrier=carrier, by="li")
    return refused.value


@pytest.mark.parametrize("before", [(), ("opened", "2025-01-01")], ids=["unknown", "on record"])
def test_a_file_of_another_carrier_is_called_one(platform: Platform, report: Report, before: tuple[str, str]) -> None:
    if before:
        imported(platform, report(*lines(*before, first=THEIRS)), carrier="cucc", by="li")
    error = refusal(platform, report(*lines("cancelled", "2026-08-20", first=THEIRS), name="wrong.csv"), "cmcc")
    assert "this looks like a file of cucc" in str(error)
    (kind,) = error.kinds
    assert kind.reason.startswith("500 lines alike (2, 3, 4 …), the first of them: ")
    assert len(error.faults) == MANY, "each is in the file of bad lines all the same"


def test_a_first_day_is_told_that_what_was_so_before_comes_first(platform: Platform, report: Report) -> None:
    """Else reclaims of numbers that were cancelled before the first report sink the file, and nobody says what to do."""
    first = [*lines("reclaimed", "2026-08-20"), *lines("opened", "2026-08-20", first=OURS + MANY)]
    error = refusal(platform, report(*first), "cmcc")
    assert "huanxin report baseline" in str(error)
    assert len(error.kinds) == 1


def test_months_that_do_not_fit_together_are_told_so_and_a_few_slips_are_told_line_by_line(
    platform: Platform, report: Report
) -> None:
    imported(platform, report(*lines("cancelled", "2026-08-20")), carrier="cmcc", by="li")
    slips = ("+8613800138000,vanished,2026-08-21", "12,opened,2026-08-21")
    error = refusal(platform, report(*slips, *lines("cancelled", "2026-06-01"), name="june.csv"), "cmcc")
    assert "months came in another order" in str(error)
    assert [one.line for one in error.kinds] == [2, 3, 4]
    assert "comes too late" in error.kinds[2].reason


def test_where_nothing_is_behind_many_lines_the_sentence_says_what_to_do_with_them(
    platform: Platform, report: Report
) -> None:
    error = refusal(platform, report(*lines("vanished", "2026-08-20", count=40)), "cmcc")
    assert "mend them, or leave them out" in str(error)
    assert len(error.kinds) == 1
    assert refusal(platform, report(*lines("vanished", "2026-08-20", count=3)), "cmcc").kinds == error.faults[:3]
