"""Whose a token is, for whom, and of when; each fault has its code of RFC 8935."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from huanxin_partner.tokens import KeysUnreachable, TokenError, Verifier
from partner_signing import ISSUER, NOW, Served, claims, jwks, key, token

KEY = key("k1")


def verifier(served: Served, now: float = NOW) -> Verifier:
    return Verifier(issuer=ISSUER, audience="pc_1", client=served.client, clock=lambda: now)


def test_a_good_token_is_read() -> None:
    event = verifier(Served(KEY)).verify(token(KEY, claims()))
    assert (event.jti, event.name, event.claims["notice"]) == ("j1", "urn:huanxin:event:renewal", "n1")
    assert event.subject["phone_number"] == "+8613800138000"


def test_an_audience_may_be_a_list() -> None:
    assert verifier(Served(KEY)).verify(token(KEY, claims(aud=["other", "pc_1"]))).jti == "j1"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "http://evil.example"}, "invalid_issuer"),
        ({"aud": "pc_2"}, "invalid_audience"),
        ({"aud": None}, "invalid_audience"),
        ({"iat": NOW + 301}, "invalid_request"),
        ({"iat": NOW - 31 * 86_400}, "invalid_request"),
        ({"iat": True}, "invalid_request"),
        ({"iat": None}, "invalid_request"),
        ({"jti": None}, "invalid_request"),
        ({"events": {}}, "invalid_request"),
        ({"events": {"a": {}, "b": {}}}, "invalid_request"),
        ({"events": {"a": 1}}, "invalid_request"),
        ({"sub": "x"}, "invalid_request"),
        ({"exp": NOW + 10}, "invalid_request"),
    ],
)
def test_a_fault_has_its_code(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(TokenError) as refused:
        verifier(Served(KEY)).verify(token(KEY, claims(**changed)))
    assert refused.value.code == code


def test_late_and_early_tokens_within_bounds_are_taken() -> None:
    for iat in (NOW + 299, NOW - 29 * 86_400):
        assert verifier(Served(KEY)).verify(token(KEY, claims(iat=iat))).issued_at == iat


def test_another_kind_of_token_is_refused() -> None:
    with pytest.raises(TokenError, match="typ"):
        verifier(Served(KEY)).verify(token(KEY, claims(), typ="at+jwt"))


def _deep(header: bytes) -> str:
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (header, b"{}", bytes(64)))


DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    "text", ["", "a.b.c", "not a token", "é.é.é", _deep(DEEP), _deep(b'{"alg":"ES256","kid":' + DEEP + b"}"), _deep(b"[]"),
             _deep(b'{"alg":"ES256","crit":[[]]}')], ids=range(8),
)  # fmt: skip
def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(TokenError) as refused:
        verifier(Served(KEY)).verify(text)
    assert refused.value.code == "invalid_request"


def test_a_forged_signature_is_refused() -> None:
    with pytest.raises(TokenError) as refused:
        verifier(Served(KEY)).verify(token(key("k1"), claims()))
    assert refused.value.code == "authentication_failed"


def test_a_new_key_is_fetched_once_and_made_up_ones_cost_nothing() -> None:
    served, new = Served(KEY), key("k2")
    now = float(NOW)
    one = Verifier(issuer=ISSUER, audience="pc_1", client=served.client, clock=lambda: now)
    one.verify(token(KEY, claims()))
    served.keys = (KEY, new)
    for _ in range(3):
        with pytest.raises(KeysUnreachable):  # to be pushed again: a token of a key that is just being published isn't lost
            one.verify(token(new, claims()))
    assert served.asked == 1
    now += 11
    one.verify(token(new, claims()))
    now += 11
    with pytest.raises(TokenError) as refused:
        one.verify(token(key("k3"), claims()))
    assert refused.value.code == "invalid_key"
    assert served.asked == 3


def test_keys_that_cannot_be_fetched_say_nothing_about_the_token() -> None:
    served = Served(KEY)
    served.status = 503
    one = verifier(served)
    with pytest.raises(KeysUnreachable):
        one.verify(token(KEY, claims()))
    served.status = 200
    assert one.verify(token(KEY, claims())).jti == "j1"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Cache-Control": "public, max-age=60"}, 60),
        ({"Cache-Control": "public, max-age=300", "Age": "200"}, 100),
        ({"Cache-Control": "s-maxage=9000, max-age=30"}, 30),
        ({"Cache-Control": "no-store, max-age=300"}, 10),
        ({"Cache-Control": "max-age=31536000"}, 3600),  # a year would be for ever
        ({}, 300),
    ],
)
def test_a_key_that_was_withdrawn_is_taken_no_longer_than_cache_control_says(headers: dict[str, str], seconds: int) -> None:
    """Else who stole a key that its owner has withdrawn could have ties cut for as long as a partner's program runs."""
    served, now = Served(KEY), float(NOW)
    served.headers = headers
    one = Verifier(issuer=ISSUER, audience="pc_1", client=served.client, clock=lambda: now)
    one.verify(token(KEY, claims()))
    served.keys = (key("k2"),)
    now += seconds - 1
    one.verify(token(KEY, claims()))
    assert served.asked == 1
    now += 1
    with pytest.raises(TokenError) as refused:
        one.verify(token(KEY, claims()))
    assert refused.value.code == "invalid_key"


def test_a_key_is_not_kept_for_a_year_because_a_clock_was_put_back() -> None:
    served, now = Served(KEY), float(NOW) + 86_400 * 365
    one = Verifier(issuer=ISSUER, audience="pc_1", client=served.client, clock=lambda: now, max_age=400 * 86_400)
    one.verify(token(KEY, claims()))
    served.keys, now = (key("k2"),), float(NOW)
    with pytest.raises(TokenError):
        one.verify(token(KEY, claims()))


def test_a_key_that_is_taken_out_of_the_file_is_taken_no_more(tmp_path: Path) -> None:
    file, now = tmp_path / "jwks.json", float(NOW)
    file.write_text(json.dumps(jwks(KEY)), encoding="utf-8")
    one = Verifier(issuer=ISSUER, audience="pc_1", client=Served().client, clock=lambda: now, jwks_file=file)
    one.verify(token(KEY, claims()))
    file.write_text(json.dumps(jwks(key("k2"))), encoding="utf-8")
    now += 11
    with pytest.raises(TokenError):
        one.verify(token(KEY, claims()))


def test_while_the_keys_cannot_be_fetched_again_an_event_is_put_off_and_not_refused() -> None:
    served, now = Served(KEY), float(NOW)
    one = Verifier(issuer=ISSUER, audience="pc_1", client=served.client, clock=lambda: now)
    one.verify(token(KEY, claims()))
    served.status, now = 503, now + 301
    with pytest.raises(KeysUnreachable):
        one.verify(token(KEY, claims()))
    served.status = 200
    assert one.verify(token(KEY, claims())).jti == "j1"
