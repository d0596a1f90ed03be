"""Events that are polled (RFC 8936): none is lost, none overtakes another of its subject, and who waits is woken."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from joserfc import jws

from huanxin.domain.streams import STREAM_UPDATED, VERIFICATION, Status
from huanxin.notify.streams import set_status, verify
from huanxin.store.connect import partners
from huanxin.web.limits import Limit
from ordering import imported
from ssf_world import Caller, World

NUMBERS = [f"+86138001380{n:02d}" for n in range(6)]
RECYCLED = "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled"


def claims(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return found


def names(polled: dict[str, Any]) -> list[str]:
    return [next(iter(claims(token)["events"])) for token in polled["sets"].values()]


def order(world: World, one: Caller, status: Status, reason: str = "") -> None:
    """The platform, not the partner, changes a stream's status."""
    with world.live.act("li") as act:
        partner = partners.get(act.tx, one.id)
        assert partner is not None
        set_status(act, partner, status=status, reason=reason)


def test_an_event_is_given_again_until_it_is_acknowledged(music: Caller) -> None:
    assert music.poll() == {"sets": {}}
    music.verify("hello")
    first, again = music.poll(unknown="member"), music.poll()
    (jti,) = first["sets"]
    assert list(again["sets"]) == [jti]
    assert "moreAvailable" not in first
    told = claims(first["sets"][jti])
    assert told["sub_id"] == {"format": "opaque", "id": music.stream()["stream_id"]}
    assert told["events"] == {VERIFICATION: {"state": "hello"}}
    assert {"iss", "aud", "iat", "jti", "txn"} <= told.keys()
    assert not {"sub", "exp"} & told.keys()
    header = jws.extract_compact(first["sets"][jti].encode()).headers()
    assert (header["typ"], header["alg"], bool(header["kid"])) == ("secevent+jwt", "ES256", True)
    assert music.poll(ack=[jti, "ev_of_nobody"]) == {"sets": {}}
    assert [(one.status, one.answer) for one in music.attempts(jti)] == [(200, "acknowledged")]
    assert music.poll(ack=[jti]) == {"sets": {}}
    assert len(music.attempts(jti)) == 1


def test_nobody_acknowledges_for_another(world: World, music: Caller) -> None:
    music.verify()
    (jti,) = music.poll()["sets"]
    assert world.partner("bank").poll(ack=[jti], setErrs={jti: {"err": "access_denied"}}) == {"sets": {}}
    assert list(music.poll()["sets"]) == [jti]


def test_a_refused_event_is_recorded_in_the_partners_words_and_given_again_later(world: World, music: Caller) -> None:
    music.verify()
    (jti,) = music.poll()["sets"]
    refused = music.poll(maxEvents=0, setErrs={jti: {"err": "invalid_key", "description": "no such kid"}})
    assert refused == {"sets": {}}
    assert [(one.status, one.answer) for one in music.attempts(jti)] == [(400, "invalid_key: no such kid")]
    assert music.poll() == {"sets": {}}
    world.clock.forward(seconds=2)
    assert list(music.poll()["sets"]) == [jti]


def test_many_events_come_in_parts(world: World, music: Caller) -> None:
    for _ in range(3):
        assert music.verify().status_code == 204
        world.clock.forward(seconds=10)
    first = music.poll(maxEvents=2)
    assert (len(first["sets"]), first["moreAvailable"]) == (2, True)
    assert music.poll(maxEvents=0, ack=list(first["sets"])) == {"sets": {}}
    assert len(music.poll(maxEvents=1)["sets"]) == 1
    wrongs: list[dict[str, Any]] = [
        {"maxEvents": -1}, {"maxEvents": "1"}, {"maxEvents": True}, {"returnImmediately": "yes"}, {"ack": "ev_1"},
        {"ack": [1]}, {"setErrs": []}, {"setErrs": {"ev_1": "bad"}}, {"setErrs": {"ev_1": {}}}, {"ack": ["a\0"]},
    ]  # fmt: skip
    for wrong in wrongs:
        assert music.call("POST", "/ssf/poll", json=wrong).status_code == 400, wrong


