"""A served platform with partners and numbers with a past, and phones that open its pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI

from clocks import Clock
from huanxin.acts import Platform, open_platform
from huanxin.acts.requests import answer_requests
from huanxin.answer.single import AnswerLine
from huanxin.domain.clock import system_clock
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import Registered, add_partner
from huanxin.request.sms import Post
from huanxin.settings import Mode, Settings
from huanxin.store.request import messages, requests
from huanxin.web.app import create_app
from ordering import imported
from serving import served

RECYCLED, FIRST, FROZEN, PORTED, UNKNOWN = (f"+861380013800{n}" for n in range(5))
REPORT = (
    f"{RECYCLED},opened,2024-01-05", f"{RECYCLED},cancelled,2026-06-01", f"{RECYCLED},opened,2026-10-01T15:00:00+08:00",
    f"{FIRST},opened,2026-10-01", f"{FROZEN},cancelled,2026-10-01", f"{PORTED},ported_out,2026-10-01",
)  # fmt: skip
PARTNERS = (
    ("晨星商城", Kind.APP), ("飞燕快递", Kind.APP), ("云雀音乐 <b>", Kind.APP), ("白鹭号码标记", Kind.LABELER),
    ("银杏账单提醒", Kind.SENDER),
)  # fmt: skip
HTML = {"Accept": "text/html"}


@dataclass(kw_only=True)
class Town:
    """A served platform. `partners` by name; the first two answer questions whether there is a tie."""

    url: str
    platform: Platform
    clock: Clock
    folder: Path
    post: Post = field(init=False)
    app: FastAPI = field(init=False)
    partners: dict[str, Registered] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    def close(self) -> None:
        self._open.close()

    def report(self, *lines: str, carrier: str = "cmcc") -> None:
        path = self.folder / "report.csv"
        path.write_text("\n".join(["number,event,at", *lines, ""]))
        imported(self.platform, path, carrier=carrier, by="test")

    def phone(self, **headers: str) -> Phone:
        """A browser that nobody has signed in with."""
        client = httpx.Client(base_url=self.url, headers=HTML | headers, follow_redirects=True, timeout=30)
        self._open.callback(client.close)
        return Phone(client, self)

    def sms(self, number: str) -> list[str]:
        """What was sent to a number, newest first."""
        with self.platform.database.transaction() as tx:
            return [one.text for one in messages.latest(tx, 100) if f"+{one.number}" == number]

    def code(self, number: str) -> str:
        found = re.search(r"\d{6}", self.sms(number)[0])
        assert found
        return found.group()

    def receipt(self, name: str, *lines: str) -> None:
        """A partner files a complete receipt for the latest notice of a batch that it has, over HTTP."""
        who = self.partners[name]
        with httpx.Client(base_url=self.url, timeout=30) as http:
            granted = http.post("/oauth/token", data={"grant_type": "client_credentials"},
                                auth=(who.partner.client_id, who.client_secret)).json()  # fmt: skip
            headers = {"Authorization": f"Bearer {granted['access_token']}", "Content-Type": "text/csv"}
            notice = http.get("/partner/v1/notices", headers=headers).json()["notices"][0]["notice"]
            body = "\n".join(["number,outcome,reason,until", *lines, ""]).encode()
            address = f"/partner/v1/notices/{notice}/receipts?complete=true"
            http.post(address, headers=headers, content=body).raise_for_status()

    def answer(self, name: str, outcome: str, reason: str = "", number: str = RECYCLED) -> None:
        """A partner answers the latest notice that it has."""
        partner = self.partners[name].partner
        with self.platform.database.transaction() as tx:
            notice = requests.of_partner(tx, partner.id, 1)[0]
        answer_requests(
            self.platform,
            partner,
            [AnswerLine(line=2, notice=notice.id, number=number, outcome=outcome, reason=reason, until="")],
        )


@dataclass(kw_only=False)
class Phone:
    """A citizen's browser."""

    http: httpx.Client
    town: Town

    def sign_in(self, number: str = RECYCLED, to: str = "renew") -> httpx.Response:
        asked = self.http.post("/renew/sign-in", data={"number": number, "to": to})
        assert asked.status_code == 200, asked.text
        return self.http.post("/renew/code", data={"code": self.town.code(number)})

    def order(self, *names: str, **more: str) -> httpx.Response:
        """Order at some partners, or at all."""
        chosen = [str(self.town.partners[name].partner.id) for name in names or self.town.partners]
        return self.http.post("/renew/order", data={"p": chosen, "consent": "yes", **more})


def settings_of(dsn: str, folder: Path) -> Settings:
    """What a town is served with unless it is told otherwise."""
    return Settings(
        home=folder / "home", database_url=dsn, mode=Mode.DEVELOPMENT, key_passphrase="a test of some length", workers=2
    )


@contextmanager
def town(
    dsn: str, folder: Path, *, settings: Settings | None = None, workers: bool = False, port: int = 0
) -> Iterator[Town]:
    """Serve a platform on a fresh database; its clock stands still on 2026-11-24, or runs if there are workers."""
    chosen, ticking = settings or settings_of(dsn, folder), Clock()
    with open_platform(chosen, clock=system_clock if workers else ticking) as platform:
        made = Town(url="", platform=platform, clock=ticking, folder=folder)
        for place, (name, kind) in enumerate(PARTNERS):
            with platform.act("test") as act:
                made.partners[name] = add_partner(
                    act, NewPartner(name=name, kind=kind, wants_inquiry=place < 2), https_only=False
                )
        made.report(*REPORT)
        app = create_app(platform, chosen, run_workers=workers)
        made.post, made.app = app.state.people.post, app
        with served(app, port=port) as http:
            made.url = str(http.base_url).rstrip("/")
            yield made
            made.close()
