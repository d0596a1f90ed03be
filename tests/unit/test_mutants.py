"""The mutants of our own change lines that are there: one whose place is gone would guard nothing, and nobody would know."""

from __future__ import annotations

import tomllib
from pathlib import Path

HOUSE = Path(__file__).parents[2]
MUTANTS = tomllib.loads((HOUSE / "tests/mutants/own.toml").read_text(encoding="utf-8"))["mutant"]


def test_each_of_our_own_mutants_has_its_place_and_tests_that_exist() -> None:
    for one in MUTANTS:
        text = (HOUSE / "src/huanxin" / one["file"]).read_text(encoding="utf-8")
        assert text.count(one["old"]) == one.get("times", 1), one
        assert [name for name in one["tests"] if not (HOUSE / name).exists()] == []
