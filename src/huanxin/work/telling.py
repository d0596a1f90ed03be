"""What is told by SMS: codes, and that an order is done; in the language of whoever gets it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from huanxin.acts import Platform
from huanxin.domain.answers import Outcome
from huanxin.domain.errors import Unavailable
from huanxin.domain.numbers import masked
from huanxin.request.ending import waits_until
from huanxin.request.holding import belongs
from huanxin.request.sms import Console, Gateway, Message, Moved, Nowhere, Post, Webhook
from huanxin.settings import CONSOLE, Settings
from huanxin.store.database import Tx
from huanxin.store.request import requests
from huanxin.store.request.requests import News, Request, RequestNotice
from huanxin.words import i18n

log = logging.getLogger("huanxin.sms")
_FIRST, _LONGEST, _TRIES = timedelta(minutes=1), timedelta(hours=6), 20  # three days of a gateway that takes nothing
_NOBODY = timedelta(days=200)
"""For so long the news waits for an owner whose number nobody holds: who takes it back from its freeze is told."""


def make_post(platform: Platform, settings: Settings) -> Post:
    """The way to numbers by the gateway of the settings."""
    return Post(database=platform.database, gateway=_gateway(platform, settings))


def _gateway(platform: Platform, settings: Settings) -> Gateway:
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
    return _("[Huanxin] You were told about %(number)s: %(grade)s. If you have read it and choose this number, type this "
             "code yourself: %(code)s. It is good for 5 minutes. Tell it to nobody.") % words  # fmt: skip


def done_text(request: Request, asked: int, needs: int, issuer: str) -> str:
    """The SMS that says how an order stands once nobody's answer is waited for: how many need the owner, also since they
    refused or did not answer. Its link opens a page that asks who is there."""
    _ = i18n.translations(i18n.choose_language(None, request.language, None)).gettext
    values = {"number": masked(request.number), "done": asked - needs, "needs": needs, "link": f"{issuer}/renew"}
    if needs:
        return _("[Huanxin] %(number)s: %(done)s services are done, %(needs)s need you. See what to do: %(link)s") % values
    return _("[Huanxin] %(number)s: all %(done)s services that you chose are done. See it: %(link)s") % values


@dataclass(kw_only=True)
class Teller:
    """Tells owners whose order is done, for each partner in one way or another: a job of the workers."""

    platform: Platform
    post: Post
    _caught_up: bool = False

    def one_job(self) -> bool:
        """Look after the order that has waited longest; False if none waits.

        The row is locked while the gateway is called, and the message's id stays the same, so a gateway that knows ids
        sends it once even if this process dies in between. What one that died did not note is looked for at first.
        """
        database, now = self.platform.database, self.platform.now()
        if not self._caught_up:
            with database.transaction() as tx:
                requests.note_done(tx, requests.not_done(tx), now)
            self._caught_up = True
        with database.transaction() as tx:
            news = requests.claim_news(tx, now)
            if news is None:
                return False
            told = [one for one in requests.notices_of(tx, news.request.id) if not one.called_off_at]
            until = max(filter(None, (self._until(news.request, one) for one in told)), default=now)
            if news.done_at is None and now < until:
                requests.note_news(tx, news.request.id, done_at=None, next_at=until)
            else:
                self._tell(tx, news, told, now)
        return True

    def _until(self, request: Request, notice: RequestNotice) -> datetime | None:
        zone = self.platform.plan.carriers[request.carrier].zone
        return waits_until(notice, zone=zone, days=self.platform.rules.answer_days)

    def _tell(self, tx: Tx, news: News, told: Sequence[RequestNotice], now: datetime) -> None:
        request, done_at = news.request, news.done_at or now
        done = sum(one.outcome is not None and one.outcome not in (Outcome.REFUSED, Outcome.PENDING) for one in told)
        text = done_text(request, len(told), len(told) - done, self.platform.issuer)
        message = Message(id=f"done-{request.id}", number=request.number, text=text, kind="done")
        told_at = next_at = None
        tried = bool(told)  # an owner who called everything off knows
        try:
            if tried:
                self.post.send(message, meant_for=lambda where: belongs(request, where, plan=self.platform.plan))
                told_at = now
        except Moved as error:
            tried = False
            next_at = None if error.for_good or now - done_at > _NOBODY else now + timedelta(days=1)
        except Unavailable as error:
            log.warning("%s", error)
            next_at = _again(news.attempts, now)
        requests.note_news(tx, request.id, done_at=done_at, next_at=next_at, told_at=told_at, tried=tried)


def _again(attempts: int, now: datetime) -> datetime | None:
    """When to try again what was tried so often before; None once it is to be given up. Tries are counted, not days: a
    clock that ran on while nobody tried must not lose the news."""
    return now + min(_LONGEST, _FIRST * (1 << min(attempts, 12))) if attempts + 1 < _TRIES else None
