"""A homeserver's adapter before whatever may answer in the homeserver's place."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from huanxin_partner.adapters.synapse import SynapseError, SynapseTies

NUMBER = "+8613800138000"


@pytest.mark.parametrize("page", ["", "<html>Please sign in</html>", "[]", "{}", '{"user_id": null}'])
def test_a_proxys_page_is_not_taken_for_a_number_that_nobody_has(tmp_path: Path, page: str) -> None:
    """It answers 200 to everything: each number would have been reported to have no tie, and been sold with it."""
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(200, text=page))) as client:
        ties = SynapseTies("http://hs.example", "token", record=tmp_path / "record.db", client=client)
        with pytest.raises(SynapseError):
            ties.bound(NUMBER)
        with pytest.raises(SynapseError):
            ties.unbind([NUMBER], datetime(2026, 11, 24, tzinfo=UTC))
