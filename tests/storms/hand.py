"""The partner that is played by hand: it files receipts over HTTP, through a proxy that may cut an answer off, and notes
which were acknowledged."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import httpx

UNREACHED = (httpx.HTTPError, KeyError, ValueError)
"""What goes wrong with a call while whatever answers it dies."""
_PAUSE = 0.1  # seconds between receipts of a busy partner


@dataclass(kw_only=True)
class Hand:
    """Calls `url` as a partner with these credentials. `receipts`: what was acknowledged, by its id: notice and content."""

    url: str
    client_id: str
    secret: str
    receipts: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    standing: tuple[str, Sequence[int]] | None = None
    """a notice, and numbers of it that were refused and are refused again and again"""
    _token: str = ""
    _http: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=20, limits=httpx.Limits(max_keepalive_connections=0))
    )

    def file(self, notice: str, lines: Sequence[str], *, key: str, complete: bool = False) -> str | None:
        """The id of the receipt, once it is acknowledged. Raises what UNREACHED says."""
        content = "\n".join(["number,outcome,reason,until", *lines, ""]).encode()
        answer = self._call(
            "POST", f"/partner/v1/notices/{notice}/receipts?complete={str(complete).lower()}", content=content,
            headers={"Content-Type": "text/csv", "Idempotency-Key": key},
        )  # fmt: skip
        if answer.status_code not in (200, 201):
            return None
        receipt = str(answer.json()["receipt"])
        self.receipts[receipt] = (notice, content)
        return receipt

    def notice_of(self, number: int, batch: int) -> str | None:
        """The notice of a batch that names a number, if it is there yet. Raises what UNREACHED says."""
        for one in self._call("GET", "/partner/v1/notices").json()["notices"]:
            path = f"/partner/v1/notices/{one['notice']}/numbers"
            if one.get("batch", batch) == batch and f"+{number}" in self._call("GET", path, {"Accept": "text/csv"}).text:
                return str(one["notice"])
        return None

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Receipts all the time, so that whatever dies does so close to an acknowledgement."""
        ended = threading.Event()
        thread = threading.Thread(target=self._refuse_again, args=(ended,), name="busy", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(30)

    def _refuse_again(self, ended: threading.Event) -> None:
        for turn in itertools.count():
            while not ended.wait(_PAUSE):
                notice, numbers = self.standing or ("", ())
                lines = [f"+{number},refused,{('debt', 'balance')[turn % 2]}," for number in numbers]
                with suppress(*UNREACHED):
                    if notice and self.file(notice, lines, key=f"again-{turn}"):
                        break
            if ended.is_set():
                return

    def _call(
        self, method: str, path: str, headers: dict[str, str] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        if not self._token:
            pair = (self.client_id, self.secret)
            answer = self._http.post(f"{self.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=pair)
            self._token = answer.json()["access_token"]
        known = {"Authorization": f"Bearer {self._token}"} | (headers or {})
        answer = self._http.request(method, self.url + path, headers=known, content=content)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = ""
        return answer
