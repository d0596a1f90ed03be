"""Which receipt is a retry and which is news: the keys that a partner's receipts carry, over crashes and changes of mind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.receiver import Worker
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Event

RENEWAL = "urn:huanxin:event:renewal"
NUMBERS = [f"+861380013800{place}" for place in range(4)]
Receipt = tuple[str, str, tuple[str, ...]]
"""its notice, its key, and the outcomes that it says"""


class Platform:
    """Keeps the receipts that reach it; `away`: takes them, but its replies are lost."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.away = False

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[Iterator[str]]:
        del url, sha256
        yield iter(["number\n", *(f"{number}\n" for number in NUMBERS)])

    def file_receipt(self, notice: str, answers: Sequence[Answer], *, complete: bool, key: str) -> dict[str, Any]:
        del complete
        self._take((notice, key, tuple(answer.outcome for answer in answers)))
        return {}

    def file_receipts(self, answers: Mapping[str, Answer], *, key: str) -> dict[str, Any]:
        self._take((" ".join(answers), key, tuple(answer.outcome for answer in answers.values())))
        return {}

    def _take(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)
        if self.away:
            raise ConnectionError("the reply was lost")


class Ties:
    """Answers what it is told to."""

    outcome = "refused"

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        del cutoff
        return [Answer(number=number, outcome=self.outcome, reason="debt") for number in numbers]

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        raise NotImplementedError

    def bound(self, number: str) -> bool:
        raise NotImplementedError


class Desk:
    """A partner; `work` is what its worker does until nothing is due."""

    def __init__(self, folder: Path) -> None:
        self.platform, self.ties, self.now = Platform(), Ties(), 0.0
        self.journal = Journal(folder / "j.db", clock=lambda: self.now)
        self.handler = Handler(self.ties, self.platform, self.journal, part=3)  # type: ignore[arg-type]  # no real file
        self.worker = Worker(self.journal, self.handler)

    def work(self) -> None:
        self.now += 1000
        while self.worker.some_events():
            pass

    def keys(self) -> list[str]:
        return [key for _, key, _ in self.platform.receipts]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def batch(jti: str) -> Event:
    file = {"url": "http://x/numbers", "sha256": {"text/csv": "a" * 64}}
    claims = {"notice": "n1", "scope": "batch", "count": 4, "cutoff": "2026-11-24T05:00:00Z", "numbers": file}
    return Event(jti=jti, name=RENEWAL, claims=claims, subject={}, issued_at=1)


def order(place: int) -> Event:
    claims = {"notice": f"nr_{place}", "scope": "request", "count": 1, "cutoff": "2026-11-24T05:00:00Z"}
    subject = {"format": "phone_number", "phone_number": NUMBERS[place]}
    return Event(jti=f"j{place}", name=RENEWAL, claims=claims, subject=subject, issued_at=1)


def test_parts_whose_replies_were_lost_are_filed_again_under_their_keys(desk: Desk) -> None:
    desk.journal.take(batch("j1"))
    desk.platform.away = True
    desk.work()
    desk.work()
    desk.platform.away = False
    desk.work()
    first, second, third, last = desk.keys()
    assert first == second == third != last, "one key for each part, on every try"
    assert desk.journal.waiting() == 0
    assert not desk.journal.filed_together("j1"), "what is done leaves nothing to keep"


def test_what_is_said_again_by_another_act_is_news(desk: Desk) -> None:
    """The same words as before: refused, then unbound, then refused again. The platform has to hear the last."""
    for jti, outcome in (("j1", "refused"), ("j2", "unbound"), ("j3", "refused")):
        desk.ties.outcome = outcome
        desk.journal.take(batch(jti))
        desk.work()
    said = [outcomes[0] for _, _, outcomes in desk.platform.receipts]
    assert said == ["refused"] * 2 + ["unbound"] * 2 + ["refused"] * 2
    assert len(set(desk.keys())) == 6


def test_a_retry_that_finds_something_else_is_news_also_when_it_finds_the_first_again(desk: Desk) -> None:
    desk.journal.take(batch("j1"))
    desk.platform.away = True
    for outcome in ("refused", "unbound", "refused"):
        desk.ties.outcome = outcome
        desk.work()
    desk.platform.away = False
    desk.work()
    first, second, third, again, _ = desk.keys()
    assert len({first, second, third}) == 3
    assert again == third


def test_a_reminder_of_the_notice_does_not_make_a_retry_news(desk: Desk) -> None:
    """A platform that is away for long reminds of what it has not heard."""
    desk.journal.take(batch("j1"))
    desk.platform.away = True
    desk.work()
    reminder = Event(jti="j2", name="urn:huanxin:event:reminder", claims={"notice": "n1"}, subject={}, issued_at=1)
    desk.journal.take(reminder)
    desk.work()
    assert desk.journal.outcome("j2") is not None
    assert len(set(desk.keys())) == 1


def test_orders_that_were_answered_together_before_a_crash_are_answered_so_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though another order came meanwhile, which would make it another receipt."""
    desk.journal.take_all([order(0), order(1)])

    def crash(_: Mapping[str, str]) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk.journal, "finish_all", crash)
        with pytest.raises(KeyboardInterrupt):
            desk.work()
    desk.journal.take(order(2))
    desk.work()
    before, again, other = desk.platform.receipts
    assert before == again
    assert other[0] == "nr_2"
    assert other[1] != before[1]
    desk.journal.take(order(3))
    desk.work()
    assert len(set(desk.keys())) == 3
