"""Four eyes: nothing is waived or released by one person alone, and nobody releases what is still frozen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

from clocks import Clock
from huanxin.acts import Platform
from huanxin.acts.batches import decide
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.domain.errors import BadInput, Conflict, Forbidden
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.numbersets import tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.gate import load_gate
from huanxin.release.listing import obstacles
from huanxin.release.proposals import Covered, Outcome, covered
from huanxin.release.waiving import SILENT, waive
from huanxin.store.access import operators
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.store.release import proposals, releases
from operators import operator
from ordering import imported, plan_now, release_proposed, send_now, waiver_proposed

_keys = count()
NUMBERS = [f"+861380013800{n}" for n in range(4)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A sent batch of four numbers whose one partner is silent, and three people."""

    platform: Platform
    folder: Path
    batch: int
    partner: int
    li: Operator
    wang: Operator
    other: Operator

    def propose(self) -> int:
        return waiver_proposed(
            self.platform, self.batch, partner_id=self.partner, only=None, reason="the partner closed down", by=self.li
        )

    def answer(self, *lines: str) -> None:
        """The partner files a receipt."""
        path = self.folder / "receipt.csv"
        path.write_text("\n".join(["number,outcome,reason,until", *lines, ""]))
        with self.platform.act("li") as act:
            (notice,) = notices.of_batch(act.tx, self.batch)
            file_receipt(
                act,
                tables.inspect(path),
                Filing(
                    notice=notice, roster=batches.roster(act.tx, self.batch), zone="Asia/Shanghai", complete=False,
                    key=str(next(_keys)),
                ),
            )  # fmt: skip

    def covered(self, proposal: int) -> Covered:
        with self.platform.database.transaction() as tx:
            found = proposals.get(tx, proposal)
            assert found is not None
            return covered(tx, found)

    def open(self) -> int:
        with self.platform.read() as reading:
            loaded = load_gate(reading, self.batch)
        return len(loaded.gate.open())


@pytest.fixture
def case(platform: Platform, report: Callable[..., Path], tmp_path: Path) -> Case:
    imported(platform, report(*(f"{n},cancelled,2026-08-26" for n in NUMBERS)), carrier="cmcc", by="test")
    with platform.act("test") as act:
        silent = add_partner(act, NewPartner(name="青禾音乐", kind=Kind.APP), https_only=False).partner
    li, wang, other = (
        operator(platform, "supervisor", carrier=carrier, login=login)
        for login, carrier in (("li", None), ("wang", None), ("zhao", "cucc"))
    )
    batch = plan_now(platform, by="test")
    assert batch is not None
    send_now(platform, batch.id)
    return Case(platform=platform, folder=tmp_path, batch=batch.id, partner=silent.id, li=li, wang=wang, other=other)


def test_a_waiver_takes_two_people(case: Case) -> None:
    proposal = case.propose()
    assert case.open() == 4, "a proposal changes nothing"
    with pytest.raises(Conflict, match="another supervisor"):
        decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.li)
    assert decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang) == 4
    assert case.open() == 0


def test_the_same_waiver_is_proposed_once_while_it_waits(case: Case) -> None:
    """Two people who click the same would have a third decide twice, and the second approval would find nothing."""
    proposal = case.propose()
    with pytest.raises(Conflict, match=f"proposal {proposal} would waive these numbers already"):
        case.propose()
    decide(case.platform, proposal, Outcome.DECLINED, note="ask them first", by=case.wang)
    assert case.propose() != proposal


def test_the_database_itself_refuses_one_person_who_decides_alone(case: Case) -> None:
    proposal = case.propose()
    with case.platform.database.transaction() as tx, pytest.raises(psycopg.errors.RaiseException, match="somebody else"):
        tx.execute("INSERT INTO proposal_end VALUES (%s, 'approved', '', 4, %s, now())", (proposal, case.li.id))


def test_who_confirmed_whoever_proposed_is_no_second_pair_of_eyes(case: Case) -> None:
    """The two may be one person who made the other; the database holds it too."""
    proposal = case.propose()
    with case.platform.database.transaction() as tx:
        operators.note(tx, case.li.id, "password-set", by="wang", at=case.platform.now(), detail={"must_change": True})
        operators.note(tx, case.li.id, "confirmed", by="zhao", at=case.platform.now())
    with pytest.raises(Conflict, match="somebody else has to decide"):
        decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang)
    with case.platform.database.transaction() as tx, pytest.raises(psycopg.errors.RaiseException, match="made, reset or"):
        tx.execute("INSERT INTO proposal_end VALUES (%s, 'approved', '', 4, %s, now())", (proposal, case.wang.id))


def test_who_was_reset_between_the_page_and_the_click_decides_nothing(case: Case) -> None:
    proposal = case.propose()
    with case.platform.database.transaction() as tx:
        operators.note(tx, case.wang.id, "password-set", by="guan", at=case.platform.now(), detail={"must_change": True})
    with case.platform.database.transaction() as tx, pytest.raises(psycopg.errors.RaiseException, match="confirmed"):
        tx.execute("INSERT INTO proposal_end VALUES (%s, 'approved', '', 4, %s, now())", (proposal, case.wang.id))


def test_what_one_person_decided_is_marked_and_what_two_decided_is_not(case: Case, clock: Clock) -> None:
    """Whoever reads the record later sees where the second pair of eyes was missing."""

    def marked() -> list[str]:
        with case.platform.act("li") as act:
            loaded = load_gate(act, case.batch)
            given = releases.all_releases(act.tx, case.batch)
        return [one.by for one in obstacles(loaded) if one.state == "waived" and one.places] + [
            f"{one.released_by}, {'one' if one.alone else 'two'}" for one in given
        ]

    half = NumberSet.of([int(NUMBERS[0])])
    with case.platform.act("root") as act:
        waive(act, case.batch, partner_id=case.partner, only=half, reason="at the machine")
    clock.forward(seconds=1)
    decide(case.platform, case.propose(), Outcome.APPROVED, note="", by=case.wang)
    clock.forward(days=1)
    wish = release_proposed(case.platform, case.batch, reason="", by=case.li)
    decide(case.platform, wish, Outcome.APPROVED, note="", by=case.wang)
    assert marked() == ["root (one person)", "li, wang", "li, wang, two"]


