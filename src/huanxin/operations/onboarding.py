"""What a company that connects can order, and what an operator decides about it: each one transaction over the verbs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from huanxin.connect import admitting, proving, registering
from huanxin.connect.proving import Proof, text_entries
from huanxin.domain.accounts import Account, Happened, Known
from huanxin.domain.errors import Conflict, Unauthorized
from huanxin.domain.partners import Partner
from huanxin.domain.rules import random_id
from huanxin.domain.streams import VERIFICATION, Method, Stream
from huanxin.notify.keys import Signer
from huanxin.notify.notices import queue_event
from huanxin.notify.partners import Registered, add_partner
from huanxin.operations import Platform, open_platform, open_signer
from huanxin.operations.rehearsal import claims_of, make_notice
from huanxin.operations.selftest import SelfTests
from huanxin.outbound import Outbound
from huanxin.settings import Settings
from huanxin.store import accounts, deliveries, partners, selftests, streams
from huanxin.store.database import SANDBOX, Tx, within
from huanxin_partner.rehearsal import magic

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
        wanted = registering.checked(name=name, kind=kind, domain=domain, development=self.live.development)
        now = self.live.now()
        with self.live.database.transaction() as tx:
            registering.refuse_taken(tx, wanted)
            if partners.by_name(tx, wanted.name):
                raise Conflict(f"a partner named {wanted.name} is there already; choose another name")
            with within(tx, SANDBOX):
                made = add_partner(
                    tx, name=wanted.name, kind=wanted.kind, required=False, endpoint=endpoint,
                    https_only=not self.sandbox.development, now=now, by=_SELF,
                )  # fmt: skip
            account = registering.register(tx, wanted, sandbox_client_id=made.partner.client_id, by=_SELF, now=now)
        return Welcome(account=account, sandbox_issuer=self.sandbox.issuer, client_secret=made.client_secret)

    def of_client(self, sandbox_client_id: str) -> Account:
        """The account of a partner in the sandbox. Raises Unauthorized if it has none."""
        with self.live.database.transaction() as tx:
            found = accounts.by_sandbox_client(tx, sandbox_client_id)
        if found is None:
            raise Unauthorized("the access token is not of an account; register one with POST /partner/v1/accounts")
        return found

    def named(self, name: str) -> Account:
        """An account by its name or id. Raises NotFound."""
        with self.live.database.transaction() as tx:
            return registering.named(tx, name)

    def known(self, account: Account) -> Known:
        """The facts that an account's checklist follows from."""
        with self.live.database.transaction() as tx:
            return known(tx, account)

    def everyone(self) -> list[Known]:
        """The facts of every account, in the order in which they registered."""
        with self.live.database.transaction() as tx:
            return [known(tx, account) for account in accounts.all_accounts(tx)]

    def prove_domain(self, account: Account) -> str:
        """Look for the challenge at the account's domain; `file` or `dns`. Raises Conflict with what was found instead."""
        way = proving.look(account, self.proof)
        with self.live.database.transaction() as tx:
            proving.record_proof(tx, account, way=way, by=account.sandbox_client_id, now=self.live.now())
        return way

    def admit(self, account: Account, *, required: bool, by: str) -> None:
        """An operator lets an account go live. Raises Conflict if something is missing."""
        with self.live.database.transaction() as tx:
            accounts.one_at_a_time(tx, account.id)
            admitting.admit(tx, known(tx, account), required=required, by=by, now=self.live.now())

    def go_live(self, account: Account, *, endpoint: str | None = None) -> Registered:
        """Make the account's live partner, pushed to at `endpoint` (which is sent a verification event) or else polled.

        Raises Conflict if something is missing or it is live already, BadInput for an endpoint that can't be used.
        """
        now, by = self.live.now(), account.sandbox_client_id
        with self.live.database.transaction() as tx:
            accounts.one_at_a_time(tx, account.id)
            required = admitting.may_go_live(known(tx, account), now)
            made = add_partner(
                tx, name=account.name, kind=account.kind, required=required, endpoint=endpoint,
                https_only=not self.live.development, now=now, by=by,
            )  # fmt: skip
            admitting.record_live(tx, account, client_id=made.partner.client_id, required=required, by=by, now=now)
            if endpoint is not None:
                self._ask_for_verification(tx, made.partner)
        return made

    def _ask_for_verification(self, tx: Tx, partner: Partner) -> None:
        """OpenID SSF 1.0, section 8.1.4: the platform may send a verification event by itself, without `state`."""
        stream, now = streams.of_partner(tx, partner.id), self.live.now()
        assert stream is not None
        jti = random_id("ev")
        claims = {
            "aud": partner.client_id, "iat": int(now.timestamp()), "jti": jti, "txn": jti,
            "sub_id": {"format": "opaque", "id": stream.id}, "events": {VERIFICATION: {}},
        }  # fmt: skip
        deliveries.add(
            tx, jti=jti, partner_id=partner.id, notice_id=None, event=VERIFICATION, subject=stream.id, claims=claims, at=now,
            always=True,
        )  # fmt: skip
        deliveries.wake_workers(tx)

    def send_notice(self, account: Account) -> str:
        """Send a rehearsal notice of the magic numbers to the account's partner in the sandbox now; the notice's id."""
        now = self.sandbox.now()
        with self.sandbox.database.transaction() as tx:
            partner = partners.by_client_id(tx, account.sandbox_client_id)
            assert partner is not None
            told = make_notice(tx, self.sandbox, partner, list(magic.EXPECTED), cutoff=magic.CUTOFF)
            jti = random_id("ev")
            claims: dict[str, Any] = claims_of(
                told, issuer=self.sandbox.issuer, audience=partner.client_id, jti=jti, now=now
            )
            queue_event(tx, partner.id, jti=jti, notice_id=told.notice, subject=told.notice, claims=claims, at=now)
            deliveries.wake_workers(tx)
        return told.notice


