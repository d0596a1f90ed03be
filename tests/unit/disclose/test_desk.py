"""The shop desk: a buyer is told what is known of a number, and no number is sold that must not be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from clocks import Clock
from holding import hold
from huanxin.acts import Platform
from huanxin.acts.desk import acknowledge
from huanxin.disclose.acknowledging import Acknowledgement, Method
from huanxin.disclose.desk import read_prefix, texts_of
from huanxin.domain.disclosure import EN, VERSION, ZH, Grade, NotForSale, digest
from huanxin.domain.errors import BadInput, Conflict, Forbidden, NotFound
from huanxin.figures.tracing import trace
from huanxin.store import facts
from huanxin.store.disclose import disclosures
from huanxin.store.release import releases
from operators import operator
from ordering import clean_after, disclosure_withdrawn, imported, looked_at
from selling import CLEAN, FIRST, HELD, LATE, OTHERS, REFUSED, SERVING, SIGNATURE, SPARE, WAIVED, Shop, open_shop


@pytest.fixture
def shop(platform: Platform, clock: Clock, tmp_path: Path) -> Shop:
    return open_shop(platform, clock, tmp_path)


def test_each_number_gets_the_grade_that_its_renewal_earned_and_a_blocked_one_its_reason(shop: Shop) -> None:
    numbers = {CLEAN: "B", WAIVED: "C", FIRST: "A", REFUSED: NotForSale.NOT_RELEASED, HELD: NotForSale.WITHHELD,
               LATE: NotForSale.WITHHELD, SERVING: NotForSale.IN_SERVICE, OTHERS: NotForSale.OTHER_CARRIER,
               8610012345678: NotForSale.NO_NUMBER}  # fmt: skip
    told = looked_at(shop.platform, list(numbers), seller="cmcc")
    assert [one.why or one.grade for one in told] == list(numbers.values())
    clean = told[0]
    assert (clean.asked, clean.confirmed, clean.open, clean.frozen_days) == (2, 2, 0, 91)
    assert (told[1].asked, told[1].confirmed, told[1].open) == (2, 1, 1)
    assert not texts_of(told[3]), "there is nothing to acknowledge"
    assert (told[0].recycled, told[2].recycled) == (True, False)
    serving = told[6]
    assert (serving.recycled, serving.closed_on, serving.asked) == (None, None, 0), "its owner is nobody's business"


def test_a_never_used_number_that_the_carrier_was_not_allotted_is_not_offered(shop: Shop) -> None:
    """Whoever bought it would hold a number that their carrier can't open. A recycled one has its reports."""
    with shop.platform.database.transaction() as tx:
        for ranges in ([(8613800130000, 8613800139999)], [(8613800130002, 8613800130003), (8613800140000, 8613800140000)]):
            facts.allocation(tx, carrier="cmcc", file_name="x.csv", ranges=ranges, by="li", at=shop.platform.now())
        facts.allocation(tx, carrier="cucc", file_name="y.csv", ranges=[(FIRST, FIRST)], by="li", at=shop.platform.now())
    told = looked_at(shop.platform, [FIRST, 8613800130002, 8613800140000, CLEAN], seller="cmcc")
    assert [one.why or one.grade for one in told] == [NotForSale.WITHHELD, "A", "A", "B"], "the newest file holds"
    found = clean_after(shop.platform, "138001", grades={Grade.A}, after=0, most=5, seller="cmcc").found
    assert [one.number for one in found] == [8613800130002, 8613800130003, 8613800140000]


def test_a_number_of_a_carrier_that_never_said_what_it_was_allotted_is_not_for_first_use(
    platform: Platform, clock: Clock
) -> None:
    """Any number that nobody reported read as "A first use", with a link to sell it."""
    assert looked_at(platform, [FIRST], seller="cmcc")[0].why is NotForSale.WITHHELD
    assert clean_after(platform, "138", grades={Grade.A}, after=0, most=5, seller="cmcc").found == []


def test_a_buyer_learns_counts_and_a_day_and_neither_a_partner_nor_what_it_did(shop: Shop) -> None:
    for number in (CLEAN, WAIVED):
        for text in texts_of(shop.told(number)).values():
            assert "2026-08-25" in text
            assert not any(word in text for word in ("晨星", "飞燕", "unbound", "absent", "解绑", "waive", "豁免", "138"))


def test_a_number_in_its_freeze_is_not_sold_a_day_early(
    platform: Platform, clock: Clock, report: Callable[..., Path]
) -> None:
    imported(platform, report(f"+{CLEAN},cancelled,2026-08-27"), carrier="cmcc", by="test")
    told = looked_at(platform, [CLEAN], seller=None)[0]
    assert (told.why, told.sellable_from) == (NotForSale.FREEZING, date(2026, 11, 26))
    clock.forward(days=2)
    assert looked_at(platform, [CLEAN], seller=None)[0].why is NotForSale.NOT_RELEASED


