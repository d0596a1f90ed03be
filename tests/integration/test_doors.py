"""Every door of the platform, pushed with what no form sends: it answers, in words, and never with a bare error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import Mount

from huanxin.access import tokens
from huanxin.acts import Platform
from huanxin.domain.operators import Role
from huanxin.store.database import SANDBOX, Database
from huanxin.store.migrate import migrate
from huanxin.web.app import create_app
from operators import PASSWORD, operator, reported
from serving import served
from town import RECYCLED, Town, settings_of, town

SERVER = 500
ROUTES = 100  # that take anything; there are a few more
BAD = ("a\0b", "9" * 23, "-1")
NAMES = (
    "name",
    "kind",
    "domain",
    "endpoint",
    "number",
    "stream_id",
    "status",
    "reason",
    "subject",
    "delivery",
    "state",
    "ack",
)
JSON = {"Content-Type": "application/json"}
POSTED = ("number", "reason", "order", "source", "until", "review", "partner", "of", "do", "note", "purpose", "ticket",
          "carrier", "format", "numbers")  # fmt: skip
"""Fields of the console's forms that are read by hand (web/pages/console/forms.py)."""
GOOD = {
    "number": RECYCLED, "purpose": "complaint", "ticket": "T1", "do": "escalate", "client_id": "x", "env": "live",
    "grant_type": "client_credentials", "until": "2027-12-31", "review": "2027-12-30", "login": "nobody", "to": "renew",
    "consent": "yes", "prefix": "+8613800", "carrier": "cmcc",
}  # fmt: skip
PROGRAMS = ("/oauth", "/sandbox", "/partner/v1", "/answers", "/ssf")
LEFT = {"/console/sign-out", "/renew/sign-out", "/partner/sign-out", "/console/me/password"}
"""They would sign the test out."""
Sent = dict[str, dict[str, str]]


@dataclass(frozen=True, kw_only=True)
class Doors:
    """A served platform with its sandbox; a browser in which an operator, a partner and an owner have signed in; programs
    of a partner and of a carrier's shops."""

    app: FastAPI
    browser: httpx.Client
    partner: httpx.Client
    shop: httpx.Client

    def push(self, method: str, path: str, sent: Sent) -> httpx.Response:
        for name, value in sent["path"].items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        who = self.browser
        if path.startswith(PROGRAMS):
            who = self.shop if path.startswith("/answers") else self.partner
        return who.request(method, path, params=sent["query"], data=sent["form"] or None)


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


@pytest.fixture
def doors(place: Town, dsn: str, tmp_path: Path) -> Iterator[Doors]:
    migrate(dsn, SANDBOX)
    live, known = place.platform, place.partners["晨星商城"]
    person = operator(live, *Role)
    with live.act("test") as act:
        token = tokens.make_token(act, person.login)
    with ExitStack() as stack:
        rehearsals = stack.enter_context(Database(dsn, schema=SANDBOX))
        sandbox = Platform(database=rehearsals, plan=live.plan, rules=live.rules, issuer=f"{live.issuer}/sandbox",
                           clock=live.clock, development=True, sandbox=True)  # fmt: skip
        app = create_app(live, settings_of(dsn, tmp_path), sandbox=sandbox, run_workers=False)
        http = stack.enter_context(served(app))
        place.url = str(http.base_url)
        phone = place.phone()
        phone.sign_in()
        browser = phone.http
        browser.post("/console/sign-in", data={"login": person.login, "password": PASSWORD})
        who = {"client_id": known.partner.client_id, "client_secret": known.client_secret}
        browser.post("/partner/sign-in", data=who)
        assert {"owner", "operator", "partner"} <= set(browser.cookies)
        granted = http.post("/oauth/token", data={"grant_type": "client_credentials"} | who).json()["access_token"]
        partner, shop = (
            stack.enter_context(httpx.Client(base_url=http.base_url, headers={"Authorization": f"Bearer {one}"}, timeout=60))
            for one in (granted, token)
        )
        browser.follow_redirects = False
        yield Doors(app=app, browser=browser, partner=partner, shop=shop)


def routes(of: FastAPI | APIRouter, before: str = "") -> Iterator[tuple[str, str, APIRoute]]:
    """(method, whole path, route) of each."""
    for one in of.routes:
        inner = getattr(one, "original_router", None)
        if isinstance(one, APIRoute):
            for method in sorted((one.methods or set()) - {"HEAD"}):
                yield method, before + one.path, one
        elif isinstance(inner, APIRouter):
            yield from routes(inner, before + (of.prefix if isinstance(of, APIRouter) else ""))
        elif isinstance(one, Mount) and isinstance(one.app, FastAPI):
            yield from routes(one.app, one.path)


def fields(of: Dependant) -> dict[str, list[str]]:
    """What a route reads, by where it stands."""
    found = {
        "path": [one.alias for one in of.path_params], "query": [one.alias for one in of.query_params],
        "form": [one.alias for one in of.body_params],
    }  # fmt: skip
    for inner in of.dependencies:
        for where, names in fields(inner).items():
            found[where] += names
    return found


