"""The carriers' shops: what they sell again they disclose first, through their own software; now and then one forgets."""

from __future__ import annotations

from collections.abc import Sequence

from huanxin.access import people
from huanxin.acts import Platform
from huanxin.acts.desk import acknowledge
from huanxin.demo.world_reports import ReportFile
from huanxin.disclose.acknowledging import Acknowledgement, Method
from huanxin.disclose.desk import look_up, texts_of
from huanxin.domain.disclosure import ZH, digest
from huanxin.domain.numbers import parse

_FORGOTTEN = 2  # of each carrier


def disclose(platform: Platform, sold: Sequence[ReportFile], *, by: str) -> int:
    """Record what buyers acknowledged of the numbers that reports will say were sold, all but a few; how many."""
    done = 0
    for file in sold:
        numbers = [parse(line.partition(",")[0]) for line in file.path.read_text(encoding="utf-8").splitlines()[1:]]
        remembered = numbers[min(_FORGOTTEN, len(numbers) // 3) :]
        with platform.read() as seen:
            told = [one for one in look_up(seen, remembered, seller=file.carrier) if one.for_sale]
        given = [
            Acknowledgement(number=one.number, shown=digest(texts_of(one)[ZH]), method=Method.REFERENCE,
                            evidence=f"{file.carrier.upper()}-{serial:06}")
            for serial, one in enumerate(told, start=1)
        ]  # fmt: skip
        with platform.act(by) as act:
            clerk = people.add_operator(
                act, login=f"shop-{file.carrier}", name=f"{platform.plan.carriers[file.carrier].name} 营业系统",
                roles=["desk"], carrier=file.carrier,
            )  # fmt: skip
        done += acknowledge(platform, given, by=clerk).new if given else 0
    return done
