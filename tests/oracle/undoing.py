"""Rules of histories: what was ordered and is undone."""

from __future__ import annotations

from hypothesis.stateful import precondition

from oracle import renewal
from oracle.machine import Histories, act, chosen, index
from oracle.world import Batch, Notice, Waived


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

    @precondition(lambda self: self.granted())
    @act(which=index)
    def waiver_withdrawn(self, which: int) -> None:
        """What was released by it stays released."""
        batch, notice, nth = chosen(self.granted(), which)
        waiver = [one for one in notice.entries if isinstance(one, Waived)][nth]
        done = self.attempt(lambda: self.driver.withdraw_waiver(batch.key, notice.partner.key, nth))
        if not self.refused("withdraw a waiver", done, expected=waiver.withdrawn):
            waiver.withdrawn = True
        self.step("withdraw a waiver")

    def granted(self) -> list[tuple[Batch, Notice, int]]:
        """Every waiver: of which batch, at which partner, and which of those it is there."""
        return [
            (batch, notice, nth)
            for batch in self.world.batches for notice in batch.notices.values()
            for nth in range(sum(isinstance(one, Waived) for one in notice.entries))
        ]  # fmt: skip
