"""What is told by SMS: codes, and that an order is done; in the language of whoever gets it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.domain.clock import Clock
from huanxin.domain.errors import Unavailable
from huanxin.domain.numbers import masked
from huanxin.operations import Platform
from huanxin.request.sms import Console, Gateway, Message, Nowhere, Webhook
from huanxin.settings import CONSOLE, Settings
from huanxin.store import requests
from huanxin.store.database import Database
from huanxin.store.requests import Request
from huanxin.web import i18n

log = logging.getLogger("huanxin.sms")
_FIRST, _LONGEST, _GIVE_UP = timedelta(minutes=1), timedelta(hours=6), timedelta(days=3)
_LOOK_BACK = timedelta(days=30)


def make_gateway(platform: Platform, settings: Settings) -> Gateway:
    """The gateway of the settings."""
    chosen = settings.gateway()
    if chosen == CONSOLE:
        return Console(database=platform.database, clock=platform.clock)
    if not chosen:
        return Nowhere()
    return Webhook(url=chosen, token=settings.sms_gateway_token, seconds=settings.sms_gateway_seconds)


def code_text(code: str, lang: str) -> str:
    """The SMS with a code."""
    _ = i18n.translations(lang).gettext
    return _("[Huanxin] Your code is %(code)s. It is good for 5 minutes. Tell it to nobody.") % {"code": code}


def disclosure_code_text(code: str, number: int, grade: Mapping[str, str], lang: str) -> str:
    """The SMS with the code by which a buyer acknowledges what he was told of a number."""
    _ = i18n.translations(lang).gettext
    words = {"code": code, "number": masked(number), "grade": grade[lang]}
    return _("[Huanxin] You were told about %(number)s: %(grade)s. If you have read it and choose this number, tell the "
             "clerk this code: %(code)s. It is good for 5 minutes.") % words  # fmt: skip


def done_text(request: Request, asked: int, needs: int, issuer: str) -> str:
    """The SMS that says that everybody who was asked has answered, and that some need the owner. Its link opens a page that
    asks who is there."""
    _ = i18n.translations(i18n.choose_language(None, request.language, None)).gettext
    values = {"number": masked(request.number), "done": asked - needs, "needs": needs, "link": f"{issuer}/renew"}
    if needs:
        return _("[Huanxin] %(number)s: %(done)s services are done, %(needs)s need you. See what to do: %(link)s") % values
    return _("[Huanxin] %(number)s: all %(done)s services that you chose are done. See it: %(link)s") % values


@dataclass(kw_only=True)
class Teller:
    """Tells owners whose last partner has answered: a job of the workers."""

    database: Database
    gateway: Gateway
    clock: Clock
    issuer: str
    _caught_up: bool = False

    def one_job(self) -> bool:
        """Tell the owner who has waited longest; False if nobody waits.

        The row is locked while the gateway is called, and the message's id stays the same, so a gateway that knows ids
        sends it once even if this process dies in between. What one that died did not note is looked for at first.
        """
        if not self._caught_up:
            now = self.clock()
            with self.database.transaction() as tx:
                requests.note_done(tx, requests.not_done(tx, now - _LOOK_BACK), now)
            self._caught_up = True
        with self.database.transaction() as tx:
            found = requests.claim_done(tx, self.clock())
            if found is None:
                return False
            request, attempts = found
            text = done_text(request, *requests.asked_and_refused(tx, request.id), self.issuer)
            told_at = next_at = None
            try:
                self.gateway.send(Message(id=f"done-{request.id}", number=request.number, text=text, kind="done"))
                told_at = self.clock()
            except Unavailable as error:
                log.warning("%s", error)
                next_at = _again(attempts, self.clock(), request.requested_at)
            requests.record_telling(tx, request.id, told_at=told_at, next_at=next_at)
        return True


def _again(attempts: int, now: datetime, since: datetime) -> datetime | None:
    """When to try again; None once it is too late to be of use."""
    wait: timedelta = min(_LONGEST, _FIRST * (1 << min(attempts, 12)))
    return now + wait if now + wait - since < _GIVE_UP or attempts < 1 else None
