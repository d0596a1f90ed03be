"""A number that its owner takes along: elsewhere and unknown until a carrier says that it took it in, and vacant never."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from huanxin.acts import Platform
from huanxin.domain.errors import BadInput
from huanxin.domain.numbers import parse
from huanxin.domain.tenures import NumberTenures, State, Tenure
from huanxin.store.report import reports
from ordering import imported, plan_now

Report = Callable[..., Path]
NUMBER = "+8613800138000"
LEFT = (f"{NUMBER},opened,2020-01-05", f"{NUMBER},ported_out,2026-05-01T09:00:00+08:00")
CAME = f"{NUMBER},ported_in,2026-05-01T09:00:00+08:00"


def stands(platform: Platform) -> NumberTenures:
    with platform.read() as reading:
        return reports.standing_of(reading.tx, parse(NUMBER))


def take(platform: Platform, path: Path, carrier: str) -> int:
    return imported(platform, path, carrier=carrier, by="li").imported.accepted


@pytest.mark.parametrize(
    ("heading", "line"), [("number,event,at", CAME), ("号码,事件,时间", f"{NUMBER[1:]},携入,2026-05-01")]
)
def test_the_tenure_goes_on_at_the_carrier_that_took_the_number_in(
    platform: Platform, report: Report, heading: str, line: str
) -> None:
    take(platform, report(*LEFT), "cmcc")
    assert stands(platform).state is State.PORTED_OUT
    assert take(platform, report(line, heading=heading, name="in.csv"), "cucc") == 1
    assert stands(platform).current == Tenure(carrier="cucc", opened_on=date(2020, 1, 5), opened_by="cmcc")


def test_nobody_takes_in_what_nobody_let_go_and_the_file_is_taken_once_they_did(platform: Platform, report: Report) -> None:
    """A wrong file of another carrier would else take a number away from whoever has it, and freeze it in the end."""
    take(platform, report(LEFT[0]), "cmcc")
    mine = report(CAME, name="in.csv")
    with pytest.raises(BadInput) as refused:
        take(platform, mine, "cucc")
    assert "in service at cmcc, which has not reported ported_out" in refused.value.faults[0].reason
    take(platform, report(LEFT[1], name="out.csv"), "cmcc")
    assert take(platform, mine, "cucc") == 1


def test_what_left_and_was_not_taken_in_is_in_no_batch_and_nobody_can_open_it(platform: Platform, report: Report) -> None:
    take(platform, report(*LEFT), "cmcc")
    assert plan_now(platform, by="li") is None
    for carrier in ("cmcc", "cucc"):
        with pytest.raises(BadInput):
            take(platform, report(f"{NUMBER},opened,2026-10-01", name=f"{carrier}.csv"), carrier)
    assert stands(platform).state is State.PORTED_OUT


def test_the_carrier_that_took_it_in_may_go_on_without_having_said_so(platform: Platform, report: Report) -> None:
    take(platform, report(*LEFT), "cmcc")
    assert take(platform, report(f"{NUMBER},cancelled,2026-08-20", name="c.csv"), "cucc") == 1
    assert plan_now(platform, by="li", carrier="cucc") is not None
