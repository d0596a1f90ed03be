"""The scenarios of a rehearsal, played by the platform's sandbox and by `huanxin-partner selftest` alike."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta

from huanxin_partner.rehearsal import magic
from huanxin_partner.rehearsal.run import ACCEPTED, OK, Found, Run, ScenarioResult, judge, listed, said
from huanxin_partner.rehearsal.words import SCENARIOS, Words

_LARGE = 100_000
_OLD = timedelta(days=90)

Progress = Callable[[str, ScenarioResult | None], None]
"""Told the code of a scenario when it begins, and its result when it ends."""


def rehearse(
    run: Run, *, only: Collection[str] = (), progress: Progress = lambda _code, _result: None
) -> list[ScenarioResult]:
    """Play the scenarios, or only these, in order; what came of each. What the stage raises goes through."""
    results = []
    for code in SCENARIOS:
        if only and code not in only:
            continue
        progress(code, None)
        results.append(_played(run, code))
        progress(code, results[-1])
    return results


def passed(results: Collection[ScenarioResult]) -> bool:
    """Whether a partner with these results may go live: nothing failed. Warnings are its own to weigh."""
    return all(result.state != "failed" for result in results)


def _played(run: Run, code: str) -> ScenarioResult:
    began = run.clock()
    try:
        seen = _PLAYS[code](run)
    except Found as found:
        return ScenarioResult(
            code=code, state="failed" if found.severe else "warning", seconds=run.clock() - began, seen=found.seen,
            mend=found.mend,
        )  # fmt: skip
    return ScenarioResult(code=code, state="passed", seconds=run.clock() - began, seen=seen)


def _plain(run: Run) -> Words:
    """Ties cut and answered: one long before the cut-off, one a second before, a debtor's, and one that needs time."""
    numbers = (magic.OLD, magic.DEBT, magic.PENDING, magic.BEFORE_CUTOFF)
    notice = run.stage.notice(numbers, cutoff=magic.CUTOFF)
    pushed = run.take(notice.token)
    answers = run.answers(notice.id, numbers)
    judge(answers)
    if pushed.status == OK:
        raise Found("status-200", said(pushed), severe=False)
    return listed(answers)


def _duplicate(run: Run) -> Words:
    """The same token again is taken, and has no second effect."""
    notice, answers = run.renew(magic.OLD, magic.NOBODY, magic.ON_CUTOFF)
    receipts = run.stage.filed(notice.id).receipts
    pushed = run.stage.push(notice.token)
    if pushed.status not in (OK, ACCEPTED):
        raise Found("unreachable" if pushed.status is None else "duplicate-refused", said(pushed))
    run.silence(notice.id, mend="second-effect", receipts=receipts)
    if (after := run.stage.filed(notice.id).answers) != answers:
        raise Found("second-effect", listed(after))
    return said(pushed)


def _retraction(run: Run) -> Words:
    """What was cut is given back."""
    notice, _ = run.renew(magic.RETRACTED)
    retraction = run.stage.retract(notice.id, [magic.RETRACTED])
    run.take(retraction.token)
    answers = run.answers(retraction.id, [magic.RETRACTED])
    outcome = answers[magic.RETRACTED].outcome
    if outcome == "irreversible":
        raise Found("irreversible", listed(answers), severe=False)
    if outcome != "restored":
        raise Found("not-restored", listed(answers))
    return listed(answers)


def _one(number: str) -> Callable[[Run], Words]:
    def play(run: Run) -> Words:
        return listed(run.renew(number)[1])

    return play


def _forged(run: Run) -> Words:
    notice = run.stage.notice([magic.OLD], cutoff=magic.CUTOFF)
    return run.refuses(notice, run.stage.sign(notice.id, forged=True), {"authentication_failed", "invalid_key"})


def _audience(run: Run) -> Words:
    notice = run.stage.notice([magic.OLD], cutoff=magic.CUTOFF)
    return run.refuses(notice, run.stage.sign(notice.id, audience="somebody-else"), {"invalid_audience"})


def _old(run: Run) -> Words:
    notice = run.stage.notice([magic.OLD], cutoff=magic.CUTOFF)
    return run.refuses(notice, run.stage.sign(notice.id, issued_at=datetime.now(UTC) - _OLD), frozenset())


def _broken_file(run: Run) -> Words:
    """Until the file is right, nothing is answered; then everything."""
    numbers = [magic.OLD, magic.AFTER_CUTOFF]
    notice = run.stage.notice(numbers, cutoff=magic.CUTOFF)
    run.stage.set_broken(notice.id, True)
    run.take(notice.token)
    run.silence(notice.id, mend="answered-broken")
    run.stage.set_broken(notice.id, False)
    answers = run.answers(notice.id, numbers)
    judge(answers)
    return listed(answers)


def _large(run: Run) -> Words:
    """A complete answer in time, and a true one."""
    numbers = [magic.OLD, magic.AFTER_CUTOFF, *magic.crowd(_LARGE - 2)]
    notice = run.stage.notice(numbers, cutoff=magic.CUTOFF)
    run.take(notice.token)
    began = run.clock()
    answers = run.answers(notice.id, numbers, patience=run.large_patience, mend="too-slow")
    judge(answers)
    if wrong := {number: answers[number] for number in numbers[2:] if answers[number].outcome != "absent"}:
        raise Found("invented", listed(dict(list(wrong.items())[:3])))
    seconds = run.clock() - began
    return Words(f"{seconds:.1f} 秒答全 {_LARGE:,} 个号码", f"{_LARGE:,} numbers answered in {seconds:.1f} s")


_PLAYS: dict[str, Callable[[Run], Words]] = {
    "plain": _plain, "duplicate": _duplicate, "retraction": _retraction, "on-cutoff": _one(magic.ON_CUTOFF),
    "after-cutoff": _one(magic.AFTER_CUTOFF), "nobody": _one(magic.NOBODY), "forged": _forged, "audience": _audience,
    "old": _old, "broken-file": _broken_file, "large": _large,
}  # fmt: skip
