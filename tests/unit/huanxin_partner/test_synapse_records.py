"""What the Synapse adapter makes of times in doubt, and of a record that servers share. A real Synapse is in integration."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from huanxin_partner.adapters.synapse import SynapseTies
from huanxin_partner.ties import Answer, as_text

NUMBER, CUTOFF = "+8613800138000", datetime(2026, 11, 24, 5, tzinfo=UTC)


class Server:
    """A homeserver with one account on the number; it is changed as by its admin API."""

    def __init__(self) -> None:
        self.threepids: list[dict[str, Any]] = []
        self.bind(CUTOFF - timedelta(days=1))

    def bind(self, at: datetime | int) -> None:
        validated_at = at if isinstance(at, int) else int(at.timestamp() * 1000)
        self.threepids = [{"medium": "msisdn", "address": NUMBER[1:], "validated_at": validated_at}]

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/whoami"):
            return httpx.Response(200, json={"user_id": "@huanxin:here.example", "device_id": "D"})
        if "/threepid/" in path:
            found = {"user_id": "@lin:here.example"} if self.threepids else {"errcode": "M_NOT_FOUND"}
            return httpx.Response(200 if self.threepids else 404, json=found)
        if request.method == "PUT":
            self.threepids = []
        return httpx.Response(200, json={"threepids": self.threepids, "deactivated": False, "devices": []})


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def ties(server: Server, tmp_path: Path) -> Iterator[SynapseTies]:
    with httpx.Client(transport=httpx.MockTransport(server)) as client:
        yield SynapseTies("http://127.0.0.1:1", "t", record=tmp_path / "record.db", client=client)


def said(outcome: str, reason: str = "") -> list[Answer]:
    return [Answer(number=NUMBER, outcome=outcome, reason=reason)]


@pytest.mark.parametrize("validated_at", [0, -1, 1_795_000, 10**18])
def test_a_number_that_was_bound_nobody_knows_when_is_refused(server: Server, ties: SynapseTies, validated_at: int) -> None:
    server.bind(validated_at)
    assert ties.unbind([NUMBER], CUTOFF) == said("refused", "other")
    assert server.threepids


def test_what_another_server_cut_is_not_taken_for_what_this_one_did(
    server: Server, ties: SynapseTies, tmp_path: Path
) -> None:
    """It answered `unbound`, and kept its tie."""
    with closing(sqlite3.connect(tmp_path / "record.db")) as db, db:
        row = (NUMBER, as_text(CUTOFF), "@lin:there.example", 1_700_000_000_000)
        db.execute("INSERT INTO huanxin_synapse_cuts (number, cutoff, user, bound_at) VALUES (?, ?, ?, ?)", row)
    server.bind(CUTOFF)
    assert ties.unbind([NUMBER], CUTOFF) == said("kept")
    assert ties.restore([NUMBER], CUTOFF) == []
    server.bind(CUTOFF - timedelta(days=1))
    assert ties.unbind([NUMBER], CUTOFF) == ties.unbind([NUMBER], CUTOFF) == said("unbound")
    assert not server.threepids
