"""Chinese ranges that `phonenumbers` names no carrier for: `data/ranges.csv`, each with where it is known from.

Once the library names a carrier for one, a test says so, and its line goes.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

_MACHINES = "machines"


@cache
def _lines() -> tuple[Mapping[str, str], ...]:
    text = (resources.files("huanxin.domain") / "data" / "ranges.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


@cache
def prefixes_of(carrier: str) -> tuple[str, ...]:
    """The prefixes of a carrier, with the country code."""
    return tuple(f"86{line['prefix']}" for line in _lines() if line["carrier"] == carrier)


def is_known(digits: str) -> bool:
    """Whether a number or its beginning lies in a range of a carrier here."""
    return any(line["carrier"] and digits.startswith(f"86{line['prefix']}") for line in _lines())


def of_machines(digits: str) -> str:
    """The prefix of the range of the Internet of Things that a number or its beginning lies in; empty if it lies in none."""
    found = (f"86{line['prefix']}" for line in _lines() if line["use"] == _MACHINES)
    return next((prefix for prefix in found if digits.startswith(prefix)), "")