def test_a_stream_that_is_pushed_cannot_be_polled(world: World) -> None:
    one = world.partner(endpoint="http://127.0.0.1:9/e")
    assert one.call("POST", "/ssf/poll", json={}).status_code == 404


def test_a_retraction_waits_for_its_renewal(
    world: World, music: Caller, send: Callable[..., int], report: Callable[..., Path]
) -> None:
    """The answer to a poll has no order: with both in it, a partner could restore first and cut then."""
    send(*NUMBERS)
    world.clock.forward(hours=24)
    imported(world.live, report(f"{NUMBERS[0]},reclaimed,2026-11-25", name="back.csv"), carrier="cmcc", by="li")
    first = music.poll()
    assert names(first) == ["urn:huanxin:event:renewal"]
    assert names(music.poll(ack=list(first["sets"]))) == ["urn:huanxin:event:retraction"]


def test_a_paused_stream_keeps_events_in_order_and_a_disabled_one_gives_them_up(
    world: World, music: Caller, send: Callable[..., int], report: Callable[..., Path]
) -> None:
    music.set_status("paused")
    send(*NUMBERS)
    music.verify("while paused")
    world.clock.forward(hours=24)
    imported(world.live, report(f"{NUMBERS[0]},reclaimed,2026-11-25", name="back.csv"), carrier="cmcc", by="li")
    assert music.poll() == {"sets": {}}
    music.set_status("enabled")
    first = music.poll()
    assert names(first) == ["urn:huanxin:event:renewal", VERIFICATION]
    assert names(music.poll(ack=list(first["sets"]))) == ["urn:huanxin:event:retraction"]
    music.set_status("disabled")
    world.clock.forward(seconds=10)
    assert music.verify("while disabled").status_code == 204
    music.set_status("enabled")
    assert music.poll() == {"sets": {}}
    world.clock.forward(seconds=10)
    music.verify("again")
    assert [claims(one)["events"][VERIFICATION] for one in music.poll()["sets"].values()] == [{"state": "again"}]


def test_a_partner_is_told_when_the_platform_pauses_its_stream_and_enables_it_again(world: World, music: Caller) -> None:
    music.verify("before")
    order(world, music, Status.PAUSED, "too many errors")
    polled = music.poll()
    assert names(polled) == [STREAM_UPDATED]
    (token,) = polled["sets"].values()
    assert claims(token)["events"] == {STREAM_UPDATED: {"status": "paused", "reason": "too many errors"}}
    assert claims(token)["sub_id"] == {"format": "opaque", "id": music.stream()["stream_id"]}
    status = music.call("GET", "/ssf/status", params={"stream_id": music.stream()["stream_id"]}).json()
    assert (status["status"], status["reason"]) == ("paused", "too many errors")
    order(world, music, Status.ENABLED)
    assert names(music.poll(ack=list(polled["sets"]))) == [VERIFICATION, STREAM_UPDATED]


def test_who_changes_its_own_status_is_not_told_what_it_knows(music: Caller) -> None:
    music.set_status("paused")
    music.set_status("enabled")
    assert music.poll() == {"sets": {}}


def test_a_poll_that_waits_is_woken_by_an_event(world: World, music: Caller) -> None:
    token, got = music.token(), []

    def wait() -> None:
        got.append(music.call("POST", "/ssf/poll", token=token, json={}).json())

    world.context(longest_poll=60.0)
    waiting = threading.Thread(target=wait)
    waiting.start()
    waker = world.app.state.context.waker
    while not waker._waiting:
        time.sleep(0.01)
    with world.live.act("li") as act:
        partner = partners.get(act.tx, music.id)
        assert partner is not None
        verify(act, partner, music.stream()["stream_id"], state="woken")
    waiting.join(20)
    assert not waiting.is_alive()
    assert names(got[0]) == [VERIFICATION]
    assert not waker._waiting


