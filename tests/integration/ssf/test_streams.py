"""A partner manages its stream as OpenID SSF 1.0, section 8.1 says; with other answers no ready-made receiver connects."""

from __future__ import annotations

from typing import Any

from huanxin.domain.streams import DEFAULT_EVENTS, EVENTS_SUPPORTED
from huanxin.store.notify import streams
from ssf_world import POLL, PUSH, Caller, World

CAEP = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
RENEWAL, RECYCLED = EVENTS_SUPPORTED[0], EVENTS_SUPPORTED[3]
ENDPOINT = "http://127.0.0.1:9/events"


def removed(one: Caller) -> Caller:
    """The partner without the stream that it was registered with."""
    assert one.call("DELETE", "/ssf/streams", params={"stream_id": one.stream()["stream_id"]}).status_code == 204
    return one


def push(**more: Any) -> dict[str, Any]:
    return {"delivery": {"method": PUSH, "endpoint_url": ENDPOINT} | more}


def stored_authorization(one: Caller) -> str | None:
    with one.platform.database.transaction() as tx:
        found = streams.of_partner(tx, one.id)
    assert found is not None
    return found.sealed_authorization


def test_a_receiver_finds_everything_from_the_issuer_alone(world: World) -> None:
    for issuer, path in ((world.live.issuer, ""), (world.sandbox.issuer, "/sandbox")):
        found = world.http.get(f"/.well-known/ssf-configuration{path}")
        assert (found.status_code, found.headers["content-type"]) == (200, "application/json")
        told = found.json()
        assert (told["issuer"], told["spec_version"], told["default_subjects"]) == (issuer, "1_0", "ALL")
        assert told["delivery_methods_supported"] == [PUSH, POLL]
        assert told["authorization_schemes"] == [{"spec_urn": "urn:ietf:rfc:6749"}]
        assert world.http.get(told["jwks_uri"]).json()["keys"]
        for name in ("configuration", "status", "add_subject", "remove_subject", "verification"):
            assert world.http.get(told[f"{name}_endpoint"]).status_code in (401, 405), name
        server = world.http.get(f"/.well-known/oauth-authorization-server{path}").json()
        assert server["token_endpoint"] == f"{issuer}/oauth/token"
        assert world.http.get(f"/.well-known/oauth-protected-resource{path}").json()["authorization_servers"] == [issuer]


def test_a_stream_is_created_read_and_deleted(music: Caller) -> None:
    removed(music)
    assert music.call("GET", "/ssf/streams").json() == []
    wanted = {"events_requested": [RENEWAL, CAEP], "description": "ours"} | push()
    made = music.call("POST", "/ssf/streams", json=wanted)
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    told = made.json()
    assert told["delivery"] == {"method": PUSH, "endpoint_url": ENDPOINT}
    assert (told["iss"], told["aud"]) == (music.platform.issuer, music.client_id)
    assert (told["events_requested"], told["events_delivered"]) == ([RENEWAL, CAEP], [RENEWAL])
    assert (told["events_supported"], told["description"]) == (list(EVENTS_SUPPORTED), "ours")
    assert told["min_verification_interval"] == 10
    one = music.call("GET", "/ssf/streams", params={"stream_id": told["stream_id"]})
    assert one.json() == told
    assert music.call("GET", "/ssf/streams").json() == [told]
    assert removed(music).noted()[-3:] == ["stream-deleted", "stream-created", "stream-deleted"]


def test_without_wishes_a_stream_is_polled_and_has_the_usual_events(music: Caller) -> None:
    told = removed(music).call("POST", "/ssf/streams", json={}).json()
    assert told["delivery"] == {"method": POLL, "endpoint_url": f"{music.platform.issuer}/ssf/poll"}
    assert (told["events_delivered"], "events_requested" in told) == (list(DEFAULT_EVENTS), False)


def test_a_second_stream_is_refused(music: Caller) -> None:
    answer = music.call("POST", "/ssf/streams", json={})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:huanxin:problem:conflict")


