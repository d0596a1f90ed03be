"""What is asked of the store, and what is filed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from huanxin_partner.client import Platform, PlatformError
from huanxin_partner.handler import BadAnswer, Handler
from huanxin_partner.journal import Journal
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Event
from partner_signing import NOW, RECYCLED, RENEWAL

RETRACTION = "urn:huanxin:event:retraction"
INQUIRY = "urn:huanxin:event:inquiry"
CUTOFF = datetime(2026, 11, 24, 5, tzinfo=UTC)
NUMBERS = [f"+86138001380{place:02}" for place in range(10)]


class FakePlatform:
    """Gives numbers, keeps receipts, and fails the given number of times."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, list[tuple[str, str]], bool]] = []
        self.failures = 0

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[Iterator[str]]:
        del sha256
        chosen = NUMBERS[:3] if url.endswith("/few") else NUMBERS
        yield iter(["number\n", *(f"{number}\n" for number in chosen)])

    def file_receipt(self, notice: str, answers: Sequence[Answer], *, complete: bool, key: str) -> None:
        if self.failures:
            self.failures -= 1
            raise PlatformError("away")
        self.receipts.append((notice, [(one.number, one.outcome) for one in answers], complete))


class FakeTies:
    """Ties on the even numbers."""

    def __init__(self) -> None:
        self.cut: dict[str, datetime] = {}
        self.more: list[Answer] = []
        self.asked: list[int] = []

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        self.asked.append(len(numbers))
        for number in numbers:
            if int(number) % 2 == 0:
                self.cut.setdefault(number, cutoff)
        return [Answer(number=n, outcome="unbound") for n in numbers if n in self.cut] + self.more

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        return [Answer(number=n, outcome="restored") for n in numbers if self.cut.get(n) == cutoff and self.cut.pop(n)]

    def bound(self, number: str) -> bool:
        return int(number) % 2 == 0


class Desk:
    """A handler with its surroundings."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.ties, self.platform, self.journal = FakeTies(), FakePlatform(), Journal(folder / "j.db")
        self.handler = Handler(self.ties, cast(Platform, self.platform), self.journal, **options)


def batch(name: str, notice: str, numbers: str = "all", **more: Any) -> Event:
    file = {"url": f"http://x/{numbers}", "sha256": {"text/csv": "a" * 64}}
    payload = {"notice": notice, "scope": "batch", "count": 10, "cutoff": CUTOFF.isoformat(), "numbers": file} | more
    return Event(jti=notice, name=name, claims=payload, subject={}, issued_at=NOW)


def single(name: str, number: str, **payload: Any) -> Event:
    claims = {"notice": "n9", "scope": "request", "cutoff": CUTOFF.isoformat()} | payload
    return Event(jti="s", name=name, claims=claims, subject={"phone_number": number}, issued_at=NOW)


def test_a_batch_is_asked_in_chunks_and_filed_in_parts(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    desk = Desk(tmp_path, chunk=4, part=2, progress=lambda done, total: told.append((done, total)))
    desk.handler.handle(batch(RENEWAL, "n1"))
    assert told == [(4, 10), (8, 10), (10, 10)]
    even = [number for number in NUMBERS if int(number) % 2 == 0]
    assert desk.ties.asked == [4, 4, 2]
    assert [complete for _, _, complete in desk.platform.receipts] == [False, False, True]
    assert [number for _, part, _ in desk.platform.receipts for number, _ in part] == even
    assert {outcome for _, part, _ in desk.platform.receipts for _, outcome in part} == {"unbound"}


def test_a_notice_without_ties_is_answered_too(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.journal.take_back("n1", NUMBERS)
    desk.handler.handle(batch(RENEWAL, "n1"))
    assert desk.platform.receipts == [("n1", [], True)]


def test_parts_are_filed_again_from_the_start_after_a_failure(tmp_path: Path) -> None:
    desk = Desk(tmp_path, part=2)
    desk.handler.handle(batch(RENEWAL, "n1"))
    whole = list(desk.platform.receipts)
    again = Desk(tmp_path, part=2)
    again.platform.failures = 1
    with pytest.raises(PlatformError):
        again.handler.handle(batch(RENEWAL, "n1"))
    assert again.platform.receipts == []
    again.handler.handle(batch(RENEWAL, "n1"))
    assert again.platform.receipts == whole


def test_one_number_is_answered_by_name(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.handler.handle(single(RENEWAL, NUMBERS[0]))
    desk.handler.handle(single(RENEWAL, NUMBERS[1]))
    assert desk.platform.receipts == [("n9", [(NUMBERS[0], "unbound")], True), ("n9", [(NUMBERS[1], "absent")], True)]


def test_a_retraction_gives_back_and_answers_on_its_own_notice(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.handler.handle(batch(RENEWAL, "n1"))
    desk.handler.handle(batch(RETRACTION, "n2", "few", of="n1"))
    assert desk.platform.receipts[-1] == ("n2", [(NUMBERS[0], "restored"), (NUMBERS[2], "restored")], True)
    desk.handler.handle(batch(RENEWAL, "n1"))  # as after a crash: it must not cut them again
    assert not {NUMBERS[0], NUMBERS[2]} & desk.ties.cut.keys()


def test_an_order_that_is_taken_back_gives_its_one_number_back(tmp_path: Path) -> None:
    """The carrier had said a wrong day: what was cut was the owner's own."""
    desk = Desk(tmp_path)
    desk.handler.handle(single(RENEWAL, NUMBERS[0]))
    desk.handler.handle(single(RETRACTION, NUMBERS[0], notice="n10", of="n9"))
    assert desk.platform.receipts[-1] == ("n10", [(NUMBERS[0], "restored")], True)
    assert desk.ties.cut == {}


