"""A carrier's inventory as a folder of files: what changed in a file of each time it was written, and all of it in one.

A file of changes is written once, whole, under a name that comes after those before it, and begins where they end; the first
has all that could be sold. So a job that reads those that it has not read, by name, sees each change once and in order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from huanxin.domain.errors import Conflict
from huanxin.domain.numbers import written
from huanxin.numbersets.files import replacing
from huanxin.release.inventory import Cursor, InventoryLine, page
from huanxin.store.acting import Act
from huanxin.store.release import inventories
from huanxin.words.sentences import Sentence

_AT_ONCE = 50_000  # lines in memory
_CHANGES, _ALL = "number,change,why,sellable_from,at", "number,sellable_from"


def write(act: Act, folder: Path, carrier: str) -> list[Path]:
    """Write what changed since the newest file of changes, if anything did, and all that may be sold; the files written. Who
    writes at the same time waits. Raises OSError, or Conflict for a folder whose files this record doesn't know."""
    inventories.one_at_a_time(act.tx)
    folder.mkdir(parents=True, exist_ok=True)
    last = inventories.last_change(act.tx, carrier)
    newest = last.id if last else 0
    done = _newest(folder, carrier)
    if done is not None and done > newest:
        raise Conflict(
            Sentence(
                "%(folder)s has changes up to %(done)s, and this record goes up to %(newest)s only: it was restored from a"
                " backup. Move the folder away; a new one begins with all that may be sold",
                folder=str(folder), done=done, newest=newest,
            )
        )  # fmt: skip
    made = []
    if done != newest or done is None:
        changes = folder / f"changes-{carrier}-{newest:012}.csv"
        _write(changes, _CHANGES, map(_change, _lines(act, carrier, _after(act, carrier, done))))
        made.append(changes)
    whole = folder / f"inventory-{carrier}.csv"
    first = (f"{written(one.number)},{one.sellable_from}" for one in _lines(act, carrier, ""))
    _write(whole, _ALL, first)
    return [*made, whole]


def _newest(folder: Path, carrier: str) -> int | None:
    """Up to which change the files of a folder go; None if there are none."""
    names = re.compile(rf"changes-{re.escape(carrier)}-(\d{{12,}})\.csv")
    return max((int(found[1]) for one in folder.iterdir() if (found := names.fullmatch(one.name))), default=None)


def _after(act: Act, carrier: str, change_id: int | None) -> str:
    """The cursor behind a change; empty to begin with all that may be sold."""
    if not change_id:
        return ""
    known = inventories.last_change(act.tx, carrier, change_id)
    if known is None:
        raise Conflict(Sentence("this record has no such change, so what came after it can't be told"))
    return str(Cursor(change=known.id, mark=known.mark, lines=len(known.places)))


def _lines(act: Act, carrier: str, after: str) -> Iterator[InventoryLine]:
    """All lines from a cursor on. Nothing is noted meanwhile."""
    more = True
    while more:
        found = page(act, carrier, after=after, most=_AT_ONCE)
        yield from found.lines
        after, more = found.onward, found.more


def _change(one: InventoryLine) -> str:
    return f"{written(one.number)},{one.change},{one.why},{one.sellable_from},{one.at.isoformat()}"


def _write(path: Path, heading: str, lines: Iterable[str]) -> None:
    with replacing(path) as file:
        file.write(f"{heading}\n".encode())
        file.writelines(f"{line}\n".encode() for line in lines)
