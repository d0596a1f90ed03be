"""Events that are pushed (RFC 8935), as a receiver on the other side sees them, and signed with keys that change."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws

from huanxin.domain.errors import BadSetting
from huanxin.domain.rules import LONGEST_LIFE
from huanxin.domain.streams import VERIFICATION
from huanxin.onboarding.opening import open_signer
from huanxin.signing.keys import PUBLISHED_BEFORE, rotate
from huanxin.signing.sealing import seal, unseal
from node import PEERS, node
from ordering import imported
from receiving import Receiver, receiving
from ssf_world import PUSH, Caller, World


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def pushed(world: World, receiver: Receiver) -> Caller:
    """A partner that is pushed to, with an Authorization header of its own."""
    one = world.partner(endpoint=receiver.url)
    delivery = {"method": PUSH, "endpoint_url": receiver.url, "authorization_header": "Bearer of theirs"}
    one.call("PATCH", "/ssf/streams", json={"stream_id": one.stream()["stream_id"], "delivery": delivery})
    return one


def seen_by_node(world: World, one: Caller, tokens: list[str], *, issuer: str = "") -> list[dict[str, Any]]:
    """What a verifier in Node, which shares nothing with us, says of tokens."""
    jwks = f"{one.platform.issuer}/jwks.json"
    done = subprocess.run(
        [node(), str(PEERS / "jose" / "verify.mjs"), jwks, issuer or one.platform.issuer, one.client_id],
        input="\n".join(tokens), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_push_carries_the_partners_own_header_and_is_taken_with_202(
    world: World, pushed: Caller, receiver: Receiver
) -> None:
    pushed.verify("hello")
    assert world.pusher().one_job()
    headers = receiver.headers[0]
    assert headers["content-type"] == "application/secevent+jwt"
    assert headers["accept"] == "application/json"
    assert headers["authorization"] == "Bearer of theirs"
    (event,) = pushed.events()
    assert event.delivered_at is not None
    assert [(one.status, one.answer) for one in pushed.attempts(event.jti)] == [(202, "")]
    assert not world.pusher().one_job()


def test_a_refusal_is_recorded_in_the_words_of_rfc_8935_and_tried_again(
    world: World, pushed: Caller, receiver: Receiver
) -> None:
    answers = [(400, '{"err": "invalid_key", "description": "no such kid"}'), (400, '{"err": "other"}'), (400, "[]"),
               (500, "down"), (302, "")]  # fmt: skip
    pushed.verify()
    (event,) = pushed.events()
    for receiver.status, receiver.body in answers:
        assert world.pusher().one_job()
        assert not world.pusher().one_job()
        world.clock.forward(minutes=1)
    receiver.status = 202
    world.pusher().one_job()
    said = [(one.status, one.answer) for one in pushed.attempts(event.jti)]
    assert said == [(400, "invalid_key: no such kid"), *answers[1:], (202, "")]


def test_a_paused_stream_is_pushed_nothing_and_then_everything_in_order(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int], report: Callable[..., Path]
) -> None:
    pushed.set_status("paused")
    send("+8613800138000", "+8613800138001")
    world.clock.forward(hours=24)
    imported(world.live, report("+8613800138000,reclaimed,2026-11-25", name="b.csv"), carrier="cmcc", by="li")
    assert not world.pusher().one_job()
    pushed.set_status("enabled")
    receiver.status = 500
    assert world.pusher().one_job()
    assert not world.pusher().one_job()  # the retraction waits while the renewal is tried again
    receiver.status = 202
    world.clock.forward(minutes=1)
    while world.pusher().one_job():
        pass
    assert [event.event.rpartition(":")[2] for event in pushed.events()] == ["renewal", "retraction"]
    assert [event.attempts for event in pushed.events()] == [2, 1]


def test_a_verifier_that_shares_nothing_with_us_accepts_every_event_and_no_other(
    world: World, pushed: Caller, receiver: Receiver, send: Callable[..., int]
) -> None:
    node()
    send("+8613800138000")
    pushed.verify("state")
    while world.pusher().one_job():
        pass
    stream_id = pushed.stream()["stream_id"]
    pushed.call("PATCH", "/ssf/streams", json={"stream_id": stream_id, "signing_alg": "RS256"})
    world.clock.forward(seconds=10)
    pushed.verify("by RSA")
    world.pusher().one_job()
    seen = seen_by_node(world, pushed, receiver.got)
    assert [one["header"]["alg"] for one in seen] == ["ES256", "ES256", "RS256"]
    renewal, _, last = (one["claims"] for one in seen)
    told = renewal["events"]["urn:huanxin:event:renewal"]
    assert renewal["txn"] == told["notice"] == renewal["sub_id"]["id"]
    assert last["events"] == {VERIFICATION: {"state": "by RSA"}}
    forged = receiver.got[0][:-6] + ("AAAAAA" if not receiver.got[0].endswith("AAAAAA") else "BBBBBB")
    assert "refused" in seen_by_node(world, pushed, [forged])[0]
    assert "refused" in seen_by_node(world, pushed, [pushed.token()])[0]
    assert "refused" in seen_by_node(world, pushed, receiver.got[:1], issuer="https://other.example")[0]
    rehearsal = world.partner(of=world.sandbox)
    token = open_signer(world.sandbox, world.settings).event_token({"aud": pushed.client_id, "events": {"urn:x": {}}})
    assert "refused" in seen_by_node(world, pushed, [token])[0]
    assert "refused" in seen_by_node(world, rehearsal, receiver.got[:1])[0]


def test_a_new_key_is_published_before_it_signs_and_the_old_one_verifies_until_its_end(world: World) -> None:
    signer = open_signer(world.live, world.settings)

    def published() -> set[str]:
        return {key["kid"] for key in signer.jwks()["keys"] if key["alg"] == "ES256"}

    (old,) = published()
    first = signer.event_token({"events": {}})
    with world.live.database.transaction() as tx:
        new = rotate(tx, passphrase=world.settings.passphrase(), now=world.clock())[0]
    world.clock.forward(seconds=31)
    assert published() == {old, new}
    assert _kid(signer.event_token({"events": {}})) == old
    world.clock.now += PUBLISHED_BEFORE
    assert _kid(signer.event_token({"events": {}})) == new
    assert signer.verified(first, "secevent+jwt") is not None
    world.clock.now += LONGEST_LIFE - timedelta(minutes=1)
    assert signer.verified(first, "secevent+jwt") is not None
    world.clock.forward(minutes=2)
    assert published() == {new}
    assert signer.verified(first, "secevent+jwt") is None
    assert all("d" not in key and "p" not in key for key in signer.jwks()["keys"])


def _kid(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def test_a_sealed_secret_opens_with_its_passphrase_only_and_looks_different_each_time() -> None:
    sealed = [seal("Bearer of theirs", "the right passphrase") for _ in range(2)]
    assert sealed[0] != sealed[1]
    assert [unseal(one, "the right passphrase") for one in sealed] == ["Bearer of theirs"] * 2
    with pytest.raises(BadSetting, match="HUANXIN_KEY_PASSPHRASE"):
        unseal(sealed[0], "another passphrase")