def test_what_the_buyer_saw_is_recorded_with_his_signature_and_never_twice(shop: Shop) -> None:
    done = acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk)
    with shop.platform.database.transaction() as tx:
        kept = disclosures.get(tx, done.ids[0])
        assert kept
        seen = disclosures.text_of(tx, kept.text_sha256)
    assert (kept.number, kept.grade, kept.asked, kept.confirmed, kept.evidence) == (CLEAN, "B", 2, 2, SIGNATURE)
    assert (kept.clerk, kept.closed_on, seen.language) == (shop.clerk.login, date(2026, 8, 25), ZH)
    assert "2 家均已确认" in seen.text
    again = Acknowledgement(number=CLEAN, shown=kept.text_sha256.hex(), method=Method.SIGNATURE, evidence=SIGNATURE)
    assert acknowledge(shop.platform, [again], by=shop.clerk).new == 0, "a duplicate changes nothing (rule 7)"
    with pytest.raises(BadInput) as refused:
        acknowledge(shop.platform, [replace(again, evidence="M1 1L2 2L3 3L4 4L5 9")], by=shop.clerk)
    assert "acknowledged it on 2026-11-24" in refused.value.faults[0].reason
    assert shop.told(CLEAN).why is NotForSale.ACKNOWLEDGED


def test_acknowledgements_that_are_sent_again_change_nothing_though_some_were_sold_since(shop: Shop) -> None:
    """A shop whose line broke sends its thousand again: one that was opened meanwhile had all of them refused."""
    given = [shop.given(number) for number in (CLEAN, WAIVED, FIRST)]
    done = acknowledge(shop.platform, given, by=shop.clerk)
    assert shop.opened(CLEAN, FIRST) == 0
    hold(shop.platform, [WAIVED], source="court", order="12/4")
    again = acknowledge(shop.platform, [*given, shop.given(SPARE[0])], by=shop.clerk)
    assert (again.ids[:3], again.new) == (done.ids, 1)
    with pytest.raises(BadInput):
        acknowledge(shop.platform, [replace(given[0], evidence="M1 1L2 2L3 3L4 4L5 9")], by=shop.clerk)
    stranger = operator(shop.platform, "desk", carrier="cucc", login="stranger")
    with pytest.raises(BadInput):
        acknowledge(shop.platform, given[:1], by=stranger)


@pytest.mark.parametrize("number", [REFUSED, HELD, LATE, SERVING, OTHERS])
def test_nobody_can_acknowledge_a_number_that_is_not_for_sale(shop: Shop, number: int) -> None:
    with pytest.raises(BadInput) as refused:
        acknowledge(shop.platform, [shop.given(CLEAN), shop.given(number)], by=shop.clerk)
    assert [fault.line for fault in refused.value.faults] == [2]
    assert "not for sale" in refused.value.faults[0].reason
    assert shop.told(CLEAN).for_sale, "all or none"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"shown": "0" * 64}, "has changed since"),
        ({"evidence": "<script>"}, "no drawn line"),
        ({"evidence": "M1 1L2 2"}, "no drawn line"),
        ({"method": Method.REFERENCE, "evidence": " "}, "1 to 200 characters"),
        ({"method": Method.CODE}, "leaves no evidence"),
    ],
)
def test_an_acknowledgement_of_something_else_is_refused(shop: Shop, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(BadInput) as refused:
        acknowledge(shop.platform, [shop.given(CLEAN, **changes)], by=shop.clerk)
    assert reason in refused.value.faults[0].reason


def test_a_text_that_an_answer_has_overtaken_must_be_shown_again(shop: Shop) -> None:
    seen = shop.given(WAIVED)
    shop.answer("飞燕快递", f"+{WAIVED},unbound,,")
    with pytest.raises(BadInput):
        acknowledge(shop.platform, [seen], by=shop.clerk)
    assert shop.told(WAIVED).grade is Grade.B
    assert acknowledge(shop.platform, [shop.given(WAIVED)], by=shop.clerk).new == 1


def test_only_the_desk_records_and_only_numbers_of_its_carrier(shop: Shop) -> None:
    with pytest.raises(Forbidden):
        acknowledge(shop.platform, [shop.given(CLEAN)], by=operator(shop.platform, "supervisor"))
    other = operator(shop.platform, "desk", carrier="cucc")
    with pytest.raises(BadInput):
        acknowledge(shop.platform, [shop.given(CLEAN)], by=other)
    done = acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk)
    with pytest.raises(NotFound):
        disclosure_withdrawn(shop.platform, done.ids[0], reason="x", by=other)


def test_a_buyer_who_goes_without_the_number_leaves_it_to_another_until_it_is_sold(shop: Shop) -> None:
    first = acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk).ids[0]
    disclosure_withdrawn(shop.platform, first, reason="took another one", by=shop.clerk)
    assert shop.told(CLEAN).for_sale
    with pytest.raises(Conflict, match="withdrawn before"):
        disclosure_withdrawn(shop.platform, first, reason="again", by=shop.clerk)
    second = acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk).ids[0]
    assert shop.opened(CLEAN) == 0
    with pytest.raises(Conflict, match="was sold since"):
        disclosure_withdrawn(shop.platform, second, reason="too late", by=shop.clerk)


