"""What the platform says after a step, beside what the oracle says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from pyroaring import BitMap

from huanxin.acts.inventory import look
from huanxin.disclose import verifying
from huanxin.disclose.desk import look_up
from huanxin.numbersets.sharded import SHARD_SIZE, load
from huanxin.plan.batches import due
from huanxin.release import inventory
from huanxin.release.explain import explain
from huanxin.release.gate import load_gate
from huanxin.release.stopped import off_sale
from huanxin.store.database import Tx
from huanxin.store.notify import progress
from huanxin.store.plan import batches
from huanxin.store.report import reports
from oracle import outbox, owners, renewal, shop
from oracle.driver import Driver
from oracle.histories import Said, had_predecessor, holder, tenures, where
from oracle.world import Batch, Number, Retraction, World
from ordering import acting


class Counts:
    """What a run has compared."""

    def __init__(self) -> None:
        self.histories = self.steps = 0
        self.reported: dict[Number, int] = {}
        """how many events of each number there were when its history was read last"""
        self.verdicts: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()

    def said(self) -> str:
        """How much was compared, and of what."""
        acts = ", ".join(f"{name} {count:,}" for name, count in self.acts.most_common())
        verdicts = ", ".join(f"{name} {count:,}" for name, count in self.verdicts.most_common())
        total = f"{self.histories:,} histories, {self.steps:,} steps, {self.verdicts.total():,} verdicts"
        return f"{total}\nsteps: {acts}\nverdicts: {verdicts}"


def same(what: object, real: object, oracle: object) -> None:
    assert real == oracle, f"{what}: the platform says {real!r}, the oracle {oracle!r}"


def compare(driver: Driver, world: World, counts: Counts, *, turn: int, aside: bool, over: bool = False) -> None:
    """What is decided, told or stated now.

    Nearly all of it costs a run its time, so that it isn't asked what nothing has changed: after a step that touches no
    renewal (`aside`) the questions of renewals come in turn, one number is explained, and histories are read of what was
    reported. All of it is asked when a history is `over`.
    """
    numbers = list(world.histories)
    one = [numbers[turn % len(numbers)]]
    questions = (_plan, _gates, _history, _explained, _desk)
    if over or not aside:
        _inventories(driver, world, counts)
    with driver.tx() as tx:
        for question in questions if over or not aside else [questions[turn % len(questions)]]:
            question(tx, driver, world, counts, numbers if over else one)
        _certificates(tx, driver, world, counts)
        _told(tx, world, counts)
        _breaches(tx, world, counts)
    _messages(driver, world, counts)


def _messages(driver: Driver, world: World, counts: Counts) -> None:
    sent = [(one.number, one.id.removeprefix("done-").removeprefix("taken-back-")) for one in driver.stage.phone.sent]
    same("messages to owners", sorted(sent), sorted((number, key) for number, key, *_ in world.messages))
    told = {key: (done, needs) for _, key, done, needs in world.messages}
    for message, (_, key) in zip(driver.stage.phone.sent, sent, strict=True):
        done, needs = told[key]
        assert message.id.startswith("taken-back-") == (told[key] == owners.TAKEN_BACK), message.id
        if told[key] != owners.TAKEN_BACK:
            assert f"{done} services" in message.text, message.text
            assert (f"{needs} need you" in message.text) == (needs > 0), message.text
    counts.verdicts["message"] += len(sent)


def _inventories(driver: Driver, world: World, counts: Counts) -> None:
    """What a carrier's machine offers that asks after each step, from where it stopped."""
    look(driver.platform)
    for carrier in sorted({cancelled.carrier for batch in world.batches for cancelled in batch.stands_on.values()}):
        offered, after = driver.offered.get(carrier, (set[Number](), ""))
        with driver.platform.read() as seen:
            page = inventory.page(seen, carrier, after=after, most=len(world.histories) * 9)
        assert not page.more
        for line in page.lines:
            assert (line.number in offered) == (line.change == inventory.TAKEN_BACK), f"{line} comes twice, or too late"
            (offered.add if line.change == inventory.RELEASED else offered.discard)(line.number)
        driver.offered[carrier] = offered, page.onward
        same(f"inventory of {carrier}", offered, renewal.on_sale(world, carrier))
        counts.verdicts["inventory"] += len(world.histories)


