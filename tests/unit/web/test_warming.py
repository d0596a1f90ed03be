"""The first visitor of the day waits no longer than the second."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path

import pytest

from exchanging import NUMBERS, cancelled, planned
from huanxin.acts import Platform
from huanxin.domain.numbers import written
from huanxin.figures.tracing import Trace, trace
from huanxin.store.database import Tx
from huanxin.web import warming
from huanxin.web.pages.render import environment
from huanxin.words.i18n import LANGUAGES


@pytest.fixture(autouse=True)
def _nothing_at_hand() -> None:
    environment.cache_clear()


def test_pages_and_the_newest_facts_are_at_hand_before_anybody_asks(
    platform: Platform, report: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    cancelled(platform, report)
    planned(platform)
    looked_up = []

    def noting(tx: Tx, on: Platform, number: int) -> Trace:
        found = trace(tx, on, number)
        looked_up.append((written(number), len(found.batches)))
        return found

    monkeypatch.setattr(warming, "trace", noting)
    warming.make_ready(platform)
    assert looked_up == [(NUMBERS[0], 1)]
    for lang in LANGUAGES:
        cache = environment(lang).cache
        assert cache is not None
        assert {"home.html", "console/numbers.html", "partner/keys.html"} <= {name for _, name in cache}
    assert gc.get_freeze_count() > 0, "a collection looks through all that was imported, and a page waits for it"


def test_a_server_starts_with_nothing_planned_and_with_its_database_away(platform: Platform) -> None:
    warming.make_ready(platform)
    platform.database.__exit__()
    environment.cache_clear()
    warming.make_ready(platform)
    assert environment("en").cache, "pages that need no facts are at hand all the same"
