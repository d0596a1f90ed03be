"""Partners: whoever holds ties to numbers."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """What a partner keeps on a number."""

    APP = "app"
    LABELER = "labeler"
    SENDER = "sender"


class Scope(StrEnum):
    """What an access token allows. `usual`: every partner gets it who doesn't say otherwise."""

    allows: str
    usual: bool

    def __new__(cls, value: str, allows: str, usual: bool = False) -> Self:
        """One scope of an access token, with what it allows in words."""
        self = str.__new__(cls, value)
        self._value_, self.allows, self.usual = value, allows, usual
        return self

    SSF_READ = "ssf.read", "see the stream and the account", True
    SSF_MANAGE = "ssf.manage", "change the stream and the account", True
    NOTICES = "notices", "see notices and their numbers", True
    RECEIPTS = "receipts", "file receipts", True
    ANSWERS = "answers", "ask what became of numbers"
    NUMBER_RECYCLING = "number-recycling:check", "ask whether a number has another owner since a day"


DEFAULT_SCOPES = tuple(one for one in Scope if one.usual)

RENEWAL = "urn:huanxin:event:renewal"
RETRACTION = "urn:huanxin:event:retraction"
INQUIRY = "urn:huanxin:event:inquiry"
"""Is there a tie to this number? Asked only with the consent of whoever holds it; answered by bound or absent."""
IDENTIFIER_RECYCLED = "https://schemas.openid.net/secevent/risc/event-type/identifier-recycled"
"""OpenID RISC 1.0, section 2.8: the identifier now belongs to another user."""

REMINDER = "urn:huanxin:event:reminder"
"""A notice is still open and its answer-by is near or past: how many numbers have no answer."""


@dataclass(frozen=True, kw_only=True)
class Partner:
    """A registered partner. `required`: nothing is released before its answer is in."""

    id: int
    name: str
    kind: Kind
    required: bool
    client_id: str
    scopes: tuple[str, ...]
    added_at: datetime


@dataclass(frozen=True, kw_only=True)
class NewPartner:
    """A partner to be registered: pushed to at its endpoint, or polled if it has none."""

    name: str
    kind: Kind
    required: bool = True
    endpoint: str | None = None
    scopes: Sequence[str] = DEFAULT_SCOPES
    wants_recycled: bool = False
    wants_inquiry: bool = False


def plain(name: str) -> str:
    """A name as it is compared: one form of each letter, lower case, no spaces."""
    return "".join(unicodedata.normalize("NFKC", name).lower().split())
