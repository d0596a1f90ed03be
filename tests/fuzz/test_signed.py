"""What is signed or says that it is: tokens, keys, what a provider of sign-ins says, what receivers wish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from hypothesis import strategies as st
from joserfc import jws

from fuzz.fuzzing import tried
from fuzz.mangling import DEEP, altered, as_json, documents, mangled, texts
from huanxin.disclose.certificate import KIND
from huanxin.disclose.verifying import read_offline, verify
from huanxin.domain.errors import HuanxinError
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.domain.shown import key_set, read_json, read_token, verified
from huanxin.notify.assertions import client_of, register_keys, with_assertion
from huanxin.notify.partners import add_partner
from huanxin.notify.wishes import read_wishes
from huanxin.outbound import HttpAnswer, _parsed
from huanxin.request.handover import CarrierKeys, take
from huanxin.settings import Settings
from huanxin.store.database import Database, Tx
from huanxin.web.oidc import LIFE, OidcClient, Provider
from ordering import acting
from partner_signing import ISSUER, NOW, jwks, key

NAMES = count()
AT = datetime.fromtimestamp(NOW, UTC)
KEY = key("k1")
KEYS = jwks(KEY)
STREAM = {
    "delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": "https://a.example/", "authorization_header": "Bearer x"},
    "events_requested": ["urn:huanxin:event:renewal"],
    "description": "x",
    "signing_alg": "ES256",
}
CERTIFICATE = {
    "iss": ISSUER,
    "jti": "ce_" + "a" * 20,
    "carrier": "cmcc",
    "iat": NOW,
    "exp": NOW + 9,
    "opened_on": "2026-01-05",
    "sub_id": {"format": "phone_number", "phone_number": "+8613800138000"},
    "before": "another_subscriber",
}
HANDOVER = {"iss": "cmcc", "aud": ISSUER, "iat": NOW, "exp": NOW + 60, "jti": "h1", "phone_number": "+8613800138000"}


def signed(claims: Any, header: dict[str, Any] | None = None) -> str:
    """A token with whatever content, rightly signed."""
    return jws.serialize_compact({"alg": "ES256", "kid": "k1"} | (header or {}), as_json(claims), KEY)


@st.composite
def tokens(draw: st.DrawFn, *samples: dict[str, Any], typ: str = "JWT") -> str:
    """A token that is rightly signed and says something odd, or one that is not."""
    token = signed(draw(altered(draw(st.sampled_from(samples)))), {"typ": draw(st.sampled_from((typ, typ, typ, "at+jwt")))})
    if draw(st.integers(0, 3)) == 0:
        return draw(mangled([token.encode()])).decode("utf-8", "surrogateescape")
    return token


def is_kept(one: Any) -> bool:
    """Whether JSON can be kept at all; the doors let nothing else in (domain.shown.read_json)."""
    try:
        return bool(read_json(as_json(one)) is not None)
    except ValueError:
        return False


def odd_tokens() -> list[str]:
    """What hurt before."""
    deep = "[" * DEEP + "]" * DEEP
    raw = [
        deep,
        '{"a":' + deep + "}",
        '{"sub": "\\ud800"}',
        "[]",
        "1",
        '{"exp": 1e999}',
        '{"iat": NaN}',
        '{"jti": "\\u0000"}',
    ]
    found = [jws.serialize_compact({"alg": "ES256", "kid": "k1"}, one.encode(), KEY) for one in raw]
    return ["", ".", "..", "...", "a.b.c", "é.é.é", "\ud800.x.y", *found, *(one.replace("eyJ", "W1tb", 1) for one in found)]


class _Undo(Exception):
    """Nothing is wrong."""


@contextmanager
def undone(database: Database) -> Iterator[Tx]:
    """A transaction of which nothing stays: what may be shown once is new to the next."""
    with suppress(_Undo), database.transaction() as tx:
        yield tx
        raise _Undo


def test_json(request: pytest.FixtureRequest) -> None:
    def read(content: bytes) -> None:
        found = read_json(content)
        assert read_json(json.dumps(found)) == found

    known = [
        b"[" * DEEP + b"]" * DEEP,
        b'"\\ud800"',
        b"NaN",
        b"-Infinity",
        b"1e999",
        b"9" * 5000,
        b"\xef\xbb\xbf{}",
        b"",
        b"\xff",
    ]
    tried(request, read, documents(STREAM, CERTIFICATE, KEYS), known=known, refuses=(ValueError,))


def test_tokens_and_keys(request: pytest.FixtureRequest) -> None:
    def read(given: tuple[str, Any]) -> None:
        keys = key_set(given[1])
        assert isinstance(read_token(given[0])[1], dict)
        verified(given[0], keys, ["ES256"])

    both = st.tuples(tokens(CERTIFICATE), st.one_of(st.just(KEYS), altered(KEYS)))
    tried(request, read, both, known=[(one, KEYS) for one in odd_tokens()], refuses=(ValueError,))


def test_certificates(request: pytest.FixtureRequest, database: Database) -> None:
    def read(given: str) -> None:
        with database.transaction() as tx:
            assert verify(acting(tx, now=AT), given)
        read_offline(given, KEYS)

    tried(request, read, tokens(CERTIFICATE, typ=KIND), known=odd_tokens(), most=80, refuses=(HuanxinError,))


def partner_of(tx: Tx, name: str) -> Partner:
    return add_partner(
        acting(tx, now=AT),
        NewPartner(name=name, kind=Kind.APP, wants_inquiry=False),
        https_only=False,
    ).partner


def test_assertions_of_partners(request: pytest.FixtureRequest, database: Database) -> None:
    with database.transaction() as tx:
        partner = partner_of(tx, "a")
        register_keys(acting(tx, now=AT), partner, KEYS)
    claims = {"iss": partner.client_id, "sub": partner.client_id, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "jti": "j1"}

    def show(given: str) -> None:
        client_of(given)
        with undone(database) as tx:
            assert with_assertion(acting(tx, now=AT), assertion=given, client_id="", audiences=(ISSUER,)) == partner

    odd: list[dict[str, Any]] = [
        {"aud": 1},
        {"aud": [[ISSUER]]},
        {"aud": {}},
        {"jti": 1},
        {"jti": "\0"},
        {"jti": ["a"]},
        {"exp": True},
        {"exp": 10**400},
        {"iss": ["x"]},
        {"nbf": "x"},
    ]
    known = [*odd_tokens(), *(signed(claims | one) for one in odd)]
    tried(request, show, tokens(claims), known=known, most=100, refuses=(HuanxinError,))


def test_keys_that_partners_register(request: pytest.FixtureRequest, database: Database) -> None:
    def register(given: Any) -> None:
        with database.transaction() as tx:
            partner = partner_of(tx, f"p{next(NAMES)}")
            register_keys(acting(tx, now=AT), partner, given)

    okp = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    rsa = {"kty": "RSA", "n": "AQAB" * 90, "e": "AQAB"}
    shown = altered({"keys": [*KEYS["keys"], okp, rsa]}).filter(lambda one: isinstance(one, dict) and is_kept(one))
    tried(request, register, shown, most=80, refuses=(HuanxinError,))


def test_wishes_of_receivers(request: pytest.FixtureRequest) -> None:
    def read(given: Any) -> None:
        assert read_wishes(given)

    tried(request, read, altered(STREAM).filter(lambda one: isinstance(one, dict)), refuses=(HuanxinError,))


def test_hand_overs_of_carriers(request: pytest.FixtureRequest, database: Database, tmp_path: Any) -> None:
    place, plan = tmp_path / "jwks.json", Settings(key_passphrase="a test of some length").plan()

    def show(given: tuple[str, bytes]) -> None:
        place.write_bytes(given[1])
        keys = CarrierKeys(places={"cmcc": str(place)})
        with undone(database) as tx:
            assert take(acting(tx, issuer=ISSUER, plan=plan, now=AT), given[0], keys=keys).carrier == "cmcc"

    right = as_json(KEYS)
    both = st.tuples(tokens(HANDOVER), st.one_of(st.just(right), st.just(right), documents(KEYS)))
    tried(request, show, both, known=[(one, right) for one in odd_tokens()], most=100, refuses=(HuanxinError,))


sendable = texts.map(lambda one: one.encode("utf-8", "replace").decode())
PROVIDER = Provider(issuer="https://id.example", client_id="us", client_secret="secret", wanted=("phone_number",))
CONFIGURATION = {"issuer": PROVIDER.issuer, "token_endpoint_auth_methods_supported": ["client_secret_post"]} | {
    name: f"https://id.example/{name}"
    for name in ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
}


@dataclass
class Says:
    """An Outbound to a provider that answers so."""

    answers: dict[str, tuple[int, str]] = field(default_factory=dict)
    inner_allowed: bool = False

    def get(self, url: str, _: object = None) -> HttpAnswer:
        _parsed(url)
        status, text = self.answers.get(url.rpartition("/")[2], (404, ""))
        return HttpAnswer(status=status, text=text)

    def post(self, url: str, *_: object) -> HttpAnswer:
        return self.get(url)


RIGHT: dict[str, Any] = {
    "openid-configuration": CONFIGURATION,
    "jwks_uri": KEYS,
    "userinfo_endpoint": {"sub": "s", "phone_number": "x"},
}
WHO = {"iss": PROVIDER.issuer, "aud": "us", "sub": "s", "exp": NOW + 60, "iat": NOW}


def saying(**odd: Any) -> Callable[[str], dict[str, tuple[int, str]]]:
    """What a provider says that says something odd in one place; given the nonce."""

    def made(nonce: str) -> dict[str, tuple[int, str]]:
        found = {one: (200, json.dumps(odd.get(one.replace("-", "_"), value))) for one, value in RIGHT.items()}
        claims = odd.get("id_token", WHO)
        token = {"access_token": "a", "id_token": signed(claims | {"nonce": nonce})}
        return found | {"token_endpoint": (200, json.dumps(odd.get("token_endpoint", token)))}

    return made


KEY_SETS: list[Any] = [1, "k1", [1], [None], [[]], {"kty": 1}, [{"kty": []}], [{"kty": "EC", "kid": []}]]
METHODS: list[Any] = [1, None, {"a": 1}]
ADDRESSES: list[Any] = [1, "https://[", "https://\ud800/", "https://a:b/"]
CLAIMS: list[dict[str, Any]] = [{"aud": {}}, {"aud": ["us", 1]}, {"exp": 10**400}, {"sub": []}, {"at_hash": []}]
GRANTS: list[Any] = [{"error": {}}, {"error": "\0"}, {"id_token": 1}, [], {}]
ODDLY = [saying(jwks_uri={"keys": one}) for one in KEY_SETS]
ODDLY += [saying(openid_configuration=CONFIGURATION | {"token_endpoint_auth_methods_supported": one}) for one in METHODS]
ODDLY += [saying(openid_configuration=CONFIGURATION | {"jwks_uri": one}) for one in ADDRESSES]
ODDLY += [saying(id_token=WHO | one) for one in CLAIMS]
ODDLY += [saying(token_endpoint=one) for one in GRANTS]


@st.composite
def provider(draw: st.DrawFn) -> Callable[[str], dict[str, tuple[int, str]]]:
    """What a provider says, of which one part or so is odd; given the nonce."""
    odd = draw(st.sampled_from(("openid-configuration", "jwks_uri", "token_endpoint", "userinfo_endpoint", "id_token")))
    changed = draw(altered(WHO | {"at_hash": "x", "azp": "us"})) if odd == "id_token" else WHO
    status, said = (
        draw(st.sampled_from((200, 200, 200, 400, 500))),
        {one: draw(documents(RIGHT[one])) for one in RIGHT if one == odd},
    )
    token_said = draw(altered({"access_token": "a", "id_token": "ID"}))

    def made(nonce: str) -> dict[str, tuple[int, str]]:
        id_token = signed(changed | {"nonce": nonce} if isinstance(changed, dict) else changed)
        found = {one: (200, json.dumps(value)) for one, value in RIGHT.items()}
        found["token_endpoint"] = (200, json.dumps({"access_token": "a", "id_token": id_token}))
        if odd == "token_endpoint":
            found[odd] = (status, json.dumps(token_said).replace('"ID"', json.dumps(id_token)))
        return found | {one: (status, text.decode("utf-8", "replace")) for one, text in said.items()}

    return made


def test_providers_of_sign_ins(request: pytest.FixtureRequest) -> None:
    def sign_in(given: tuple[Callable[[str], dict[str, tuple[int, str]]], dict[str, str]]) -> None:
        made, query = given
        says = Says(made(""))
        client = OidcClient(provider=PROVIDER, outbound=says, clock=lambda: AT)  # type: ignore[arg-type]
        begun = client.start("https://us.example/back")
        assert begun.kept["until"] == int((AT + LIFE).timestamp())
        says.answers = made(begun.kept["nonce"])
        asked = {"code": "c", "state": begun.kept["state"]} | query
        assert client.finish(asked, begun.kept)["sub"]

    queries = st.dictionaries(st.sampled_from(("code", "state", "error", "iss")), sendable, max_size=1)
    both = st.tuples(provider(), st.one_of(st.just({}), st.just({}), queries))
    tried(request, sign_in, both, known=[(one, {}) for one in ODDLY], most=100, refuses=(HuanxinError,))