def _plan(tx: Tx, driver: Driver, world: World, counts: Counts, _numbers: Collection[Number]) -> None:
    found = due(acting(tx, driver.platform, now=world.now))
    real = {int(n): (span.carrier, span.day) for span, numbers in found.items() for n in numbers.numbers().tolist()}
    same("due", real, {n: (one.carrier, one.day) for n, one in renewal.due(world).items()})
    counts.verdicts["plan"] += len(world.histories)


def _gates(tx: Tx, driver: Driver, world: World, counts: Counts, _numbers: Collection[Number]) -> None:
    for batch in world.batches:
        _gate(tx, driver, world, batch, counts)
        for one in batch.asked:
            _waiting(tx, world, one, counts)


def _gate(tx: Tx, driver: Driver, world: World, batch: Batch, counts: Counts) -> None:
    loaded = load_gate(acting(tx, driver.platform, now=world.now), batch.key)
    gate, numbers = loaded.gate, loaded.roster.numbers.tolist()

    def named(places: BitMap) -> set[Number]:
        return {numbers[place] for place in places}

    every = batch.stands_on
    verdicts = {
        "open": (gate.open(), {n for n in every if renewal.kept_open(batch, n)}),
        "refused": (gate.refused(), {n for n in every if renewal.refused(batch, n)}),
        "freezing": (gate.frozen_still(), {n for n in every if renewal.freezing(world, batch, n)}),
        "held": (gate.held_places(), {n for n in every if renewal.held(world, n)}),
        "retracted": (gate.retracted_places(), {n for n in every if renewal.has_left(world, batch, n)}),
        "clear": (gate.clear(), {n for n in every if renewal.is_clear(world, batch, n)}),
        "released": (gate.released, set(batch.released)),
        "releasable": (gate.releasable(), renewal.releasable(world, batch)),
    }
    for name, (places, expected) in verdicts.items():
        same(f"batch {batch.key} {name}", named(places), set(expected))
    counts.verdicts["gate"] += len(every) * len(verdicts)
    off = {number: why.value for why, places in off_sale(tx, loaded).items() for number in named(places)}
    why = {n: said for n in batch.released if (said := renewal.off_sale(world, batch, n))}
    why |= {n: off.get(n, "") for n, said in why.items() if said == renewal.EITHER}
    same(f"batch {batch.key} off sale", off, why)
    counts.verdicts["lists"] += len(batch.released)


def _waiting(tx: Tx, world: World, batch: Batch | Retraction, counts: Counts) -> None:
    """What each partner is still waited for, of a batch or of what was taken back from it, and who is late."""
    stored = batches.get(tx, batch.key)
    assert stored is not None
    same("answer-by", stored.answer_by, batch.answer_by)
    counts.verdicts["waiting"] += len(batch.notices)
    found = progress.progress(tx, stored)
    real = {one.notice.partner_id: (one.outstanding, one.pending, one.late(world.now)) for one in found}
    same(f"batch {batch.key} waits for", real, {key: renewal.waits_for(world, batch, key) for key in batch.notices})
    same(f"reminded of batch {batch.key}", {one.notice.partner_id: (one.reminded, one.escalated_at) for one in found},
         {key: (one.reminded, one.escalated_at) for key, one in batch.notices.items()})  # fmt: skip


def _history(tx: Tx, _driver: Driver, world: World, counts: Counts, numbers: Collection[Number]) -> None:
    for number, events in world.histories.items():
        if number in numbers or counts.reported.get(number) != len(events):
            counts.reported[number] = len(events)
            _stands(tx, number, events)
            counts.verdicts["tenures"] += 4


def _stands(tx: Tx, number: Number, events: list[Said]) -> None:
    real = reports.standing_of(tx, number)
    same(f"{number} stands", real.state.value, where(events)[0])
    same(f"{number} tenures", [(one.opened_on, one.closed_on) for one in real.tenures],
         [(one.opened_on, one.closed_on) for one in tenures(events)])  # fmt: skip
    held = holder(events)
    same(f"{number} is held since", real.current and (real.current.opened_on, real.current.carrier),
         held and (held.opened_on, held.carrier))  # fmt: skip
    same(f"{number} had an owner before", real.recycled, had_predecessor(events))


