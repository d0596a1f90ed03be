"""Reminding partners whose answers are due, and telling the operator's webhook of those that are late."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx

from huanxin.notify.reminders import decide_due
from huanxin.store import jobs
from huanxin.store.acting import Act
from huanxin.store.jobs import Job
from huanxin.store.notify import reminders
from huanxin.work.jobs import Failed, Jobs

_EVERY = timedelta(minutes=1)
_WORDS_KEPT = 500


@dataclass(frozen=True, kw_only=True)
class Reminder(Jobs):
    """Decides every step that fell due, once a minute. `days`: working days before the last day for the answer, which is one
    of the carriers whose numbers a notice has; `escalates`: whether the operator has a webhook."""

    KIND = jobs.REMINDERS

    days: tuple[int, ...]
    escalates: bool

    def always(self, act: Act) -> Collection[str]:
        return ("",)

    def do(self, act: Act, job: Job) -> datetime:
        decide_due(act, days=self.days, zone=self.platform.zone, escalates=self.escalates)
        return act.now + _EVERY


@dataclass(frozen=True, kw_only=True)
class Escalator(Jobs):
    """Posts what the operator's webhook (`url`) is to be told, in JSON; taken when the answer is 2xx."""

    KIND = jobs.ESCALATION

    client: httpx.Client
    url: str

    def do(self, act: Act, job: Job) -> None:
        try:
            response = self.client.post(self.url, json=reminders.escalation(act.tx, int(job.key)))
            taken, answer = response.is_success, f"{response.status_code} {response.text}"
        except httpx.HTTPError as error:
            taken, answer = False, f"{type(error).__name__}: {error}"
        at = self.platform.now()
        reminders.record_escalation(act.tx, int(job.key), at=at, answer=answer[:_WORDS_KEPT], taken=taken)
        if not taken:
            raise Failed
