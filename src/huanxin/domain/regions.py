"""The province in which a number's block was allotted, for counting by region.

`data/regions.csv` says from which block of 10,000 numbers on which province holds. It is drawn from the region data of
`phonenumbers`, which takes four seconds and 200 MB to load; `python -m huanxin.domain.regions` draws it anew. A number that
was ported keeps the province of its block. Codes are those of ISO 3166-2:CN.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import numpy.typing as npt

from huanxin.numbersets.sharded import SHARD_SIZE, Numbers

BLOCK = 10_000
"""Numbers that share their seven leading digits, country code left out: what a carrier is allotted at a time."""
UNKNOWN = "unknown"
"""The region of blocks that are allotted to no province in the public data, and of numbers outside China."""

REGIONS: Mapping[str, tuple[str, str]] = {
    "CN-BJ": ("北京", "Beijing"), "CN-TJ": ("天津", "Tianjin"), "CN-HE": ("河北", "Hebei"), "CN-SX": ("山西", "Shanxi"),
    "CN-NM": ("内蒙古", "Inner Mongolia"), "CN-LN": ("辽宁", "Liaoning"), "CN-JL": ("吉林", "Jilin"),
    "CN-HL": ("黑龙江", "Heilongjiang"), "CN-SH": ("上海", "Shanghai"), "CN-JS": ("江苏", "Jiangsu"),
    "CN-ZJ": ("浙江", "Zhejiang"), "CN-AH": ("安徽", "Anhui"), "CN-FJ": ("福建", "Fujian"), "CN-JX": ("江西", "Jiangxi"),
    "CN-SD": ("山东", "Shandong"), "CN-HA": ("河南", "Henan"), "CN-HB": ("湖北", "Hubei"), "CN-HN": ("湖南", "Hunan"),
    "CN-GD": ("广东", "Guangdong"), "CN-GX": ("广西", "Guangxi"), "CN-HI": ("海南", "Hainan"),
    "CN-CQ": ("重庆", "Chongqing"), "CN-SC": ("四川", "Sichuan"), "CN-GZ": ("贵州", "Guizhou"), "CN-YN": ("云南", "Yunnan"),
    "CN-XZ": ("西藏", "Tibet"), "CN-SN": ("陕西", "Shaanxi"), "CN-GS": ("甘肃", "Gansu"), "CN-QH": ("青海", "Qinghai"),
    "CN-NX": ("宁夏", "Ningxia"), "CN-XJ": ("新疆", "Xinjiang"),
    "CN-TW": ("台湾", "Taiwan"), UNKNOWN: ("地区未公开", "Region not public"),
}  # fmt: skip
"""Chinese and English names by code, in the order of the administrative divisions (GB/T 2260)."""

CODES = tuple(REGIONS)
"""The order in which regions are counted as small integers."""

PROVINCES = tuple(chinese for code, (chinese, _) in REGIONS.items() if code != UNKNOWN)
NOWHERE = CODES.index(UNKNOWN)
"""The index of UNKNOWN; those below are indices into PROVINCES too."""

_FIRST, _BLOCKS = 861_000_000, 1_000_000  # 86 and the seven leading digits of Chinese mobile numbers
_MOST_DIGITS = 9
_FILE = "regions.csv"


def regions_of(numbers: Numbers) -> npt.NDArray[np.int8]:
    """The region of each number, as an index into CODES; shape as given."""
    return regions_of_blocks(numbers // BLOCK)


def regions_of_blocks(blocks: Numbers) -> npt.NDArray[np.int8]:
    """The region of each block (a number without its last four digits), as an index into CODES."""
    table = _table()
    places = blocks - _FIRST
    inside = (places >= 0) & (places < _BLOCKS)
    return np.where(inside, table[np.where(inside, places, 0)], np.int8(NOWHERE))


def regions_of_shard(shard: int) -> npt.NDArray[np.int8]:
    """The region of each of the 100 blocks of a shard, as an index into CODES."""
    each = SHARD_SIZE // BLOCK
    return regions_of_blocks(np.arange(shard * each, (shard + 1) * each, dtype=np.int64))


def province_of(place: str) -> str:
    """The province in a place name like 山东省济南市; "" if there is none."""
    return next((province for province in PROVINCES if place.startswith(province)), "")


@cache
def _table() -> npt.NDArray[np.int8]:
    """The region of every Chinese mobile block: one byte each, a million of them."""
    text = (resources.files("huanxin.domain") / "data" / _FILE).read_text(encoding="ascii")
    starts, codes = zip(*((int(block), code) for block, code in csv.reader(text.splitlines()[1:])), strict=True)
    ends = [*starts[1:], _FIRST + _BLOCKS]
    lengths = np.array(ends, np.int64) - np.array(starts, np.int64)
    return np.repeat(np.array([CODES.index(code) for code in codes], np.int8), lengths)


def draw() -> npt.NDArray[np.int8]:
    """The region of every block, from the longest prefix that `phonenumbers` knows of it."""
    from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415  # see above

    found = np.full(_BLOCKS, NOWHERE, np.int8)
    for prefix in sorted((one for one in GEOCODE_DATA if one.startswith("861")), key=len):
        region = _named(GEOCODE_DATA[prefix].get("zh", ""))
        size = 10 ** (_MOST_DIGITS - len(prefix))
        start = int(prefix) * size - _FIRST
        found[start : start + size] = region
    found[:300_000] = NOWHERE  # 010 and its like are no mobile ranges
    return found


def _named(place: str) -> int:
    province = province_of(place)
    return PROVINCES.index(province) if province else NOWHERE


def _main() -> None:
    found = draw()
    starts = np.flatnonzero(np.diff(found, prepend=-1))
    lines = [f"{_FIRST + start},{CODES[found[start]]}" for start in starts.tolist()]
    Path(__file__).with_name("data").joinpath(_FILE).write_text("\n".join(["block,region", *lines, ""]), encoding="ascii")


if __name__ == "__main__":
    _main()
