"""Accounts over HTTP: who may see what, what is refused, what the checklist follows from."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.connect.proving import Proof, text_entries
from huanxin.domain.accounts import RunState, checklist
from huanxin.domain.errors import Conflict
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.rules import Rules, random_id
from huanxin.onboarding.accounts import Onboarding
from huanxin.outbound import NoAnswer, Outbound
from huanxin.settings import Mode, Settings
from huanxin.store.connect import accounts, partners, selftests
from huanxin.store.database import SANDBOX, Database
from huanxin.store.migrate import migrate
from huanxin.store.notify import streams
from huanxin.web.app import create_app
from huanxin_partner.rehearsal import magic
from name_server import name_server
from serving import served
from waiting import until

ENDPOINT = "http://127.0.0.1:9/events/"


@dataclass
class Service:
    """Both platforms in one served application, without workers."""

    onboarding: Onboarding
    http: httpx.Client

    def register(self, **changes: Any) -> httpx.Response:
        body = {"name": "shop", "kind": "app", "domain": "shop.example", "endpoint": ENDPOINT} | changes
        return self.http.post("/partner/v1/accounts", json=body)

    def token(self, account: dict[str, Any], **scope: str) -> dict[str, str]:
        auth = (account["sandbox"]["client_id"], account["sandbox"]["client_secret"])
        answer = self.http.post("/sandbox/oauth/token", data={"grant_type": "client_credentials"} | scope, auth=auth)
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def passed_test(self, account_id: str, endpoint: str = ENDPOINT, state: RunState = RunState.PASSED) -> None:
        """A self-test that ended now."""
        live = self.onboarding.live
        with live.database.transaction() as tx:
            run = random_id("run")
            selftests.add_run(tx, run_id=run, account_id=account_id, endpoint=endpoint, by="li", at=live.now())
            selftests.end_run(tx, run, state, at=live.now())


@pytest.fixture
def service(dsn: str, tmp_path: Path, clock: Clock) -> Iterator[Service]:
    migrate(dsn, SANDBOX)
    settings = Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT, local_folders=tmp_path)

    def opened(database: Database, issuer: str, *, sandbox: bool) -> Platform:
        return Platform(
            database=database, plan=chinese_plan(), rules=Rules(), issuer=issuer, clock=clock, development=True,
            sandbox=sandbox,
        )  # fmt: skip

    with Database(dsn) as database, Database(dsn, schema=SANDBOX) as rehearsals:
        live = opened(database, "http://127.0.0.1:1", sandbox=False)
        sandbox = opened(rehearsals, "http://127.0.0.1:1/sandbox", sandbox=True)
        app = create_app(live, settings, sandbox=sandbox, run_workers=False)
        with served(app) as http:
            yield Service(app.state.onboarding, http)


def test_markup_in_a_name_is_text_and_a_name_that_only_looks_different_is_taken(service: Service) -> None:
    name = "<script>alert(1)</script> & Söhne"
    made = service.register(name=name)
    assert made.status_code == 201
    shown = service.http.get("/partner/v1/account", headers=service.token(made.json()))
    assert shown.headers["content-type"] == "application/json"
    assert shown.json()["name"] == name
    for same in (name.upper().replace("ALERT", "alert"), f"  {name}", "<script>alert(1)</script>&Söhne"):
        assert service.register(name=same).status_code == 409
    with service.onboarding.sandbox.database.transaction() as tx:
        assert len(partners.all_partners(tx)) == 1  # what was refused left no partner behind


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", " ", "empty"),
        ("name", "x" * 81, "at most 80"),
        ("name", "sh\x00op", "control"),
        ("name", "sh\u202eop", "invisible"),
        ("domain", "https://shop.example/", "without https"),
        ("domain", "localhost.", None),
        ("domain", "shop", "not a domain name"),
        ("domain", "203.0.113.7", "is an address"),
        ("domain", "shop.example:8701", "this machine's"),
        ("domain", "shop..example", "not a domain name"),
        ("endpoint", "ftp://shop.example", "not an address"),
        ("endpoint", "https://[shop.example/", "not an address"),
        ("endpoint", "https://shop.example:port/", "not an address"),
        ("kind", "bank", None),
    ],
)
def test_what_cannot_be_used_is_refused_with_the_reason(service: Service, field: str, value: str, says: str | None) -> None:
    answer = service.register(**{field: value})
    if says is None:
        assert answer.status_code == (201 if field == "domain" else 400)  # a machine in development; a kind that is none
        return
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_a_domain_is_kept_in_its_ascii_form(service: Service) -> None:
    made = service.register(name="书店", domain="书店.Example").json()
    assert made["challenge"]["dns_name"] == "_huanxin-challenge.xn--1jqq80b.example"
    assert made["challenge"]["file"] == "https://xn--1jqq80b.example/.well-known/huanxin-challenge"


def test_one_address_registers_a_few_times_an_hour(service: Service, clock: Clock) -> None:
    assert {service.register(name=f"shop {n}").status_code for n in range(10)} == {201}
    stopped = service.register(name="one more")
    assert stopped.status_code == 429
    assert int(stopped.headers["retry-after"]) > 3000
    clock.forward(hours=1, seconds=1)
    assert service.register(name="one more").status_code == 201


def test_a_stranger_sees_nothing_of_another_account_and_a_token_of_the_sandbox_opens_nothing_live(service: Service) -> None:
    mine, theirs = (service.register(name=name).json() for name in ("mine", "theirs"))
    service.passed_test(mine["account"])
    run = service.http.get("/partner/v1/account", headers=service.token(mine)).json()["selftests"][0]["run"]
    stranger = service.token(theirs)
    assert service.http.get("/partner/v1/account", headers=stranger).json()["name"] == "theirs"
    for path in (f"/partner/v1/account/selftest/{run}", "/partner/v1/account/selftest/none"):
        assert service.http.get(path, headers=stranger).status_code == 404
    assert service.http.get(f"/partner/v1/account/selftest/{run}", headers=service.token(mine)).status_code == 200
    assert service.http.get("/partner/v1/notices", headers=stranger).status_code == 401
    assert service.http.get("/sandbox/partner/v1/notices", headers=stranger).status_code == 200
    assert service.http.get("/partner/v1/account").status_code == 401
    for path in ("domain-proof", "selftest", "notice", "live"):
        weak = service.token(mine, scope="ssf.read")
        assert service.http.post(f"/partner/v1/account/{path}", headers=weak).status_code == 403


def test_live_credentials_do_not_open_the_account(service: Service) -> None:
    made = service.register().json()
    account = service.onboarding.named("shop")
    prove(service, account.id)
    service.passed_test(account.id)
    service.onboarding.admit(account, required=False, by="li")
    live = service.onboarding.go_live(account)
    auth = (live.partner.client_id, live.client_secret)
    grant = {"grant_type": "client_credentials"}
    assert service.http.post("/sandbox/oauth/token", data=grant, auth=auth).status_code == 401
    token = service.http.post("/oauth/token", data=grant, auth=auth).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert service.http.get("/partner/v1/account", headers=headers).status_code == 401
    assert service.http.get("/partner/v1/notices", headers=headers).status_code == 200
    assert made["sandbox"]["client_id"] != live.partner.client_id


def prove(service: Service, account_id: str) -> None:
    live = service.onboarding.live
    with live.database.transaction() as tx:
        accounts.note(tx, account_id, "domain-proven", by="li", at=live.now())


def why(service: Service) -> dict[str, str | None]:
    known = service.onboarding.known(service.onboarding.named("shop"))
    return {item.step.value: item.why and item.why.value for item in checklist(known, service.onboarding.live.now())}


def test_a_pass_counts_for_the_present_endpoint_and_for_a_month(service: Service, clock: Clock) -> None:
    made = service.register().json()
    account = service.onboarding.named("shop")
    prove(service, account.id)
    assert why(service)["selftest"] == "not-yet"
    service.passed_test(made["account"], "http://127.0.0.1:9/other/")
    assert why(service)["selftest"] == "other-endpoint"
    service.passed_test(made["account"])
    assert why(service)["selftest"] is None
    clock.forward(days=30, seconds=1)
    assert why(service)["selftest"] == "too-old"
    with pytest.raises(Conflict, match="more than 30 days old"):
        service.onboarding.admit(account, required=True, by="li")
    service.passed_test(made["account"])
    service.onboarding.admit(account, required=True, by="li")
    clock.forward(seconds=1)
    service.passed_test(made["account"], state=RunState.FAILED)
    with pytest.raises(Conflict, match="selftest: mend"):
        service.onboarding.go_live(account)
    clock.forward(seconds=1)
    service.passed_test(made["account"])
    assert service.onboarding.go_live(account).partner.required
    with pytest.raises(Conflict, match="shown once"):
        service.onboarding.go_live(account)
    with pytest.raises(Conflict, match="live already"):
        service.onboarding.admit(account, required=False, by="li")


def test_a_domain_is_proven_by_a_txt_entry_and_what_stands_there_instead_is_told(service: Service) -> None:
    made = service.register(domain="127.0.0.1:9").json()  # nobody serves a file there
    account = service.onboarding.named("shop")
    name, entry = made["challenge"]["dns_name"], made["challenge"]["dns_txt"]
    entries: dict[str, list[str]] = {}
    with name_server(entries) as resolver:
        proof = Proof(outbound=Outbound(inner_allowed=True), look_up=text_entries(resolver), development=True)
        asking = Onboarding(
            live=service.onboarding.live, sandbox=service.onboarding.sandbox, proof=proof,
            selftests=service.onboarding.selftests,
        )  # fmt: skip
        with pytest.raises(Conflict, match="there is none"):
            asking.prove_domain(account)
        entries[name] = ["v=spf1 -all", "huanxin-challenge=huanxin_old"]
        with pytest.raises(Conflict, match="is 'huanxin-challenge=huanxin_old'"):
            asking.prove_domain(account)
        entries[name].append(entry)
        assert asking.prove_domain(account) == "dns"
        assert asking.prove_domain(account) == "dns"
    events = service.onboarding.known(account).events
    assert [(one.kind, one.detail.get("way")) for one in events] == [("registered", None), ("domain-proven", "dns")]


def test_a_name_server_that_is_silent_does_not_prove_a_domain(service: Service) -> None:
    service.register(domain="127.0.0.1:9")
    account = service.onboarding.named("shop")
    with name_server({}) as resolver:
        pass
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        resolver.port = silent.getsockname()[1]
        proof = Proof(outbound=Outbound(inner_allowed=True), look_up=text_entries(resolver), development=True)
        asking = Onboarding(
            live=service.onboarding.live, sandbox=service.onboarding.sandbox, proof=proof,
            selftests=service.onboarding.selftests,
        )  # fmt: skip
        with pytest.raises(Conflict, match="can't be looked up now"):
            asking.prove_domain(account)
    assert len(service.onboarding.known(account).events) == 1


def test_in_production_the_challenge_is_not_fetched_from_inside(service: Service) -> None:
    """Else whoever registers could have the platform read its own network, an error at a time."""
    service.register(domain="localhost")
    account = service.onboarding.named("shop")
    with served(_answers_anything) as inside:
        url = f"{inside.base_url}/.well-known/huanxin-challenge"
        assert inside.get(url).text == "inside"
        with pytest.raises(NoAnswer, match="not a public address"):
            Outbound(inner_allowed=False).get(url)
    proof = Proof(outbound=Outbound(inner_allowed=False), look_up=text_entries(), development=False)
    asking = Onboarding(
        live=service.onboarding.live, sandbox=service.onboarding.sandbox, proof=proof, selftests=service.onboarding.selftests
    )
    with name_server({}) as resolver, pytest.raises(Conflict, match="not a public address"):
        Onboarding(
            live=asking.live, sandbox=asking.sandbox, selftests=asking.selftests,
            proof=Proof(outbound=proof.outbound, look_up=text_entries(resolver), development=False),
        ).prove_domain(account)  # fmt: skip


async def _answers_anything(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": b"inside"})


def test_the_sandbox_sends_a_notice_now_and_hears_a_refused_receipt(service: Service) -> None:
    made = service.register(endpoint=None).json()
    headers = service.token(made)
    sent = service.http.post("/partner/v1/account/notice", headers=headers).json()
    assert sent["expected"] == {number: sorted(outcomes) for number, outcomes in magic.EXPECTED.items()}
    (listed,) = service.http.get("/sandbox/partner/v1/notices", headers=headers).json()["notices"]
    assert (listed["notice"], listed["cutoff"]) == (sent["notice"], magic.CUTOFF.isoformat())
    assert sent["notice"].startswith("rehearsal_")
    path = f"/sandbox/partner/v1/notices/{sent['notice']}"
    assert service.http.get(f"{path}/numbers", headers=headers).text.split() == ["number", *sorted(magic.EXPECTED)]
    bad = {"Content-Type": "text/csv"} | headers
    refused = service.http.post(f"{path}/receipts", content="number,outcome\n+8613800138000,unbound\n", headers=bad)
    assert refused.status_code == 422
    with service.onboarding.sandbox.database.transaction() as tx:
        (noted,) = partners.events_of_notice(tx, sent["notice"])
    assert (noted.kind, "line 2" in noted.detail["detail"]) == ("receipt-refused", True)
    service.http.post(f"{path}/receipts", content="number，outcome\n+8613800138000，unbound\n".encode(), headers=bad)
    with service.onboarding.sandbox.database.transaction() as tx:
        told = {one.detail["detail"] for one in partners.events_of_notice(tx, sent["notice"])}
    assert "line 1: the columns are separated by full-width commas; separate them with commas" in told, "once, with its line"


def test_stopping_the_platform_ends_a_self_test_and_says_so(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        made = service.register(endpoint=f"http://127.0.0.1:{port}/events/").json()
        tests = service.onboarding.selftests
        tests.outbound.longest = 0.5  # the one call under way when it is stopped
        run = tests.begin(service.onboarding.named("shop"), by="li")
        path, headers = f"/partner/v1/account/selftest/{run}", service.token(made)
        assert service.http.get(path, headers=headers).json()["state"] == "running"
        tests.stop(timeout=30)
        until(lambda: service.http.get(path, headers=headers).json()["state"] != "running")
        found = service.http.get(path, headers=headers).json()
    assert (found["state"], found["ended_at"] is None) == ("interrupted", False)


def test_without_a_stream_nothing_is_driven_and_a_changed_one_has_to_be_tested_again(service: Service) -> None:
    made = service.register().json()
    headers = service.token(made)
    service.passed_test(made["account"])
    (stream,) = service.http.get("/sandbox/ssf/streams", headers=headers).json()
    change = {"stream_id": stream["stream_id"], "delivery": {"method": "urn:ietf:rfc:8935", "endpoint_url": f"{ENDPOINT}b"}}
    assert why(service)["selftest"] is None
    assert service.http.patch("/sandbox/ssf/streams", json=change, headers=headers).status_code == 200
    assert why(service)["selftest"] == "other-endpoint"
    gone = service.http.delete("/sandbox/ssf/streams", params={"stream_id": stream["stream_id"]}, headers=headers)
    assert gone.status_code == 204
    answer = service.http.post("/partner/v1/account/selftest", headers=headers)
    assert answer.status_code == 409
    assert "no stream in the sandbox" in answer.json()["detail"]
    assert why(service)["endpoint"] == "not-yet"


def test_what_happened_at_an_account_cannot_be_edited(service: Service) -> None:
    service.register()
    database = service.onboarding.live.database
    for change in ("UPDATE account SET name = 'x'", "DELETE FROM account_event", "TRUNCATE selftest_run CASCADE"):
        with pytest.raises(psycopg.errors.RaiseException, match="recorded facts"), database.transaction() as tx:
            tx.execute(change.encode())


def test_a_company_chooses_its_folders_by_the_api_and_on_its_pages(service: Service, tmp_path: Path) -> None:
    made = service.register().json()
    ours = tmp_path / made["sandbox"]["client_id"]
    folders = {"out": f"{ours}/OUT", "in": f"{ours}/IN", "login": {"password": "ganz geheim"}}
    for path, body, code in [
        ("files", folders | {"in": "sftp://shop@files.example/IN"}, 422),
        ("files", folders | {"in": folders["out"]}, 422),
        ("files", folders | {"in": "/etc"}, 422),
        ("files", folders | {"inn": "typo"}, 400),
        ("files", folders | {"login": {"pasword": "typo"}}, 400),
        ("live/files", folders, 401),  # a token of the sandbox opens nothing live
        ("files", folders, 200),
    ]:
        answer = service.http.put(f"/partner/v1/account/{path}", json=body, headers=service.token(made))
        assert answer.status_code == code, (body, answer.text)
    assert answer.json() == {"out": folders["out"], "in": folders["in"], "login": ["password"]}
    known = service.onboarding.known(service.onboarding.named("shop"))
    assert known.sandbox_endpoint == folders["out"]

    auth = {"client_id": made["sandbox"]["client_id"], "client_secret": made["sandbox"]["client_secret"]}
    assert service.http.post("/partner/sign-in", data=auth).status_code == 303
    page = service.http.get("/partner/sandbox/stream", headers={"Accept-Language": "en"}).text
    assert f"notices in {folders['out']}" in page
    assert "geheim" not in page
    form = {"out": f"{ours}/2/OUT", "in": "sftp://shop@files.example/IN", "password": "auch geheim"}
    refused = service.http.post("/partner/sandbox/stream/files", data=form)
    assert refused.status_code == 422
    assert "两个文件夹须以同一方式" in refused.text
    assert form["out"] in refused.text
    assert "geheim" not in refused.text
    taken = service.http.post("/partner/sandbox/stream/files", data=form | {"in": f"{ours}/2/IN"})
    assert taken.headers["location"] == "/partner/sandbox/stream"
    assert "done" in taken.cookies, "what was done is told once, not by the address"
    headers = service.token(made)
    (read,) = service.http.get("/sandbox/ssf/streams", headers=headers).json()
    assert service.http.put("/sandbox/ssf/streams", json=read, headers=headers).status_code == 200  # the login stays
    sandbox = service.onboarding.sandbox
    with sandbox.database.transaction() as tx:
        partner = partners.by_client_id(tx, auth["client_id"])
        assert partner is not None
        noted = partners.events_of(tx, partner.id, kind="files-chosen")
        stream = streams.of_partner(tx, partner.id)
    assert [(one.recorded_by, one.detail["out"]) for one in noted] == [
        (auth["client_id"], f"{ours}/2/OUT"), (auth["client_id"], folders["out"]),
    ]  # fmt: skip
    assert stream is not None
    assert stream.sealed_authorization is not None
    assert "geheim" not in f"{stream.sealed_authorization}{noted}"


def test_the_api_page_knows_every_step_of_connecting(service: Service) -> None:
    paths = service.http.get("/openapi.json").json()["paths"]
    ours = {path: set(methods) for path, methods in paths.items() if path.startswith("/partner/v1/account")}
    assert ours == {
        "/partner/v1/accounts": {"post"}, "/partner/v1/account": {"get"}, "/partner/v1/account/domain-proof": {"post"},
        "/partner/v1/account/selftest": {"post"}, "/partner/v1/account/selftest/{run_id}": {"get"},
        "/partner/v1/account/notice": {"post"}, "/partner/v1/account/live": {"post"},
        "/partner/v1/account/files": {"put"}, "/partner/v1/account/live/files": {"put"},
    }  # fmt: skip
