"""Other ways in than a code that arrives: a carrier's app hands its subscriber over, or the gateway for SMS is down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from huanxin.acts import open_platform
from huanxin.domain.errors import BadSetting
from huanxin.settings import Mode, Settings
from huanxin.web.app import create_app
from huanxin.work.telling import Teller
from serving import served
from town import FIRST, HTML, RECYCLED, Town, settings_of, town

ISSUER = "http://127.0.0.1:8600"  # what Settings say unless told otherwise
Hand = Callable[..., str]


@pytest.fixture
def key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": "cmcc-1"})


@pytest.fixture
def place(dsn: str, tmp_path: Path, key: ECKey) -> Iterator[Town]:
    jwks = tmp_path / "cmcc.json"
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    settings = settings_of(dsn, tmp_path).model_copy(update={"handover": {"cmcc": str(jwks), "cucc": str(jwks)}})
    with town(dsn, tmp_path, settings=settings) as made:
        yield made


@pytest.fixture
def hand(place: Town, key: ECKey) -> Hand:
    """Makes a token as the carrier's app does; claims may be set, or left out with None."""

    def make(signed_by: ECKey = key, **changes: Any) -> str:
        now = int(place.clock().timestamp())
        claims = {"iss": "cmcc", "aud": ISSUER, "phone_number": RECYCLED, "iat": now, "exp": now + 120, "jti": "one"}
        claims |= changes
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": "cmcc-1"}, kept, signed_by)

    return make


def test_a_carriers_app_hands_its_subscriber_over_with_one_button_and_without_an_sms(place: Town, hand: Hand) -> None:
    phone, token = place.phone(), hand()
    asks = phone.http.get("/renew/enter", params={"token": token})
    assert phone.http.get("/renew").url.path == "/renew/sign-in", "opening the link alone signs nobody in"
    assert token in asks.text
    assert "以前有过机主" in phone.http.post("/renew/enter", data={"token": token}).text
    assert place.sms(RECYCLED) == []


def test_a_hand_over_that_was_used_is_worth_nothing(place: Town, hand: Hand) -> None:
    token = hand()
    assert place.phone().http.post("/renew/enter", data={"token": token}).status_code == 200
    thief = place.phone()
    assert thief.http.post("/renew/enter", data={"token": token}).status_code == 401
    assert thief.http.get("/renew").url.path == "/renew/sign-in"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://else.example"}, {"iss": "ctcc"}, {"iss": "cucc"}, {"exp": None}, {"iat": None}, {"jti": None},
        {"exp": 1}, {"exp": 4_000_000_000}, {"phone_number": "13800138000"}, {"phone_number": None}, {"jti": "x" * 500},
        {"iat": "soon"}, {"phone_number": "+8613012345678"},
    ],
)  # fmt: skip
def test_a_hand_over_that_is_not_quite_right_lets_nobody_in(place: Town, hand: Hand, changes: dict[str, Any]) -> None:
    answer = place.phone().http.post("/renew/enter", data={"token": hand(**changes)})
    assert answer.status_code == 401
    assert "入口已失效" in answer.text


def test_a_hand_over_of_another_key_or_without_a_signature_lets_nobody_in(place: Town, hand: Hand) -> None:
    stranger = ECKey.generate_key("P-256", {"kid": "cmcc-1"})
    unsigned = "eyJhbGciOiJub25lIn0." + hand().split(".")[1] + "."
    for token in (hand(signed_by=stranger), unsigned, "", "a.b.c", "Ω"):
        assert place.phone().http.post("/renew/enter", data={"token": token}).status_code == 401


