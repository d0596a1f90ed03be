"""A carrier's shop: numbers whose renewal went in every way that there is, and a clerk at the desk."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from clocks import Clock
from holding import hold
from huanxin.acts import Platform, open_platform
from huanxin.acts.batches import release
from huanxin.answer.receiving import Filing, file_receipt
from huanxin.disclose.acknowledging import Acknowledgement, Method
from huanxin.disclose.desk import texts_of
from huanxin.domain.disclosure import ZH, Told, digest
from huanxin.domain.operators import Operator
from huanxin.domain.partners import Kind, NewPartner
from huanxin.notify.partners import add_partner
from huanxin.numbersets import tables
from huanxin.numbersets.sharded import NumberSet
from huanxin.release.waiving import waive
from huanxin.store import facts
from huanxin.store.notify import notices
from huanxin.store.plan import batches
from huanxin.web.app import create_app
from operators import operator
from ordering import imported, looked_at, plan_now, send_now
from serving import served
from town import settings_of

CLEAN, WAIVED, REFUSED, HELD, LATE = (8613800138000 + n for n in range(5))
SPARE = [8613801555000 + n for n in range(12)]
SERVING, FIRST, OTHERS = 8613800138100, 8613800138200, 8613000000000
ALLOTTED = (8613800000000, 8613801999999)
UNALLOTTED = 8613802000000
SIGNATURE = "M10 10L20 30L40 20L60 35L80 12"
DAY = "2026-11-24T10:00:00+08:00"


@dataclass(kw_only=True)
class Shop:
    """A released batch: CLEAN and SPARE are confirmed by both partners, WAIVED waived at one, REFUSED refused by one; HELD
    is held since, and LATE was objected to after the release."""

    platform: Platform
    clock: Clock
    clerk: Operator
    folder: Path
    batch: int

    def told(self, number: int, seller: str | None = "cmcc") -> Told:
        return looked_at(self.platform, [number], seller=seller)[0]

    def given(self, number: int, **changes: object) -> Acknowledgement:
        """What the desk sends once a buyer has signed."""
        shown = digest(texts_of(self.told(number)).get(ZH, ""))
        one = Acknowledgement(number=number, shown=shown, method=Method.SIGNATURE, evidence=SIGNATURE)
        return replace(one, **changes)  # type: ignore[arg-type]

    def opened(self, *numbers: int, name: str = "opened.csv") -> int:
        """The carrier reports two hours later that it sold numbers; how many of them nobody was told of."""
        self.clock.forward(hours=2)
        path = self.folder / name
        path.write_text("\n".join(["number,event,at", *(f"+{number},opened,{DAY}" for number in numbers), ""]))
        return imported(self.platform, path, carrier="cmcc", by="test").undisclosed

    def answer(self, partner: str, *lines: str, complete: bool = False) -> None:
        path = self.folder / "receipt.csv"
        path.write_text("\n".join(["number,outcome,reason,until", *lines, ""]))
        with self.platform.act("li") as act:
            notice = next(one for one in notices.of_batch(act.tx, self.batch) if one.partner == partner)
            file_receipt(
                act,
                tables.inspect(path),
                Filing(
                    notice=notice, roster=batches.roster(act.tx, self.batch), zone="Asia/Shanghai", complete=complete,
                    key=str(lines),
                ),
            )  # fmt: skip


def looked_up(desk: httpx.Client, numbers: str = "", **more: str) -> httpx.Response:
    """The table that a clerk's browser comes to."""
    return desk.post("/console/desk", data={"numbers": numbers, **more})


def sealed(desk: httpx.Client, number: int) -> dict[str, str]:
    """What stands for one number in the addresses of the desk."""
    return {"list": looked_up(desk, f"+{number}").url.params["list"]}


@contextmanager
def served_shop(dsn: str, folder: Path) -> Iterator[tuple[Shop, httpx.Client]]:
    """A shop with its pages and its API, and a client that nobody has signed in with."""
    settings, clock = settings_of(dsn, folder), Clock()
    with (
        open_platform(settings, clock=clock) as platform,
        served(create_app(platform, settings, run_workers=False)) as http,
    ):
        yield open_shop(platform, clock, folder), http


def open_shop(platform: Platform, clock: Clock, folder: Path) -> Shop:
    """Everything up to the release, on a fresh platform."""
    path = folder / "report.csv"
    cancelled = [f"+{number},cancelled,2026-08-25" for number in (CLEAN, WAIVED, REFUSED, HELD, LATE, *SPARE)]
    path.write_text("\n".join(["number,event,at", *cancelled, f"+{SERVING},opened,2026-01-05", ""]))
    imported(platform, path, carrier="cmcc", by="test")
    with platform.act("test") as act:
        facts.allocation(act.tx, carrier="cmcc", file_name="", ranges=[ALLOTTED], by="test", at=platform.now())
        for name in ("晨星商城", "飞燕快递"):
            slow = add_partner(act, NewPartner(name=name, kind=Kind.APP), https_only=False).partner
    batch = plan_now(platform, by="test")
    assert batch is not None
    send_now(platform, batch.id)
    clerk = operator(platform, "desk", carrier="cmcc")
    shop = Shop(platform=platform, clock=clock, clerk=clerk, folder=folder, batch=batch.id)
    shop.answer("晨星商城", f"+{CLEAN},unbound,,", complete=True)
    shop.answer("飞燕快递", f"+{CLEAN},absent,,", f"+{HELD},absent,,", f"+{LATE},unbound,,", f"+{REFUSED},refused,debt,",
                *(f"+{number},absent,," for number in SPARE))  # fmt: skip
    with platform.act("li") as act:
        waive(act, batch.id, partner_id=slow.id, only=NumberSet.of([WAIVED]), reason="closed down")  # fmt: skip
    release(platform, by="test")
    hold(platform, [HELD], source="court", order="12/3")
    shop.answer("飞燕快递", f"+{LATE},refused,legal_hold,")
    return shop