def test_an_update_changes_what_it_names_and_a_replacement_all_else_too(music: Caller) -> None:
    given = push(authorization_header="Bearer theirs") | {"events_requested": [RECYCLED], "description": "a" * 600}
    first = removed(music).call("POST", "/ssf/streams", json=given | {"signing_alg": "RS256"}).json()
    assert (first["description"], first["signing_alg"]) == ("a" * 500, "RS256")
    name = {"stream_id": first["stream_id"]}
    patched = music.call("PATCH", "/ssf/streams", json=name | {"description": "new"}).json()
    assert patched == first | {"description": "new"}
    replaced = music.call("PUT", "/ssf/streams", json=name | push()).json()
    assert "description" not in replaced
    assert "events_requested" not in replaced
    assert (replaced["events_delivered"], replaced["signing_alg"]) == (list(DEFAULT_EVENTS), "ES256")
    assert replaced["delivery"] == first["delivery"]
    assert music.stream() == replaced
    polled = music.call("PUT", "/ssf/streams", json=name).json()
    assert polled["delivery"]["method"] == POLL


def test_what_a_receiver_read_can_be_sent_back_without_losing_the_authorization_header(music: Caller) -> None:
    """The header is never shown again, so a read, changed and replaced configuration comes without it."""
    removed(music).call("POST", "/ssf/streams", json=push(authorization_header="Bearer theirs"))
    sealed = stored_authorization(music)
    assert sealed is not None
    assert "theirs" not in sealed
    assert "authorization_header" not in music.stream()["delivery"]
    answer = music.call("PUT", "/ssf/streams", json=music.stream() | {"description": "changed"})
    assert answer.status_code == 200
    assert stored_authorization(music) == sealed
    music.call("PATCH", "/ssf/streams", json={"stream_id": music.stream()["stream_id"]} | push(authorization_header=""))
    assert stored_authorization(music) is None


def test_an_authorization_header_does_not_go_to_another_endpoint(music: Caller) -> None:
    removed(music).call("POST", "/ssf/streams", json=push(authorization_header="Bearer theirs"))
    elsewhere = push(endpoint_url="http://127.0.0.1:10/other")
    music.call("PATCH", "/ssf/streams", json={"stream_id": music.stream()["stream_id"]} | elsewhere)
    assert stored_authorization(music) is None


WRONG: list[dict[str, Any]] = [
    {"iss": "https://other.example"}, {"aud": "other"}, {"events_delivered": []}, {"events_supported": [CAEP]},
    {"min_verification_interval": 1}, {"delivery": {"method": POLL, "endpoint_url": "https://other.example/poll"}},
    {"delivery": {"method": PUSH}}, {"delivery": {"method": "urn:other"}}, {"delivery": "push"}, {"delivery": {}},
    {"delivery": {"method": PUSH, "endpoint_url": "ftp://partner.example"}}, {"signing_alg": "none"},
    {"delivery": {"method": "urn:huanxin:delivery:files", "endpoint_url": "/etc"}},
    push(endpoint_url="https://user:password@partner.example/e"), push(endpoint_url="https://[::1/e"),
    push(endpoint_url="https://partner.example:99999/e"), push(endpoint_url="https://partner.example/\ne"),
    push(endpoint_url="https:///e"), push(endpoint_url="https://partner.example/ e"),
    push(authorization_header="a\r\nX-Other: b"), {"events_requested": RENEWAL}, {"events_requested": [1]},
    {"description": 5}, {"description": "a\0b"},
]  # fmt: skip


def test_a_change_that_cannot_be_made_is_refused_whole(music: Caller) -> None:
    before, token = music.stream(), music.token()
    for wrong in WRONG:
        for method in ("PATCH", "PUT"):
            body = {"stream_id": before["stream_id"], "description": "x"} | wrong
            answer = music.call(method, "/ssf/streams", token=token, json=body)
            assert answer.status_code == 400, (method, wrong, answer.text)
            assert answer.headers["content-type"] == "application/problem+json"
    assert music.stream() == before


def test_members_of_the_platform_may_be_sent_back_as_they_are(music: Caller) -> None:
    before = music.stream()
    again = before | {"events_supported": before["events_supported"][::-1], "other": "member"}
    assert music.call("PUT", "/ssf/streams", json=again).json() == before


CALLS: list[tuple[str, str]] = [
    ("POST", "/ssf/streams"), ("PATCH", "/ssf/streams"), ("PUT", "/ssf/streams"), ("POST", "/ssf/status"),
    ("POST", "/ssf/verify"), ("POST", "/ssf/subjects:add"), ("POST", "/ssf/subjects:remove"), ("POST", "/ssf/poll"),
]  # fmt: skip


