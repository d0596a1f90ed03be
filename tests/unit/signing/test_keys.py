"""Whatever the sandbox signs says that it is a rehearsal: a made-up notice that passed for a real one cuts real ties."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jws

from clocks import Clock
from huanxin.notify.events import recycled, reminder, stream_updated, verification
from huanxin.signing.keys import Signer
from huanxin.store.database import Database

NOW = datetime(2026, 11, 24, tzinfo=UTC)
COMMON: dict[str, Any] = {"audience": "pc_1", "jti": "ev_1", "now": NOW}
EVENTS = [
    reminder(notice="nt_1", answer_by=NOW, outstanding=3, pending=0, **COMMON),
    verification("st_1", state="hello", **COMMON),
    stream_updated("st_1", status="paused", reason="", **COMMON),
    recycled(8613800138000, opened_at=NOW, **COMMON),
]


@pytest.mark.parametrize("claims", EVENTS, ids=lambda claims: next(iter(claims["events"])).rpartition(":")[2])
def test_every_kind_of_event_of_the_sandbox_is_called_a_rehearsal_and_none_of_the_live_side(
    database: Database, clock: Clock, claims: dict[str, Any]
) -> None:
    for rehearsal in (True, False):
        signer = Signer(issuer="http://x", database=database, passphrase="test", clock=clock, rehearsal=rehearsal)
        signed = json.loads(jws.extract_compact(signer.event_token(claims).encode()).payload)
        ((name, event),) = signed["events"].items()
        assert event.get("rehearsal", False) is rehearsal
        assert event == claims["events"][name] | ({"rehearsal": True} if rehearsal else {})
