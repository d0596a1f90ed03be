"""Sales of which the buyer was not told: a disclosure covers one sale, of the carrier that made it and before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.desk import acknowledge
from huanxin.disclose.desk import texts_of
from huanxin.domain.disclosure import ZH, NotForSale, digest
from huanxin.domain.errors import Conflict
from huanxin.store.release import releases
from operators import operator
from ordering import disclosure_withdrawn, imported, plan_now, send_now
from selling import CLEAN, FIRST, SPARE, Shop, open_shop

PORTED = 8613800138150


@pytest.fixture
def shop(platform: Platform, clock: Clock, tmp_path: Path) -> Shop:
    return open_shop(platform, clock, tmp_path)


def report(shop: Shop, *lines: str, carrier: str = "cmcc") -> int:
    """A carrier's report; how many numbers of it were sold without a word."""
    path = shop.folder / "sold.csv"
    path.write_text("\n".join(["number,event,at", *lines, ""]))
    return imported(shop.platform, path, carrier=carrier, by="test").undisclosed


def told_of(shop: Shop) -> list[int]:
    """The numbers that stand in breaches of this kind."""
    with shop.platform.database.transaction() as tx:
        kind = "opened-without-disclosure"
        found = [one.id for one in releases.breaches(tx) if one.kind == kind]
        return sorted(int(number) for one in found for number in releases.breach_numbers(tx, one))


def test_what_was_told_of_a_number_that_was_never_used_does_not_cover_its_second_sale(shop: Shop) -> None:
    acknowledge(shop.platform, [shop.given(FIRST)], by=shop.clerk)
    shop.clock.forward(hours=2)
    assert report(shop, f"+{FIRST},opened,2026-11-24T10:00:00+08:00") == 0
    shop.clock.forward(days=300)
    assert shop.told(FIRST).why is NotForSale.IN_SERVICE
    assert report(shop, f"+{FIRST},cancelled,2027-03-01") == 0
    assert shop.told(FIRST).why is NotForSale.NOT_RELEASED, "the desk asks anew"
    assert report(shop, f"+{FIRST},opened,2027-09-01") == 1
    assert told_of(shop) == [FIRST]


def test_two_sales_in_one_report_need_two_disclosures(shop: Shop) -> None:
    """The first is covered; what was told of the tenure before it says nothing of the one after."""
    acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk)
    shop.clock.forward(days=300)
    lines = (f"+{CLEAN},opened,2026-11-25", f"+{CLEAN},cancelled,2027-03-01", f"+{CLEAN},opened,2027-09-01")
    assert report(shop, *lines) == 1
    assert told_of(shop) == [CLEAN]


@pytest.mark.parametrize(
    ("sold", "missing"),
    [
        ("2026-11-27T08:59:59+08:00", 1), ("2026-11-27T09:00:00+08:00", 0), ("2026-11-27", 0), ("2026-11-26", 1),
        ("2026-11-26T23:59:59+08:00", 1),
    ],
)  # fmt: skip
def test_who_was_told_after_the_sale_was_not_told(shop: Shop, sold: str, missing: int) -> None:
    """The clerk had the buyer sign at nine; where the carrier gives the day only, that day may be the right one."""
    shop.clock.forward(days=3)
    acknowledge(shop.platform, [shop.given(SPARE[0])], by=shop.clerk)
    shop.clock.forward(days=1)
    assert report(shop, f"+{SPARE[0]},opened,{sold}") == missing


@pytest.mark.parametrize(("seller", "missing"), [("cucc", 0), ("cmcc", 1)])
def test_what_one_carrier_disclosed_does_not_cover_what_another_sold(shop: Shop, seller: str, missing: int) -> None:
    """A number that was taken along and cancelled there may be sold by either; each tells its own buyers."""
    report(shop, f"+{PORTED},ported_out,2026-07-01")
    report(shop, f"+{PORTED},cancelled,2026-08-01", carrier="cucc")
    batch = plan_now(shop.platform, by="test")
    assert batch is not None
    send_now(shop.platform, batch.id)
    shop.batch = batch.id
    for partner in ("晨星商城", "飞燕快递"):
        shop.answer(partner, f"+{PORTED},absent,,", complete=True)
    release(shop.platform, by="test")
    clerk = operator(shop.platform, "desk", carrier="cucc", login="clerk-of-cucc")
    shown = digest(texts_of(shop.told(PORTED, "cucc"))[ZH])
    acknowledge(shop.platform, [shop.given(PORTED, shown=shown)], by=clerk)
    assert shop.told(PORTED, "cmcc").why is NotForSale.ACKNOWLEDGED, "the other shop sends its buyer away"
    shop.clock.forward(hours=2)
    assert report(shop, f"+{PORTED},opened,2026-11-24", carrier=seller) == missing


def test_a_disclosure_whose_number_was_sold_and_came_back_is_not_withdrawn(shop: Shop) -> None:
    """What a buyer acknowledged stays, also once they have given the number up."""
    made = acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk).ids[0]
    shop.clock.forward(days=100)
    report(shop, f"+{CLEAN},opened,2026-11-24", f"+{CLEAN},cancelled,2027-01-15")
    with pytest.raises(Conflict, match="was sold since"):
        disclosure_withdrawn(shop.platform, made, reason="a slip", by=shop.clerk)
