"""What stands for the world around the platform: a signer, endpoints, phones; and the one database of all histories."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psycopg

from huanxin.outbound import HttpAnswer, NoAnswer
from huanxin.request.sms import Message

KEPT = ("migration", "clock", "operator", "operator_event", "signing_key", "allocation", "allocation_range")
"""Tables that one history leaves to the next: the people who work here, and what is allotted."""


class Unsigned:
    """Stands for the signer: what is signed and how has tests of its own, and takes as long as a whole step here."""

    rehearsal = False
    issuer = "http://127.0.0.1:1"

    def verified(self, token: str, _kind: str) -> dict[str, Any]:
        """Access tokens are what they say."""
        found: dict[str, Any] = json.loads(token)
        return found

    def event_token(self, claims: dict[str, Any], _alg: str) -> str:
        return json.dumps(claims)

    def event_claims(self, claims: dict[str, Any]) -> dict[str, Any]:
        return claims

    def signed(self, _kind: str, claims: dict[str, Any]) -> str:
        return json.dumps(claims)


class Ids:
    """The same identifiers in each history, so that one that is played again runs as it did: what is sorted by them too."""

    def __init__(self) -> None:
        self.again()

    def again(self) -> None:
        self._random = Random(0)

    def token_urlsafe(self, size: int) -> str:
        return urlsafe_b64encode(self._random.randbytes(size)).decode()


@dataclass
class Endpoint:
    """The partners that are pushed to. `down`: how a push ends instead of being taken; 0: nobody is there."""

    down: int | None = None
    log: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    """the status and the claims of each attempt"""

    def post(self, _url: str, token: str, _headers: dict[str, str], _longest: float | None = None) -> HttpAnswer:
        status = 202 if self.down is None else self.down
        self.log.append((status, json.loads(token)))
        if not status:
            raise NoAnswer("nobody there")
        return HttpAnswer(status=status, text="")


@dataclass
class Phone:
    """The SMS gateway."""

    sent: list[Message] = field(default_factory=list)

    def send(self, message: Message) -> None:
        self.sent.append(message)


@dataclass
class Emptied:
    """One database for many histories."""

    dsn: str
    used: int = 0

    def __post_init__(self) -> None:
        self._connection = psycopg.connect(self.dsn, autocommit=True)
        self._connection.execute("SET session_replication_role = replica")  # facts are never deleted, but here
        rows = self._connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        self._tables = sorted(name for (name,) in rows if name not in KEPT)

    def empty(self) -> None:
        """Cheaper than a database or a schema for each history by a factor of a hundred."""
        self.used += 1
        if self.used % 200:
            self._connection.execute("; ".join(f"DELETE FROM {name}" for name in self._tables))
        else:
            self._connection.execute(f"TRUNCATE {', '.join(self._tables)} CASCADE")

    def close(self) -> None:
        self._connection.close()
