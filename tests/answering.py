"""A served platform with a sent batch, and partners that answer it over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.settings import Mode, Settings
from huanxin.web.app import create_app
from ordering import imported, lists_written, plan_now, send_now
from serving import served

NUMBERS = [f"+86138001380{n:02d}" for n in range(6)]
CSV = {"Content-Type": "text/csv"}


@dataclass
class Partner:
    """A partner as the platform's API sees it."""

    name: str
    id: int
    http: httpx.Client
    client_id: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        answer = self.http.post(
            "/oauth/token", data={"grant_type": "client_credentials"}, auth=(self.client_id, self.secret)
        )
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def notices(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = self.http.get("/partner/v1/notices", headers=self.headers).json()["notices"]
        return found

    def file(
        self,
        lines: list[str] | bytes,
        *,
        complete: bool = False,
        notice: object = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        body = lines if isinstance(lines, bytes) else "\n".join(["number,outcome,reason,until", *lines, ""]).encode()
        return self.http.post(
            f"/partner/v1/notices/{notice or self.notices()[0]['notice']}/receipts",
            params={"complete": complete},
            content=body,
            headers=self.headers | CSV | (headers or {}),
        )


@dataclass
class World:
    """A sent batch of six numbers, two of them still in their freeze, and two partners."""

    platform: Platform
    http: httpx.Client
    music: Partner = field(init=False)
    bank: Partner = field(init=False)
    batch: int = field(init=False)

    def joined(self, name: str) -> Partner:
        """A partner that comes later."""
        with self.platform.act("li") as act:
            one = add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False)
        return Partner(name, one.partner.id, self.http, one.partner.client_id, one.client_secret)

    def gate(self) -> LoadedGate:
        with self.platform.read() as reading:
            return load_gate(reading, self.batch)

    def released(self, folder: Path) -> list[str]:
        release(self.platform, by="li")
        return [line for path in lists_written(self.platform, folder) for line in path.read_text().splitlines()[1:]]


@contextmanager
def answering(platform: Platform, report: Callable[..., Path], tmp_path: Path) -> Iterator[World]:
    lines = [f"{n},cancelled,{'2026-08-20' if i < 4 else '2026-09-05'}" for i, n in enumerate(NUMBERS)]
    imported(platform, report(*lines, name="first.csv"), carrier="cmcc", by="li")
    settings = Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT)
    with served(create_app(platform, settings, run_workers=False)) as http:
        world = World(platform, http)
        world.music, world.bank = (world.joined(name) for name in ("music", "bank"))
        batch = plan_now(platform, by="li")
        assert batch is not None
        send_now(platform, batch.id)
        world.batch = batch.id
        yield world
