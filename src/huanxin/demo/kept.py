"""A finished world that stays in its folder: what it was made from, what it said at its end, how its partners start.

The file is written last, so a world that was interrupted half-way has none and is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from huanxin.demo.own_servers import PartnerProcess

_FILE = "world-kept.json"
_FORM = 3  # of the file; one written in another form is not read, its world is made anew


@dataclass(frozen=True, kw_only=True)
class Kept:
    """made_at: aware. told: the object of `--json`. partners: in the order in which they were registered."""

    made_at: datetime
    told: dict[str, Any]
    partners: tuple[PartnerProcess, ...]


def made_from(*, numbers: int, partners: int, seed: int, reports: Path | None) -> dict[str, Any]:
    """What decides what world comes out. Two of these are equal only if the worlds would be."""
    if reports is None:
        return {"form": _FORM, "numbers": numbers, "partners": partners, "seed": seed}
    content = hashlib.sha256()
    for file in sorted(path for path in reports.iterdir() if path.is_file()):
        content.update(f"{file.name} {file.stat().st_size}\n".encode())
        content.update(file.read_bytes())
    return {"form": _FORM, "partners": partners, "seed": seed, "reports": content.hexdigest()}


def keep(folder: Path, world: Kept, wanted: dict[str, Any]) -> None:
    """Say that the world in this folder is finished. Only its owner may read the file: it has the partners' secrets."""
    partners = [asdict(one) for one in world.partners]
    told = {"made_from": wanted, "made_at": world.made_at.isoformat(), "told": world.told, "partners": partners}
    beside = folder / f".{_FILE}.part"
    beside.touch(mode=0o600)
    beside.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    os.replace(beside, folder / _FILE)


def find(folder: Path, wanted: dict[str, Any]) -> Kept | None:
    """The finished world in this folder, if it was made from the same."""
    try:
        found = json.loads((folder / _FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if found["made_from"] != wanted:
        return None
    return Kept(
        made_at=datetime.fromisoformat(found["made_at"]), told=found["told"],
        partners=tuple(PartnerProcess(**one) for one in found["partners"]),
    )  # fmt: skip
