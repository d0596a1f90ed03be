"""The notices of a stand-in platform and the receipts that came for them: what the real one refuses is refused here."""

from __future__ import annotations

import csv
import hashlib
import io
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from huanxin_partner.rehearsal.stage import Filed
from huanxin_partner.rehearsal.words import Words
from huanxin_partner.ties import RENEWED, TAKEN_BACK, Answer

_HEADING = ["number", "outcome", "reason", "until"]
_CLOSING = frozenset({"refused", "pending"})
_REASONS = frozenset({"debt", "balance", "frozen", "banned", "legal_hold", "dispute", "other"})
_NAMED = 20  # faults that are told


class BadReceipt(Exception):
    """A receipt that is refused whole: `errors` name lines and reasons."""

    def __init__(self, errors: Sequence[tuple[int, Words]]) -> None:
        self.errors = list(errors[:_NAMED])
        self.words = Words(
            "；".join(f"第 {line} 行：{reason.zh}" for line, reason in self.errors),
            "; ".join(f"line {line}: {reason.en}" for line, reason in self.errors),
        )
        super().__init__(self.words.en)

    @classmethod
    def at(cls, line: int, zh: str, en: str) -> BadReceipt:
        """One thing that is wrong."""
        return cls([(line, Words(zh, en))])


class UsedKey(BadReceipt):
    """An Idempotency-Key that stands for another receipt."""


@dataclass(kw_only=True)
class PlayedNotice:
    """One notice, its number file, and what was filed for it. May be used from several threads."""

    id: str
    numbers: Sequence[str]
    retracts: str = ""
    broken: bool = False
    _answers: dict[str, Answer] = field(default_factory=dict)
    _receipts: list[tuple[bytes, bool]] = field(default_factory=list)
    _keys: dict[str, int] = field(default_factory=dict)
    _refused: list[Words] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._right = ("\n".join(["number", *self.numbers]) + "\n").encode()
        self._known = frozenset(self.numbers)
        self.sha256 = hashlib.sha256(self._right).hexdigest()

    @property
    def content(self) -> bytes:
        """The number file as it is served now: a broken one lacks its end."""
        return self._right[:-5] if self.broken else self._right

    def file(self, body: bytes, *, complete: bool, key: str = "") -> tuple[int, bool]:
        """Take a receipt: its id, and whether it is new. Raises BadReceipt, UsedKey.

        Under one `key` (Idempotency-Key) it is always the same receipt, under another it is news; without one a repeat is
        news if it refuses or puts off what another receipt settled since.
        """
        said = hashlib.sha256(body).digest(), complete
        with self._lock:
            if key in self._keys:
                if self._receipts[self._keys[key] - 1] != said:
                    raise UsedKey.at(
                        0, "这个 Idempotency-Key 已用于别的内容", "this Idempotency-Key was used for other content"
                    )
                return self._keys[key], False
            try:
                answers = self._read(body, complete)
            except BadReceipt as error:
                self._refused.append(error.words)
                raise
            if not key and said in self._receipts and not self._closes(answers):
                return self._receipts.index(said) + 1, False
            self._answers |= answers
            if complete:
                silent = self._known - self._answers.keys()
                self._answers |= {number: Answer(number=number, outcome="absent") for number in silent}
            self._receipts.append(said)
            if key:
                self._keys[key] = len(self._receipts)
            return len(self._receipts), True

    def _closes(self, answers: Mapping[str, Answer]) -> bool:
        """Whether these refuse or put off what stands otherwise by now."""
        return any(one.outcome in _CLOSING and self._answers.get(number) != one for number, one in answers.items())

    def refuse(self, error: BadReceipt) -> None:
        """Note that a receipt was refused before it was read."""
        with self._lock:
            self._refused.append(error.words)

    def filed(self) -> Filed:
        """What was filed so far."""
        with self._lock:
            return Filed(receipts=len(self._receipts), answers=dict(self._answers), refused=tuple(self._refused))

    def outstanding(self) -> int:
        """How many numbers have no answer."""
        with self._lock:
            return len(self.numbers) - len(self._answers)

    def _read(self, body: bytes, complete: bool) -> dict[str, Answer]:
        try:
            heading, *lines = list(csv.reader(io.StringIO(body.decode())))
        except (ValueError, csv.Error) as error:
            raise BadReceipt.at(1, f"回执不是 UTF-8 的 CSV：{error}", f"the receipt is not CSV in UTF-8: {error}") from error
        if heading != _HEADING:
            raise BadReceipt.at(1, f"表头必须是 {','.join(_HEADING)}", f"the heading must be {','.join(_HEADING)}")
        if not lines and not complete:
            raise BadReceipt.at(
                1, "回执没有内容，也没有写 complete=true", "the receipt has no lines and does not say complete=true"
            )
        found: dict[str, Answer] = {}
        faults = []
        for place, line in enumerate(lines, start=2):
            if reason := self._fault(line, found):
                faults.append((place, reason))
            else:
                found[line[0]] = Answer(number=line[0], outcome=line[1], reason=line[2], until=line[3])
        if faults:
            raise BadReceipt(faults)
        return found

    def _fault(self, line: list[str], before: Mapping[str, Answer]) -> Words | None:
        if len(line) != len(_HEADING):
            return Words(f"应有 {len(_HEADING)} 栏", f"{len(_HEADING)} fields are wanted")
        number, outcome, reason, _ = line
        if number not in self._known:
            return Words("号码不在这份通知里", "the number is not in this notice")
        if number in before:
            return Words("号码在回执中出现两次", "the number stands here twice")
        if outcome not in (TAKEN_BACK if self.retracts else RENEWED):
            return Words(
                f"结果 {outcome!r} 不能答复{'撤回' if self.retracts else '焕新'}",
                f"the outcome {outcome!r} does not answer a {'retraction' if self.retracts else 'renewal'}",
            )
        if (outcome == "refused") != (reason in _REASONS):
            return Words("拒绝须附原因，其他结果没有原因", "a refusal needs a reason, and nothing else has one")
        return None
