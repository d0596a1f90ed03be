"""How whatever reads what others wrote is tried: with samples of what it is meant to read, mangled, and with what is made
from nothing.

In the tests each tries a number of inputs, the same each time. `make fuzz` goes on for SECONDS, which the readers share,
from SEED, which is printed and leads to the same inputs again.
"""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

SECONDS = float(os.environ.get("FUZZ_SECONDS") or 0)
SEED = int(os.environ.get("SEED") or "0")
_SLOW = 5.0  # seconds of the processor that no input of some kilobytes is worth
_ROUND = 300

Check = Callable[[Any], object]


def tried(
    request: pytest.FixtureRequest,
    check: Check,
    inputs: st.SearchStrategy[Any],
    *,
    known: Iterable[Any] = (),
    most: int = 150,
    refuses: tuple[type[Exception], ...] = (),
) -> None:
    """Let `check` read the `known` inputs and many others. It may raise what it `refuses` with, with a sentence; anything
    else, and whatever takes too long, is a failure. `most`: how many in the tests."""

    taken = refused = 0

    def one(given_: Any) -> None:
        nonlocal taken, refused
        start, why = time.thread_time(), None
        try:
            check(given_)
            taken += 1
        except refuses as error:
            refused, why = refused + 1, error
        except RecursionError as error:  # its own report would nest as deep
            raise AssertionError(f"nested too deep: {traceback.format_exception(error)[-8:]}") from None
        assert why is None or str(why).strip(), f"{type(why).__name__} says nothing"
        took = time.thread_time() - start
        assert took < _SLOW, f"it took {took:.1f} s"

    for few in known:
        one = example(few)(one)
    share = SECONDS / max(1, len([item for item in request.session.items if "/fuzz/" in item.nodeid]))
    until, at = time.monotonic() + share, SEED
    _run(one, inputs, at, most, again=not SECONDS)
    while time.monotonic() < until:
        at += 1
        _run(one, inputs, at, _ROUND, again=False)
    print(f"\n{request.node.name}: {taken} taken, {refused} refused, seeds {SEED} to {at}")
    assert taken > most // 100, (
        f"only {taken} of {taken + refused} were taken: what comes after the first look was not tried"
    )


def _run(one: Callable[[Any], None], inputs: st.SearchStrategy[Any], number: int, most: int, *, again: bool) -> None:
    phases = (Phase.explicit, Phase.generate)  # shrinking takes minutes, and most inputs are small
    how = settings(
        max_examples=most,
        phases=phases,
        derandomize=again,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    wanted = how(given(inputs)(one))
    try:
        (wanted if again else seed(number)(wanted))()
    except BaseException as error:
        if not again:
            error.add_note(f"make fuzz SEED={number} leads here again")
        raise
