"""What the platform says that followed from a report or its mend, beside what the oracle says."""

from __future__ import annotations

from collections.abc import Iterable

from huanxin.domain.mended import Consequence, What
from huanxin.store.plan import batches
from oracle import mending, renewal
from oracle.comparing import same
from oracle.driver import Driver
from oracle.world import Number, World


def followed(driver: Driver, world: World, said: Iterable[Consequence], oracle: mending.Done) -> None:
    """Compare it, and take over what the platform alone knows: the keys of retractions, and of what takes orders back."""
    consequences: dict[What, set[tuple[int | None, Number]]] = {what: set() for what in What}
    for one in said:
        consequences[one.what] |= {(one.batch_id, number) for number in one.numbers}
    back = consequences.pop(What.RETRACTED)
    same("what follows", consequences, {
        What.STANDS: oracle.stays, What.STOPPED: oracle.stopped, What.IN_ERROR: oracle.in_error,
        What.REVOKED: {(None, number) for number in oracle.revoked},
        What.ORDERS: {(None, one.number) for one in oracle.orders},
    })  # fmt: skip
    every = [(batch.key, number, True) for batch, numbers in oracle.back for number in numbers]
    _take_back(driver, world, every + [(batch.key, n, False) for batch, out in oracle.returned for n in out])
    assert back <= {(batch, number) for batch, number, _ in every} | {
        (batch.key, number) for batch, numbers in oracle.returned for number in numbers
    }, f"said to be taken back, and not: {back}"  # fmt: skip
    for order in oracle.orders:
        mending.take_order_back(world, _taking_back(driver, order.key), order)


def _take_back(driver: Driver, world: World, expected: list[tuple[int, Number, bool]]) -> None:
    known = {one.key: one for one in (*world.batches, *world.called_off)}
    asked = [one.key for batch in known.values() for one in batch.asked]
    with driver.tx() as tx:
        every = [one for one in batches.all_batches(tx) if one.retracts and one.id > max(asked, default=0)]
        made = [(one, set(batches.numbers_of(tx, one.id))) for one in every]
    same("taken back (for good)", {(one.retracts, n, bool(one.reason)) for one, numbers in made for n in numbers},
         set(expected))  # fmt: skip
    for one, numbers in made:
        assert one.retracts
        good = bool(one.reason)
        renewal.retract(world, one.id, known[one.retracts], frozenset(numbers), ordered=good, mended=good)


def _taking_back(driver: Driver, order: str) -> str:
    """The key of what takes an order back."""
    with driver.tx() as tx:
        found: list[tuple[str]] = tx.execute("SELECT id FROM request WHERE retracts = %s", (order,)).fetchall()
    return found[0][0]