def _explained(tx: Tx, driver: Driver, world: World, counts: Counts, numbers: Collection[Number]) -> None:
    for number in numbers:
        real = explain(acting(tx, driver.platform, now=world.now), number)
        batch = renewal.explained_by(world, number)
        expected: tuple[object, ...] = (None, False, False)
        if batch:
            expected = (batch.key, renewal.is_clear(world, batch, number), number in batch.released)
        same(f"{number} is explained", (real.batch_id, real.clear, real.released), expected)
        counts.verdicts["explain"] += 1


def _desk(tx: Tx, driver: Driver, world: World, counts: Counts, _numbers: Collection[Number]) -> None:
    numbers = list(world.histories)
    for told in look_up(acting(tx, driver.platform, now=world.now), numbers, seller=None):
        case = shop.case_of(world, told.number, None)
        same(f"{told.number} at the desk", (told.for_sale, told.grade.value), (not case.why, case.grade))
        if told.why is not None:
            assert told.why.value in case.why, f"{told.number} at the desk: {told.why} is not among {case.why}"
        if where(world.histories[told.number])[0] in ("frozen", "unknown"):
            same(f"{told.number} is told", (told.closed_on, told.asked, told.confirmed),
                 (case.closed_on, case.asked, case.confirmed))  # fmt: skip
            same(f"{told.number} is sold by", told.carrier, case.sellers[0])
    counts.verdicts["desk"] += len(numbers)


def _certificates(tx: Tx, driver: Driver, world: World, counts: Counts) -> None:
    for one in world.certificates:
        real = verifying.verify(acting(tx, driver.platform, now=world.now), one.key).verdict.value
        same(f"certificate of {one.number}", real, owners.verdict(world, one))
    counts.verdicts["certificate"] += len(world.certificates)


def _told(tx: Tx, world: World, counts: Counts) -> None:
    """Which events were made for which partner, in their order, and which of them are still to be delivered."""
    of_notice: dict[str, object] = dict(tx.execute("SELECT id, batch_id FROM notice").fetchall())
    of_notice |= dict(tx.execute("SELECT id, request_id FROM request_notice").fetchall())
    real: dict[int, list[tuple[str, object, str]]] = {}
    for partner, event, notice, state in tx.execute(
        "SELECT partner_id, event, notice_id, CASE WHEN next_at IS NOT NULL THEN 'open' WHEN delivered_at IS NULL"
        " THEN 'dropped' ELSE 'delivered' END FROM delivery WHERE notice_id IS NOT NULL ORDER BY seq"
    ):
        real.setdefault(partner, []).append((event.rpartition(":")[2], of_notice[notice], state))
    for partner in world.partners:
        for (*_, state), one in zip(real.get(partner.key, []), partner.told, strict=False):
            if (one.state, state) == ("open", "dropped") and outbox.may_be_given_up(one):
                one.state = "dropped"
        oracle = [(one.event, outbox.key_of(one.about), one.state) for one in partner.told]
        same(f"{partner.name} is told", real.get(partner.key, []), oracle)
        counts.verdicts["told"] += len(oracle)
    feeds = Counter[tuple[int, Number, Any]]()
    for partner_id, shard, day, stored in tx.execute(
        "SELECT partner_id, shard, day, numbers FROM recycled_feed", binary=True
    ):
        feeds.update((partner_id, shard * SHARD_SIZE + place, day) for place in load(stored))
    same("news of new owners", feeds,
         Counter((partner.key, one.number, one.day) for partner in world.partners for one in partner.recycled))  # fmt: skip


def _breaches(tx: Tx, world: World, counts: Counts) -> None:
    real: Counter[tuple[str, Number]] = Counter()
    found = tx.execute(
        "SELECT b.kind, s.shard, s.numbers FROM breach b JOIN breach_set s ON s.breach_id = b.id", binary=True
    )
    for kind, shard, stored in found:
        real.update((kind, shard * SHARD_SIZE + place) for place in load(stored))
    rosters = {one.key: sorted(one.stands_on) for one in (*world.batches, *world.called_off)}
    for kind, batch, stored in tx.execute("SELECT kind, batch_id, places FROM breach WHERE places IS NOT NULL", binary=True):
        real.update((kind, rosters[batch][place]) for place in load(stored))
    same("breaches", real, world.breaches)
    counts.verdicts["breach"] += len(world.histories)
