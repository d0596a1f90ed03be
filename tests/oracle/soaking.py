"""How many histories a run takes: a few, always the same ones, in `make test`; in `make soak` as many as wanted, other ones
each time, in as many processes as there are processors.

HISTORIES: how many, of each kind. SEED: which. SHARE of SHARES: the part of them that this process takes.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

SOAKING = "HISTORIES" in os.environ
_SHARE, _SHARES = int(os.environ.get("SHARE", "0")), int(os.environ.get("SHARES", "1"))
_NO_SHRINKING = [one for one in Phase if one is not Phase.shrink]


def wanted(few: int, kinds: int = 1) -> int:
    """How many histories this process takes of each kind, unless it is `few`."""
    return max(1, int(os.environ["HISTORIES"]) // kinds // _SHARES) if SOAKING else few


def run(machine: type[RuleBasedStateMachine], histories: int, steps: int) -> None:
    """Run histories of a machine, of so many steps at most; QUICK: without looking for the shortest that fails."""
    if SOAKING:
        seed(f"{os.environ.get('SEED', '1')} {_SHARE}")(machine)
    more: dict[str, Any] = {"phases": _NO_SHRINKING} if "QUICK" in os.environ else {}
    chosen = settings(
        max_examples=histories, stateful_step_count=steps, suppress_health_check=list(HealthCheck),
        derandomize=not SOAKING, report_multiple_bugs=False, **more,
    )  # fmt: skip
    run_state_machine_as_test(machine, settings=chosen)
