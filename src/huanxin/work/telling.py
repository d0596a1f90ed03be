"""What is told by SMS: codes, and that an order is done; in the language of whoever gets it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from huanxin.acts import Platform
from huanxin.domain.answers import Outcome
from huanxin.domain.errors import Unavailable
from huanxin.domain.numbers import masked
from huanxin.domain.retries import Retries
from huanxin.request.ending import waits_until
from huanxin.request.holding import belongs
from huanxin.request.sms import Console, Gateway, Message, Moved, Nowhere, Post, Webhook
from huanxin.settings import CONSOLE, Settings
from huanxin.store import jobs
from huanxin.store.acting import PLATFORM, Act
from huanxin.store.jobs import Job
from huanxin.store.request import requests
from huanxin.store.request.requests import Request, RequestNotice
from huanxin.words import i18n
from huanxin.work.jobs import Failed, Jobs, Later

log = logging.getLogger("huanxin.sms")
RETRIES = Retries(first=timedelta(minutes=1), longest=timedelta(hours=6), days=4)
"""Of a gateway that takes nothing. Days on which it was tried: a clock that ran on must not lose the news."""
_NOBODY = timedelta(days=200)
"""For so long the news waits for an owner whose number nobody holds: who takes it back from its freeze is told."""


def make_post(platform: Platform, settings: Settings) -> Post:
    """The way to numbers by the gateway of the settings."""
    return Post(read=platform.read, gateway=_gateway(platform, settings))


def _gateway(platform: Platform, settings: Settings) -> Gateway:
    chosen = settings.gateway()
    if chosen == CONSOLE:
        return Console(order=platform.act)
    if not chosen:
        return Nowhere()
    return Webhook(url=chosen, token=settings.sms_gateway_token, seconds=settings.sms_gateway_seconds)


def code_text(code: str, lang: str) -> str:
    """The SMS with a code."""
    _ = i18n.translations(lang).gettext
    return _("[Huanxin] Your code is %(code)s. It is good for 5 minutes. Tell it to nobody.") % {"code": code}


def disclosure_code_text(code: str, number: int, grade: Mapping[str, str], lang: str) -> str:
    """The SMS with the code by which a buyer acknowledges what they were told of a number."""
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


def taken_back_text(request: Request, issuer: str) -> str:
    """The SMS that says that an order went by a wrong day and was taken back."""
    _ = i18n.translations(i18n.choose_language(None, request.language, None)).gettext
    values = {"number": masked(request.number), "link": f"{issuer}/renew"}
    return _("[Huanxin] The carrier has corrected the day on which %(number)s became yours. Your order went by the wrong "
             "day, so services may have cut ties of your own; they were told to give them back. See what to do: "
             "%(link)s") % values  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Teller(Jobs):
    """Tells owners whose order is done, for each partner in one way or another.

    The job is this worker's while the gateway is called, and the message's id stays the same, so a gateway that knows ids
    sends it once even if this process dies in between.
    """

    KIND = jobs.NEWS

    post: Post
    retries: Retries = RETRIES
    _caught_up: threading.Event = field(default_factory=threading.Event)

    def one_job(self) -> bool:
        """Look after the order that has been due longest. What a process that died did not note is looked for at first."""
        if not self._caught_up.is_set():
            with self.platform.act(PLATFORM) as act:
                requests.note_done(act.tx, requests.not_done(act.tx), act.now)
            self._caught_up.set()
        return super().one_job()

    def do(self, act: Act, job: Job) -> datetime | None:
        """Look after an order: tell its owner, or see when it has ended."""
        request, done_at = requests.news(act.tx, job.key)
        if request.retracts:
            self._send(act, request, taken_back_text(request, act.issuer), kind="taken-back", since=request.requested_at)
            return None
        if requests.taken_back(act.tx, request.id):
            return None  # its owner was told so
        told = [one for one in requests.notices_of(act.tx, request.id) if not one.called_off_at]
        until = max(filter(None, (self._until(request, one) for one in told)), default=act.now)
        if done_at is None and act.now < until:
            return until
        self._tell(act, request, told, done_at or act.now)
        return None

    def _until(self, request: Request, notice: RequestNotice) -> datetime | None:
        zone = self.platform.plan.carriers[request.carrier].zone
        return waits_until(notice, zone=zone, days=self.platform.rules.answer_days)

    def _tell(self, act: Act, request: Request, told: Sequence[RequestNotice], done_at: datetime) -> None:
        done = sum(one.outcome is not None and one.outcome not in (Outcome.REFUSED, Outcome.PENDING) for one in told)
        requests.note_news(act.tx, request.id, done_at=done_at, told_at=None)
        if told:  # an owner who called everything off knows
            self._send(act, request, done_text(request, len(told), len(told) - done, act.issuer), kind="done", since=done_at)

    def _send(self, act: Act, request: Request, text: str, *, kind: str, since: datetime) -> None:
        message = Message(id=f"{kind}-{request.id}", number=request.number, text=text, kind=kind)
        try:
            self.post.send(message, meant_for=lambda where: belongs(request, where, plan=act.plan))
        except Moved as error:
            if not error.for_good and act.now - since <= _NOBODY:
                raise Later(act.now + timedelta(days=1)) from error
        except Unavailable as error:
            log.warning("%s", error)
            raise Failed from error
        else:
            requests.note_news(act.tx, request.id, done_at=since, told_at=act.now)
