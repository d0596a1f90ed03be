"""A platform on a fresh database, and a helper that writes a carrier's report."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from clocks import Clock
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules
from huanxin.operations import Platform
from huanxin.store.database import Database


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def platform(database: Database, clock: Clock) -> Platform:
    return Platform(
        database=database, plan=chinese_plan(), rules=Rules(), issuer="http://127.0.0.1:1", clock=clock, development=True
    )


Report = Callable[..., Path]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Writes a report: lines as they stand in the file, under the usual heading unless another is given."""

    def write(
        *lines: str, name: str = "report.csv", heading: str = "number,event,at", encoding: str = "utf-8", end: str = "\n"
    ) -> Path:
        path = tmp_path / name
        path.write_bytes(end.join([heading, *lines, ""]).encode(encoding))
        return path

    return write
