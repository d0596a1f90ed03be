"""What a company that connects can order, and what an operator decides about it: each one transaction over the verbs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from huanxin.acts import Platform, open_platform
from huanxin.connect import admitting, proving, registering
from huanxin.connect.proving import Proof, text_entries
from huanxin.domain.accounts import Account, Happened, Known, last
from huanxin.domain.errors import Unauthorized
from huanxin.domain.partners import NewPartner
from huanxin.domain.rules import random_id
from huanxin.domain.streams import VERIFICATION, Method, method_of, way_of
from huanxin.notify.changing import off_board
from huanxin.notify.files import FILES_CHOSEN, use_files
from huanxin.notify.notices import queue_event
from huanxin.notify.partners import Registered, add_partner, check_endpoint
from huanxin.notify.streams import verify
from huanxin.onboarding.opening import folder_rules, open_signer
from huanxin.onboarding.rehearsal import claims_of, make_notice
from huanxin.onboarding.selftest import SelfTests
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.signing.keys import Signer
from huanxin.store.acting import Act
from huanxin.store.connect import accounts, partners, selftests
from huanxin.store.database import SANDBOX, Tx, within
from huanxin.store.notify import attempts, deliveries, streams
from huanxin.words.sentences import Sentence
from huanxin_partner.rehearsal import magic

_CHANGES = ("stream-changed", FILES_CHOSEN)
"""Kinds of events after which a partner is told in another way."""
_SELF = "self-registered"


@dataclass(frozen=True, kw_only=True)
class Welcome:
    """A new account, and how it gets into the sandbox; the secret is shown this once."""

    account: Account
    sandbox_issuer: str
    client_secret: str


@dataclass(frozen=True, kw_only=True)
class Onboarding:
    """Both platforms, what reaches out to companies' servers, and the self-tests."""

    live: Platform
    sandbox: Platform
    proof: Proof
    selftests: SelfTests

    def register(self, *, name: str, kind: str, domain: str, endpoint: str | None = None) -> Welcome:
        """Make an account with its partner in the sandbox, pushed to at `endpoint` or else polled.

        Raises BadInput for what can't be used, Conflict if the name is taken.
        """
        self._check(endpoint)
        wanted = registering.checked(name=name, kind=kind, domain=domain, development=self.live.development)
        with self.live.act(_SELF) as act:
            accounts.refuse_taken(act.tx, wanted.name, wanted.name_key)
            partners.refuse_taken(act.tx, wanted.name)
            with within(act.tx, SANDBOX):
                made = add_partner(
                    act, NewPartner(name=wanted.name, kind=wanted.kind, required=False, endpoint=endpoint),
                    https_only=not self.sandbox.development,
                )  # fmt: skip
            account = registering.register(act, wanted, sandbox_client_id=made.partner.client_id)
        return Welcome(account=account, sandbox_issuer=self.sandbox.issuer, client_secret=made.client_secret)

    def _check(self, endpoint: str | None) -> None:
        """Raise BadInput for an address inside. Where it leads is checked again at each push."""
        if endpoint is not None:
            check_endpoint(endpoint, https_only=not self.live.development)
            self.proof.outbound.check(endpoint)

    def of_client(self, sandbox_client_id: str) -> Account:
        """The account of a partner in the sandbox. Raises Unauthorized if it has none."""
        with self.live.read() as seen:
            found = accounts.by_sandbox_client(seen.tx, sandbox_client_id)
        if found is None:
            raise Unauthorized(
                Sentence("the access token is not of an account; register one with POST /partner/v1/accounts")
            )
        return found

    def twins(self, *, sandbox: str = "", live: str = "") -> dict[str, str]:
        """The client_id in each environment of the account that one of them belongs to; empty for a partner without one."""
        with self.live.read() as seen:
            return accounts.twin_clients(seen.tx, sandbox or live)

    def named(self, name: str) -> Account:
        """An account by its name or id. Raises NotFound."""
        with self.live.read() as seen:
            return registering.named(seen.tx, name)

    def known(self, account: Account) -> Known:
        """The facts that an account's checklist follows from."""
        with self.live.read() as seen:
            return known(seen.tx, account)

    def everyone(self) -> list[Known]:
        """The facts of every account, in the order in which they registered."""
        with self.live.read() as seen:
            return [known(seen.tx, account) for account in accounts.all_accounts(seen.tx)]

    def prove_domain(self, account: Account) -> str:
        """Look for the challenge at the account's domain; `file` or `dns`. Raises Conflict with what was found instead."""
        way = proving.look(account, self.proof)
        with self.live.act(account.sandbox_client_id) as act:
            proving.record_proof(act, account, way=way)
        return way

    def admit(self, account: Account, *, required: bool, by: str) -> None:
        """An operator lets an account go live. Raises Conflict if something is missing."""
        with self.live.act(by) as act:
            accounts.one_at_a_time(act.tx, account.id)
            admitting.admit(act, known(act.tx, account), required=required)

    def withdraw(self, account: Account, *, reason: str, by: str) -> None:
        """An operator takes an admission back: what is on its way to the live partner is given up, it is told nothing more
        and not let in. What it has to answer stays open until it is waived. Raises Conflict if it was not admitted."""
        with self.live.act(by) as act:
            accounts.one_at_a_time(act.tx, account.id)
            found = known(act.tx, account)
            admitting.withdraw(act, found, reason=reason)
            if live := found.last(Happened.LIVE):
                _shut_out(act, str(live.detail["client_id"]), reason=reason)

    def free_name(self, account: Account, *, reason: str, by: str) -> None:
        """An operator closes an account that is not admitted, so that another can have its name. Raises Conflict if it
        is."""
        with self.live.act(by) as act:
            accounts.one_at_a_time(act.tx, account.id)
            admitting.free_name(act, known(act.tx, account), reason=reason)
            with within(act.tx, SANDBOX):
                _shut_out(act, account.sandbox_client_id, reason=reason)

    def go_live(self, account: Account, *, endpoint: str | None = None) -> Registered:
        """Make the account's live partner, pushed to at `endpoint` or else polled, and send it a verification event.

        Raises Conflict if something is missing or it is live already, BadInput for an endpoint that can't be used.
        """
        self._check(endpoint)
        with self.live.act(account.sandbox_client_id) as act:
            accounts.one_at_a_time(act.tx, account.id)
            required = admitting.may_go_live(known(act.tx, account), act.now)
            made = add_partner(
                act, NewPartner(name=account.name, kind=account.kind, required=required, endpoint=endpoint),
                https_only=not self.live.development,
            )  # fmt: skip
            admitting.record_live(act, account, client_id=made.partner.client_id, required=required)
            stream = streams.of_partner(act.tx, made.partner.id)
            assert stream is not None
            verify(act, made.partner, stream.id, state=None)
        return made

    def use_files(self, account: Account, *, out: str, into: str, by: str) -> None:
        """Exchange files with the account's partner in the sandbox from now on. Raises as `notify.files.use_files`."""
        with self.sandbox.act(by) as act:
            partner = partners.by_client_id(act.tx, account.sandbox_client_id)
            assert partner is not None
            use_files(act, partner.id, out=out, into=into)

    def send_notice(self, account: Account) -> str:
        """Send a rehearsal notice of the magic numbers to the account's partner in the sandbox now; the notice's id."""
        with self.sandbox.act(account.sandbox_client_id) as act:
            partner = partners.by_client_id(act.tx, account.sandbox_client_id)
            assert partner is not None
            told = make_notice(act.tx, self.sandbox, partner, list(magic.EXPECTED), cutoff=magic.CUTOFF)
            jti = random_id("ev")
            claims: dict[str, Any] = claims_of(act, told, audience=partner.client_id, jti=jti)
            queue_event(act.tx, partner.id, jti=jti, notice_id=told.notice, subject=told.notice, claims=claims, at=act.now)
            deliveries.wake_workers(act.tx)
        return told.notice