def test_a_poll_that_waits_in_vain_ends_empty_and_holds_no_connection_meanwhile(world: World, music: Caller) -> None:
    """With a connection for each that waits, partners that wait would keep others from being served."""
    world.context(longest_poll=2.0)
    token = music.token()
    limits = httpx.Limits(max_connections=60)
    answers: list[dict[str, Any]] = []

    def wait() -> None:
        answer = client.post("/ssf/poll", json={}, headers={"Authorization": f"Bearer {token}"})
        answers.append(answer.json())

    with httpx.Client(base_url=world.http.base_url, limits=limits, timeout=60) as client:
        waiting = [threading.Thread(target=wait) for _ in range(40)]
        for one in waiting:
            one.start()
        for one in waiting:
            one.join()
    assert answers == [{"sets": {}}] * 40


def test_numbers_with_new_owners_are_polled_in_bounded_steps_and_each_once(
    world: World, report: Callable[..., Path]
) -> None:
    one = world.partner(recycled=True)
    stream_id = one.stream()["stream_id"]
    gone = {"stream_id": stream_id, "subject": {"format": "phone_number", "phone_number": NUMBERS[1]}}
    assert one.call("POST", "/ssf/subjects:remove", json=gone).status_code == 204
    closed = [f"{number},cancelled,2026-08-01" for number in NUMBERS]
    imported(world.live, report(*closed, name="a.csv"), carrier="cmcc", by="li")
    world.clock.forward(hours=24)
    opened = [f"{number},opened,2026-11-25" for number in NUMBERS]
    imported(world.live, report(*opened, name="b.csv"), carrier="cmcc", by="li")
    seen: list[str] = []
    polled = one.poll(maxEvents=2)
    while polled["sets"]:
        assert len(one.events()) <= len(seen) + 3
        assert names(polled) == [RECYCLED] * len(polled["sets"])
        seen += [claims(token)["sub_id"]["phone_number"] for token in polled["sets"].values()]
        polled = one.poll(maxEvents=2, ack=list(polled["sets"]))
    assert seen == [NUMBERS[0], *NUMBERS[2:]]


def test_a_subject_goes_out_of_the_stream_and_comes_back_and_unknown_ones_look_the_same(music: Caller) -> None:
    name = {"stream_id": music.stream()["stream_id"]}
    good = [{"format": "phone_number", "phone_number": NUMBERS[0]}, {"format": "phone", "phone_number": "+12065550123"},
            {"format": "email", "email": "a@b.example"}, {"format": "opaque", "id": "x"}]  # fmt: skip
    for subject in good:
        for path, status in (("remove", 204), ("add", 200)):
            answer = music.call("POST", f"/ssf/subjects:{path}", json=name | {"subject": subject, "verified": True})
            assert (answer.status_code, answer.content) == (status, b"")
    for wrong in (None, "x", {}, {"format": 1}, {"format": "phone_number"}, {"format": "phone_number", "phone_number": "1"}):
        assert music.call("POST", "/ssf/subjects:add", json=name | {"subject": wrong}).status_code == 400, wrong


def test_too_many_subjects_at_once_are_told_to_wait(world: World, music: Caller) -> None:
    world.context(subjects=Limit(what="subjects", most=2, per=timedelta(minutes=1), clock=world.clock))
    body = {"stream_id": music.stream()["stream_id"], "subject": {"format": "opaque", "id": "x"}}
    answers = [music.call("POST", f"/ssf/subjects:{path}", json=body) for path in ("add", "remove", "add")]
    assert [one.status_code for one in answers] == [200, 204, 429]
    assert answers[2].headers["retry-after"] == "60"
    world.clock.forward(seconds=61)
    assert music.call("POST", "/ssf/subjects:add", json=body).status_code == 200


def test_a_partner_waits_with_few_polls_at_a_time_and_leaves_places_to_others(music: Caller, world: World) -> None:
    """Each that waits keeps a connection: anybody may open an account in the sandbox, and a thousand were all there are."""
    turns = world.context().polls
    turns.each = 2
    with turns.taking(music.client_id), turns.taking(music.client_id):
        refused = music.call("POST", "/ssf/poll", json={"maxEvents": 5})
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")
        assert "2 polls of yours are under way already" in refused.json()["detail"]
        assert music.poll() == {"sets": {}}, "one that doesn't wait takes no place"
        music.verify("hello")
        assert len(music.call("POST", "/ssf/poll", json={"maxEvents": 5}).json()["sets"]) == 1
