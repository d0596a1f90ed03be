"""What the gate and releases look like in files: one row per number and obstacle; one list per carrier."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from huanxin.domain.answers import Outcome
from huanxin.domain.lifecycle import sellable_from
from huanxin.numbersets.arrow import pa
from huanxin.numbersets.cells import as_text
from huanxin.numbersets.files import replacing
from huanxin.numbersets.numberfile import write_csv, written
from huanxin.numbersets.roster import Roster
from huanxin.numbersets.sharded import values_of
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.release.stopped import off_sale
from huanxin.store.acting import Reading
from huanxin.store.database import Tx
from huanxin.store.release import releases
from huanxin.store.release.releases import Release

_BATCH = attrgetter("batch_id")
STOPPED = "-stopped"
"""At the end of a list's name: of what of its release may not be sold any more."""
_STRUCTURE = frozenset('",\r\n')
"""What a text in a CSV file can't hold without quotes around it."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """Why some numbers of a batch are, or are not, released: a state, and at which partner, why, until when, by whom."""

    state: str
    places: BitMap
    partner: str = ""
    reason: str = ""
    until: str = ""
    by: str = ""


def obstacles(loaded: LoadedGate) -> Iterator[Obstacle]:
    """The gate of a batch as the sets that make it up; every number is in at least one of them."""
    gate = loaded.gate
    yield Obstacle(state="released", places=gate.released)
    yield Obstacle(state="clear", places=gate.releasable())
    if not gate.sent:
        yield Obstacle(state="not sent", places=gate.everyone)
    for (carrier, day), places in gate.spans.items():
        first_day = sellable_from(day, gate.freeze_days)
        if gate.today[carrier] < first_day:
            yield Obstacle(state="freezing", places=places - gate.released, until=str(first_day))
    for hold, places in gate.held.items():
        yield Obstacle(state="held", places=places, reason=f"hold {hold}")
    for event, places in gate.retracted.items():
        yield Obstacle(state="retracted", places=places, reason=event.value)
    for key, places in gate.ordered.items():
        order = loaded.retractions[key]
        yield Obstacle(state="retracted", places=places, reason=order.reason, by=order.planned_by)
    for partner_id, notice in loaded.notices.items():
        standing = gate.standings[partner_id]
        waived = standing.waived_places()
        role = "" if notice.required else "optional"
        yield Obstacle(
            state="outstanding", places=standing.outstanding(gate.everyone) - waived, partner=notice.partner, reason=role
        )
        for answer, places in sorted(standing.answers.items(), key=lambda item: str(item[0])):
            if not answer.settles:
                reason = answer.reason if answer.outcome is Outcome.REFUSED else role
                until = str(answer.until or "")
                yield Obstacle(
                    state=answer.outcome.value, places=places - waived, partner=notice.partner, reason=reason, until=until
                )
        for waiver_id, places in standing.waived.items():
            waiver = loaded.waivers[waiver_id]
            by = f"{waiver.by} (one person)" if waiver.alone else waiver.by
            yield Obstacle(state="waived", places=places, partner=notice.partner, reason=waiver.reason, by=by)


def gate_table(loaded: LoadedGate) -> pa.Table:
    """One row per number and obstacle, by number: number, state, partner, reason, until, by."""
    found = [obstacle for obstacle in obstacles(loaded) if obstacle.places]
    place = np.concatenate([values_of(one.places) for one in found]) if found else np.empty(0, np.uint32)
    which = np.repeat(np.arange(len(found)), [len(one.places) for one in found])
    order = np.lexsort((which, place))
    which = pa.array(which[order])
    columns = {"number": written(loaded.roster.numbers[place[order]])}
    for name in ("state", "partner", "reason", "until", "by"):
        columns[name] = pa.array([as_text(getattr(one, name)) for one in found], pa.string()).take(which)
    return pa.table(columns)


def write_gate(loaded: LoadedGate, path: Path) -> int:
    """Write `gate_table` as CSV; how many rows."""
    table = gate_table(loaded)
    words = [word for one in obstacles(loaded) for word in (one.partner, one.reason, one.by)]
    _write(path, table, quoted=any(_STRUCTURE & set(word) for word in words))
    return int(table.num_rows)


def write_release_lists(reading: Reading, folder: Path, batch_id: int | None = None) -> list[Path]:
    """Write the lists of every recorded release, one per release and carrier: what may be sold still; and beside each, once
    there is any, what of the release may not be sold any more. Both say what is so at the instant of the reading."""
    prepare_folder(folder)
    made: list[Path] = []
    by_batch = groupby(sorted(releases.all_releases(reading.tx, batch_id), key=_BATCH), _BATCH)
    for batch, of_batch in by_batch:
        loaded = load_gate(reading, batch)
        for release in of_batch:
            for carrier, one in release_lists(reading.tx, release, loaded).items():
                path, beside = (folder / list_name(release, carrier, stopped=stopped) for stopped in (False, True))
                _write(path, one.for_sale)
                made.append(path)
                if one.stopped.num_rows or beside.exists():
                    _write(beside, one.stopped)
                    made.append(beside)
    return made


def prepare_folder(folder: Path) -> None:
    """Make the folder of the lists, before anything is released that could then not be written. Raises OSError naming it."""
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))


def list_name(release: Release, carrier: str, *, stopped: bool = False) -> str:
    """How the list of a release for a carrier is called, or that of what was stopped since."""
    return f"release-{release.id}-{carrier}{STOPPED * stopped}.csv"


@dataclass(frozen=True, kw_only=True)
class ReleaseList:
    """What one release gave back to one carrier, each number once, by number: for_sale (number, sellable_from) what may be
    sold, stopped (number, why) what may not any more, in the words of the desk (domain.disclosure.NotForSale)."""

    for_sale: pa.Table
    stopped: pa.Table


def release_lists(tx: Tx, release: Release, loaded: LoadedGate) -> dict[str, ReleaseList]:
    """The lists of a release, by carrier, as the gate of its batch has it."""
    off = off_sale(tx, loaded)
    gone = BitMap.union(BitMap(), *off.values())
    given: dict[str, list[tuple[str, BitMap]]] = {}
    for (carrier, day), places in releases.spans_of(tx, release.id).items():
        given.setdefault(carrier, []).append((str(sellable_from(day, release.freeze_days)), places))
    return {carrier: ReleaseList(
        for_sale=_list(loaded.roster, "sellable_from", [(day, places - gone) for day, places in spans]),
        stopped=_list(loaded.roster, "why", [
            (why.value, BitMap.union(*(places for _, places in spans)) & out) for why, out in off.items()
        ]),
    ) for carrier, spans in given.items()}  # fmt: skip


def _list(roster: Roster, named: str, spans: list[tuple[str, BitMap]]) -> pa.Table:
    """Numbers, ascending, and beside each what its span says."""
    place = np.concatenate([np.empty(0, np.uint32), *(values_of(places) for _, places in spans)])
    which = np.repeat(np.arange(len(spans)), np.array([len(places) for _, places in spans], np.int64))
    order = np.argsort(place)
    said = pa.array([word for word, _ in spans], pa.string()).take(pa.array(which[order]))
    return pa.table({"number": written(roster.numbers[place[order]]), named: said})


def _write(path: Path, table: pa.Table, *, quoted: bool = False) -> None:
    with replacing(path) as file:
        write_csv(table, file, quoted=quoted)
