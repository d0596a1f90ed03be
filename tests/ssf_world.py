"""A platform with its sandbox, served where its issuer says, and a partner that calls it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.partners import DEFAULT_SCOPES, Kind, NewPartner
from huanxin.notify.calls import Calls
from huanxin.notify.partners import add_partner
from huanxin.notify.pushing import Pusher
from huanxin.onboarding.opening import open_signer
from huanxin.settings import Mode, Settings
from huanxin.store.connect import partners
from huanxin.store.database import SANDBOX, Database
from huanxin.store.migrate import migrate
from huanxin.store.notify import attempts
from huanxin.store.notify.attempts import Attempt
from huanxin.store.notify.deliveries import Delivery
from huanxin.web.app import create_app
from huanxin.web.context import Context
from processes import free_port
from serving import served

PUSH, POLL = "urn:ietf:rfc:8935", "urn:ietf:rfc:8936"


@dataclass(kw_only=True)
class Caller:
    """A partner as a program that calls the platform."""

    name: str
    id: int
    http: httpx.Client
    platform: Platform
    client_id: str
    secret: str
    base: str = ""

    def token(self, scope: str = "") -> str:
        answer = self.http.post(
            f"{self.base}/oauth/token", data={"grant_type": "client_credentials", "scope": scope},
            auth=(self.client_id, self.secret),
        )  # fmt: skip
        return str(answer.raise_for_status().json()["access_token"])

    def call(self, method: str, path: str, *, scope: str = "", token: str | None = None, **more: Any) -> httpx.Response:
        shown = self.token(scope) if token is None else token
        headers = more.pop("headers", {}) | ({"Authorization": f"Bearer {shown}"} if shown else {})
        return self.http.request(method, f"{self.base}{path}", headers=headers, **more)

    def stream(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = self.call("GET", "/ssf/streams").json()
        return found[0]

    def set_status(self, status: str) -> httpx.Response:
        return self.call("POST", "/ssf/status", json={"stream_id": self.stream()["stream_id"], "status": status})

    def verify(self, state: str = "") -> httpx.Response:
        return self.call("POST", "/ssf/verify", json={"stream_id": self.stream()["stream_id"], "state": state})

    def poll(self, **body: Any) -> dict[str, Any]:
        answer = self.call("POST", "/ssf/poll", json={"returnImmediately": True} | body)
        found: dict[str, Any] = answer.raise_for_status().json()
        return found

    def events(self) -> list[Delivery]:
        """What is recorded for it, oldest first."""
        with self.platform.database.transaction() as tx:
            return attempts.latest(tx, self.id)[::-1]

    def attempts(self, jti: str) -> list[Attempt]:
        with self.platform.database.transaction() as tx:
            return attempts.attempts_of(tx, [jti])[jti]

    def noted(self) -> list[str]:
        """What happened at it, oldest first."""
        with self.platform.database.transaction() as tx:
            return [one.kind for one in partners.events_of(tx, self.id)][::-1]


@dataclass(kw_only=True)
class World:
    """A served platform, live and sandbox, without workers: tests push when they want to."""

    live: Platform
    sandbox: Platform
    http: httpx.Client
    settings: Settings
    app: Any
    clock: Clock

    def partner(
        self, name: str = "music", *, of: Platform | None = None, endpoint: str | None = None, recycled: bool = False,
        scopes: Sequence[str] = DEFAULT_SCOPES,
    ) -> Caller:  # fmt: skip
        platform = of or self.live
        with platform.act("li") as act:
            one = add_partner(
                act, NewPartner(name=name, kind=Kind.APP, endpoint=endpoint, scopes=scopes, wants_recycled=recycled),
                https_only=False,
            )  # fmt: skip
        return Caller(
            name=name, id=one.partner.id, http=self.http, platform=platform, client_id=one.partner.client_id,
            secret=one.client_secret, base="/sandbox" if platform.sandbox else "",
        )  # fmt: skip

    def context(self, **changes: Any) -> Context:
        """What requests are given, with some of it changed from now on."""
        found: Context = replace(self.app.state.context, **changes)
        self.app.state.context = found
        return found

    def pusher(self, platform: Platform | None = None) -> Pusher:
        platform = platform or self.live
        return Pusher(
            database=platform.database, signer=open_signer(platform, self.settings), clock=platform.clock,
            outbound=self.context().outbound, plan=platform.plan,
            passphrase=self.settings.passphrase(), chance=lambda: 0.0, calls=Calls(soon=20.0),
        )  # fmt: skip


@contextmanager
def opened(platform: Platform, dsn: str, tmp_path: Path, clock: Clock, *, development: bool = True) -> Iterator[World]:
    port = free_port()
    settings = Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT, issuer=f"http://127.0.0.1:{port}")
    migrate(dsn, SANDBOX)
    with Database(dsn, schema=SANDBOX) as rehearsals:
        live = replace(platform, issuer=settings.issuer, development=development)
        sandbox = replace(live, database=rehearsals, issuer=f"{settings.issuer}/sandbox", sandbox=True)
        app = create_app(live, settings, sandbox=sandbox, run_workers=False)
        with served(app, port=port) as http:
            yield World(live=live, sandbox=sandbox, http=http, settings=settings, app=app, clock=clock)
