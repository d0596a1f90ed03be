"""The demo's world: four carriers' reports of numbers with a past, made from a seed, and the truth behind them.

Carriers, prefixes and regions are those of the Chinese plan; every number, owner and partner is invented.
"""

from __future__ import annotations

import csv
import json
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from huanxin.demo.world_broken import broken_lines
from huanxin.demo.world_numbers import Ints, Truth, day_number, make_history, make_numbers
from huanxin.demo.world_reports import Broken, ReportFile, write_reports

_HELD = 0.005
_HOLD_DAYS = 180


@dataclass(frozen=True, kw_only=True)
class HoldFile:
    """Numbers that an authority keeps frozen: a CSV with one column `number`, and what stands in the order."""

    path: Path
    numbers: Ints
    source: str
    order: str
    reason: str
    until: date


@dataclass(frozen=True, kw_only=True)
class WorldReports:
    """A written world. `files` stand in the order in which to import them; `today` is a day in Asia/Shanghai.

    singer_number: frozen, its freeze over on `today`, not held; the dead singer's account is tied to it.
    """

    seed: int
    today: date
    files: tuple[ReportFile, ...]
    truth: Truth
    holds: HoldFile
    singer_number: int


def make_reports(out: Path, *, numbers: int, seed: int, today: date, packed: bool = False) -> WorldReports:
    """Write four reports, `holds.csv`, `truth.parquet` and `world.json` to `out`. The same arguments, the same bytes.

    `packed` puts gzip around every CSV. Raises ValueError if the plan's sample has no room for so many numbers.
    """
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, numbers])
    number, carrier = make_numbers(rng, numbers)
    truth, events = make_history(rng, number, carrier, today)
    broken = broken_lines(rng, truth, carrier="cucc", today=day_number(today))
    files = write_reports(out, truth, events, rng=rng, broken=broken, packed=packed)
    due = truth.number[truth.due(today)]
    held = np.sort(rng.choice(due, size=round(len(due) * _HELD), replace=False))
    ready = np.setdiff1d(truth.number[truth.sellable(today)], held)
    if not len(ready):
        raise ValueError(f"a world of {numbers:,} numbers is too small: none is ready to be sold; ask for 100 or more")
    holds = HoldFile(
        path=out / "holds.csv", numbers=held, source="反诈中心(演示)", order="2026-17", reason="涉诈",
        until=today + timedelta(days=_HOLD_DAYS),
    )  # fmt: skip
    world = WorldReports(seed=seed, today=today, files=files, truth=truth, holds=holds, singer_number=int(rng.choice(ready)))
    _write_the_rest(out, world)
    return world


def _write_the_rest(out: Path, world: WorldReports) -> None:
    holds, truth = world.holds, world.truth
    rows = ["number", *(f"+{number}" for number in holds.numbers.tolist())]
    holds.path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    pq.write_table(
        pa.table({"number": truth.number, "carrier": truth.carrier, "state": truth.state, "closed": truth.closed}),
        out / "truth.parquet", compression="zstd", compression_level=12, use_dictionary=["carrier", "state", "closed"],
        column_encoding={"number": "DELTA_BINARY_PACKED"},
    )  # fmt: skip
    told: dict[str, Any] = {
        "seed": world.seed, "today": world.today.isoformat(), "numbers": len(truth.number),
        "singer_number": f"+{world.singer_number}",
        "files": [asdict(file) | {"path": file.path.name} for file in world.files],
        "holds": {"path": holds.path.name, "source": holds.source, "order": holds.order, "reason": holds.reason,
                  "until": holds.until.isoformat()},
    }  # fmt: skip
    (out / "world.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_reports(folder: Path) -> WorldReports:
    """A world that `make_reports` wrote before. Raises FileNotFoundError if `folder` holds none."""
    told = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    table = pq.read_table(folder / "truth.parquet")
    truth = Truth(**{name: table[name].to_numpy() for name in ("number", "carrier", "state", "closed")})
    files = tuple(
        ReportFile(
            carrier=file["carrier"], path=folder / file["path"], lines=file["lines"], repeated=file["repeated"],
            broken=tuple(Broken(**line) for line in file["broken"]),
        )
        for file in told["files"]
    )  # fmt: skip
    holds = told["holds"]
    with (folder / holds["path"]).open(encoding="utf-8", newline="") as lines:
        held = np.array([int(row["number"].lstrip("+")) for row in csv.DictReader(lines)], np.int64)
    return WorldReports(
        seed=told["seed"], today=date.fromisoformat(told["today"]), files=files, truth=truth,
        holds=HoldFile(path=folder / holds["path"], numbers=held, source=holds["source"], order=holds["order"],
                       reason=holds["reason"],
                       until=date.fromisoformat(holds["until"])),
        singer_number=int(told["singer_number"].lstrip("+")),
    )  # fmt: skip
