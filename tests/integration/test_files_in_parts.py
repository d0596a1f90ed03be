"""A part of a receipt never passes for the whole: what was lost, damaged or late holds up whatever comes after it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from exchanging import NUMBERS, Shop, reader_of, takes
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.store.connect import partners
from huanxin.store.connect.partners import RECEIPT_WAITS

Report = Callable[..., Path]
A, B = NUMBERS[:2]


@pytest.fixture
def shop(platform: Platform, report: Report, tmp_path: Path) -> Shop:
    return Shop.told(platform, report, tmp_path)


@pytest.fixture
def look(platform: Platform, clock: Clock) -> Callable[[], None]:
    """The platform looks into the folder again, a minute later."""
    reader = reader_of(platform)

    def looked() -> None:
        clock.forward(seconds=61)
        takes(reader)

    return looked


def released(platform: Platform) -> int:
    return sum(one.count for one in release(platform, by="li"))


def results(shop: Shop) -> list[str]:
    return sorted(path.name.split(".")[1] for path in shop.out.glob("*.result.json"))


def damaged(shop: Shop, notice: str, part: int) -> None:
    path = shop.into / f"{notice}.{part}.receipt.csv"
    path.write_bytes(path.read_bytes()[:-4])


def test_a_damaged_part_that_refuses_a_number_is_not_passed_over_by_the_last_part(
    shop: Shop, platform: Platform, look: Callable[[], None]
) -> None:
    """Before this, the last part made A absent, and a number under dispute was sold."""
    notice = shop.manifest()["notice"]
    shop.answer([f"{A},refused,legal_hold,"], notice=notice, part=1, complete=False)
    damaged(shop, notice, 1)
    shop.answer([f"{B},unbound,,"], notice=notice, part=2, complete=True)
    look()
    assert results(shop) == [], "part 1 may be on its way"
    look()
    assert results(shop) == ["1"]
    assert shop.result(notice, 1)["problem"]["status"] == 422
    assert released(platform) == 0
    shop.answer([f"{A},refused,legal_hold,"], notice=notice, part=3, complete=False, replaces=[1])
    look()
    assert results(shop) == ["1", "2", "3"]
    assert (shop.result(notice, 3)["outstanding"], shop.result(notice, 2)["outstanding"]) == (3, 0)
    assert released(platform) == 3, "all but A"


def test_a_part_that_is_late_is_waited_for_and_the_partner_is_told_which(
    shop: Shop, platform: Platform, look: Callable[[], None]
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{B},unbound,,"], notice=notice, part=3, complete=True)
    for _ in range(3):
        look()
    assert (results(shop), released(platform)) == ([], 0)
    waiting = (shop.out / f"{notice}.3.waiting.json").read_text()
    assert '"waits_for": [\n  1,\n  2\n ]' in waiting
    with platform.database.transaction() as tx:
        (noted,) = partners.events_of(tx, shop.partner.id, kind=RECEIPT_WAITS)
    assert (noted.notice_id, noted.detail["waits_for"]) == (notice, [1, 2])
    shop.answer([f"{A},refused,debt,"], notice=notice, part=1, complete=False)
    shop.answer([f"{NUMBERS[2]},pending,,"], notice=notice, part=2, complete=False)
    look()
    assert results(shop) == ["1", "2", "3"]
    assert released(platform) == 2


def test_what_replaces_a_part_and_says_it_is_the_last_has_to_replace_all_that_waits_for_it(
    shop: Shop, platform: Platform, look: Callable[[], None]
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{A},refused,,"], notice=notice, part=1, complete=False)
    shop.answer([f"{B},refused,debt,"], notice=notice, part=2, complete=True)
    shop.answer([f"{A},refused,debt,"], notice=notice, part=3, complete=True, replaces=[1])
    look()
    assert results(shop) == ["1", "3"]
    assert "not all before it were taken or replaced: 2;" in shop.result(notice, 3)["problem"]["detail"]
    assert released(platform) == 0
    both = [f"{A},refused,debt,", f"{B},refused,debt,"]
    shop.answer(both, notice=notice, part=4, complete=True, replaces=[1, 2, 3])
    look()
    assert shop.result(notice, 4)["outstanding"] == 0
    look()
    assert "took the place of 2" in shop.result(notice, 2)["problem"]["detail"]
    assert released(platform) == 2


def test_a_part_that_was_taken_is_not_replaced(shop: Shop, look: Callable[[], None]) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{A},refused,debt,"], notice=notice, part=1, complete=False)
    shop.answer([f"{B},unbound,,"], notice=notice, part=2, complete=True, replaces=[1])
    look()
    assert shop.result(notice, 1)["problem"] is None
    assert "1 was taken and can't be replaced" in shop.result(notice, 2)["problem"]["detail"]


@pytest.mark.parametrize("replaces", [[0], [2], [-1, 1], [True], ["1"], [10**30]])
def test_a_manifest_replaces_lower_numbers_and_nothing_else(
    shop: Shop, look: Callable[[], None], replaces: list[int]
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{A},unbound,,"], notice=notice, part=2, replaces=replaces)
    look()
    assert shop.result(notice, 2)["problem"]["status"] == 400


def test_numbers_begin_with_one_and_have_no_zeros_before_them(shop: Shop, look: Callable[[], None]) -> None:
    """`01` and `1` would be two parts of one number."""
    notice = shop.manifest()["notice"]
    for part in ("0", "01"):
        shop.answer([f"{A},unbound,,"], notice=notice, part=part)  # type: ignore[arg-type]
    shop.answer([f"{B},unbound,,"], notice=notice, part=1)
    look()
    assert "no zeros before them" in shop.result(notice, "01")["problem"]["detail"]  # type: ignore[arg-type]
    assert "begin with 1" in shop.result(notice, "0")["problem"]["detail"]  # type: ignore[arg-type]
    assert shop.result(notice, 1)["problem"] is None


def test_a_result_that_got_lost_is_written_again_and_a_number_is_never_used_twice(
    shop: Shop, look: Callable[[], None]
) -> None:
    notice = shop.manifest()["notice"]
    shop.answer([f"{A},refused,,"], notice=notice, part=1)
    look()
    first = shop.result(notice, 1)
    shop.answer([f"{A},refused,debt,"], notice=notice, part=2, replaces=[1])
    look()
    taken = shop.result(notice, 2)
    for path in shop.out.glob("*.result.json"):
        path.unlink()
    look()
    assert shop.result(notice, 1) == first
    again = shop.result(notice, 2)
    assert [again[name] for name in ("accepted", "outstanding")] == [taken[name] for name in ("accepted", "outstanding")]
    for part in (1, 2):
        (shop.out / f"{notice}.{part}.result.json").unlink()
        shop.answer([f"{A},unbound,,"], notice=notice, part=part)
    look()
    for part in (1, 2):
        problem = shop.result(notice, part)["problem"]
        assert (problem["status"], f"{part} was used before" in problem["detail"]) == (409, True)


def test_what_a_refused_part_named_is_named_by_what_replaces_it(
    shop: Shop, platform: Platform, look: Callable[[], None]
) -> None:
    """The bad line is left out instead of mended: silence is not taken for `absent`."""
    notice = shop.manifest()["notice"]
    shop.answer([f"{A},refused,dept,", f"{B},unbound,,"], notice=notice, part=1)
    look()
    shop.answer([f"{B},unbound,,"], notice=notice, part=2, replaces=[1])
    look()
    errors = shop.result(notice, 2)["problem"]["errors"]
    assert [one["line"] for one in errors] == [0]
    assert "138****8000 stood in a receipt that was refused" in errors[0]["reason"]
    assert released(platform) == 0
    shop.answer([f"{A},absent,,", f"{B},unbound,,"], notice=notice, part=3, replaces=[1, 2])
    look()
    assert released(platform) == 4


def test_what_lies_in_the_folder_of_a_partner_that_was_withdrawn_answers_nothing(
    shop: Shop, platform: Platform, look: Callable[[], None]
) -> None:
    """Over HTTP it is let in no more. Before this, its old folder went on answering, and numbers were released by it."""
    shop.answer([], notice=shop.manifest()["notice"])
    with platform.database.transaction() as tx:
        partners.withdraw(tx, shop.partner.id, reason="contract ended", by="li", at=platform.now())
    look()
    assert results(shop) == []
    assert released(platform) == 0
