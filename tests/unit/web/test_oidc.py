"""Sign-in at an OpenID provider that lies: whatever is not exactly right lets nobody in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from clocks import Clock
from huanxin.domain.errors import BadSetting, Forbidden, HuanxinError, Unauthorized, Unavailable
from huanxin.outbound import Outbound
from huanxin.web.oidc import LIFE, OidcClient, Provider, Started
from serving import served

BACK = "http://127.0.0.1:8600/back"
SECRET = "a-secret-of-tests-only-32-characters"


@dataclass(kw_only=True)
class Liar:
    """A provider that says what a test wants. `signed` makes its ID token from the claims; `asked` counts by path."""

    clock: Clock
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "k1"}))
    url: str = ""
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    more_keys: list[dict[str, Any]] = field(default_factory=list)
    user_info: dict[str, Any] = field(default_factory=lambda: {"sub": "7"})
    refuses: tuple[int, Any] | None = None
    id_token: str | None = None
    forms: list[dict[str, str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    down: bool = False

    async def answer(self, request: Request) -> Response:
        path = request.url.path
        self.asked.append(path)
        if self.down:
            return Response(status_code=502)
        if path == "/token":
            self.forms.append(dict(parse_qsl((await request.body()).decode())) | dict(request.headers))
            if self.refuses:
                return JSONResponse(self.refuses[1], status_code=self.refuses[0])
            return JSONResponse({"access_token": "at", "token_type": "Bearer", "id_token": self.token()})
        public = [*self.more_keys, self.key.as_dict(private=False)]
        known = {"/me": self.user_info, "/jwks": {"keys": public}}
        return JSONResponse(known.get(path) or self.configuration())

    def configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.url, "authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/jwks", "userinfo_endpoint": f"{self.url}/me",
        } | self.metadata  # fmt: skip

    def right(self) -> dict[str, Any]:
        now = int(self.clock().timestamp())
        return {"iss": self.url, "aud": "us", "sub": "7", "iat": now, "exp": now + 300, "nonce": self.nonce}

    def token(self) -> str:
        if self.id_token is not None:
            return self.id_token
        claims = {name: value for name, value in (self.right() | self.claims).items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)


@pytest.fixture(scope="module")
def stage() -> Iterator[list[Liar]]:
    """One server for the file; who stands last on the stage answers."""
    on_stage: list[Liar] = []

    async def answer(request: Request) -> Response:
        return await on_stage[-1].answer(request)

    with served(Starlette(routes=[Route("/{rest:path}", answer, methods=["GET", "POST"])])) as http:
        on_stage.append(Liar(clock=Clock(), url=str(http.base_url).rstrip("/")))
        yield on_stage


@pytest.fixture
def liar(stage: list[Liar], clock: Clock) -> Liar:
    stage.append(Liar(clock=clock, url=stage[0].url))
    return stage[-1]


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    made = Outbound(inner_allowed=True)
    yield made
    made.close()


@pytest.fixture
def client(liar: Liar, outbound: Outbound) -> OidcClient:
    return make(liar, outbound)


def make(liar: Liar, outbound: Outbound, *wanted: str, client_id: str = "us") -> OidcClient:
    provider = Provider(issuer=liar.url, client_id=client_id, client_secret=SECRET, wanted=wanted)
    return OidcClient(provider=provider, outbound=outbound, clock=liar.clock)


def begun(client: OidcClient, liar: Liar) -> tuple[Started, dict[str, str]]:
    """A sign-in that was begun, and what an honest provider sends the browser back with."""
    started = client.start(BACK)
    liar.nonce = started.kept["nonce"]
    return started, {"code": "c0de", "state": started.kept["state"]}


def test_the_request_binds_the_answer_to_this_browser_and_hides_the_verifier(client: OidcClient) -> None:
    started = client.start(BACK)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(started.url).query).items()}
    assert {name: asked[name] for name in ("response_type", "client_id", "redirect_uri", "scope")} == {
        "response_type": "code", "client_id": "us", "redirect_uri": BACK, "scope": "openid",
    }  # fmt: skip
    assert (asked["state"], asked["nonce"]) == (started.kept["state"], started.kept["nonce"])
    assert asked["code_challenge_method"] == "S256"
    assert started.kept["verifier"] not in started.url
    again = client.start(BACK)
    assert not {"state", "nonce", "verifier"} & {name for name in started.kept if started.kept[name] == again.kept[name]}


def test_an_honest_answer_gives_the_claims_of_the_id_token(client: OidcClient, liar: Liar) -> None:
    started, back = begun(client, liar)
    liar.claims = {"groups": ["night shift"]}
    assert client.finish(back, started.kept) == liar.right() | {"groups": ["night shift"]}
    (form,) = liar.forms
    assert (form["code"], form["redirect_uri"], form["code_verifier"]) == ("c0de", BACK, started.kept["verifier"])
    assert form["authorization"].startswith("Basic ")


def test_a_provider_that_takes_the_secret_in_the_form_only_gets_it_there(client: OidcClient, liar: Liar) -> None:
    liar.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    started, back = begun(client, liar)
    assert client.finish(back, started.kept)["sub"] == "7"
    assert (liar.forms[0]["client_id"], liar.forms[0]["client_secret"]) == ("us", SECRET)


@pytest.mark.parametrize(
    "lie",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "somebody else"}, {"aud": ["us", "somebody else"]}, {"aud": None},
        {"iss": "https://else.example"}, {"iss": None}, {"azp": "somebody else"}, {"exp": 1}, {"exp": None}, {"exp": "soon"},
        {"iat": 4_000_000_000}, {"iat": None}, {"nbf": 4_000_000_000}, {"sub": None}, {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)  # fmt: skip
def test_an_id_token_with_a_lie_in_it_lets_nobody_in(client: OidcClient, liar: Liar, lie: dict[str, Any]) -> None:
    started, back = begun(client, liar)
    liar.claims = lie
    with pytest.raises(Unauthorized, match="ID token"):
        client.finish(back, started.kept)


def test_an_id_token_that_the_provider_did_not_sign_lets_nobody_in(client: OidcClient, liar: Liar) -> None:
    started, back = begun(client, liar)
    header, payload, signature = liar.token().split(".")
    unsigned = f"eyJhbGciOiJub25lIn0.{payload}."
    stranger = ECKey.generate_key("P-256", {"kid": "k1"})
    for token in (
        unsigned, unsigned + signature, f"{header}.{payload}.",
        jwt.encode({"alg": "ES256", "kid": "k1"}, liar.right(), stranger),
        jwt.encode({"alg": "HS256", "kid": "k1"}, liar.right(), OctKey.import_key(SECRET)),
        jwt.encode({"alg": "ES256", "jwk": stranger.as_dict(private=False)}, liar.right(), stranger),
        "", "a.b.c", "Ω",
    ):  # fmt: skip
        liar.id_token = token
        with pytest.raises(Unauthorized):
            client.finish(back, started.kept)


@pytest.mark.parametrize("lie", [{"state": "another"}, {"state": ""}, {"state": "Ω"}, {"iss": "https://else.example"}])
def test_an_answer_that_was_not_asked_for_here_never_reaches_the_provider(
    client: OidcClient, liar: Liar, lie: dict[str, str]
) -> None:
    started, back = begun(client, liar)
    with pytest.raises(Unauthorized):
        client.finish(back | lie, started.kept)
    with pytest.raises(Unauthorized):
        client.finish(back | lie, {})
    assert "/token" not in liar.asked


def test_a_provider_that_always_says_who_it_is_is_held_to_it(client: OidcClient, liar: Liar) -> None:
    liar.metadata = {"authorization_response_iss_parameter_supported": True}
    started, back = begun(client, liar)
    with pytest.raises(Unauthorized, match="iss"):
        client.finish(back, started.kept)
    assert client.finish(back | {"iss": liar.url}, started.kept)["sub"] == "7"


def test_a_sign_in_begun_with_another_client_or_too_long_ago_is_worth_nothing(
    client: OidcClient, liar: Liar, outbound: Outbound
) -> None:
    started, back = begun(make(liar, outbound, client_id="them"), liar)
    with pytest.raises(Unauthorized):
        client.finish(back, started.kept)
    started, back = begun(client, liar)
    liar.clock.now += LIFE
    with pytest.raises(Unauthorized):
        client.finish(back, started.kept)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, {"error": "invalid_grant", "error_description": "用过了"}), Unauthorized),
        ((401, {"error": "invalid_client"}), Unavailable), ((200, ["no"]), Unavailable), ((500, {}), Unavailable),
        ((200, {"access_token": "at"}), Unauthorized), ((302, {}), Unauthorized),
    ],
)  # fmt: skip
def test_a_code_that_is_not_taken_lets_nobody_in(
    client: OidcClient, liar: Liar, answer: tuple[int, Any], kind: type[HuanxinError]
) -> None:
    started, back = begun(client, liar)
    liar.refuses = answer
    with pytest.raises(kind):
        client.finish(back, started.kept)


def test_a_person_who_says_no_is_told_apart_from_a_provider_in_trouble(client: OidcClient, liar: Liar) -> None:
    started, back = begun(client, liar)
    with pytest.raises(Forbidden):
        client.finish({"error": "access_denied", "state": back["state"]}, started.kept)
    with pytest.raises(Unavailable, match="server_error"):
        client.finish({"error": "server_error", "state": back["state"]}, started.kept)
    with pytest.raises(Unauthorized):
        client.finish({"error": "access_denied", "state": "another"}, started.kept)


def test_user_info_is_asked_for_what_the_id_token_lacks_and_never_outweighs_it(liar: Liar, outbound: Outbound) -> None:
    client = make(liar, outbound, "phone_number")
    liar.user_info = {"sub": "7", "phone_number": "+8613800138000", "aud": "them", "email": "not wanted"}
    started, back = begun(client, liar)
    assert client.finish(back, started.kept) == liar.right() | {"phone_number": "+8613800138000"}
    liar.asked.clear()
    liar.claims = {"phone_number": "+8613800138001"}
    started, back = begun(client, liar)
    assert client.finish(back, started.kept)["phone_number"] == "+8613800138001"
    assert "/me" not in liar.asked


def test_user_info_about_somebody_else_lets_nobody_in(liar: Liar, outbound: Outbound) -> None:
    client = make(liar, outbound, "phone_number")
    liar.user_info = {"sub": "8", "phone_number": "+8613800138000"}
    started, back = begun(client, liar)
    with pytest.raises(Unauthorized, match="somebody else"):
        client.finish(back, started.kept)


def test_a_provider_without_user_info_gives_what_it_has(liar: Liar, outbound: Outbound) -> None:
    client = make(liar, outbound, "phone_number")
    configuration = liar.configuration()
    del configuration["userinfo_endpoint"]
    liar.configuration = lambda: configuration  # type: ignore[method-assign]
    started, back = begun(client, liar)
    assert client.finish(back, started.kept) == liar.right()


def test_keys_of_other_kinds_and_uses_are_passed_over_and_a_new_key_is_found(client: OidcClient, liar: Liar) -> None:
    rsa = RSAKey.generate_key(2048, {"kid": "e1", "use": "enc"}).as_dict(private=False)
    liar.more_keys = [{"kty": "AKP", "alg": "ML-DSA-44", "kid": "p1", "pub": "AA"}, dict(rsa)]
    started, back = begun(client, liar)
    assert client.finish(back, started.kept)["sub"] == "7"
    liar.key = ECKey.generate_key("P-256", {"kid": "k2"})
    liar.clock.forward(seconds=11)
    started, back = begun(client, liar)
    assert client.finish(back, started.kept)["sub"] == "7"
    assert liar.asked.count("/jwks") == 2


def test_the_configuration_is_read_once_in_a_while_and_a_provider_that_is_down_is_left_in_peace(
    client: OidcClient, liar: Liar
) -> None:
    client.start(BACK)
    client.start(BACK)
    assert len(liar.asked) == 1
    liar.down = True
    liar.clock.forward(minutes=6)
    for _ in range(3):
        with pytest.raises(Unavailable):
            client.start(BACK)
    assert len(liar.asked) == 2
    liar.down = False
    liar.clock.forward(seconds=11)
    assert client.start(BACK).url.startswith(f"{liar.url}/auth?")


@pytest.mark.parametrize(
    "metadata", [{"issuer": "https://else.example"}, {"issuer": None}, {"authorization_endpoint": "javascript:alert(1)"}]
)
def test_a_configuration_that_is_not_the_providers_is_not_used(
    client: OidcClient, liar: Liar, metadata: dict[str, Any]
) -> None:
    liar.metadata = metadata
    with pytest.raises(Unavailable):
        client.start(BACK)


def test_outside_development_a_provider_has_https_and_a_public_address(liar: Liar) -> None:
    guarded = Outbound(inner_allowed=False)
    provider = Provider(issuer=liar.url, client_id="us", client_secret=SECRET)
    with pytest.raises(BadSetting, match="https"):
        OidcClient(provider=provider, outbound=guarded, clock=liar.clock)
    inside = Provider(issuer="https://127.0.0.1:1", client_id="us", client_secret=SECRET)
    with pytest.raises(Unavailable, match="not a public address"):
        OidcClient(provider=inside, outbound=guarded, clock=liar.clock).start(BACK)
    assert liar.asked == []
    assert SECRET not in repr(inside)
    guarded.close()
