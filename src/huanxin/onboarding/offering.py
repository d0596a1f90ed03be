"""Handing an event to a partner that polls: put into its stream, until it is acknowledged or refused (RFC 8936)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from joserfc import jws

from huanxin.acts import Platform
from huanxin.domain.partners import Partner
from huanxin.store.acting import PLATFORM
from huanxin.store.connect import rehearsals
from huanxin.store.notify import again, attempts, deliveries
from huanxin.store.notify.deliveries import NewDelivery
from huanxin_partner.rehearsal.stage import Pushed

_LOOK = 0.1  # seconds between two looks for what the partner says
_PATIENCE = 15.0  # seconds for it to say something


@dataclass(frozen=True, kw_only=True)
class Offering:
    """`sleep` waits for some seconds."""

    sandbox: Platform
    partner: Partner
    sleep: Callable[[float], None]

    def offer(self, token: str) -> Pushed:
        """Offer an event once, by just this token: 202 if it was acknowledged, 400 with the partner's code if it was
        refused, no status if the partner didn't poll it."""
        claims = claims_in(token)
        jti: str = claims["jti"]
        with self.sandbox.act(PLATFORM) as act:
            name = next(iter(claims["events"]))
            deliveries.add(
                act.tx,
                NewDelivery(
                    jti=jti, partner_id=self.partner.id, notice_id=None, event=name, subject=jti, claims=claims, kept=False
                ),
                at=act.now,
            )
            rehearsals.serve_as(act.tx, jti, token, at=act.now)
            before = len(attempts.attempts_of(act.tx, [jti])[jti])
            again.send_again(act.tx, self.partner.id, [jti], act.now)
            deliveries.wake_workers(act.tx)
        waited = 0.0
        while waited < _PATIENCE:
            self.sleep(_LOOK)
            waited += _LOOK
            if said := self._said(jti, before):
                return said
        self._withdraw(jti)
        return Pushed(None, f"the event was not polled and answered within {_PATIENCE:g} s")

    def _said(self, jti: str, before: int) -> Pushed | None:
        with self.sandbox.read() as seen:
            made = attempts.attempts_of(seen.tx, [jti])[jti]
        if len(made) <= before:
            return None
        if made[-1].status == HTTPStatus.OK:
            return Pushed(HTTPStatus.ACCEPTED, "acknowledged")
        self._withdraw(jti)  # it would be given again
        code, _, description = made[-1].answer.partition(": ")
        return Pushed(HTTPStatus.BAD_REQUEST, json.dumps({"err": code, "description": description}))

    def _withdraw(self, jti: str) -> None:
        with self.sandbox.act(PLATFORM) as act:
            deliveries.give_up(act.tx, self.partner.id, [jti])


def claims_in(token: str) -> dict[str, Any]:
    """The claims of a token of the stage's own, without `iss`, as events stand in a stream."""
    claims: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
    return {name: value for name, value in claims.items() if name != "iss"}
