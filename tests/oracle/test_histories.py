"""Histories that nobody thought of: the rules hold in each of them (how many: `soaking`)."""

from __future__ import annotations

import ast
from pathlib import Path

from oracle.comparing import Counts
from oracle.driver import staged
from oracle.going_on import Machine
from oracle.soaking import run, wanted

HISTORIES = wanted(110)
STEPS = 40
OWN = ("days", "histories", "world", "renewal", "reporting", "mending", "outbox", "shop", "owners", "deadlines")
"""The oracle itself, without what drives and asks the platform."""


def test_the_platform_and_the_oracle_agree_on_every_history(dsn: str, tmp_path: Path) -> None:
    counts = Counts()
    with staged(dsn, tmp_path) as stage:
        try:
            run(type("History", (Machine,), {"stage": stage, "counts": counts}), HISTORIES, STEPS)
        finally:
            print(f"\n{counts.said()}")  # of a run that is ended too
    assert counts.histories >= HISTORIES
    if HISTORIES < 110:
        return  # fewer need not come to everything
    missing = [name for name in ("gate", "desk", "explain", "told", "certificate", "message") if not counts.verdicts[name]]
    assert not missing, f"nothing was compared of {missing}"


def test_the_oracle_shares_no_code_with_what_it_judges() -> None:
    here = Path(__file__).parent
    for name in OWN:
        for node in ast.walk(ast.parse((here / f"{name}.py").read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert not any(one.startswith("huanxin") for one in named), f"{name}.py imports {named}"
