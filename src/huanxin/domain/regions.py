"""Where a Chinese number is from: the province to which its seven leading digits were allotted.

The table is drawn from the geocoder data of `phonenumbers`, which takes four seconds and 160 MB to load:
`python -m huanxin.domain.regions` draws it anew. It has a line for each shard (a million numbers) with a letter
for each block of ten thousand numbers.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

PROVINCES = (
    "北京", "天津", "上海", "重庆", "河北", "山西", "辽宁", "吉林", "黑龙江", "江苏", "浙江",
    "安徽", "福建", "江西", "山东", "河南", "湖北", "湖南", "广东", "海南", "四川", "贵州",
    "云南", "陕西", "甘肃", "青海", "台湾", "内蒙古", "广西", "西藏", "宁夏", "新疆",
)  # fmt: skip
NOWHERE = len(PROVINCES)
"""The index of numbers whose region is not public, like China Broadnet's 192, or outside China."""

BLOCK = 10_000
"""Numbers that share their seven leading digits, country code left out: what a carrier is allotted at a time."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef."
_BLOCKS = 100  # of a shard
_LENGTHS = range(9, 5, -1)  # digits of a prefix that has a region, the longest first
_FILE = "regions.csv"


def province_of(place: str) -> str:
    """The province in a place name like 山东省济南市; "" if there is none."""
    return next((province for province in PROVINCES if place.startswith(province)), "")


@cache
def regions_of_shard(shard: int) -> npt.NDArray[np.int8]:
    """The region of each of a shard's 100 blocks, as an index into PROVINCES, or NOWHERE."""
    letters = _table().get(shard)
    if letters is None:
        return np.full(_BLOCKS, NOWHERE, np.int8)
    return np.array([_LETTERS.index(letter) for letter in letters], np.int8)


@cache
def _table() -> dict[int, str]:
    text = (resources.files("huanxin.domain") / "data" / _FILE).read_text(encoding="utf-8")
    return {int(row["shard"]): row["regions"] for row in csv.DictReader(text.splitlines())}


def draw() -> dict[int, str]:
    """The table anew, from the data of `phonenumbers`."""
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415  # see above

    known = {prefix: province_of(names.get("zh", "")) for prefix, names in GEOCODE_DATA.items() if prefix.startswith("861")}
    found = {}
    for shard in range(8613000, 8620000):
        named = [_longest(f"{shard}{block:02d}", known) for block in range(_BLOCKS)]
        if any(named):
            found[shard] = "".join(_LETTERS[PROVINCES.index(name) if name else NOWHERE] for name in named)
    return found


def _longest(block: str, known: dict[str, str]) -> str:
    return next((known[block[:length]] for length in _LENGTHS if block[:length] in known), "")


def _main() -> None:
    path = Path(__file__).with_name("data") / _FILE
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("shard", "regions"))
        writer.writerows(sorted(draw().items()))


if __name__ == "__main__":
    _main()
