"""Hands the events of a stream to a program under development, as they would be pushed (RFC 8935)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import httpx
from joserfc import jws
from joserfc.errors import JoseError

from huanxin_partner.reading import read_json
from huanxin_partner.stream import PolledStream

_TAKEN = (httpx.codes.OK, httpx.codes.ACCEPTED)
_SHOWN = 200  # characters of a program's answer


@dataclass(kw_only=True)
class Forwarder:
    """Pushes each token to `url` and says one line about it. Only what the program took is acknowledged; what it answers
    with 400 is refused, and anything else comes again."""

    url: str
    client: httpx.Client
    say: Callable[[str], None]

    def __call__(self, stream: PolledStream, tokens: Mapping[str, str]) -> list[str]:
        return [jti for jti, token in tokens.items() if not self._forwarded(stream, jti, token)]

    def _forwarded(self, stream: PolledStream, jti: str, token: str) -> bool:
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        try:
            answer = self.client.post(self.url, content=token, headers=headers)
        except httpx.HTTPError as error:
            self.say(f"{jti} {_named(token)} -> not reached, it comes again: {type(error).__name__}: {error}")
            return False
        said = " ".join(answer.text.split())[:_SHOWN]
        if answer.status_code in _TAKEN:
            stream.taken(jti)
            self.say(f"{jti} {_named(token)} -> {answer.status_code} taken")
            return True
        if answer.status_code == httpx.codes.BAD_REQUEST:
            stream.refused(jti, *_why(answer))
            self.say(f"{jti} {_named(token)} -> 400 refused: {said}")
            return True
        self.say(f"{jti} {_named(token)} -> {answer.status_code}, it comes again: {said}")
        return False


def _why(answer: httpx.Response) -> tuple[str, str]:
    """The code and description of RFC 8935, section 2.4, whatever the program said."""
    try:
        said = read_json(answer.content)
    except ValueError:
        said = None
    fields = said if isinstance(said, dict) else {}
    return str(fields.get("err") or "invalid_request"), str(fields.get("description") or answer.text[:_SHOWN])


def _named(token: str) -> str:
    """The event's name and notice, unverified: for a line on the screen."""
    try:
        claims = read_json(jws.extract_compact(token.encode()).payload)
        event = claims["events"]
        ((name, payload),) = event.items()
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return "(unreadable)"
    return " ".join(filter(None, (str(name).rpartition(":")[2], payload.get("notice") if isinstance(payload, dict) else "")))
