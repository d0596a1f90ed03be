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
                elif part.bad and not out_of_turn(notice, part):  # else nobody read what is in it
                    notice.refused |= set(part.said)
                break
        else:
            return


def judged(notice: Notice, part: Part, numbers: list[Number]) -> str:
    """`taken`, `refused`, or nothing if it has to wait."""
    finished = done(notice)
    if not out_of_turn(notice, part, again=True) and any(
        n not in finished for n in range(1, min([part.number, *part.replaces]))
    ):
        return ""
    if out_of_turn(notice, part):
        return "refused"
    if part.bad or part.miscounted or not (part.said or part.complete):
        return "refused"
    return "refused" if part.complete and silent(notice, part.said, numbers) else "taken"


def out_of_turn(notice: Notice, part: Part, *, again: bool = False) -> bool:
    """Whether its number, or one that it replaces, was dealt with for good before (`again`: only that), or it says complete
    over a gap."""
    finished = done(notice)
    taken = {one.number for one in notice.parts.values() if one.state == "taken"}
    if part.number in finished or part.replaces & taken:
        return True
    gap = any(one not in finished and one not in part.replaces for one in range(1, part.number))
    return not again and part.complete and gap


def silent(notice: Notice, said: object, numbers: list[Number]) -> bool:
    """Whether a receipt that says complete says nothing of what a refused one named."""
    assert isinstance(said, dict)
    return any(number not in said and answer_of(notice, number)[0] is None for number in notice.refused & set(numbers))
