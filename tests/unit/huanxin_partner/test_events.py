"""An event that could never be handled is refused at the door."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from huanxin_partner.events import check, cutoff_of, number_file
from huanxin_partner.tokens import Event, TokenError
from partner_signing import NOW, RECYCLED, RENEWAL

NUMBER = {"format": "phone_number", "phone_number": "+8613800138000"}
FILE = {"url": "http://127.0.0.1:8600/n", "sha256": {"text/csv": "a" * 64}}
GOOD = {"notice": "n1", "scope": "batch", "cutoff": "2026-11-24T05:00:00Z", "numbers": FILE}


def event(name: str, payload: dict[str, Any], subject: dict[str, Any] = NUMBER) -> Event:
    return Event(jti="j", name=name, claims=payload, subject=subject, issued_at=NOW)


def test_good_events_pass() -> None:
    check(event(RENEWAL, GOOD), NOW)
    check(event(RENEWAL, {"notice": "n1", "cutoff": "2026-11-24T13:00:00+08:00"}), NOW)
    check(event("urn:huanxin:event:retraction", GOOD | {"of": "n0"}), NOW)
    check(event("urn:huanxin:event:inquiry", {"notice": "n1"}), NOW)
    check(event(RECYCLED, {"event_timestamp": NOW - 10}), NOW)
    check(event("urn:other", {}, {}), NOW)
    assert number_file(event(RENEWAL, GOOD)) == (FILE["url"], "a" * 64)


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        (RENEWAL, GOOD | {"notice": ""}),
        (RENEWAL, GOOD | {"cutoff": "yesterday"}),
        (RENEWAL, GOOD | {"cutoff": "2026-11-24T05:00:00"}),
        (RENEWAL, GOOD | {"cutoff": "2026-11-24T05:14:00Z"}),
        (RENEWAL, GOOD | {"numbers": []}),
        (RENEWAL, GOOD | {"numbers": FILE | {"url": None}}),
        (RENEWAL, GOOD | {"numbers": FILE | {"sha256": {"text/csv": "A"}}}),
        ("urn:huanxin:event:retraction", GOOD),
        ("urn:huanxin:event:inquiry", {}),
        (RECYCLED, {"event_timestamp": NOW + 400}),
        (RECYCLED, {"event_timestamp": "now"}),
        (RECYCLED, {"event_timestamp": 1e30}),
    ],
)
def test_bad_events_are_refused(name: str, payload: dict[str, Any]) -> None:
    with pytest.raises(TokenError) as refused:
        check(event(name, payload), NOW)
    assert refused.value.code == "invalid_request"


@pytest.mark.parametrize("number", [None, "13800138000", "+86 138", "+0123456789", 8613800138000])
def test_a_number_that_is_none_is_refused(number: object) -> None:
    with pytest.raises(TokenError):
        check(event(RENEWAL, {"notice": "n", "cutoff": GOOD["cutoff"]}, {"phone_number": number}), NOW)


def test_the_time_of_issue_stands_in_for_a_missing_event_timestamp() -> None:
    assert cutoff_of(event(RECYCLED, {})) == datetime.fromtimestamp(NOW, UTC)
