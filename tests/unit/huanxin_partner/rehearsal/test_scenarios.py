"""Each way of being wrong is found by the scenario that looks for it, and told with how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.notices import BadReceipt, PlayedNotice
from huanxin_partner.rehearsal.run import Run, ScenarioResult
from huanxin_partner.rehearsal.scenarios import passed, rehearse
from huanxin_partner.rehearsal.stage import Filed, Notice, Pushed
from huanxin_partner.rehearsal.words import MENDS, SCENARIOS

NOTHING = Pushed(202, "")


@dataclass(kw_only=True)
class Partner:
    """Answers as a good partner does, but for what a test changes."""

    outcomes: dict[str, str] = field(default_factory=dict)
    taken: Pushed = NOTHING
    again: Pushed = NOTHING
    forged: Pushed = field(default=Pushed(400, '{"err":"authentication_failed"}'))
    audience: Pushed = field(default=Pushed(400, '{"err":"invalid_audience"}'))
    old: Pushed = field(default=Pushed(400, '{"err":"invalid_request"}'))
    silent: bool = False
    hasty: bool = False
    repeats: bool = False
    trusting: bool = False
    lines: Callable[[str], str] = str

    def answer(self, number: str, retraction: bool) -> str:
        right = {magic.DEBT: "refused", magic.PENDING: "pending", magic.RETRACTED: "restored" if retraction else "unbound"}
        by_tie = (
            "absent" if (bound_at := magic.TIES.get(number)) is None else "kept" if bound_at >= magic.CUTOFF else "unbound"
        )
        return self.outcomes.get(f"{number}/back" if retraction else number, right.get(number, by_tie))


class PlayedStage:
    """A stage without servers: tokens are words, and time passes when somebody sleeps."""

    replies = True

    def __init__(self, partner: Partner) -> None:
        self.partner, self.now = partner, 0.0
        self.notices: dict[str, PlayedNotice] = {}
        self.pushed: set[str] = set()
        self.waiting: set[str] = set()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for notice in [n for n in self.waiting if not self.notices[n].broken or self.partner.hasty]:
            self.waiting.remove(notice)
            self.handle(self.notices[notice])

    def notice(self, numbers: Sequence[str], *, cutoff: datetime) -> Notice:
        assert cutoff == magic.CUTOFF
        return self._made(numbers, "")

    def retract(self, notice: str, numbers: Sequence[str]) -> Notice:
        return self._made(numbers, notice)

    def _made(self, numbers: Sequence[str], of: str) -> Notice:
        assert list(numbers) == sorted(numbers)
        made = PlayedNotice(id=f"n{len(self.notices)}", numbers=numbers, retracts=of)
        self.notices[made.id] = made
        return Notice(id=made.id, token=f"good {made.id}")

    def sign(
        self, notice: str, *, forged: bool = False, audience: str | None = None, issued_at: datetime | None = None
    ) -> str:
        assert issued_at is None or issued_at < datetime.now(UTC)
        return f"{'forged' if forged else 'audience' if audience else 'old'} {notice}"

    def push(self, token: str) -> Pushed:
        kind, notice = token.split()
        partner = self.partner
        bad = {"forged": partner.forged, "audience": partner.audience, "old": partner.old}.get(kind)
        if bad is not None:
            if partner.trusting:
                self.handle(self.notices[notice])
            return bad
        if token in self.pushed:
            if partner.repeats:
                self.notices[notice].file(b"number,outcome,reason,until\n", complete=True)
            return partner.again
        self.pushed.add(token)
        if not partner.silent:
            self.waiting.add(notice)
        return partner.taken

    def set_broken(self, notice: str, broken: bool) -> None:
        self.notices[notice].broken = broken

    def filed(self, notice: str) -> Filed:
        return self.notices[notice].filed()

    def handle(self, notice: PlayedNotice) -> None:
        lines = ["number,outcome,reason,until"]
        for number in notice.numbers:
            outcome = self.partner.answer(number, bool(notice.retracts))
            if outcome != "absent":
                lines.append(self.partner.lines(f"{number},{outcome},{'debt' if outcome == 'refused' else ''},"))
        try:
            notice.file(("\n".join(lines) + "\n").encode(), complete=True)
        except BadReceipt:
            return  # the notice keeps what was refused


def played(partner: Partner, *only: str) -> list[ScenarioResult]:
    stage = PlayedStage(partner)
    return rehearse(Run(stage=stage, clock=stage.clock, sleep=stage.sleep), only=only)


def test_a_good_partner_passes_everything_in_order_with_progress() -> None:
    stage, told = PlayedStage(Partner()), list[tuple[str, str]]()
    results = rehearse(
        Run(stage=stage, clock=stage.clock, sleep=stage.sleep),
        progress=lambda code, result: told.append((code, result.state if result else "begins")),
    )
    assert {result.code: result.state for result in results} == dict.fromkeys(SCENARIOS, "passed")
    assert told == [(code, state) for code in SCENARIOS for state in ("begins", "passed")]
    assert passed(results)
    assert all(result.seen.zh and result.seen.en and not result.mend for result in results)


@pytest.mark.parametrize(
    ("partner", "code", "mend"),
    [
        (Partner(taken=Pushed(None, "ConnectError")), "plain", "unreachable"),
        (Partner(taken=Pushed(400, '{"err":"invalid_issuer"}')), "plain", "not-taken"),
        (Partner(silent=True), "plain", "no-answer"),
        (Partner(lines=lambda line: line.replace("unbound", "done")), "plain", "receipt-refused"),
        (Partner(outcomes={magic.OLD: "absent"}), "plain", "ties-missing"),
        (Partner(outcomes={magic.BEFORE_CUTOFF: "kept"}), "plain", "not-cut"),
        (Partner(outcomes={magic.PENDING: "refused"}), "plain", "wrong-outcome"),
        (Partner(lines=lambda line: line.replace("debt", "other")), "plain", "wrong-outcome"),
        (Partner(again=Pushed(409, "seen")), "duplicate", "duplicate-refused"),
        (Partner(repeats=True), "duplicate", "second-effect"),
        (Partner(outcomes={f"{magic.RETRACTED}/back": "absent"}), "retraction", "not-restored"),
        (Partner(outcomes={magic.ON_CUTOFF: "unbound"}), "on-cutoff", "boundary"),
        (Partner(outcomes={magic.AFTER_CUTOFF: "unbound"}), "after-cutoff", "boundary"),
        (Partner(outcomes={magic.NOBODY: "unbound"}), "nobody", "invented"),
        (Partner(forged=NOTHING), "forged", "bad-taken"),
        (Partner(forged=Pushed(401, "no")), "forged", "not-400"),
        (Partner(trusting=True), "forged", "bad-answered"),
        (Partner(audience=NOTHING), "audience", "bad-taken"),
        (Partner(old=NOTHING), "old", "bad-taken"),
        (Partner(old=Pushed(None, "gone")), "old", "unreachable"),
        (Partner(hasty=True), "broken-file", "answered-broken"),
        (Partner(outcomes={magic.crowd(9)[8]: "unbound"}), "large", "invented"),
        (Partner(silent=True), "large", "too-slow"),
    ],
)
def test_what_is_wrong_is_found(partner: Partner, code: str, mend: str) -> None:
    (result,) = played(partner, code)
    assert (result.state, result.mend) == ("failed", mend)
    assert result.how == MENDS[mend]
    assert not passed([result])


@pytest.mark.parametrize(
    ("partner", "code", "mend"),
    [
        (Partner(taken=Pushed(200, "ok")), "plain", "status-200"),
        (Partner(outcomes={f"{magic.RETRACTED}/back": "irreversible"}), "retraction", "irreversible"),
        (Partner(forged=Pushed(400, "no")), "forged", "other-code"),
        (Partner(audience=Pushed(400, '["invalid_audience"]')), "audience", "other-code"),
    ],
)
def test_what_is_allowed_and_better_otherwise_is_a_warning(partner: Partner, code: str, mend: str) -> None:
    results = played(partner, code)
    assert [(result.state, result.mend) for result in results] == [("warning", mend)]
    assert passed(results)


def test_a_system_that_cannot_refuse_or_wait_passes_too() -> None:
    partner = Partner(outcomes={magic.DEBT: "unbound", magic.PENDING: "unbound"})
    assert [result.state for result in played(partner, "plain")] == ["passed"]


def test_an_event_that_is_told_to_come_later_comes_again() -> None:
    stage = PlayedStage(Partner(taken=Pushed(503, "")))
    stage.partner.again = NOTHING
    results = rehearse(Run(stage=stage, clock=stage.clock, sleep=stage.sleep), only=["nobody"])
    assert [result.state for result in results] == ["passed"]


def test_a_second_rehearsal_passes_though_the_first_gave_the_tie_back() -> None:
    partner = Partner(outcomes={magic.RETRACTED: "kept"})
    assert [result.state for result in played(partner, "retraction")] == ["passed"]


def test_everything_is_said_in_both_languages() -> None:
    assert all(words.zh and words.en for words in (*MENDS.values(), *SCENARIOS.values()))
    assert all(any("一" <= letter <= "鿿" for letter in words.zh) for words in MENDS.values())
