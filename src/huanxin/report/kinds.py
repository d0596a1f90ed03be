"""A refused file in a few sentences: its bad lines by kind, each with its count and first lines, and what is likely behind.

Thousands of lines that fail alike have one cause, and no line of them says it: a file of another carrier, months in another
order, a first day without what was so before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from huanxin.domain.errors import BadInput, Fault
from huanxin.domain.refusals import Cause, Refusal
from huanxin.words.sentences import N_, Sentence

_ALIKE = 4
"""Lines of a kind that are said as one; fewer are said each."""
_FIRST = 3
_MANY = 10
"""Lines that have a cause; fewer are slips."""


_HINTS = {
    Cause.OTHERS: N_(
        "by the record most of those numbers are %(carrier)s's, so this looks like a file of %(carrier)s: import it for the"
        " carrier that wrote it"
    ),
    Cause.BEFORE: N_(
        "most of them follow on something that no report has told of: take the older files first, and on the first day the"
        " present state of all numbers (huanxin report baseline)"
    ),
    Cause.ORDER: N_(
        "most of them contradict what is on record: months came in another order and one between is missing, or two files"
        " tell of the same numbers differently; send what lies between first, or together with this in one file"
    ),
    Cause.DOUBT: N_(
        "most of them have no time, without which nobody can tell what came first that day: send them with times"
    ),
}


@dataclass(kw_only=True)
class Kind:
    """Bad lines that are so alike, by what is behind it (`cause`, `whose`)."""

    cause: Cause | None
    whose: str
    faults: list[Fault] = field(default_factory=list)

    def said(self) -> list[Fault]:
        """As one fault, where there are many."""
        if len(self.faults) < _ALIKE:
            return self.faults
        first = self.faults[0]
        lines = ", ".join(str(fault.line) for fault in self.faults[:_FIRST])
        reason = Sentence(
            "%(count)s lines alike (%(lines)s …), the first of them: %(reason)s",
            count=f"{len(self.faults):,}", lines=lines, reason=first.reason,
        )  # fmt: skip
        return [Fault(line=first.line, reason=reason, text=first.text)]


def refused(name: str, total: int, found: Iterable[tuple[Fault, Refusal | None]]) -> BadInput:
    """The refusal of a file called `name` of `total` lines, for its bad ones, by line, each with why it can't be taken."""
    bad = list(found)
    kinds = by_kind(bad)
    said = sorted((one for kind in kinds for one in kind.said()), key=lambda fault: fault.line)
    return BadInput(summed_up(name, total, kinds), [fault for fault, _ in bad], kinds=said)


def by_kind(found: Iterable[tuple[Fault, Refusal | None]]) -> list[Kind]:
    """Bad lines that are so alike, the most frequent kind first."""
    kinds: dict[tuple[object, ...], Kind] = {}
    for fault, refusal in found:
        cause, whose = (refusal.cause, refusal.whose) if refusal else (None, "")
        template = getattr(fault.reason, "template", fault.reason)
        kinds.setdefault((template, cause, whose), Kind(cause=cause, whose=whose)).faults.append(fault)
    return sorted(kinds.values(), key=lambda kind: -len(kind.faults))


def summed_up(name: str, total: int, kinds: Sequence[Kind]) -> Sentence:
    """What is said of a file of so many lines with bad ones."""
    count = sum(len(kind.faults) for kind in kinds)
    return Sentence(
        "%(name)s: %(count)s of %(total)s lines can't be taken, so none was; %(what)s",
        name=name, count=f"{count:,}", total=f"{total:,}", what=_what(kinds, count),
    )  # fmt: skip


def _what(kinds: Sequence[Kind], count: int) -> Sentence:
    """What probably went wrong, where most lines have one cause; else what to do with them."""
    by_cause: dict[tuple[Cause | None, str], int] = {}
    for kind in kinds:
        if kind.cause in _HINTS:
            key = (kind.cause, kind.whose if kind.cause is Cause.OTHERS else "")
            by_cause[key] = by_cause.get(key, 0) + len(kind.faults)
    (cause, whose), most = max(by_cause.items(), key=lambda entry: entry[1], default=((None, ""), 0))
    if cause and most >= max(_MANY, count / 2):
        return Sentence(_HINTS[cause], carrier=whose)
    return Sentence("mend them, or leave them out (on the command line with --skip-bad)")
