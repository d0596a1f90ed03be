"""What the pages of citizens need beside the platform, made once when the application starts."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import Request

from huanxin.operations import Platform
from huanxin.request.codes import CodeRules
from huanxin.request.handover import CarrierKeys
from huanxin.request.sms import Console, Gateway
from huanxin.settings import Settings
from huanxin.web.pages.people.live import Live
from huanxin.web.telling import make_gateway


@dataclass(frozen=True, kw_only=True)
class People:
    """`secret` keys the hashes of codes, addresses and wishes; `label_days`: until a decision reaches phones."""

    platform: Platform
    gateway: Gateway
    codes: CodeRules
    secret: str = field(repr=False)
    keys: CarrierKeys
    live: Live
    label_days: timedelta

    @property
    def console(self) -> bool:
        """Whether messages are shown on a page instead of being sent."""
        return self.platform.development and isinstance(self.gateway, Console)

    def hash_of(self, number: int) -> bytes:
        """What stands for a number that is counted and not stored; keyed, since numbers are soon guessed from a plain
        hash (FACTS: Hagen et al.)."""
        return hmac.new(self.secret.encode(), f"wish/{number}".encode(), hashlib.sha256).digest()


def make_people(platform: Platform, settings: Settings) -> People:
    """On an opened platform; `live` is still to be started."""
    return People(
        platform=platform, gateway=make_gateway(platform, settings), codes=CodeRules(), secret=settings.passphrase(),
        keys=CarrierKeys(places=settings.handover),
        live=Live(platform.database), label_days=timedelta(days=settings.label_days),
    )  # fmt: skip


def people_of(request: Request) -> People:
    found: People = request.app.state.people
    return found
