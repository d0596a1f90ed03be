"""A partner that files receipts over HTTP, at a real server, for one notice of 200 numbers."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import FastAPI

from clocks import Clock
from huanxin.acts import Platform
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import Registered, add_partner
from huanxin.settings import Mode, Settings
from huanxin.store.answer import receipts
from huanxin.store.plan.batches import Batch
from huanxin.web.api.uploads import Limits
from huanxin.web.app import create_app
from huanxin.web.context import Context
from ordering import imported, plan_now, send_now
from serving import served

NUMBERS = [f"+8613800138{n:03d}" for n in range(200)]
CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
HEADING = "number,outcome,reason,until"
LINES = [f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},refused,debt,2026-12-31", f"{NUMBERS[2]},kept,,"]
LIMITS = Limits(most_bytes=1 << 20, most_seconds=20, least_rate=1000, grace=10)


@dataclass
class Desk:
    """A partner at the platform's API, with one notice of 200 numbers."""

    app: FastAPI
    http: httpx.Client
    platform: Platform
    context: Context
    registered: Registered
    batch: Batch
    notice: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def file(self, body: bytes, *, form: str = CSV, complete: bool = False, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(
            f"/partner/v1/notices/{self.notice}/receipts", params={"complete": complete}, content=body,
            headers=self.headers | {"Content-Type": form} | named,
        )  # fmt: skip

    def fetch(self, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, f"/partner/v1/notices/{self.notice}/numbers", headers=self.headers | named)

    def opened(self, length: int, **headers: str) -> socket.socket:
        """A connection on which a receipt of `length` bytes is announced and nothing of it sent yet."""
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        raw = socket.create_connection((self.http.base_url.host, self.http.base_url.port or 80), timeout=15)
        raw.sendall(
            f"POST /partner/v1/notices/{self.notice}/receipts HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {self.token}"
            f"\r\nContent-Type: text/csv\r\nContent-Length: {length}\r\n{more}\r\n".encode()
        )
        return raw

    def nothing_left(self) -> bool:
        """No receipt on record, no file on disk."""
        with self.platform.database.transaction() as tx:
            recorded = receipts.all_of_batch(tx, self.batch.id)
        return not recorded and not list(self.context.uploads.glob("*"))


@contextmanager
def open_desk(platform: Platform, report: Callable[..., Path], tmp_path: Path, clock: Clock) -> Iterator[Desk]:
    """Serve it."""
    imported(platform, report(*(f"{n},cancelled,2026-08-20" for n in NUMBERS)), carrier="cmcc", by="li")
    app = create_app(platform, Settings(home=tmp_path / "home", mode=Mode.DEVELOPMENT), run_workers=False)
    app.state.context = replace(app.state.context, limits=LIMITS)
    with served(app) as http:
        with platform.act("li") as act:
            one = add_partner(act, NewPartner(name="music", kind=Kind.APP), https_only=False)
        batch = plan_now(platform, by="li")
        assert batch is not None
        notice = send_now(platform, batch.id)[0].id
        grant = {"grant_type": "client_credentials"}
        granted = http.post("/oauth/token", data=grant, auth=(one.partner.client_id, one.client_secret)).json()
        yield Desk(app, http, platform, app.state.context, one, batch, notice, granted["access_token"])


def csv_of(lines: list[str]) -> bytes:
    return "\n".join([HEADING, *lines, ""]).encode()


def parquet_of(lines: list[str]) -> bytes:
    columns = list(zip(*(line.split(",") for line in lines), strict=True))
    out = io.BytesIO()
    pq.write_table(pa.table(dict(zip(HEADING.split(","), map(list, columns), strict=True))), out)
    return out.getvalue()
