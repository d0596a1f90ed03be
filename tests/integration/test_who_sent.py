"""Who told the partners of a batch: kept with what they were told, by the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from huanxin.domain.operators import Role
from huanxin.store.access import operators
from huanxin.store.notify import notices
from operators import browsing
from ordering import plan_now
from town import Town, town


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


def test_a_batch_of_which_it_could_not_be_recorded_who_sent_it_is_not_sent(
    place: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that died between the two left partners that were told, and nobody who had told them."""
    place.report("+8613800138200,cancelled,2026-08-20")
    batch = plan_now(place.platform)
    assert batch is not None

    def told() -> list[str]:
        with place.platform.read() as seen:
            return [one.sent_by for one in notices.of_batch(seen.tx, batch.id)]

    with browsing(place.url, place.platform, Role.OPERATOR, login="li") as http:
        with monkeypatch.context() as dying:
            dying.setattr(operators, "note", _dies)
            assert http.post(f"/console/batches/{batch.id}", data={"do": "send"}).status_code == 500
        assert told() == []
        assert http.post(f"/console/batches/{batch.id}", data={"do": "send"}).status_code == 200
    assert told() == ["li"] * len(place.partners)


def _dies(*_: object, **__: object) -> None:
    raise RuntimeError("the process ends here")
