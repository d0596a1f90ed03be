"""Reports that tests take, withdraw and correct."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from huanxin.acts import Platform, mending
from huanxin.domain.mended import Mended
from huanxin.domain.numbers import parse
from huanxin.domain.partners import Kind, NewPartner
from huanxin.domain.tenures import State
from huanxin.notify.partners import add_partner
from huanxin.store.plan import batches
from huanxin.store.report import reports
from ordering import imported

Report = Callable[..., Path]
WRONG, RIGHT = "+8613800138000", "+8613800138001"
Tell = Callable[..., int]


Correct = Callable[..., Mended]


def teller(platform: Platform, report: Report) -> Tell:
    """Takes the lines of a report, each time as another file."""
    names = iter(range(100))

    def told(*lines: str, carrier: str = "cmcc") -> int:
        """The id of the report."""
        return imported(platform, report(*lines, name=f"{next(names)}.csv"), carrier=carrier).imported.report_id

    return told


HEADING = "number,event,at,instead_of"


def corrector(platform: Platform, report: Report) -> Correct:
    """Takes the lines of a correction."""
    names = iter(range(100))

    def corrected(*lines: str, approved_by: str = "") -> Mended:
        path = report(*lines, name=f"c{next(names)}.csv", heading=HEADING)
        with platform.act("li") as act:
            return mending.correct(act, path, carrier="cmcc", reason="a slip of the pen", approved_by=approved_by)

    return corrected


def withdrawn(platform: Platform, report_id: int, reason: str = "the wrong month") -> Mended:
    with platform.act("li") as act:
        return mending.withdraw(act, report_id, reason=reason)


def state(platform: Platform, number: str) -> State:
    with platform.read() as seen:
        return reports.standing_of(seen.tx, parse(number)).state


def partner(platform: Platform, name: str = "shop", *, required: bool = True) -> None:
    with platform.act("li") as act:
        add_partner(act, NewPartner(name=name, kind=Kind.APP, required=required), https_only=False)


def retracted(platform: Platform, batch_id: int) -> list[list[int]]:
    with platform.read() as seen:
        return [list(batches.numbers_of(seen.tx, one.id)) for one in batches.retractions_of(seen.tx, batch_id)]


def closed_on(platform: Platform, number: str) -> list[str]:
    with platform.read() as seen:
        return [str(one.closed_on) for one in reports.standing_of(seen.tx, parse(number)).tenures]
