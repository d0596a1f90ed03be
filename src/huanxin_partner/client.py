"""The platform as a partner calls it: tokens, number files, receipts."""

from __future__ import annotations

import base64
import hashlib
import re
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, TypeVar
from uuid import uuid4

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from huanxin_partner.reading import read_json
from huanxin_partner.ties import Answer

_EARLY = 60  # seconds before its end at which a token is renewed
_HEADER = re.compile(r"[\x21-\x7e]+")
_LONGEST_ASKED = 120  # seconds that the platform may ask for with Retry-After
_Result = TypeVar("_Result")
_growing = wait_exponential_jitter(multiplier=0.2, max=5)


class PlatformError(Exception):
    """The platform refused; the text is its own, with the lines and reasons of a receipt."""


class Passing(Exception):
    """The platform could not be reached, or is busy: worth another try, after `wait` seconds if it said so."""

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class Platform:
    """The platform's partner API. One object for all threads of a partner."""

    def __init__(self, issuer: str, *, client_id: str, client_secret: str, client: httpx.Client | None = None,
                 attempts: int = 6) -> None:  # fmt: skip
        self.issuer, self.client_id = issuer.rstrip("/"), client_id
        self._secret = client_secret
        self._client = client or httpx.Client(timeout=60)
        self._attempts = attempts
        self._lock = threading.Lock()
        self._token, self._token_ends = "", 0.0

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[IO[str]]:
        """The number file of a notice, one `+E164` a line after the heading, once it hashed to what the notice says."""
        self._own(url)
        with tempfile.TemporaryFile() as file:
            self._tried(lambda: self._fetch(url, sha256, file))
            file.seek(0)
            with open(file.fileno(), encoding="ascii", closefd=False) as text:
                yield text

    def _fetch(self, url: str, sha256: str, file: IO[bytes]) -> None:
        file.seek(0)
        file.truncate()
        digest = hashlib.sha256()
        headers = {"Authorization": f"Bearer {self.token()}", "Accept": "text/csv"}
        with self._client.stream("GET", url, headers=headers) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                self._refused(answer)
            for block in answer.iter_bytes():
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != sha256:
            raise Passing("the number file does not hash to what the notice says")

    def call(self, method: str, url: str, content: dict[str, Any] | None = None) -> Any:
        """One JSON request with the access token, not tried again; what it is answered with. Raises PlatformError, Passing
        and httpx.TransportError."""
        self._own(url)
        headers = {"Authorization": f"Bearer {self.token()}", "Accept": "application/json"}
        return self._json(self._client.request(method, url, json=content, headers=headers))

    def published(self, *urls: str) -> Any:
        """What the platform publishes as JSON at the first of these URLs that is there; no access token is sent. Raises as
        `call` does."""
        for url in urls[:-1]:
            answer = self._client.get(url)
            if answer.status_code != httpx.codes.NOT_FOUND:
                return self._json(answer)
        return self._json(self._client.get(urls[-1]))

    def _json(self, answer: httpx.Response) -> Any:
        if not answer.is_success:
            self._refused(answer)
        try:
            return read_json(answer.content) if answer.content else {}
        except ValueError as error:
            raise PlatformError(f"{answer.url} did not answer with JSON") from error

    def _own(self, url: str) -> None:
        if not url.startswith(self.issuer + "/"):
            raise PlatformError(f"{url} is outside {self.issuer}: the access token is not sent there")

    def file_receipt(self, notice: str, answers: Iterable[Answer], *, complete: bool, key: str = "") -> dict[str, Any]:
        """File a receipt, or the last part of one; what the platform says of it. Raises PlatformError if it is refused.

        `key`: the Idempotency-Key by which the platform knows a retry of this receipt from a new one that says the same.
        Without it each call is a new receipt, which is tried again under one key.
        """
        url, body = f"{self.issuer}/partner/v1/notices/{notice}/receipts", receipt_csv(answers)
        return self._filed(url, body, {"complete": "true"} if complete else {}, key)

    def file_receipts(self, answers: Mapping[str, Answer], *, key: str = "") -> dict[str, Any]:
        """Answer notices about one number each, given by notice, in one receipt (at most 10,000): taken whole, or refused
        whole with PlatformError. What the platform says of it. `key` as in `file_receipt`."""
        return self._filed(f"{self.issuer}/partner/v1/receipts", receipts_csv(answers), {}, key)

    def _filed(self, url: str, body: bytes, params: dict[str, str], key: str) -> dict[str, Any]:
        chosen = key or uuid4().hex
        return self._tried(lambda: self._post(url, body, params, chosen))

    def _post(self, url: str, body: bytes, params: dict[str, str], key: str) -> dict[str, Any]:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {
            "Authorization": f"Bearer {self.token()}", "Content-Type": "text/csv", "Content-Digest": f"sha-256=:{digest}:",
            "Idempotency-Key": key,
        }  # fmt: skip
        answer = self._client.post(url, params=params, content=body, headers=headers)
        if answer.status_code not in (httpx.codes.OK, httpx.codes.CREATED):
            self._refused(answer)
        found = self._json(answer)
        if not isinstance(found, dict):
            raise PlatformError(f"{answer.url} did not answer with a JSON object")
        return found

    def token(self) -> str:
        """An access token that is good for a while yet."""
        with self._lock:
            if time.monotonic() > self._token_ends - _EARLY:
                grant = {"grant_type": "client_credentials"}
                answer = self._client.post(f"{self.issuer}/oauth/token", data=grant, auth=(self.client_id, self._secret))
                if answer.status_code != httpx.codes.OK:
                    self._refused(answer)
                try:
                    granted = read_json(answer.content)
                    ends = time.monotonic() + granted["expires_in"]
                    if not _HEADER.fullmatch(granted["access_token"]):
                        raise ValueError("it can't stand in a header")
                    self._token, self._token_ends = granted["access_token"], ends
                except (ValueError, KeyError, TypeError) as error:
                    raise PlatformError(f"{self.issuer}/oauth/token did not answer with an access token") from error
            return self._token

    def _tried(self, call: Callable[[], _Result]) -> _Result:
        """Call, and again with growing pauses while the platform is out of reach."""
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts), wait=waiting(_growing),
            retry=retry_if_exception_type((Passing, httpx.TransportError)), reraise=True,
        )  # fmt: skip
        return retrying(call)

    def _refused(self, answer: httpx.Response) -> None:
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token_ends = 0.0  # its key may have been replaced: the next try gets a new one
        if answer.status_code in (401, 429) or answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            asked = answer.headers.get("Retry-After", "")
            wait = min(float(asked), _LONGEST_ASKED) if asked.isdecimal() else 0
            raise Passing(f"the platform answered {answer.status_code}: {answer.text[:300]}", wait)
        raise PlatformError(f"the platform answered {answer.status_code}: {answer.text[:1000]}")


def receipt_csv(answers: Iterable[Answer]) -> bytes:
    """A receipt as a file."""
    return _csv("number,outcome,reason,until", map(_line, answers))


def receipts_csv(answers: Mapping[str, Answer]) -> bytes:
    """A receipt that answers many notices, given by notice, as a file."""
    lines = (f"{notice},{_line(answer)}" for notice, answer in answers.items())
    return _csv("notice,number,outcome,reason,until", lines)


def _line(answer: Answer) -> str:
    return f"{answer.number},{answer.outcome},{answer.reason},{answer.until}"


def _csv(heading: str, lines: Iterable[str]) -> bytes:
    return ("\n".join([heading, *lines]) + "\n").encode()


def waiting(growing: Callable[[RetryCallState], float]) -> Callable[[RetryCallState], float]:
    """Growing waits, and never less than the platform asked for."""

    def wait(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return max(growing(state), error.wait if isinstance(error, Passing) else 0)

    return wait
