"""Receipts in numbered parts: none is taken before each lower number was taken, or replaced by one that was."""

from __future__ import annotations

from collections.abc import Callable

from oracle.renewal import answer_of
from oracle.world import Notice, Number, Part


def unread(notice: Notice) -> list[Part]:
    return [one for _, one in sorted(notice.parts.items()) if one.state == "waiting"]


def done(notice: Notice) -> set[int]:
    """Numbers that were taken, or in whose place one was taken."""
    taken = [one for one in notice.parts.values() if one.state == "taken"]
    return {one.number for one in taken} | {number for one in taken for number in one.replaces}


def read(notice: Notice, numbers: list[Number], take: Callable[[Part], None]) -> None:
    """Deal with what lies in the folder, from the lowest number on, and from there again after each one. The folder of a
    partner that is withdrawn isn't read."""
    if notice.partner.withdrawn:
        return
    while True:
        for part in unread(notice):
            if verdict := judged(notice, part, numbers):
                part.state = verdict
                if verdict == "taken":
                    take(part)
                elif part.bad:
                    notice.refused |= set(part.said)
                break
        else:
            return


def judged(notice: Notice, part: Part, numbers: list[Number]) -> str:
    """`taken`, `refused`, or nothing if it has to wait."""
    finished = done(notice)
    taken = {one.number for one in notice.parts.values() if one.state == "taken"}
    if part.number in finished or part.replaces & taken:
        return "refused"
    first = min([part.number, *part.replaces])
    if any(number not in finished for number in range(1, first)):
        return ""
    between = [one for one in range(1, part.number) if one not in finished and one not in part.replaces]
    if part.complete and between:
        return "refused"
    if part.bad or part.miscounted or not (part.said or part.complete):
        return "refused"
    return "refused" if part.complete and silent(notice, part.said, numbers) else "taken"


def silent(notice: Notice, said: object, numbers: list[Number]) -> bool:
    """Whether a receipt that says complete says nothing of what a refused one named."""
    assert isinstance(said, dict)
    return any(number not in said and answer_of(notice, number)[0] is None for number in notice.refused & set(numbers))