def test_what_was_decided_once_is_not_decided_again(case: Case) -> None:
    proposal = case.propose()
    decide(case.platform, proposal, Outcome.DECLINED, note="ask them once more", by=case.wang)
    with pytest.raises(Conflict, match="declined by wang already"):
        decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang)
    assert case.open() == 4


def test_only_its_author_withdraws_a_proposal_and_a_refusal_says_why(case: Case) -> None:
    proposal = case.propose()
    with pytest.raises(Forbidden, match="only li"):
        decide(case.platform, proposal, Outcome.WITHDRAWN, note="", by=case.wang)
    with pytest.raises(BadInput, match="why"):
        decide(case.platform, proposal, Outcome.DECLINED, note=" ", by=case.wang)
    decide(case.platform, proposal, Outcome.WITHDRAWN, note="", by=case.li)


def test_nobody_acts_on_numbers_of_another_carrier(case: Case) -> None:
    proposal = case.propose()
    with pytest.raises(Forbidden, match="other carriers"):
        decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.other)
    with pytest.raises(Forbidden, match="other carriers"):
        release_proposed(case.platform, case.batch, reason="", by=case.other)


def test_nobody_releases_before_the_freeze_has_ended(case: Case, clock: Clock) -> None:
    decide(case.platform, case.propose(), Outcome.APPROVED, note="", by=case.wang)
    clock.forward(hours=14, minutes=59)  # 23:59 of the 90th day
    with pytest.raises(Conflict, match="no number"):
        release_proposed(case.platform, case.batch, reason="", by=case.li)
    clock.forward(minutes=1)
    proposal = release_proposed(case.platform, case.batch, reason="all is in", by=case.li)
    with pytest.raises(Conflict, match="proposed already"):
        release_proposed(case.platform, case.batch, reason="", by=case.wang)
    assert decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang) == 4


def test_a_waiver_covers_what_was_open_when_it_was_proposed_and_no_more(case: Case) -> None:
    """Li proposes for silence, the partner files an order of a court, Wang approves: of that nobody knew."""
    case.answer(f"{NUMBERS[3]},pending,,")
    proposal = case.propose()
    case.answer(f"{NUMBERS[0]},refused,legal_hold,", f"{NUMBERS[1]},unbound,,", f"{NUMBERS[3]},pending,,2027-05-01")
    assert case.covered(proposal) == Covered(said={SILENT: 1}, left_out=2)
    assert decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang) == 1
    assert case.open() == 2
    again = case.propose()
    assert case.covered(again).said == {("refused", "legal_hold"): 1, ("pending", ""): 1}
    assert decide(case.platform, again, Outcome.APPROVED, note="the court has agreed", by=case.wang) == 2
    assert case.open() == 0


def test_a_proposal_of_which_the_partner_has_refused_all_since_is_proposed_anew(case: Case) -> None:
    proposal = case.propose()
    case.answer(*(f"{number},refused,legal_hold," for number in NUMBERS))
    case.answer(f"{NUMBERS[0]},unbound,,")
    with pytest.raises(Conflict, match="propose it anew"):
        decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang)
    assert case.open() == 3
    case.answer(*(f"{number},absent,," for number in NUMBERS))
    with pytest.raises(Conflict, match="answered or waived meanwhile"):
        decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang)


def test_what_was_settled_and_reopened_since_is_not_waived(case: Case) -> None:
    proposal = case.propose()
    for outcome in ("unbound", "refused", "unbound", "pending"):
        case.answer(*(f"{number},{outcome},{'debt' * (outcome == 'refused')}," for number in NUMBERS[:2]))
    assert decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang) == 2
    assert case.open() == 2


def test_a_proposal_that_was_made_before_it_was_noted_what_it_knew_waives_no_refusal(case: Case, dsn: str) -> None:
    """What came before it and what after can't be told apart any more."""
    case.answer(f"{NUMBERS[0]},refused,debt,")
    proposal = case.propose()
    with psycopg.connect(dsn) as owner:
        owner.execute("ALTER TABLE proposal DISABLE TRIGGER USER")
        owner.execute("UPDATE proposal SET seen = DEFAULT")
    assert decide(case.platform, proposal, Outcome.APPROVED, note="", by=case.wang) == 3
    assert case.open() == 1


def test_a_waiver_covers_what_the_partner_keeps_open_and_says_what_it_had_said_of_it(case: Case) -> None:
    case.answer(f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},refused,debt,2026-12-31", f"{NUMBERS[2]},refused,debt,2027-01-31")
    some = NumberSet.of([int(number) for number in NUMBERS[:3]])
    with case.platform.act("root") as act:
        waived = waive(act, case.batch, partner_id=case.partner, only=some, reason="settled in court")
    assert (waived.count, waived.said) == (2, {("refused", "debt"): 2}), "the first was answered, the last not named"


@pytest.mark.parametrize(("who", "reason"), [("root", " "), (" ", "settled in court")])
def test_nobody_waives_without_their_name_and_a_reason(case: Case, who: str, reason: str) -> None:
    with case.platform.act(who) as act, pytest.raises(BadInput, match="who grants it and why"):
        waive(act, case.batch, partner_id=case.partner, only=None, reason=reason)
    assert case.open() == 4