def test_a_body_that_cannot_be_read_is_refused(music: Caller) -> None:
    token = music.token()
    for method, path in CALLS:
        for body in (b"{", b"[]", b'"text"', b"\xff", b"", b"[" * 100_000, b" " * 300_000):
            answer = music.call(method, path, token=token, content=body)
            assert answer.status_code == 400, (path, body[:10], answer.text)


def test_who_does_not_show_a_good_token_is_told_how(music: Caller) -> None:
    """RFC 6750, section 3.1; and section 2.3: not in the address."""
    good = music.token()
    for method, path in [*CALLS, ("GET", "/ssf/streams"), ("GET", "/ssf/status"), ("DELETE", "/ssf/streams")]:
        for token, challenge in (("", "Bearer"), ("wrong", 'Bearer error="invalid_token"')):
            answer = music.call(method, path, token=token)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge), path
        assert music.http.request(method, path, params={"access_token": good}).status_code == 401


def test_a_token_to_read_does_not_change_a_stream_and_one_to_manage_reads(music: Caller) -> None:
    for method, path in CALLS[:-1]:
        answer = music.call(method, path, scope="ssf.read", json={})
        assert answer.status_code == 403, path
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="ssf.manage"'
    assert music.call("GET", "/ssf/streams", scope="notices").status_code == 403
    assert music.call("GET", "/ssf/streams", scope="ssf.read").status_code == 200
    assert music.call("GET", "/ssf/streams", scope="ssf.manage").status_code == 200


def test_another_partners_stream_is_answered_like_one_that_is_not_there(world: World, music: Caller) -> None:
    others = world.partner("bank").stream()["stream_id"]
    details = set()
    for stream_id in (others, "st_none"):
        query, body = {"stream_id": stream_id}, {"stream_id": stream_id, "status": "paused", "subject": {"format": "opaque"}}
        for method, path in (("GET", "/ssf/streams"), ("DELETE", "/ssf/streams"), ("GET", "/ssf/status")):
            answer = music.call(method, path, params=query)
            assert answer.status_code == 404, path
            details.add(answer.json()["detail"])
        for method, path in CALLS[1:-1]:
            answer = music.call(method, path, json=body)
            assert answer.status_code == 404, path
            details.add(answer.json()["detail"])
    assert len(details) == 1


def test_a_status_is_set_and_read_with_its_reason(music: Caller) -> None:
    stream_id = music.stream()["stream_id"]
    assert music.call("GET", "/ssf/status", params={"stream_id": stream_id}).json() == {
        "stream_id": stream_id, "status": "enabled",
    }  # fmt: skip
    wanted = {"stream_id": stream_id, "status": "paused", "reason": "moving house"}
    for answer in (
        music.call("POST", "/ssf/status", json=wanted),
        music.call("GET", "/ssf/status", params={"stream_id": stream_id}),
    ):
        assert (answer.status_code, answer.json(), answer.headers["cache-control"]) == (200, wanted, "no-store")
    assert music.set_status("asleep").status_code == 400
    assert music.call("GET", "/ssf/status").status_code == 400
    assert music.noted()[-1] == "stream-status"


def test_verifications_that_come_too_fast_are_told_when_to_come_again(world: World, music: Caller) -> None:
    assert music.verify("a").status_code == 204
    world.clock.forward(seconds=4)
    answer = music.verify("b")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    world.clock.forward(seconds=6)
    assert music.verify("c").status_code == 204
    assert [one.claims["events"].popitem()[1] for one in music.events()] == [{"state": "a"}, {"state": "c"}]


def test_an_endpoint_inside_the_platforms_network_is_refused_in_production(careful_world: World) -> None:
    one = careful_world.partner()
    name = {"stream_id": one.stream()["stream_id"]}
    for url in ("https://127.0.0.1/e", "https://169.254.169.254/latest", "https://[::1]/e", "https://2130706433/e",
                "https://localhost/e", "http://8.8.8.8/e"):  # fmt: skip
        answer = one.call("PATCH", "/ssf/streams", json=name | push(endpoint_url=url))
        assert answer.status_code == 400, url
        assert ("not a public address" in answer.json()["detail"]) == url.startswith("https")
    good = one.call("PATCH", "/ssf/streams", json=name | push(endpoint_url="https://8.8.8.8/e"))
    assert good.status_code == 200
