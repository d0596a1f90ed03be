"""What the scenarios are played with: push, wait for answers, compare; and what comes of each."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from huanxin_partner.reading import read_json
from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.stage import Filed, Notice, Pushed, Stage
from huanxin_partner.rehearsal.words import MENDS, NAMES, SCENARIOS, Words
from huanxin_partner.ties import Answer

_LOOK = 0.1  # seconds between two looks for receipts
_PAUSE = 1.0  # seconds before an event is pushed again
_SHOWN = 200  # characters of a partner's answer
OK, ACCEPTED, BAD_REQUEST, _LATER = 200, 202, 400, 503


@dataclass(frozen=True, kw_only=True)
class ScenarioResult:
    """What came of one scenario. `code` and `mend` are stable; `mend` is empty if there is nothing to mend."""

    code: str
    state: Literal["passed", "warning", "failed"]
    seconds: float
    seen: Words
    mend: str = ""

    @property
    def title(self) -> Words:
        return SCENARIOS[self.code]

    @property
    def how(self) -> Words:
        """How to mend what was found."""
        return MENDS[self.mend] if self.mend else Words("", "")


class Found(Exception):
    """Ends a scenario: something has to be mended. `severe` fails it; else it is a warning."""

    def __init__(self, mend: str, seen: Words, *, severe: bool = True) -> None:
        super().__init__(seen.en)
        self.mend, self.seen, self.severe = mend, seen, severe


@dataclass(kw_only=True)
class Run:
    """A rehearsal under way. Seconds: `patience` for the answers to a few numbers, `large_patience` to many, `quiet` for
    nothing to happen."""

    stage: Stage
    patience: float = 30
    large_patience: float = 120
    quiet: float = 2
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def take(self, token: str) -> Pushed:
        """Push what has to be taken, again while it is told to come later (503). Raises Found."""
        end = self.clock() + self.patience
        while (pushed := self.stage.push(token)).status == _LATER and self.clock() < end:
            self.sleep(_PAUSE)
        if pushed.status in (OK, ACCEPTED):
            return pushed
        raise Found("unreachable" if pushed.status is None else "not-taken", said(pushed))

    def renew(self, *numbers: str) -> tuple[Notice, Mapping[str, Answer]]:
        """A notice of these numbers, pushed and answered as it may be. Raises Found."""
        notice = self.stage.notice(sorted(numbers), cutoff=magic.CUTOFF)
        self.take(notice.token)
        answers = self.answers(notice.id, numbers)
        judge(answers)
        return notice, answers

    def answers(
        self, notice: str, numbers: Sequence[str], *, patience: float | None = None, mend: str = "no-answer"
    ) -> Mapping[str, Answer]:
        """The answers to a notice, once there is one for each number. Raises Found if they don't come in time."""
        end = self.clock() + (patience or self.patience)
        while True:
            filed = self.stage.filed(notice)
            if filed.refused:
                raise Found("receipt-refused", _shortened(filed.refused[-1]))
            if len(filed.answers) >= len(numbers):
                return filed.answers
            if self.clock() >= end and filed.waits:
                raise Found("receipt-waits", _same(", ".join(filed.waits)[:_SHOWN]))
            if self.clock() >= end:
                raise Found(mend, _waited(filed, len(numbers), patience or self.patience))
            self.sleep(_LOOK)

    def silence(self, notice: str, *, mend: str, receipts: int = 0) -> None:
        """See that for a while nothing more is filed. Raises Found."""
        end = self.clock() + self.quiet
        while self.clock() < end:
            filed = self.stage.filed(notice)
            if filed.receipts > receipts or filed.refused:
                raise Found(mend, Words("收到了不该有的回执", "a receipt was filed"))
            self.sleep(_LOOK)

    def refuses(self, notice: Notice, token: str, codes: AbstractSet[str]) -> Words:
        """See that a bad token is refused with one of these codes (any, if empty), and never handled. Raises Found."""
        pushed = self.stage.push(token)
        if pushed.status is None:
            raise Found("unreachable", said(pushed))
        if not self.stage.replies:
            return self._passed_over(notice)
        if pushed.status in (OK, ACCEPTED):
            raise Found("bad-taken", said(pushed))
        self.silence(notice.id, mend="bad-answered")
        if pushed.status != BAD_REQUEST:
            raise Found("not-400", said(pushed))
        if codes and _error(pushed.body) not in codes:
            raise Found("other-code", said(pushed), severe=False)
        return said(pushed)

    def _passed_over(self, notice: Notice) -> Words:
        """See that a partner which says nothing to an event dealt with one that came later, and left this one alone."""
        self.renew(magic.NOBODY)
        self.silence(notice.id, mend="bad-answered")
        self.stage.push(notice.token)  # the right one in its place: nothing bad is left in the folder
        return Words("未作答复；随后的合格通知已答复", "not answered, while a good notice after it was")


def judge(answers: Mapping[str, Answer]) -> None:
    """Raise Found for the first magic number that was answered as it may not be."""
    for number, allowed in magic.EXPECTED.items():
        answer = answers.get(number)
        if answer is not None and answer.outcome not in allowed:
            raise Found(_mend_for(number, answer.outcome), listed({number: answer}))
        if answer is not None and answer.outcome == "refused" and answer.reason != "debt":
            raise Found("wrong-outcome", listed({number: answer}))


def _mend_for(number: str, outcome: str) -> str:
    if number == magic.NOBODY:
        return "invented"
    if outcome == "absent":
        return "ties-missing"
    if outcome == "unbound":
        return "boundary"
    return "not-cut" if outcome == "kept" else "wrong-outcome"


def said(pushed: Pushed) -> Words:
    """What the partner answered to a push."""
    if pushed.status is None:
        return Words(f"没有回应：{pushed.body[:_SHOWN]}", f"no answer: {pushed.body[:_SHOWN]}")
    return _same(f"HTTP {pushed.status} {' '.join(pushed.body.split())[:_SHOWN]}".strip())


def listed(answers: Mapping[str, Answer]) -> Words:
    """A few answers, by number."""
    told = [(number, answer.outcome, answer.reason) for number, answer in sorted(answers.items())]
    return Words(
        "，".join(
            f"{number} {_in_chinese(outcome)}{f'（{_in_chinese(reason)}）' if reason else ''}"
            for number, outcome, reason in told
        ),
        ", ".join(f"{number} {outcome}{f' ({reason})' if reason else ''}" for number, outcome, reason in told),
    )


def _in_chinese(code: str) -> str:
    return f"{NAMES[code]} {code}" if code in NAMES else code


def _shortened(words: Words) -> Words:
    return Words(words.zh[:_SHOWN], words.en[:_SHOWN])


def _waited(filed: Filed, asked: int, patience: float) -> Words:
    return Words(
        f"{patience:g} 秒内 {asked} 个号码中答复了 {len(filed.answers)} 个，收到回执 {filed.receipts} 份",
        f"{len(filed.answers)} of {asked} numbers were answered in {patience:g} s, with {filed.receipts} receipts",
    )


def _error(body: str) -> str:
    try:
        found = read_json(body)
    except ValueError:
        return ""
    return str(found.get("err", "")) if isinstance(found, dict) else ""


def _same(text: str) -> Words:
    return Words(text, text)
