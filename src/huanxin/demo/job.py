"""The main job on the demo's world, step by step, as the people of a carrier would order it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np

from huanxin.acts import Platform
from huanxin.acts.batches import release, send_batch
from huanxin.acts.reports import ImportDone, take_report
from huanxin.demo.own_servers import PartnerProcess
from huanxin.demo.partner_store import add_ties
from huanxin.demo.processes import Servers, free_port
from huanxin.demo.shops import disclose, on_offer, open_shops
from huanxin.demo.world import WorldReports
from huanxin.demo.world_later import later_reports, opened_report
from huanxin.demo.world_partners import PartnerSpec
from huanxin.demo.world_reports import ReportFile
from huanxin.demo.world_ties import ground, late_ties, make_ties
from huanxin.domain.answers import Outcome, Standing
from huanxin.domain.errors import HuanxinError
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.notify.partners import add_partner
from huanxin.plan.batches import plan_batch
from huanxin.release.gate import LoadedGate, load_gate
from huanxin.release.holds import add_hold, read_numbers
from huanxin.release.listing import STOPPED, write_release_lists
from huanxin.release.waiving import waive
from huanxin.report.rejects import write_rejects
from huanxin.store.answer import receipts
from huanxin.store.notify import deliveries, notices
from huanxin.store.notify.notices import Notice
from huanxin.store.plan import batches
from huanxin.store.plan.batches import Batch

OPERATOR = "值班长 林澈"
_LATE_TIES = 200
_REVIEW = timedelta(days=30)  # until the demo's hold is looked at again, and at least as long beyond it
_PATIENCE = 300.0  # seconds that answers may take before the demo says who is missing


@dataclass(frozen=True, kw_only=True)
class DemoPartner:
    """A partner of the demo: what it is, how it is registered, its database and its process."""

    spec: PartnerSpec
    partner: Partner
    database: Path
    process: PartnerProcess


@dataclass(kw_only=True)
class Story:
    """What happened, gathered for the summary: seconds by step, imports, the batch, logins."""

    seconds: dict[str, float] = field(default_factory=dict)
    imports: list[tuple[ReportFile, ImportDone]] = field(default_factory=list)
    batch: Batch | None = None
    retractions: list[Batch] = field(default_factory=list)
    waived: int = 0
    lists: list[Path] = field(default_factory=list)
    logins: list[dict[str, object]] = field(default_factory=list)
    recycled_events: int = 0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass(kw_only=True)
class Job:
    """The main job on a world, with its partners' servers; `tell` is called with what is going on.

    builder: makes partners' databases on the other core. http: asks the partners' servers.
    """

    platform: Platform
    world: WorldReports
    folder: Path
    servers: Servers
    story: Story
    tell: Callable[[str, float], None]
    builder: Executor
    http: httpx.Client
    being_made: list[Future[int]] = field(default_factory=list)
    partners: list[DemoPartner] = field(default_factory=list)

    def add_partners(self, specs: list[PartnerSpec]) -> None:
        """Register every partner, start its server, and have its database of accounts made while reports are taken."""
        on = ground(self.world.truth, singer_number=self.world.singer_number)
        (self.folder / "partners").mkdir()
        for index, spec in enumerate(specs):
            self.tell(f"partners: {spec.zh_name}", index / len(specs))
            port = free_port()
            with self.platform.act(OPERATOR) as act:
                made = add_partner(
                    act,
                    NewPartner(
                        name=spec.zh_name, kind=Kind(spec.kind), endpoint=f"http://127.0.0.1:{port}/events/",
                        wants_recycled=spec.behaviour in ("music", "plain"),
                        wants_inquiry=spec.behaviour not in ("silent", "debt"),
                    ),
                    https_only=False,
                )  # fmt: skip
            process = PartnerProcess(name=spec.name, behaviour=spec.behaviour, client_id=made.partner.client_id,
                                     client_secret=made.client_secret, port=port)  # fmt: skip
            database = process.database(self.folder)
            self.being_made.append(
                self.builder.submit(make_ties, database, spec, seed=self.world.seed, on=on, today=self.world.today)
            )
            self.servers.add(process.server(self.folder, issuer=self.platform.issuer))
            self.partners.append(DemoPartner(spec=spec, partner=made.partner, database=database, process=process))

    def wait_for_partners(self) -> None:
        """Wait until every partner has its accounts and its server answers."""
        for index, making in enumerate(self.being_made):
            self.tell("partners: their accounts", index / len(self.being_made))
            making.result()
        self.servers.wait_ready()

    def import_reports(self) -> None:
        """Take every carrier's report, the broken lines left out; then one of them again, which changes nothing."""
        for index, file in enumerate(self.world.files):
            self.tell(f"report: {file.path.name}", index / len(self.world.files))
            self._take(file, skip_bad=bool(file.broken))
        self._take(self.world.files[0], skip_bad=False)
        holds = self.world.holds
        numbers = read_numbers(holds.path, self.platform.plan)
        if numbers:
            today = self.platform.today()
            review = today + _REVIEW  # the reports may be of long ago, and a hold of then would have ended
            with self.platform.act(OPERATOR) as act:
                add_hold(act, numbers, source=holds.source, order=holds.order, reason=holds.reason,
                         until=max(holds.until, review + _REVIEW), review_on=review)  # fmt: skip

    def _take(self, file: ReportFile, *, skip_bad: bool) -> None:
        with self.platform.act(file.carrier) as act:
            done = take_report(act, file.path, carrier=file.carrier, skip_bad=skip_bad)
        if done.imported.faults:
            write_rejects(self.folder / f"{file.path.name}.rejects.csv", done.imported.faults)
        self.story.imports.append((file, done))
        self.story.retractions += done.retractions
        self.story.recycled_events += done.recycled_events

    def send(self, batch: Batch) -> None:
        """Tell the partners."""
        with self.platform.act(OPERATOR) as act:
            send_batch(act, batch.id)

    def plan(self) -> Batch:
        """Plan the batch; then people sign up at one partner with numbers of it, which renewal must not touch."""
        with self.platform.act(OPERATOR, sure=True) as act:
            batch = plan_batch(act)
        if batch is None:
            raise HuanxinError("nothing is due in this world; ask for more numbers")
        self.story.batch = batch
        late = self._behaving("late")
        with self.platform.read() as seen:
            numbers = batches.roster(seen.tx, batch.id).numbers
        able = np.setdiff1d(numbers, np.array([self.world.singer_number]))
        some = np.random.default_rng([self.world.seed, 13]).choice(able, size=min(_LATE_TIES, len(able)), replace=False)
        rows = late_ties(late.spec, np.sort(some), seed=self.world.seed, cutoff=batch.cutoff, until=self.platform.now())
        add_ties(late.database, rows)
        return batch

    def log_in(self) -> None:
        """A login with an SMS code at the music app, with the singer's number."""
        music = self._behaving("music")
        answer = self.http.post(f"{music.process.url}/login", params={"number": f"+{self.world.singer_number}"})
        self.story.logins.append(answer.raise_for_status().json())

    def wait_for_answers(self, batch: Batch) -> None:
        """Wait until every partner but the silent one has settled every number that it can."""
        ends = time.monotonic() + _PATIENCE
        while True:
            missing, share = self._missing(batch)
            self.tell(f"answers: waiting for {', '.join(missing) or 'nobody'}", share)
            if not missing:
                return
            if time.monotonic() > ends:
                raise HuanxinError(
                    f"no full answer from {', '.join(missing)} within {_PATIENCE:.0f} seconds; see the logs in "
                    f"{self.folder / 'partners'}"
                )
            time.sleep(0.2)

    def _missing(self, batch: Batch) -> tuple[list[str], float]:
        with self.platform.read() as seen:
            everyone = batches.roster(seen.tx, batch.id).everyone
            standings = receipts.standings(seen.tx, batch.id, everyone)
        missing, answered = [], 0
        silent = batch.purpose == "renewal"
        for one in self.partners:
            standing = standings.get(one.partner.id, Standing())
            pending = any(answer.outcome is Outcome.PENDING and places for answer, places in standing.answers.items())
            answered += len(standing.answered())
            if (standing.outstanding(everyone) or pending) and not (silent and one.spec.behaviour == "silent"):
                missing.append(one.spec.zh_name)
        return missing, answered / (len(everyone) * len(self.partners))

    def take_back(self, batch: Batch) -> None:
        """The next day's reports: some former owners took their numbers back, so the notices are retracted."""
        with self.platform.read() as seen:
            numbers = batches.roster(seen.tx, batch.id).numbers
        files = later_reports(
            self.folder / "later", numbers, truth=self.world.truth, seed=self.world.seed, after=batch.cutoff,
            until=self.platform.now(), spare=[self.world.singer_number],
        )  # fmt: skip
        for file in files:
            self._take(file, skip_bad=False)
        for retraction in self.story.retractions:
            self.wait_for_answers(retraction)

    def waive_silent(self, batch: Batch) -> None:
        """A named operator goes on without the partner that never answers."""
        silent = self._behaving("silent")
        with self.platform.act(OPERATOR) as act:
            self.story.waived = waive(
                act, batch.id, partner_id=silent.partner.id, only=None,
                reason="三次催办未答复，已书面通知接入方",
            ).count  # fmt: skip

    def release(self) -> None:
        """Release what is clear, and write the lists."""
        release(self.platform, by=OPERATOR)
        with self.platform.read() as seen:
            lists = write_release_lists(seen, self.folder / "releases")
        self.story.lists = [path for path in lists if not path.stem.endswith(STOPPED)]

    def sell(self, batch: Batch) -> None:
        """Some numbers that the platform offers are disclosed to buyers and sold: partners that asked for it are told of the
        new owners."""
        shops = open_shops(self.platform, by=OPERATOR)
        released = np.array(on_offer(shops, issuer=self.platform.issuer, http=self.http), np.int64)
        sold_after = self.platform.now()
        files = opened_report(
            self.folder / "opened", released, truth=self.world.truth, seed=self.world.seed, after=batch.cutoff,
            until=sold_after, always=[self.world.singer_number] if self.world.singer_number in released else [],
        )  # fmt: skip
        disclose(self.platform, files, shops=shops)
        for file in files:
            self._take(file, skip_bad=False)
        ends = time.monotonic() + _PATIENCE
        while time.monotonic() < ends:
            with self.platform.read() as seen:
                left = deliveries.waiting(seen.tx)
            self.tell(f"new owners: {left:,} events to go", 1 - left / max(1, self.story.recycled_events))
            if not left and not self._unhandled():
                return
            time.sleep(0.2)

    def _unhandled(self) -> int:
        return sum(self.http.get(f"{one.process.url}/healthz").json()["waiting"] for one in self.partners)

    def gate(self, batch: Batch) -> tuple[LoadedGate, list[Notice]]:
        """The batch's gate now, and its notices."""
        with self.platform.read() as reading:
            return load_gate(reading, batch.id), notices.of_batch(reading.tx, batch.id)

    def _behaving(self, behaviour: str) -> DemoPartner:
        return next(one for one in self.partners if one.spec.behaviour == behaviour)