def pushes(app: FastAPI) -> Iterator[tuple[str, str, Sent]]:
    """(method, path, what is sent by where it stands): each field of each route in turn with what it can't be."""
    for method, path, route in routes(app):
        has = fields(route.dependant)
        has["form"] = [] if method == "GET" else has["form"] or list(POSTED)
        for place, name in ((place, name) for place, names in has.items() for name in names if path not in LEFT):
            for bad in BAD:
                sent = {where: {one: GOOD.get(one, "1") for one in has[where]} for where in ("path", "form")}
                sent["query"] = {}
                sent[place][name] = bad
                yield method, path, sent


def test_no_door_falls_whatever_is_pushed_at_it(doors: Doors) -> None:
    """To a person every refusal is a page, to a program never."""
    fallen, pushed = [], set()
    for method, path, sent in pushes(doors.app):
        answer = doors.push(method, path, sent)
        page = answer.headers.get("content-type", "").startswith("text/html")
        if answer.status_code >= SERVER or (answer.is_error and page == path.startswith(PROGRAMS)):
            fallen.append((method, path, sent, answer.status_code))
        pushed.add(path)
    assert fallen == []
    assert len(pushed) > ROUTES, "the routes were found"


def test_no_door_for_programs_falls_whatever_json_is_sent(doors: Doors) -> None:
    fallen = []
    for method, path, _ in routes(doors.app):
        if method == "GET" or not path.startswith(PROGRAMS):
            continue
        who = doors.shop if path.startswith("/answers") else doors.partner
        for bad in ("a\0b", "\ud800", 10**30):
            one = {"number": RECYCLED, "shown": "0" * 64, "method": "reference", "evidence": bad}
            bodies: list[dict[str, object]] = [{name: bad} for name in NAMES]
            bodies += [dict.fromkeys(NAMES, bad), {"acknowledgements": [one]}]
            for body in bodies:
                content = json.dumps({**body, "returnImmediately": True})
                answer = who.request(method, path, content=content, headers=JSON)
                if answer.status_code >= SERVER:
                    fallen.append((path, body, answer.status_code))
    assert fallen == []


def test_an_acknowledgement_with_control_characters_is_refused_as_one_that_cannot_be_read(doors: Doors) -> None:
    for evidence, status in (("contract\0 1", 400), ("contract\n1", 400), ("合同 1", 422)):  # 422: not what is shown now
        one = {"number": RECYCLED, "shown": "0" * 64, "method": "reference", "evidence": evidence}
        answer = doors.shop.post("/answers/v1/disclosure/acknowledgements", json={"acknowledgements": [one]})
        assert answer.status_code == status, answer.text


def test_a_stranger_fills_neither_memory_nor_disk_with_one_long_body(doors: Doors) -> None:
    part = "x" * 900_000
    with httpx.Client(base_url=doors.browser.base_url, timeout=60) as stranger:
        for path in ("/console/sign-in", "/console/sign-in/code", "/renew/sign-in", "/renew/enter", "/partner/register"):
            fields = stranger.post(path, data={f"field{one}": part for one in range(6)}, headers={"Accept": "text/html"})
            assert (fields.status_code, "没有收取" in fields.text) == (413, True), path
            file = stranger.post(path, files={"file": ("a.csv", part.encode() * 6)})
            assert (file.status_code, file.json()["type"]) == (413, "urn:huanxin:problem:too-large"), path
        asked = stranger.post("/answers/v1/disclosure", content=json.dumps({"number": part * 6}), headers=JSON)
        assert (asked.status_code, asked.json()["type"]) == (413, "urn:huanxin:problem:too-large")


def test_a_long_list_is_taken_where_lists_are_sent(doors: Doors) -> None:
    report = b"number,event,at\n" + b"+8613800990001,opened,2026-11-01\n" * 160_000
    taken = doors.browser.post("/console/reports", data={"carrier": "cmcc"}, files={"file": ("r.csv", report)})
    assert (len(report) > 5_000_000, taken.status_code) == (True, 303)
    page = doors.browser.get(taken.headers["location"])
    assert "已收下" in reported(doors.browser, page).text


def test_whoever_watches_whether_a_site_is_there_gets_the_answer_without_the_page(doors: Doors) -> None:
    for path in ("/", "/healthz", "/readyz", "/watch", "/watch/data/regions.csv", "/console/batches", "/jwks.json"):
        page, head = doors.browser.get(path), doors.browser.head(path)
        assert (page.status_code, head.status_code, head.content) == (200, 200, b""), path
        assert head.headers["content-type"] == page.headers["content-type"]
    assert doors.browser.head("/console/sign-out").status_code == 405, "a look changes nothing"
    assert doors.browser.head("/static/huanxin.css").headers["content-length"] > "0"
