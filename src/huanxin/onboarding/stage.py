"""The stage on which the platform plays the scenarios of a self-test: its own sandbox, with one partner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey
from pyroaring import BitMap

from huanxin.acts import Platform
from huanxin.domain.answers import Standing
from huanxin.domain.numbers import written
from huanxin.domain.partners import Partner
from huanxin.domain.rules import random_id
from huanxin.domain.streams import Method, Stream
from huanxin.notify.files import NUMBERS, files_of
from huanxin.notify.folders import Unreachable
from huanxin.notify.own_folders import FolderRules
from huanxin.notify.pushing import words
from huanxin.numbersets.numberfile import spoiled
from huanxin.numbersets.roster import Roster
from huanxin.onboarding.offering import Offering
from huanxin.onboarding.rehearsal import Rehearsed, claims_of, make_notice
from huanxin.outbound import HttpAnswer, NoAnswer, Outbound, is_success, why_not
from huanxin.signing.keys import ES256, Signer
from huanxin.signing.sealing import unseal
from huanxin.store.acting import PLATFORM, Reading
from huanxin.store.answer import receipts
from huanxin.store.connect import partners, rehearsals
from huanxin.store.connect.partners import RECEIPT_REFUSED, RECEIPT_WAITS
from huanxin.store.notify import attempts, deliveries
from huanxin.store.notify.deliveries import Met, NewDelivery
from huanxin.store.plan import batches
from huanxin_partner.rehearsal.stage import Filed, Notice, Pushed
from huanxin_partner.rehearsal.words import Words
from huanxin_partner.ties import Answer

_KEPT = 500  # characters of a partner's answer
_RSA_BITS = 2048


@dataclass(kw_only=True)
class SandboxStage:
    """A `huanxin_partner.rehearsal.stage.Stage`. `stream` is the partner's: pushed to by `outbound`, polled, or written into
    its folder; what was handed over and answered stands among the partner's deliveries. `sleep` waits for some seconds."""

    sandbox: Platform
    signer: Signer
    outbound: Outbound
    folders: FolderRules
    passphrase: str
    partner: Partner
    stream: Stream
    sleep: Callable[[float], None]
    _told: dict[str, Rehearsed] = field(default_factory=dict)
    _rosters: dict[str, Roster] = field(default_factory=dict)
    _notices: dict[str, str] = field(default_factory=dict)
    """the notice of each token, good or bad"""
    _good: dict[str, tuple[str, str]] = field(default_factory=dict)
    """`jti` and token of the event that tells of a notice"""

    @property
    def replies(self) -> bool:
        """See rehearsal.stage.Stage."""
        return self.stream.method != Method.FILES

    def notice(self, numbers: Sequence[str], *, cutoff: datetime) -> Notice:
        """See rehearsal.stage.Stage."""
        return self._made(numbers, cutoff, None)

    def retract(self, notice: str, numbers: Sequence[str]) -> Notice:
        """See rehearsal.stage.Stage."""
        of = self._told[notice]
        return self._made(numbers, of.batch.cutoff, of)

    def _made(self, numbers: Sequence[str], cutoff: datetime, of: Rehearsed | None) -> Notice:
        with self.sandbox.act(PLATFORM) as act:
            told = make_notice(act.tx, self.sandbox, self.partner, numbers, cutoff=cutoff, of=of)
            claims = self._claims(act, told)
            deliveries.add(
                act.tx,
                NewDelivery(
                    jti=claims["jti"], partner_id=self.partner.id, notice_id=told.notice, event=next(iter(claims["events"])),
                    subject=told.of or told.notice, claims=claims, kept=False,
                ),
                at=act.now,
            )  # fmt: skip
            self._rosters[told.notice] = batches.roster(act.tx, told.batch.id)
        self._told[told.notice] = told
        token = self.signer.event_token(claims, self.stream.alg)
        self._notices[token] = told.notice
        self._good[told.notice] = claims["jti"], token
        return Notice(id=told.notice, token=token)

    def _claims(self, reading: Reading, told: Rehearsed) -> dict[str, Any]:
        return claims_of(reading, told, audience=self.partner.client_id, jti=random_id("ev"))

    def sign(
        self, notice: str, *, forged: bool = False, audience: str | None = None, issued_at: datetime | None = None
    ) -> str:
        """See rehearsal.stage.Stage."""
        with self.sandbox.read() as seen:
            claims = self._claims(seen, self._told[notice])
        if audience is not None:
            claims["aud"] = audience
        if issued_at is not None:
            claims["iat"] = int(issued_at.timestamp())
        token = self.signer.event_token(claims, self.stream.alg)
        if forged:
            token = self._forged(token)
        self._notices[token] = notice
        return token

    def _forged(self, token: str) -> str:
        """The same token by somebody else's key: the header is the same, its `kid` included."""
        found = jws.extract_compact(token.encode())
        alg = self.stream.alg
        key = ECKey.generate_key("P-256", private=True) if alg == ES256 else RSAKey.generate_key(_RSA_BITS, private=True)
        return jws.serialize_compact(dict(found.headers()), found.payload, key, algorithms=[alg])

    def push(self, token: str) -> Pushed:
        """See rehearsal.stage.Stage."""
        if self.stream.method == Method.POLL:
            return Offering(sandbox=self.sandbox, partner=self.partner, sleep=self.sleep).offer(token)
        if self.stream.method == Method.FILES:
            return self._written(token)
        assert self.stream.endpoint is not None, "a stream that is pushed to has an endpoint"
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        if self.stream.sealed_authorization:
            headers["Authorization"] = unseal(self.stream.sealed_authorization, self.passphrase)
        try:
            answer = self.outbound.post(self.stream.endpoint, token, headers)
            pushed = Pushed(answer.status, answer.text[:_KEPT])
        except NoAnswer as error:
            pushed = Pushed(None, str(why_not(error))[:_KEPT])
        self._record(token, pushed)
        return pushed

    def _written(self, token: str) -> Pushed:
        """Put an event into the partner's folder as a worker does: 202 once its files are there. Its number file is cut
        short for as long as it shall be broken."""
        jti, _ = self._good[self._notices[token]]
        with self.sandbox.read() as seen:
            due = attempts.get(seen.tx, self.partner.id, jti)
            assert due is not None, "the stage made it"
            files = files_of(seen.tx, due, self.signer, token=token)
            if due.notice_id and rehearsals.is_spoiled(seen.tx, due.notice_id):
                files = [(name, spoiled(content) if name.endswith(NUMBERS) else content) for name, content in files]
        try:
            with self.folders.open(
                self.stream.endpoint or "", self.stream.sealed_authorization, client_id=self.partner.client_id
            ) as folder:
                for name, content in files:
                    folder.put(name, content)
        except Unreachable as error:
            pushed = Pushed(None, str(error))
        else:
            pushed = Pushed(HTTPStatus.ACCEPTED, f"written: {', '.join(name for name, _ in files)}")
        self._record(token, pushed)
        return pushed

    def _record(self, token: str, pushed: Pushed) -> None:
        """Note an attempt to deliver an event; a bad token is no event of the stream."""
        jti, good = self._good[self._notices[token]]
        if token != good:
            return
        taken = is_success(pushed.status)
        with self.sandbox.act(PLATFORM) as act:
            met = Met(
                jti=jti,
                endpoint=self.stream.endpoint,
                status=pushed.status,
                answer=_words(pushed),
                next_at=None,
                delivered=taken,
            )
            deliveries.record_attempts(act.tx, [met], at=act.now)

    def set_broken(self, notice: str, broken: bool) -> None:
        """See rehearsal.stage.Stage."""
        with self.sandbox.act(PLATFORM) as act:
            rehearsals.spoil(act.tx, notice, broken, at=act.now)
        if self.stream.method == Method.FILES and not broken:  # what is fetched is right from now on; a file is written
            self._written(self._good[notice][1])

    def filed(self, notice: str) -> Filed:
        """See rehearsal.stage.Stage."""
        told, roster = self._told[notice], self._rosters[notice]
        with self.sandbox.read() as seen:
            taken = receipts.all_of_batch(seen.tx, told.batch.id)
            # Before the first receipt there is nothing to fold, and a large notice is looked at often.
            found = receipts.standings(seen.tx, told.batch.id, roster.everyone, self.partner.id) if taken else {}
            events = partners.events_of_notice(seen.tx, notice)
        refused = tuple(Words(one.detail["zh"], one.detail["detail"]) for one in events if one.kind == RECEIPT_REFUSED)
        standing = found.get(self.partner.id, Standing())
        waits = tuple(str(one.detail["receipt"]) for one in events if one.kind == RECEIPT_WAITS)
        return Filed(receipts=len(taken), answers=_Answers(roster, standing), refused=refused, waits=waits)


def _words(pushed: Pushed) -> str:
    return pushed.body if pushed.status is None else words(HttpAnswer(status=pushed.status, text=pushed.body))


class _Answers(Mapping[str, Answer]):
    """A partner's answers by number, read out of the sets of places when they are asked for."""

    def __init__(self, roster: Roster, standing: Standing) -> None:
        self._roster, self._standing = roster, standing
        self._answered: BitMap = standing.answered()

    @cached_property
    def _places(self) -> dict[str, int]:
        numbers = self._roster.numbers.tolist()
        return {written(numbers[place]): place for place in self._answered}

    def __len__(self) -> int:
        return len(self._answered)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __getitem__(self, number: str) -> Answer:
        place = self._places[number]
        said = next(answer for answer, places in self._standing.answers.items() if place in places)
        until = said.until.isoformat() if said.until else ""
        return Answer(number=number, outcome=said.outcome.value, reason=said.reason, until=until)
