"""Rules of histories: what was ordered and is undone."""

from __future__ import annotations

from hypothesis.stateful import precondition

from oracle import renewal
from oracle.machine import Histories, act, chosen, index
from oracle.world import Batch


class Undoing(Histories):
    """People see that an order was wrong."""

    @precondition(lambda self: self.world.batches)
    @act(which=index)
    def batch_called_off(self, which: int) -> None:
        """Before anybody is told; after it, numbers can only be taken back."""
        batch: Batch = chosen(self.world.batches, which)
        off = self.attempt(lambda: self.driver.call_batch_off(batch.key))
        if not self.refused("call a batch off", off, expected=bool(batch.notices)):
            renewal.call_off(self.world, batch)
        self.step("call a batch off")