def test_a_numbers_timeline_shows_each_disclosure_with_who_when_which_words_and_how(shop: Shop) -> None:
    """Whoever has to prove what a buyer was told finds the record, the text by its digest, and the withdrawal."""
    first = acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk).ids[0]
    disclosure_withdrawn(shop.platform, first, reason="took another one", by=shop.clerk)
    again = shop.given(CLEAN, method=Method.REFERENCE, evidence="contract 7")
    second = acknowledge(shop.platform, [again], by=shop.clerk).ids[0]
    assert shop.opened(CLEAN, WAIVED) == 1
    with shop.platform.database.transaction() as tx:
        found, undisclosed = (trace(tx, shop.platform, number).entries for number in (CLEAN, WAIVED))
    told = [entry for entry in found if entry.kind.startswith("disclos")]
    assert [(one.kind, one.by, one.evidence[0]) for one in told] == [
        ("disclosed", shop.clerk.login, ("disclosure", first)),
        ("disclosure-withdrawn", shop.clerk.login, ("disclosure", first)),
        ("disclosed", shop.clerk.login, ("disclosure", second)),
    ]
    assert told[0].evidence[1] == ("text", f"{VERSION} {ZH} {again.shown}")
    assert told[0].evidence[2] == ("signature", hashlib.sha256(SIGNATURE.encode()).hexdigest())
    assert (told[1].why, told[2].grade, told[2].evidence[2]) == ("took another one", "B", ("reference", "contract 7"))
    assert not any(one.partner for one in told), "the names of the apps are nobody's business here"
    assert [entry.why for entry in undisclosed if entry.kind == "breach"] == ["opened-without-disclosure"]
    assert "breach" not in [entry.kind for entry in found]


def test_a_sale_without_a_disclosure_is_a_breach_and_a_first_use_or_the_past_is_none(shop: Shop) -> None:
    acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk)
    assert shop.opened(CLEAN, WAIVED, FIRST) == 1
    with shop.platform.database.transaction() as tx:
        found = [one for one in releases.breaches(tx) if one.kind == "opened-without-disclosure"]
        assert [(one.carrier, one.count) for one in found] == [("cmcc", 1)]
        assert list(releases.breach_numbers(tx, found[0].id)) == [WAIVED]


def test_history_from_before_the_platform_is_no_breach(platform: Platform, report: Callable[..., Path]) -> None:
    lines = (f"+{CLEAN},opened,2024-01-05", f"+{CLEAN},cancelled,2026-06-01", f"+{CLEAN},opened,2026-10-01")
    assert imported(platform, report(*lines), carrier="cmcc", by="test").undisclosed == 0


def test_a_disclosure_of_the_tenure_before_does_not_cover_the_next_sale(shop: Shop) -> None:
    acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk)
    assert shop.opened(CLEAN) == 0
    shop.clock.forward(days=200)
    path = shop.folder / "later.csv"
    path.write_text(f"number,event,at\n+{CLEAN},cancelled,2026-12-24\n+{CLEAN},opened,2027-05-01\n")
    assert imported(shop.platform, path, carrier="cmcc", by="test").undisclosed == 1


def test_the_next_clean_numbers_of_a_prefix_leave_out_what_is_not_clean(shop: Shop) -> None:
    def offer(prefix: str, *, first_use: bool, after: int = 0) -> list[int]:
        grades = {Grade.A} if first_use else {Grade.B}
        found = clean_after(shop.platform, prefix, grades=grades, after=after, most=3, seller="cmcc")
        return [one.number for one in found.found]

    assert offer("1380013", first_use=False) == [CLEAN]
    acknowledge(shop.platform, [shop.given(CLEAN)], by=shop.clerk)
    assert offer("138001", first_use=False) == []
    assert offer("1380013", first_use=True) == [8613800130000, 8613800130001, 8613800130002]
    assert offer("1380013810", first_use=True, after=8613800138099) == [8613800138101, 8613800138102, 8613800138103]
    assert offer("130", first_use=True) == [], "another carrier's range"


@pytest.mark.parametrize("text", ["13", "13800138000", "12a", "１３８", ""])
def test_a_prefix_is_some_digits(text: str) -> None:
    with pytest.raises(BadInput, match="prefix"):
        read_prefix(text)


def test_both_languages_say_every_grade(shop: Shop) -> None:
    told = shop.told(CLEAN)
    for grade in (Grade.A, Grade.B, Grade.C):
        texts = texts_of(replace(told, grade=grade))
        assert "选择其他号码" in texts[ZH]
        assert "another number" in texts[EN]
        assert "{" not in texts[ZH] + texts[EN]


def test_ten_thousand_acknowledgements_are_one_order(shop: Shop) -> None:
    first = 8613800500000
    told = shop.told(first)
    shown = digest(texts_of(told)[EN])
    one = Acknowledgement(number=first, shown=shown, method=Method.REFERENCE, evidence="")
    given = [replace(one, number=first + n, evidence=f"contract {n}") for n in range(10_000)]
    assert acknowledge(shop.platform, given, by=shop.clerk).new == 10_000
    with pytest.raises(BadInput, match="1 to 10,000"):
        acknowledge(shop.platform, [], by=shop.clerk)
