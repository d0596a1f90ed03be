"""Who gets a token: a secret, or an assertion that only the partner can sign, and each assertion once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from typer.testing import CliRunner

from huanxin.cli.main import app
from ssf_world import Caller, World

KEYS: list[tuple[str, ECKey | RSAKey | OKPKey]] = [
    ("ES256", ECKey.generate_key("P-256", {"kid": "ec"})), ("RS256", RSAKey.generate_key(2048, {"kid": "rsa"})),
    ("PS256", RSAKey.generate_key(2048, {"kid": "pss"})), ("Ed25519", OKPKey.generate_key("Ed25519", {"kid": "ed"})),
]  # fmt: skip
EC = KEYS[0][1]


def public(*keys: ECKey | RSAKey | OKPKey) -> dict[str, Any]:
    return {"keys": [one.as_dict(private=False) for one in keys]}


def assertion(one: Caller, key: ECKey | RSAKey | OKPKey = EC, alg: str = "ES256", **claims: Any) -> str:
    now = int(one.platform.now().timestamp())
    usual = {"iss": one.client_id, "sub": one.client_id, "aud": f"{one.platform.issuer}/oauth/token", "iat": now,
             "exp": now + 60, "jti": f"j{len(_made)}"}  # fmt: skip
    _made.append(1)
    return jwt.encode({"alg": alg, "kid": key.kid}, usual | claims, key, algorithms=[alg])


_made: list[int] = []


def show(one: Caller, token: str, **more: str) -> Any:
    form = {"grant_type": "client_credentials", "client_assertion": token,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}  # fmt: skip
    return one.http.post(f"{one.base}/oauth/token", data=form | more)


def test_an_assertion_by_any_registered_key_gets_a_token_once(music: Caller) -> None:
    answer = music.call("PUT", "/partner/v1/keys", json=public(*(key for _, key in KEYS)))
    assert (answer.status_code, answer.json()) == (200, {"kids": ["ec", "rsa", "pss", "ed"]})
    for alg, key in KEYS:
        shown = assertion(music, key, alg)
        granted = show(music, shown)
        assert granted.status_code == 200, granted.text
        assert granted.headers["cache-control"] == "no-store"
        assert music.call("GET", "/ssf/streams", token=granted.json()["access_token"]).status_code == 200
        again = show(music, shown)
        assert (again.status_code, again.json()["error"]) == (401, "invalid_client")
        assert "shown before" in again.json()["error_description"]
    assert show(music, assertion(music, aud=music.platform.issuer), client_id=music.client_id).status_code == 200
    assert show(music, assertion(music, aud=["x", music.platform.issuer])).status_code == 200
    assert music.noted()[-1] == "keys-registered"


def test_an_assertion_that_proves_nothing_gets_none(world: World, music: Caller) -> None:
    music.call("PUT", "/partner/v1/keys", json=public(EC))
    bank = world.partner("bank")
    now = int(world.live.now().timestamp())
    wrong = {
        "another key": assertion(music, ECKey.generate_key("P-256", {"kid": "ec"})),
        "a key that is not known": assertion(music, ECKey.generate_key("P-256", {"kid": "new"})),
        "another's name": assertion(music, iss=bank.client_id, sub=bank.client_id),
        "another subject": assertion(music, sub=bank.client_id),
        "another audience": assertion(music, aud="https://other.example"),
        "the sandbox": assertion(music, aud=world.sandbox.issuer),
        "no end": assertion(music, exp=None), "over": assertion(music, exp=now - 61),
        "far": assertion(music, exp=now + 9999),
        "not yet": assertion(music, nbf=now + 300), "no jti": assertion(music, jti=""), "no words": "x", "nothing": "",
    }  # fmt: skip
    for why, shown in wrong.items():
        world.clock.forward(seconds=61 if why == "no end" else 0)  # not to be stopped for trying
        answer = show(music, shown)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), why
    none = ".".join([*assertion(music).split(".")[:2], ""])
    assert show(music, none).status_code == 401
    assert show(music, assertion(music), client_id=bank.client_id).status_code == 401
    assert show(music, assertion(music), client_assertion_type="other").status_code == 401


def test_keys_of_before_end_when_others_are_registered_and_both_can_be_sent_together(music: Caller) -> None:
    new = ECKey.generate_key("P-256", {"kid": "new"})
    for keys, old_works in (((EC,), True), ((EC, new), True), ((new,), False)):
        assert music.call("PUT", "/partner/v1/keys", json=public(*keys)).status_code == 200
        assert (show(music, assertion(music)).status_code == 200) is old_works
    assert show(music, assertion(music, new)).status_code == 200


def test_private_keys_and_weak_ones_are_refused(music: Caller) -> None:
    token = music.token()
    bad: list[Any] = [
        {"keys": [EC.as_dict(private=True)]}, {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}, {"keys": []}, {"keys": {}}, {},
        {"keys": [{"kty": "EC", "crv": "P-256", "x": "!", "y": "!"}]}, {"keys": ["x"]}, public(EC, EC),
        public(ECKey.generate_key("P-384")), {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}]},
    ]  # fmt: skip
    for one in bad:
        answer = music.call("PUT", "/partner/v1/keys", token=token, json=one)
        assert answer.status_code == 422, (one, answer.text)
    assert "private part" in music.call("PUT", "/partner/v1/keys", token=token, json=bad[0]).json()["detail"]
    assert music.call("PUT", "/partner/v1/keys", scope="notices", json=public(EC)).status_code == 403


def test_a_secret_can_stand_in_the_form(music: Caller) -> None:
    form = {"grant_type": "client_credentials", "client_id": music.client_id, "client_secret": music.secret}
    assert music.http.post("/oauth/token", data=form).status_code == 200
    assert music.http.post("/oauth/token", data=form | {"client_secret": "x"}).status_code == 401
    assert music.http.post("/oauth/token", data=form | {"scope": "answers"}).json()["error"] == "invalid_scope"
    assert music.http.post("/oauth/token", data={"grant_type": "password"}).json()["error"] == "unsupported_grant_type"
    assert music.http.post("/oauth/token", content=b"\xff").status_code == 400


def test_who_guesses_secrets_is_stopped_and_goes_on_a_minute_later(world: World, music: Caller) -> None:
    form = {"grant_type": "client_credentials"}
    for _ in range(10):
        assert music.http.post("/oauth/token", data=form, auth=(music.client_id, "guess")).status_code == 401
    stopped = music.http.post("/oauth/token", data=form, auth=(music.client_id, music.secret))
    assert (stopped.status_code, stopped.headers["retry-after"]) == (429, "60")
    assert world.partner("bank").token()
    world.clock.forward(seconds=61)
    assert music.token()


def test_tokens_and_secrets_of_the_sandbox_are_worth_nothing_live_and_the_other_way_round(world: World) -> None:
    live, rehearsal = world.partner(), world.partner(of=world.sandbox)
    for one, other in ((live, rehearsal), (rehearsal, live)):
        assert one.call("GET", "/ssf/streams").status_code == 200
        assert other.call("GET", "/ssf/streams", token=one.token()).status_code == 401
        answer = one.http.post(f"{other.base}/oauth/token", data={"grant_type": "client_credentials"},
                               auth=(one.client_id, one.secret))  # fmt: skip
        assert answer.status_code == 401
    kids = [{key["kid"] for key in world.http.get(f"{base}/jwks.json").json()["keys"]} for base in ("", "/sandbox")]
    assert not kids[0] & kids[1]


def test_an_operator_registers_keys_pauses_a_stream_and_gives_a_new_secret_without_a_gap(
    world: World, music: Caller, dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUANXIN_DATABASE_URL", dsn)
    monkeypatch.setenv("HUANXIN_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HUANXIN_MODE", "development")
    monkeypatch.setenv("HUANXIN_ISSUER", world.live.issuer)
    world.clock.now = datetime.now(UTC)  # the command has the machine's clock
    file = tmp_path / "keys.json"

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["partner", *words])

    file.write_text(json.dumps(public(EC)))
    assert run("keys", "music", "--jwks", str(file)).exit_code == 0
    assert show(music, assertion(music)).status_code == 200
    file.write_text(json.dumps({"keys": [EC.as_dict(private=True)]}))
    refused = run("keys", "music", "--jwks", str(file))
    assert refused.exit_code == 1
    paused = run("stream", "music", "--status", "paused", "--reason", "moving", "--json")
    assert json.loads(paused.stdout.splitlines()[-1])["status"] == "paused"
    world.clock.forward(seconds=60)
    assert len(music.poll()["sets"]) == 1
    assert run("stream", "music").exit_code == 0
    rotated = json.loads(run("rotate-key", "music", "--overlap-hours", "1", "--json").stdout.splitlines()[-1])

    def let_in(secret: str) -> int:
        form = {"grant_type": "client_credentials", "client_id": music.client_id, "client_secret": secret}
        return music.http.post("/oauth/token", data=form).status_code

    assert [let_in(secret) for secret in (music.secret, rotated["client_secret"])] == [200, 200]
    world.clock.forward(hours=1, seconds=5)
    assert [let_in(secret) for secret in (music.secret, rotated["client_secret"])] == [401, 200]