class GatewayServer:
    """A gateway for SMS as carriers run one; it can be down."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.tokens: set[str] = set()
        self.down = False
        self.app = Starlette(routes=[Route("/send", self.send, methods=["POST"])])

    async def send(self, request: Request) -> Response:
        if self.down:
            return Response(status_code=502)
        self.tokens.add(request.headers.get("authorization", ""))
        self.taken.append(await request.json())
        return Response(status_code=202)


@pytest.fixture
def gateway() -> GatewayServer:
    return GatewayServer()


@pytest.fixture
def wired(dsn: str, tmp_path: Path, gateway: GatewayServer) -> Iterator[Town]:
    """A town whose SMS go to the gateway."""
    with served(gateway.app) as http:
        settings = settings_of(dsn, tmp_path).model_copy(
            update={"sms_gateway": f"{http.base_url}/send", "sms_gateway_token": "s3cret"}
        )
        with town(dsn, tmp_path, settings=settings) as made:
            yield made


def test_the_gateway_gets_number_text_and_kind_and_the_page_of_sms_is_gone(wired: Town, gateway: GatewayServer) -> None:
    phone = wired.phone()
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    (message,) = gateway.taken
    assert (message["number"], message["kind"]) == (RECYCLED, "code")
    assert gateway.tokens == {"Bearer s3cret"}
    assert phone.http.get("/dev/sms").status_code == 404


def test_a_gateway_that_is_down_is_said_plainly_and_nothing_is_lost(wired: Town, gateway: GatewayServer) -> None:
    gateway.down = True
    phone = wired.phone()
    answer = phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    assert answer.status_code == 503
    assert "短信没有发出去" in answer.text
    assert int(answer.headers["Retry-After"]) > 0
    gateway.down = False
    wired.clock.forward(minutes=2)
    assert phone.http.post("/renew/sign-in", data={"number": RECYCLED}).url.path == "/renew/code"


def test_whoever_asks_too_soon_again_is_led_to_the_code_that_he_has_and_nobody_else_is(place: Town) -> None:
    phone, other = place.phone(), place.phone()
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    for who, led in ((phone, True), (other, False)):
        again = who.http.post("/renew/sign-in", data={"number": RECYCLED})
        assert (again.status_code, 'href="/renew/code"' in again.text) == (429, led)


def test_the_owner_is_told_once_that_all_is_done_also_if_the_gateway_was_down_at_first(
    wired: Town, gateway: GatewayServer
) -> None:
    phone = wired.phone()
    phone.http.post("/renew/sign-in", data={"number": RECYCLED})
    phone.http.post("/renew/code", data={"code": "".join(filter(str.isdigit, gateway.taken[0]["text"]))[:6]})
    phone.order("晨星商城", "飞燕快递")
    teller = Teller(platform=wired.platform, post=wired.post)
    wired.answer("晨星商城", "unbound")
    assert not teller.one_job(), "one has not answered yet"
    wired.answer("飞燕快递", "refused", "debt")
    gateway.down = True
    assert teller.one_job()
    gateway.down = False
    assert not teller.one_job(), "it is not tried again at once"
    wired.clock.forward(minutes=2)
    assert teller.one_job()
    assert not teller.one_job()
    told = [one["text"] for one in gateway.taken if one["kind"] == "done"]
    assert told == ["【号码焕新】138****8000：1 家已完成，1 家需要您处理。查看办法：http://127.0.0.1:8600/renew"]


def test_production_takes_no_console_for_a_gateway(dsn: str) -> None:
    chosen = Settings(database_url=dsn, mode=Mode.PRODUCTION, sms_gateway="console")
    with pytest.raises(BadSetting, match="HUANXIN_SMS_GATEWAY"):
        chosen.gateway()


def test_in_production_without_a_gateway_nobody_is_let_in(dsn: str, tmp_path: Path) -> None:
    chosen = Settings(home=tmp_path, database_url=dsn, mode=Mode.PRODUCTION, key_passphrase="a test", sms_gateway=None)
    with open_platform(chosen) as platform, served(create_app(platform, chosen, run_workers=False)) as http:
        answer = http.post("/renew/sign-in", data={"number": FIRST}, headers=HTML)
        assert answer.status_code == 503
        assert httpx.get(f"{http.base_url}/dev/sms", headers=HTML).status_code == 404


def test_the_sample_for_carriers_makes_a_hand_over_that_lets_in(place: Town, key: ECKey) -> None:
    page = (Path(__file__).parents[2] / "docs/carriers/app.md").read_text(encoding="utf-8")
    sample: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], sample)
    place.clock.now = datetime.now(UTC)
    address = sample["hand_over"](RECYCLED, key=key, kid="cmcc-1", carrier="cmcc", issuer=ISSUER)
    phone = place.phone()
    asks = phone.http.get(address.removeprefix(ISSUER))
    token = asks.text.split('name="token" value="')[1].split('"')[0]
    assert "以前有过机主" in phone.http.post("/renew/enter", data={"token": token}).text
