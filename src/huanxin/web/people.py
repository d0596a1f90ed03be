"""What the pages of citizens need beside the platform, made once when the application starts."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from fastapi import Request

from huanxin.acts import Platform
from huanxin.domain.errors import BadSetting
from huanxin.outbound import Outbound
from huanxin.request.codes import CodeRules
from huanxin.request.handover import CarrierKeys
from huanxin.request.sms import Console, Post
from huanxin.settings import CarrierOidc, Settings
from huanxin.web.live import Live
from huanxin.web.oidc import OidcClient, Provider
from huanxin.work.telling import make_post


@dataclass(frozen=True, kw_only=True)
class CarrierProvider:
    """A carrier's OpenID provider; `setting` says which claims hold the number and that it is verified."""

    client: OidcClient
    setting: CarrierOidc


@dataclass(frozen=True, kw_only=True)
class People:
    """`secret` keys the hashes of codes, addresses and wishes; `label_days`: until a decision reaches phones; `providers`:
    where subscribers of carriers sign in, by the carrier's code."""

    platform: Platform
    post: Post
    codes: CodeRules
    secret: str = field(repr=False)
    keys: CarrierKeys
    providers: Mapping[str, CarrierProvider]
    live: Live
    label_days: timedelta

    @property
    def console(self) -> bool:
        """Whether messages are shown on a page instead of being sent."""
        return self.platform.development and isinstance(self.post.gateway, Console)

    def hash_of(self, number: int) -> bytes:
        """What stands for a number that is counted and not stored; keyed, since numbers are soon guessed from a plain
        hash (FACTS: Hagen et al.)."""
        return hmac.new(self.secret.encode(), f"wish/{number}".encode(), hashlib.sha256).digest()


def make_people(platform: Platform, settings: Settings, outbound: Outbound) -> People:
    """On an opened platform; `live` is still to be started. Raises BadSetting for a provider that can't be used."""
    providers = {code: _provider(code, one, platform, outbound) for code, one in settings.oidc.items()}
    return People(
        platform=platform, post=make_post(platform, settings), codes=CodeRules(), secret=settings.passphrase(),
        keys=CarrierKeys(places=settings.handover), providers=providers,
        live=Live(platform.database), label_days=timedelta(days=settings.label_days),
    )  # fmt: skip


def _provider(code: str, setting: CarrierOidc, platform: Platform, outbound: Outbound) -> CarrierProvider:
    if code not in platform.plan.carriers:
        raise BadSetting(f"HUANXIN_OIDC__{code.upper()}: there is no carrier {code}; HUANXIN_CARRIERS adds one")
    provider = Provider(
        issuer=setting.issuer, client_id=setting.client_id, client_secret=setting.client_secret, scope=setting.scope,
        wanted=(setting.number_claim, setting.verified_claim),
    )  # fmt: skip
    return CarrierProvider(client=OidcClient(provider=provider, outbound=outbound, clock=platform.clock), setting=setting)


def people_of(request: Request) -> People:
    found: People = request.app.state.people
    return found
