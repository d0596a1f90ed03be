"""The real platform as one history uses it, on a real database that is emptied between histories."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from clocks import Clock
from exchanging import rules_of
from huanxin.acts import Platform
from huanxin.acts.batches import decide as decide_on
from huanxin.acts.desk import acknowledge as acknowledge_all
from huanxin.acts.requests import answer_requests, order_request
from huanxin.acts.requests import call_off as call_off_at
from huanxin.answer.receiving import Rosters
from huanxin.answer.single import Answered
from huanxin.answer.single import AnswerLine as AnswerLine
from huanxin.disclose.acknowledging import Acknowledged, Acknowledgement, Method
from huanxin.disclose.certificate import Reason, revoke
from huanxin.domain import rules
from huanxin.domain.errors import HuanxinError
from huanxin.domain.numbers import Carrier, NumberingPlan, written
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.domain.rules import Rules
from huanxin.domain.streams import Status
from huanxin.notify.calls import Calls
from huanxin.notify.files import FileWriter, use_files
from huanxin.notify.partners import add_partner
from huanxin.notify.polling import Poller
from huanxin.notify.pushing import Pusher
from huanxin.notify.streams import set_status
from huanxin.numbersets.sharded import NumberSet
from huanxin.outbound import Outbound
from huanxin.plan.batches import call_off
from huanxin.release.holds import add_hold, lift_hold
from huanxin.release.proposals import Outcome
from huanxin.release.waiving import waive, withdraw_waiver
from huanxin.report.baseline import import_baseline
from huanxin.request.ordering import Ordered, Purpose, Wish
from huanxin.request.sms import Post
from huanxin.signing.keys import Signer
from huanxin.store import facts
from huanxin.store.answer import receipts
from huanxin.store.connect import partners
from huanxin.store.database import Database, Tx
from huanxin.store.notify import again, notices
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch
from huanxin.store.request import requests
from huanxin.work.inboxes import InboxReader
from huanxin.work.reminding import Reminder
from huanxin.work.telling import Teller
from operators import operator
from oracle.days import ALLOTTED, RANGES, ZONES
from oracle.door import Door
from oracle.histories import Line, Said
from oracle.standins import Emptied, Endpoint, Ids, Phone, Unsigned
from oracle.world import Part
from ordering import acting, disclosure_withdrawn, imported, release_proposed, retracted, waiver_proposed

PLAN = NumberingPlan(
    carriers={code: Carrier(code=code, name=code, zone=ZONES[code], prefixes=(prefix,)) for code, prefix in RANGES.items()}
)


class Refusal(HuanxinError):
    """What the platform refuses over HTTP."""


@dataclass(frozen=True)
class Taken:
    """A receipt that came over HTTP."""

    receipt: str
    new: bool
    outstanding: int


@dataclass
class Stage:
    """What all histories of a run share: the database, the clock, the people, the workers."""

    platform: Platform
    clock: Clock
    folder: Path
    emptied: Emptied
    people: dict[str, Operator]
    ids: Ids
    endpoint: Endpoint = field(default_factory=Endpoint)
    phone: Phone = field(default_factory=Phone)

    def __post_init__(self) -> None:
        self.signer = cast(Signer, Unsigned())
        self.pusher = Pusher(
            database=self.platform.database, signer=self.signer, outbound=cast(Outbound, self.endpoint), clock=self.clock,
            plan=PLAN, passphrase="", chance=lambda: 0.0, calls=Calls(soon=20.0),
        )  # fmt: skip
        self.poller = Poller(database=self.platform.database, signer=self.signer, clock=self.clock, plan=PLAN)
        folders = rules_of(self.platform)
        self.reader = InboxReader(
            platform=self.platform, rosters=Rosters(self.platform.read), signer=self.signer, folders=folders,
            every=timedelta(seconds=10), limit=1 << 20, fetched=self.folder / "fetched", chance=lambda: 0.0,
        )  # fmt: skip
        self.writer = FileWriter(
            database=self.platform.database, signer=self.signer, folders=folders, clock=self.clock, chance=lambda: 0.0
        )
        self.reminder = Reminder(platform=self.platform, days=(2, 1), escalates=False)
        self.door = Door(self.platform, self.signer, self.folder / "uploads")
        self.teller = Teller(platform=self.platform, post=Post(read=self.platform.read, gateway=self.phone))

    @property
    def exchange(self) -> Path:
        """Where partners exchange files."""
        return self.folder / "exchange"

    def empty(self, now: datetime) -> None:
        self.emptied.empty()
        self.ids.again()
        shutil.rmtree(self.exchange, ignore_errors=True)
        self.clock.now = now
        self.endpoint.log.clear()
        self.phone.sent.clear()


def quick(database: Database) -> Database:
    """Its few hundred statements are each planned once, and kept: in a run they come thousands of times."""
    pool, given = database._pool, cast(dict[str, Any], database._pool.kwargs)
    options = f"{given['options']} -c plan_cache_mode=force_generic_plan -c jit=off"
    pool.kwargs = {**given, "options": options, "prepare_threshold": 0}
    pool._configure = lambda connection: setattr(connection, "prepared_max", None)
    return database


@contextmanager
def staged(dsn: str, folder: Path) -> Iterator[Stage]:
    clock, ids = Clock(), Ids()
    with quick(Database(dsn)) as database, patch.object(rules, "secrets", ids):
        platform = Platform(
            database=database, plan=PLAN, rules=Rules(), issuer="http://127.0.0.1:1", clock=clock, development=True
        )
        staff = {
            login: operator(platform, role, carrier=carrier, login=login)
            for login, role, carrier in (
                ("li", "supervisor", None), ("wang", "supervisor", None), *((code, "desk", code) for code in ZONES),
            )
        }  # fmt: skip
        with database.transaction() as tx:
            for code in ALLOTTED:
                low, high = (int(RANGES[code].ljust(13, digit)) for digit in "09")
                facts.allocation(tx, carrier=code, file_name="", ranges=[(low, high)], by="li", at=clock.now)
        stage = Stage(platform, clock, folder, Emptied(dsn), staff, ids)
        try:
            yield stage
        finally:
            stage.door.close()
            stage.pusher.close()
            stage.emptied.close()


class Driver:
    """One history on the stage. Whatever the platform refuses comes back as the error, so that the refusal is compared."""

    def __init__(self, stage: Stage, now: datetime) -> None:
        stage.empty(now)
        self.stage, self.platform = stage, stage.platform
        self.partners: dict[int, Partner] = {}
        self._about: dict[str, object] = {}
        self.offered: dict[str, tuple[set[int], str]] = {}
        """by carrier, what its machine would sell, and how far it has read"""
        self.files = 0

    def longer_freeze(self, days: int) -> None:
        self.platform = replace(self.platform, rules=replace(self.platform.rules, freeze_days=days))

    @contextmanager
    def tx(self) -> Iterator[Tx]:
        with self.platform.database.transaction() as tx:
            yield tx

    def path(self, heading: str, lines: Sequence[str]) -> Path:
        self.files += 1
        path = self.stage.folder / f"{self.files % 8}.csv"
        path.write_text("\n".join([heading, *lines, ""]))
        return path

    def partner(self, name: str, *, required: bool, way: str, asks: bool) -> Partner:
        with self.tx() as tx:
            made = add_partner(
                acting(tx, self.platform),
                NewPartner(
                    name=name, kind=Kind.APP, required=required, endpoint="http://127.0.0.1:9/" if way == "push" else None,
                    wants_recycled=asks, wants_inquiry=asks,
                ),
                https_only=False,
            ).partner  # fmt: skip
            if way == "files":
                out, into = self._folders(made)
                use_files(acting(tx, self.platform), made.id, out=str(out), into=str(into))
        self.partners[made.id] = made
        return made

    def _folders(self, partner: Partner) -> tuple[Path, Path]:
        found = (self.stage.exchange / partner.name / "OUT", self.stage.exchange / partner.name / "IN")
        for one in found:
            one.mkdir(parents=True, exist_ok=True)
        return found

    def report(self, carrier: str, lines: Sequence[Said | Line], *, skip_bad: bool, nth: int | None = None) -> Any:
        """`nth`: of a file that is sent again."""
        written = [f"+{one.number},{one.event},{(one.at or one.day).isoformat()}" for one in lines]
        # Empty lines make each file one of its own, else the same lines would be a file that was imported before.
        path = self.path("number,event,at", [*written, *[""] * (self.files + 1 if nth is None else nth)])
        return imported(self.platform, path, carrier=carrier, by="li", skip_bad=skip_bad)

    def baseline(self, carrier: str, lines: Sequence[str]) -> int:
        with self.platform.act("li") as act:
            done = import_baseline(act, self.path("number,state,since", lines), carrier=carrier)
        assert (done.accepted, done.known, done.faults) == (len(lines), 0, ())
        return done.report_id

    def notice(self, batch: int, partner: int) -> str:
        with self.tx() as tx:
            return next(one.id for one in notices.told(tx, batch) if one.partner_id == partner)

    def receipt(self, batch: int, partner: int, lines: Sequence[str], *, complete: bool, idempotency: str) -> Taken:
        """File a receipt over HTTP."""
        return self.sent(partner, self.notice(batch, partner), lines, complete=complete, idempotency=idempotency)

    def sent(
        self, partner: int, notice: str, lines: Sequence[str], *, complete: bool, idempotency: str, **headers: str
    ) -> Taken:
        content = "\n".join(["number,outcome,reason,until", *lines, ""]).encode()
        more = {name.replace("_", "-"): value.replace("LENGTH", str(len(content))) for name, value in headers.items()}
        said = self.stage.door.file(
            self.partners[partner].client_id, notice, content, complete=complete, key=idempotency, headers=more
        )
        if said.status in (200, 201):
            return Taken(said.body["receipt"], said.status == 201, said.body["outstanding"])
        assert 400 <= said.status < 500, said
        raise Refusal(f"{said.status} {said.body['detail']} {said.body.get('errors', '')}")

    def hold(self, numbers: frozenset[int], *, until: date, order: str) -> int:
        with self.platform.act("li") as act:
            return add_hold(
                act, NumberSet.of(sorted(numbers)), source="court", order=order, reason="fraud", until=until,
                review_on=until,
            ).id  # fmt: skip

    def lift(self, key: int) -> None:
        with self.platform.act("li") as act:
            lift_hold(act, key, reason="over")

    def retract(self, batch: int, number: int) -> Batch:
        return retracted(self.platform, batch, NumberSet.of([number]), reason="wrong list", by="li")

    def call_batch_off(self, batch: int) -> object:
        with self.platform.act("li") as act:
            return call_off(act, batch, reason="wrong lead time")

    def withdraw_waiver(self, batch: int, partner: int, nth: int) -> object:
        with self.platform.act("li") as act:
            granted = [one for one in receipts.granted(act.tx, batch_id=batch) if one.partner_id == partner]
            return withdraw_waiver(act, granted[nth].id, reason="it answers after all")

    def newest_retraction(self, batch: int) -> int:
        with self.tx() as tx:
            return batches.retractions_of(tx, batch)[-1].id

    def waive(self, batch: int, partner: int, numbers: frozenset[int]) -> int:
        with self.platform.act("li") as act:
            return waive(act, batch, partner_id=partner, only=NumberSet.of(sorted(numbers)), reason="silent").count

    def propose_waiver(self, batch: int, partner: int, numbers: frozenset[int], by: str) -> int:
        return waiver_proposed(
            self.platform, batch, partner_id=partner, only=NumberSet.of(sorted(numbers)), reason="silent",
            by=self.stage.people[by],
        )  # fmt: skip

    def propose_release(self, batch: int, by: str) -> int:
        return release_proposed(self.platform, batch, reason="", by=self.stage.people[by])

    def decide(self, proposal: int, outcome: Outcome, by: str) -> int:
        return decide_on(self.platform, proposal, outcome, note="seen", by=self.stage.people[by])

    def acknowledge(self, number: int, shown: str, evidence: str, carrier: str) -> Acknowledged:
        given = Acknowledgement(number=number, shown=shown, method=Method.REFERENCE, evidence=evidence)
        return acknowledge_all(self.platform, [given], by=self.stage.people[carrier])

    def withdraw_disclosure(self, key: str, carrier: str) -> None:
        disclosure_withdrawn(self.platform, key, reason="changed their mind", by=self.stage.people[carrier])

    def order(self, number: int, purpose: str, who: list[int], shown_at: datetime) -> Ordered:
        wish = Wish(
            purpose=Purpose(purpose), number=number, partner_ids=who, consent_text="yes", channel="web", language="en",
            shown_at=shown_at,
        )  # fmt: skip
        return order_request(self.platform, wish)

    def call_off(self, order: str, who: list[int]) -> list[int]:
        return call_off_at(self.platform, order, who)

    def answer_order(
        self, order: str, partner: int, number: int, outcome: str, reason: str, until: date | None, key: str
    ) -> Answered:
        notice = self.order_notice(order, partner)
        line = AnswerLine(
            line=2, notice=notice, number=written(number), outcome=outcome, reason=reason, until=str(until or "")
        )
        return answer_requests(self.platform, self.partners[partner], [line], key=key)

    def revoke(self, certificate: str, reason: str) -> None:
        with self.platform.act("li") as act:
            revoke(act, certificate, reason=Reason(reason), note="")

    # Deliveries -------------------------------------------------------------------------------------------------------
    def about(self, notice: str) -> object:
        """The batch, retraction or order that a notice is of."""
        if notice not in self._about:
            with self.tx() as tx:
                rows = tx.execute("SELECT id, batch_id FROM notice").fetchall()
                self._about = {**dict(rows), **dict(tx.execute("SELECT id, request_id FROM request_notice").fetchall())}
        return self._about[notice]

    def poll(self, partner: int, *, acks: Sequence[str] = (), most: int = 100) -> list[dict[str, Any]]:
        found = self.stage.poller.poll(self.partners[partner], most=most, acks=acks)
        return [json.loads(token) for token in found.sets.values()]

    def set_status(self, partner: int, status: Status) -> None:
        mine = self.partners[partner]
        with self.tx() as tx:
            set_status(acting(tx, self.platform, by=mine.client_id), mine, status=status, reason="")

    def withdraw(self, partner: int) -> None:
        """What an operator does who withdraws an admission: nothing more is told, and nobody let in."""
        mine = self.partners[partner]
        with self.tx() as tx:
            set_status(acting(tx, self.platform), mine, status=Status.DISABLED, reason="contract ended")
            partners.withdraw(tx, partner, reason="contract ended", by="li", at=self.platform.now())

    def recover(self, partner: int, since: datetime) -> None:
        with self.tx() as tx:
            again.recover(tx, partner, since, self.platform.now())

    # Files ------------------------------------------------------------------------------------------------------------
    def order_notice(self, order: str, partner: int) -> str:
        with self.tx() as tx:
            return next(one.id for one in requests.notices_of(tx, order) if one.partner_id == partner)

    def write_part(self, notice: str, partner: int, part: Part) -> None:
        """Put a receipt and its manifest into the partner's folder."""
        _, into = self._folders(self.partners[partner])
        lines = [f"+{number},{outcome},{reason}," for number, (outcome, reason, _) in part.said.items()]
        if part.bad:
            lines.append("not a number,unbound,,")
        content = "\n".join(["number,outcome,reason,until", *lines, ""]).encode()
        name = f"{notice}.{part.number}.receipt"
        (into / f"{name}.csv").write_bytes(content)
        manifest = {
            "notice": notice, "count": len(lines) + part.miscounted, "complete": part.complete,
            "sha256": hashlib.sha256(content).hexdigest(),
            "receipt": f"{name}.csv", "replaces": sorted(part.replaces),
        }  # fmt: skip
        (into / f"{name}.json").write_text(json.dumps(manifest))

    def results(self, notice: str, partner: int) -> dict[int, str]:
        """What the result files say, by number."""
        out, _ = self._folders(self.partners[partner])
        found = {}
        for path in out.glob(f"{notice}.*.result.json"):
            said = json.loads(path.read_text())
            found[int(path.name.split(".")[1])] = "refused" if said["problem"] else "taken"
        return found

    def written(self) -> list[dict[str, Any]]:
        """The claims of notices that were written since the last time, in the order in which they were."""
        new = [
            one
            for one in self.stage.exchange.glob("*/OUT/*.json")
            if one.name.endswith((".notice.json", ".event.json")) or ".reminder-" in one.name
        ]
        found = []
        for path in sorted(new, key=lambda one: one.stat().st_mtime_ns):
            found.append(json.loads(json.loads(path.read_text())["set"]))
            path.unlink()
        return found