def known(tx: Tx, account: Account) -> Known:
    """The facts that an account's checklist follows from, of both schemas, as of this transaction."""
    with within(tx, SANDBOX):
        rehearsing = _stream(tx, account.sandbox_client_id)
    events = accounts.events_of(tx, account.id)
    live = next((event for event in events if event.kind == Happened.LIVE), None)
    told = _stream(tx, str(live.detail["client_id"])) if live else None
    verified = deliveries.last_taken(tx, told.partner_id, VERIFICATION) if told else None
    return Known(
        account=account, events=events, sandbox_endpoint=_pushed_to(rehearsing),
        endpoint_since=rehearsing.created_at if rehearsing else None,
        selftests=selftests.of_account(tx, account.id), live_endpoint=_pushed_to(told),
        live_verified_at=verified[1] if told and verified and verified[0] >= told.created_at else None,
    )  # fmt: skip


def _stream(tx: Tx, client_id: str) -> Stream | None:
    partner = partners.by_client_id(tx, client_id)
    return streams.of_partner(tx, partner.id) if partner else None


def _pushed_to(stream: Stream | None) -> str | None:
    return stream.endpoint if stream is not None and stream.method == Method.PUSH else None


def make_onboarding(live: Platform, sandbox: Platform, signer: Signer, settings: Settings) -> Onboarding:
    """Onboarding on opened platforms; `signer` is the sandbox's."""
    outbound = Outbound(inner_allowed=live.development)
    return Onboarding(
        live=live, sandbox=sandbox, proof=Proof(outbound=outbound, look_up=text_entries(), development=live.development),
        selftests=SelfTests(
            live=live, sandbox=sandbox, signer=signer, outbound=outbound, passphrase=settings.passphrase()
        ),
    )  # fmt: skip


@contextmanager
def open_onboarding(settings: Settings) -> Iterator[Onboarding]:
    """Both platforms on the settings' database, and what onboarding needs of them."""
    with open_platform(settings) as live, open_platform(settings, sandbox=True) as sandbox:
        yield make_onboarding(live, sandbox, open_signer(sandbox, settings), settings)