def test_a_retraction_that_overtakes_its_renewal_still_holds(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.handler.handle(batch(RETRACTION, "n2", "few", of="n1"))
    assert desk.platform.receipts == [("n2", [], True)]
    desk.handler.handle(batch(RENEWAL, "n1"))
    assert sorted(desk.ties.cut) == [NUMBERS[4], NUMBERS[6], NUMBERS[8]]


def test_a_recycled_identifier_cuts_and_files_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.handler.handle(single(RECYCLED, NUMBERS[0], event_timestamp=NOW - 60)) == "unbound"
    assert desk.ties.cut == {NUMBERS[0]: datetime.fromtimestamp(NOW - 60, UTC)}
    assert desk.platform.receipts == []


def test_an_inquiry_says_bound_or_absent_and_cuts_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.handler.handle(single(INQUIRY, NUMBERS[0]))
    desk.handler.handle(single(INQUIRY, NUMBERS[1]))
    desk.handler.handle(batch(INQUIRY, "n3", "few"))
    assert desk.ties.cut == {}
    assert desk.platform.receipts == [
        ("n9", [(NUMBERS[0], "bound")], True),
        ("n9", [(NUMBERS[1], "absent")], True),
        ("n3", [(NUMBERS[0], "bound"), (NUMBERS[2], "bound")], True),
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(number="+8613900000000", outcome="unbound"), "not asked"),
        (Answer(number=NUMBERS[0], outcome="kept"), "twice"),
        (Answer(number=NUMBERS[1], outcome="restored"), "restored"),
    ],
)
def test_a_fault_in_the_store_is_not_sent(tmp_path: Path, answer: Answer, why: str) -> None:
    desk = Desk(tmp_path)
    desk.ties.more = [answer]
    with pytest.raises(BadAnswer, match=why):
        desk.handler.handle(batch(RENEWAL, "n1"))
    assert desk.platform.receipts == []


def test_an_event_of_another_type_is_left_alone(tmp_path: Path) -> None:
    assert "not handled" in Desk(tmp_path).handler.handle(single("urn:other", NUMBERS[0]))


def test_what_a_refused_receipt_named_is_named_again_though_the_store_has_nothing_to_say_of_it_any_more(
    tmp_path: Path,
) -> None:
    """Silence of it would not be taken for absent: the notice would never be done."""
    desk = Desk(tmp_path)
    desk.platform.failures = 1
    with pytest.raises(PlatformError):
        desk.handler.handle(batch(RENEWAL, "n1"))
    desk.ties.cut.clear()
    desk.ties.unbind = lambda numbers, cutoff: []  # type: ignore[method-assign]
    desk.handler.handle(batch(RENEWAL, "n1"))
    (_, answers, complete), even = desk.platform.receipts[0], [number for number in NUMBERS if int(number) % 2 == 0]
    assert (answers, complete) == ([(number, "absent") for number in even], True)
