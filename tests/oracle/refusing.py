"""Rules of histories: receipts that are refused over HTTP. Nothing changes, but that the numbers which one named are
remembered: no later receipt that says complete makes them absent without a word."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import precondition

from huanxin.domain.errors import HuanxinError
from oracle.answering import Answers
from oracle.machine import act, chosen, index, only_if
from oracle.world import Batch, Notice, Number

LINES = {
    "unknown verdict": "unbind,,", "verdict of a retraction": "restored,,", "refused without a reason": "refused,,",
    "unknown reason": "refused,because,", "no day": "pending,,soon", "ancient day": "pending,,1999-12-31",
}  # fmt: skip
HEADERS = {
    "shorter than it says": {"Content_Length": "9LENGTH"}, "longer than it says": {"Content_Length": "1"},
    "damaged": {"Content_Digest": "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"},
    "no table": {"Content_Type": "application/json"}, "packed unknown": {"Content_Encoding": "br"},
    "not let in": {"Authorization": "Basic x"},
}  # fmt: skip
ELSEWHERE = ("stranger", "another's notice", "no notice")


class Refusals(Answers):
    """Whatever is wrong with a receipt."""

    @precondition(lambda self: self.notices())
    @act(
        which=index, wrong=st.sampled_from((*LINES, *HEADERS, *ELSEWHERE)), complete=st.booleans(), keyed=st.booleans(),
        beside=st.booleans(),
    )  # fmt: skip
    def partner_sends_a_bad_receipt(self, which: int, wrong: str, complete: bool, keyed: bool, beside: bool) -> None:
        """A good line may stand beside the bad one: it isn't taken either."""
        batch, notice = chosen(self.notices(), which)
        numbers = sorted(batch.stands_on)
        good, bad = numbers[which % len(numbers)], numbers[(which + 1) % len(numbers)]
        only_if(good != bad or wrong not in LINES)
        lines = [f"+{good},unbound,,"] * (beside or wrong not in LINES)
        named: set[Number] = {good} if lines else set()
        if wrong in LINES:
            lines.append(f"+{bad},{LINES[wrong]}")
            named.add(bad)
        elif wrong == "stranger":
            lines.append(f"+{self.stranger(batch)},unbound,,")
        done = self.attempt(self.sending(batch, notice, wrong, lines, complete=complete, key=f"b{self.turn}" * keyed))
        assert isinstance(done, HuanxinError), f"a receipt was taken: {wrong}"
        if (wrong in LINES or wrong == "stranger") and not notice.partner.withdrawn:
            notice.refused |= named
        self.step("bad receipt")

    def stranger(self, batch: Batch) -> Number:
        """A number of another batch, or of none."""
        number: Number = chosen((one for one in self.world.histories if one not in batch.stands_on), 0)
        return number

    def sending(
        self, batch: Batch, notice: Notice, wrong: str, lines: list[str], *, complete: bool, key: str
    ) -> Callable[[], object]:
        mine = notice.partner.key
        address = self.driver.notice(batch.key, mine)
        if wrong == "no notice":
            address = "nt_0000"
        elif wrong == "another's notice":
            mine = chosen((one.key for one in self.world.there if one is not notice.partner), 0)
        headers = HEADERS.get(wrong, {})
        return lambda: self.driver.sent(mine, address, lines, complete=complete, idempotency=key, **headers)
