"""The platform and the partner package exchange files, and the way between them damages, loses and delays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from clocks import Clock
from exchanging import NUMBERS, Shop, cancelled, planned, reader_of, signer_of, writer_of
from huanxin.acts import Platform
from huanxin.acts.batches import release
from huanxin.acts.requests import order_request
from huanxin.domain.numbers import parse
from huanxin.request.ordering import Purpose, Wish
from huanxin.store.request import requests
from huanxin_partner.filechannel import Exchange, FileHandler, Mail
from huanxin_partner.folders import Folder
from huanxin_partner.journal import Journal
from huanxin_partner.outbox import Outbox
from huanxin_partner.receiver import Worker
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Verifier
from ordering import imported, send_now

A, B = NUMBERS[:2]
HELD = Answer(number=A, outcome="refused", reason="legal_hold")
CUT = Answer(number=B, outcome="unbound")


@dataclass
class Ties:
    """A store that answers what it is told to."""

    answers: list[Answer] = field(default_factory=lambda: [HELD, CUT])

    def unbind(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        return [answer for answer in self.answers if answer.number in numbers]

    def restore(self, numbers: Sequence[str], cutoff: datetime) -> Iterable[Answer]:
        return []

    def bound(self, number: str) -> bool:
        return False


class Site:
    """A partner that files a line a receipt, and the platform that it exchanges files with. `look` is a minute."""

    def __init__(self, platform: Platform, clock: Clock, shop: Shop, folder: Path) -> None:
        self.platform, self.clock, self.shop, self.folder, self.ties = platform, clock, shop, folder, Ties()
        (folder / "jwks.json").write_text(json.dumps(signer_of(platform).jwks()))
        self.reader = reader_of(platform)
        self.start()

    def start(self) -> None:
        """The partner's program begins anew, on what it kept."""

        def now() -> float:
            return self.clock().timestamp()

        self.journal = Journal(self.folder / "journal.db", clock=now)
        exchange = Exchange(
            out=Folder(str(self.shop.out)), inbox=Folder(str(self.shop.into)),
            outbox=Outbox(self.folder / "journal.db", clock=now),
        )  # fmt: skip
        verifier = Verifier(
            issuer=self.platform.issuer, audience=self.shop.partner.client_id, client=httpx.Client(), clock=now,
            jwks_file=self.folder / "jwks.json",
        )  # fmt: skip
        self.mail = Mail(exchange=exchange, verifier=verifier, journal=self.journal, say=lambda _: None, clock=now)
        self.handler = FileHandler(self.ties, exchange, self.journal, say=lambda _: None)
        self.handler.part = 1

    def partner(self) -> None:
        self.mail.fetch()
        worker = Worker(self.journal, self.handler)
        while worker.one_event():
            pass
        self.handler.exchange.send()

    def look(self) -> None:
        self.clock.forward(seconds=61)
        self.reader.one_job()

    def minutes(self, count: int) -> None:
        for _ in range(count):
            self.partner()
            self.look()

    def written(self) -> list[str]:
        return sorted(path.name.split(".")[1] for path in self.shop.into.glob("*.receipt.json"))

    def manifest(self, number: int) -> dict[str, Any]:
        (path,) = self.shop.into.glob(f"*.{number}.receipt.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def receipt(self, number: int) -> Path:
        (path,) = self.shop.into.glob(f"*.{number}.receipt.csv")
        return path

    def results(self) -> dict[str, bool]:
        """Whether each receipt that has a result was taken."""
        return {path.name.split(".")[1]: json.loads(path.read_text())["problem"] is None
                for path in sorted(self.shop.out.glob("*.result.json"))}  # fmt: skip

    def released(self) -> int:
        return sum(one.count for one in release(self.platform, by="li"))


@pytest.fixture
def site(platform: Platform, report: Callable[..., Path], tmp_path: Path, clock: Clock) -> Site:
    shop = Shop.opened(platform, "shop", tmp_path)
    cancelled(platform, report)
    send_now(platform, planned(platform))
    assert writer_of(platform).one_job()
    return Site(platform, clock, shop, tmp_path)


def test_a_transfer_that_is_cut_short_releases_nothing_and_is_mended_by_itself(site: Site) -> None:
    """It released a number under a legal hold: the part that said so was damaged, and the last part said complete."""
    site.partner()
    assert site.written() == ["1"], "the last part waits until the first was taken"
    path = site.receipt(1)
    path.write_bytes(path.read_bytes()[:-9])
    site.look()
    site.look()
    assert site.results() == {"1": False}
    site.partner()
    assert site.written() == ["1"], "it goes again in a minute"
    site.minutes(2)
    assert site.manifest(2)["replaces"] == [1]
    assert site.results() == {"1": False, "2": True}
    assert site.released() == 0
    site.minutes(2)
    assert site.results() == {"1": False, "2": True, "3": True}
    assert site.manifest(3)["complete"] is True
    assert site.released() == 3, "all but what is held"
    assert site.journal.waiting() == 0


def test_a_receipt_that_got_lost_on_its_way_is_written_again_after_an_hour(site: Site) -> None:
    site.partner()
    for path in site.shop.into.iterdir():
        path.unlink()
    site.minutes(30)
    assert site.results() == {}
    site.minutes(40)
    assert site.results() == {"1": True, "2": True}
    assert site.released() == 3


def test_a_program_that_dies_and_starts_anew_goes_on_where_it_was(site: Site) -> None:
    site.partner()
    site.look()
    site.journal.close()
    site.start()
    site.minutes(3)
    assert site.results() == {"1": True, "2": True}
    assert site.written() == ["1", "2"], "nothing was written twice"
    assert site.released() == 3


def test_what_the_store_answered_wrongly_is_asked_anew_and_goes_once_it_says_something_else(site: Site) -> None:
    """And the number that the refused receipt named is named again, though the store has nothing to say of it any more."""
    site.ties.answers = [Answer(number=A, outcome="refused", reason="dept"), CUT]
    site.minutes(10)
    assert (site.results(), site.written()) == ({"1": False}, ["1"]), "the same is not sent twice"
    assert site.handler.refused == 1
    assert site.released() == 0
    site.ties.answers = [CUT]
    site.minutes(12)
    assert site.journal.waiting() == 0
    said = [site.receipt(int(number)).read_text().splitlines()[1:] for number in site.written()]
    assert sorted(line for lines in said[1:] for line in lines) == [f"{A},absent,,", f"{B},unbound,,"]
    assert site.manifest(2)["replaces"] == [1]
    assert site.released() == 4


def test_a_receipt_that_was_refused_before_receipts_were_kept_is_replaced_too(site: Site) -> None:
    """The program was brought up to date while its first part was on its way: the last one is there already, and waits."""
    notice = site.shop.manifest()["notice"]
    site.mail.fetch()
    found = site.journal.next()
    assert found is not None
    site.journal.finish(found[0].jti, "as it was done before")
    site.shop.answer([f"{A},refused,legal_hold,"], notice=notice, part=1, complete=False, sha256="0" * 64)
    site.shop.answer([f"{B},unbound,,"], notice=notice, part=2)
    site.look()
    site.look()
    site.minutes(5)
    assert site.manifest(3)["replaces"] == [1]
    assert all(taken for number, taken in site.results().items() if number != "1")
    assert site.released() == 3


def test_an_owners_order_is_done_and_answered_through_folders(
    platform: Platform, report: Callable[..., Path], tmp_path: Path, clock: Clock
) -> None:
    shop = Shop.opened(platform, "shop", tmp_path)
    lines = [f"{A},opened,2024-01-05", f"{A},cancelled,2026-06-01", f"{A},opened,2026-10-01T15:00:00+08:00"]
    imported(platform, report(*lines), carrier="cmcc", by="li")
    wish = Wish(purpose=Purpose.RENEW, number=parse(A), partner_ids=[shop.partner.id], consent_text="I agree",
                channel="sms", language="zh_CN", shown_at=platform.now())  # fmt: skip
    made = order_request(platform, wish)
    assert writer_of(platform).one_job()
    site = Site(platform, clock, shop, tmp_path)
    site.ties.answers = [Answer(number=A, outcome="unbound")]
    site.minutes(2)
    with platform.database.transaction() as tx:
        answered = requests.notice(tx, made.notices[shop.partner.id])
    assert answered is not None
    assert answered.outcome == "unbound"