def _shut_out(act: Act, client_id: str, *, reason: str) -> None:
    partner = partners.by_client_id(act.tx, client_id)
    if partner is not None:  # else it was off-boarded before
        off_board(act, partner, reason=reason)


def known(tx: Tx, account: Account) -> Known:
    """The facts that an account's checklist follows from, of both schemas, as of this transaction."""
    with within(tx, SANDBOX):
        rehearsing = _way(tx, account.sandbox_client_id)
    events = accounts.events_of(tx, account.id)
    live = last(events, Happened.LIVE)
    told = _way(tx, str(live.detail["client_id"])) if live else None
    return Known(
        account=account, events=events, selftests=selftests.of_account(tx, account.id),
        sandbox_endpoint=rehearsing.endpoint if rehearsing else None,
        endpoint_since=rehearsing.since if rehearsing else None, live_endpoint=told.endpoint if told else None,
        live_verified_at=_verified(told, attempts.last_taken(tx, told.partner_id, VERIFICATION)) if told else None,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Way:
    """How a partner is told of events, and since when its stream is as it is."""

    partner_id: int
    endpoint: str
    since: datetime


def _verified(way: _Way, taken: tuple[datetime, datetime] | None) -> datetime | None:
    """When the present way took a verification event that was made for it; into a folder, one that was written since it was
    chosen: that is the operator's to do, after the event was made."""
    if taken is None:
        return None
    made, delivered = taken
    return delivered if (delivered if method_of(way.endpoint) is Method.FILES else made) >= way.since else None


def _way(tx: Tx, client_id: str) -> _Way | None:
    partner = partners.by_client_id(tx, client_id)
    stream = streams.of_partner(tx, partner.id) if partner else None
    if stream is None:
        return None
    changed = [partners.events_of(tx, stream.partner_id, kind=kind, limit=1) for kind in _CHANGES]
    since = max([stream.created_at, *(event.at for events in changed for event in events)])
    return _Way(partner_id=stream.partner_id, endpoint=way_of(stream), since=since)


def make_onboarding(live: Platform, sandbox: Platform, signer: Signer, settings: Settings) -> Onboarding:
    """Onboarding on opened platforms; `signer` is the sandbox's."""
    outbound = Outbound(inner_allowed=live.development)
    return Onboarding(
        live=live, sandbox=sandbox, proof=Proof(outbound=outbound, look_up=text_entries(), development=live.development),
        selftests=SelfTests(
            live=live, sandbox=sandbox, signer=signer, outbound=outbound, folders=folder_rules(settings, outbound),
            passphrase=settings.passphrase(),
        ),
    )  # fmt: skip


@contextmanager
def open_onboarding(settings: Settings) -> Iterator[Onboarding]:
    """Both platforms on the settings' database, and what onboarding needs of them."""
    with open_platform(settings) as live, open_platform(settings, sandbox=True) as sandbox:
        yield make_onboarding(live, sandbox, open_signer(sandbox, settings), settings)
