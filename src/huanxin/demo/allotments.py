"""Blocks of 10,000 numbers as the Chinese plan allots them: a sample of real ones, with carrier and province.

The sample is kept in `data/blocks.csv`, since the region data of `phonenumbers` takes four seconds and 200 MB to load.
`python -m huanxin.demo.allotments` draws it anew.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from huanxin.domain.regions import province_of

BLOCK_SIZE = 10_000
CARRIERS = ("cmcc", "cucc", "ctcc", "cbn")
"""The order in which carriers are stored as small integers."""

SAMPLE = {"cmcc": 1100, "cucc": 420, "ctcc": 420, "cbn": 60}
"""How many blocks of each carrier the sample has."""

_NAMES = {"中国移动": "cmcc", "中国联通": "cucc", "中国电信": "ctcc", "中国广电": "cbn"}
_BLOCK_DIGITS = 9  # 86 and the seven leading digits of the national number


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Blocks as columns of one length: first number, carrier (index into CARRIERS), province ("" where not public)."""

    start: npt.NDArray[np.int64]
    carrier: npt.NDArray[np.int8]
    province: tuple[str, ...]


@cache
def blocks() -> Blocks:
    """The sample of allotted blocks, ascending."""
    text = (resources.files("huanxin.demo") / "data" / "blocks.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    return Blocks(
        start=np.array([int(row["block"]) * BLOCK_SIZE for row in rows], np.int64),
        carrier=np.array([CARRIERS.index(row["carrier"]) for row in rows], np.int8),
        province=tuple(row["province"] for row in rows),
    )


def carrier_of(block: str) -> str | None:
    """The carrier that a block's longest known prefix belongs to, by `phonenumbers`; None if none of the four."""
    from phonenumbers.carrierdata import CARRIER_DATA  # slow to load, and only needed to draw anew

    for length in range(len(block), 2, -1):
        names = CARRIER_DATA.get(block[:length])
        if names:
            return _NAMES.get(names.get("zh", ""))
    return None


def draw(seed: int = 1) -> list[tuple[str, str, str]]:
    """A new sample: (block, carrier, province), ascending, from the data of `phonenumbers`.

    China Broadnet's range 192 has no regions there, so its blocks are drawn from the whole range.
    """
    from phonenumbers.geodata import GEOCODE_DATA  # see carrier_of

    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[str, str, str]]] = {carrier: [] for carrier in CARRIERS}
    for block in sorted(prefix for prefix in GEOCODE_DATA if prefix.startswith("861") and len(prefix) == _BLOCK_DIGITS):
        carrier, province = carrier_of(block), province_of(GEOCODE_DATA[block].get("zh", ""))
        if carrier and province:
            found[carrier].append((block, carrier, province))
    found["cbn"] = [(f"86192{tail:04d}", "cbn", "") for tail in range(BLOCK_SIZE)]
    sample = []
    for carrier, count in SAMPLE.items():
        picked = rng.choice(len(found[carrier]), size=count, replace=False)
        sample += [found[carrier][index] for index in picked.tolist()]
    return sorted(sample)


def _main() -> None:
    path = Path(__file__).with_name("data") / "blocks.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("block", "carrier", "province"))
        writer.writerows(draw())


if __name__ == "__main__":
    _main()
