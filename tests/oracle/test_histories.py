"""Histories that nobody thought of: the rules hold in each of them.

`make soak` runs as many as wanted (HISTORIES=10000), others each time, unless SEED says which.
"""

from __future__ import annotations

import ast
import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from oracle.comparing import Counts
from oracle.driver import staged
from oracle.going_on import Machine

HISTORIES = int(os.environ.get("HISTORIES", "150"))
SOAKING = "HISTORIES" in os.environ
STEPS = 40
OWN = ("days", "histories", "world", "renewal", "reporting", "outbox", "shop", "owners")
"""The oracle itself, without what drives and asks the platform."""


def test_the_platform_and_the_oracle_agree_on_every_history(dsn: str, tmp_path: Path) -> None:
    counts = Counts()
    with staged(dsn, tmp_path) as stage:
        one = type("History", (Machine,), {"stage": stage, "counts": counts})
        wanted = settings(
            max_examples=HISTORIES, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck),
            derandomize=not SOAKING, phases=[one for one in Phase if one is not Phase.shrink or "QUICK" not in os.environ],
        )  # fmt: skip
        run_state_machine_as_test(one, settings=wanted)
    print(f"\n{counts.said()}")
    assert counts.histories >= HISTORIES
    missing = [name for name in ("gate", "desk", "explain", "told", "certificate", "message") if not counts.verdicts[name]]
    assert not missing, f"nothing was compared of {missing}"


def test_the_oracle_shares_no_code_with_what_it_judges() -> None:
    here = Path(__file__).parent
    for name in OWN:
        for node in ast.walk(ast.parse((here / f"{name}.py").read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
                assert not any(one.startswith("huanxin") for one in named), f"{name}.py imports {named}"
