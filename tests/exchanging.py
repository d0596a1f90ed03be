"""A platform with a sent batch of four numbers and partners that exchange files, for the tests of files and reminders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from huanxin.acts import Platform
from huanxin.answer.receiving import Rosters
from huanxin.domain.partners import Kind, NewPartner, Partner
from huanxin.domain.retries import Retries
from huanxin.notify.files import FileWriter, choose_folders, use_files
from huanxin.notify.folders import Folder
from huanxin.notify.own_folders import FolderAccess, FolderRules
from huanxin.notify.partners import add_partner
from huanxin.outbound import Outbound
from huanxin.signing.keys import Signer
from huanxin.store.answer import receipts
from huanxin.store.notify import attempts, notices
from huanxin.store.plan import batches
from huanxin.work.inboxes import InboxReader
from huanxin.work.reminding import Reminder
from ordering import imported, plan_now, send_now

NUMBERS = [f"+86138001380{n:02d}" for n in range(4)]


def cancelled(platform: Platform, report: Callable[..., Path]) -> None:
    """Four numbers whose freeze is over."""
    lines = [f"{number},cancelled,2026-08-20" for number in NUMBERS]
    imported(platform, report(*lines, name="first.csv"), carrier="cmcc", by="li")


def planned(platform: Platform) -> int:
    batch = plan_now(platform, by="li")
    assert batch is not None
    return batch.id


def receipts_of(platform: Platform) -> list[dict[str, int]]:
    """What each receipt on record says, as counts by outcome."""
    with platform.database.transaction() as tx:
        return [one.counts for batch in batches.all_batches(tx) for one in receipts.all_of_batch(tx, batch.id)]


def register(platform: Platform, name: str, *, required: bool = True) -> Partner:
    """A partner that polls."""
    with platform.act("li") as act:
        return add_partner(act, NewPartner(name=name, kind=Kind.APP, required=required), https_only=False).partner


def chosen(platform: Platform, partner: Partner, url: str, login: FolderAccess) -> None:
    """The partner chooses OUT and IN below an address itself."""
    with platform.act(partner.client_id) as act:
        choose_folders(act, partner, out=f"{url}/OUT", into=f"{url}/IN", login=login, rules=rules_of(platform))


def last_answer(platform: Platform, partner: Partner) -> str:
    """What came of the last attempt at the last event."""
    with platform.database.transaction() as tx:
        event = attempts.latest(tx, partner.id)[0]
        return attempts.attempts_of(tx, [event.jti])[event.jti][-1].answer


def notice_of(platform: Platform, partner: Partner, batch: int) -> str:
    with platform.database.transaction() as tx:
        return next(one.id for one in notices.of_batch(tx, batch) if one.partner_id == partner.id)


@dataclass
class Shop:
    """A partner that exchanges files through two directories."""

    platform: Platform
    partner: Partner
    out: Path
    into: Path

    @classmethod
    def opened(cls, platform: Platform, name: str, folder: Path) -> Shop:
        shop = cls(platform, register(platform, name), folder / name / "OUT", folder / name / "IN")
        for place in (shop.out, shop.into):
            place.mkdir(parents=True)
        with platform.act("li") as act:
            use_files(act, shop.partner.id, out=str(shop.out), into=str(shop.into))
        return shop

    @classmethod
    def told(cls, platform: Platform, report: Callable[..., Path], folder: Path) -> Shop:
        """One with a notice of four numbers in its folder, whose freeze is over."""
        shop = cls.opened(platform, "shop", folder)
        cancelled(platform, report)
        send_now(platform, planned(platform))
        assert writer_of(platform).one_job()
        return shop

    def manifest(self) -> dict[str, Any]:
        """The one notice in the folder."""
        (path,) = self.out.glob("*.notice.json")
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def answer(
        self, lines: list[str], *, notice: str, part: int = 1, complete: bool = True, count: int | None = None,
        sha256: str | None = None, content: bytes | None = None, replaces: list[int] | None = None,
    ) -> None:  # fmt: skip
        """Leave a receipt and its manifest, right unless told otherwise."""
        content = content or "\n".join(["number,outcome,reason,until", *lines, ""]).encode()
        name = f"{notice}.{part}.receipt.csv"
        (self.into / name).write_bytes(content)
        manifest = {
            "notice": notice, "count": len(lines) if count is None else count,
            "sha256": sha256 or hashlib.sha256(content).hexdigest(), "complete": complete, "receipt": name,
        } | ({"replaces": replaces} if replaces else {})  # fmt: skip
        (self.into / f"{notice}.{part}.receipt.json").write_text(json.dumps(manifest))

    def result(self, notice: str, part: int = 1) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.out / f"{notice}.{part}.result.json").read_text())
        return found


def signer_of(platform: Platform) -> Signer:
    return Signer(issuer=platform.issuer, database=platform.database, passphrase="test", clock=platform.clock)


def rules_of(platform: Platform) -> FolderRules:
    return FolderRules(
        outbound=Outbound(inner_allowed=platform.development),
        passphrase="a passphrase of some length",
        local=None,
        s3_services=("s3.*.example",),
    )


def writer_of(platform: Platform) -> FileWriter:
    return FileWriter(
        database=platform.database,
        signer=signer_of(platform),
        folders=rules_of(platform),
        clock=platform.clock,
        retries=Retries(),
        chance=lambda: 0.0,
    )


@dataclass(frozen=True, kw_only=True)
class Reader(InboxReader):
    """A reader of folders that counts the receipts which it dealt with."""

    dealt_with: list[int] = field(default_factory=list)

    def take_all(self, partner: Partner, into: Folder, out: Folder) -> int:
        self.dealt_with.append(super().take_all(partner, into, out))
        return self.dealt_with[-1]


def takes(reader: Reader) -> bool:
    """Look into every folder that is due; whether any receipt was dealt with."""
    before = sum(reader.dealt_with)
    while reader.one_job():
        pass
    return sum(reader.dealt_with) > before


def reader_of(platform: Platform, limit: int = 1 << 20) -> Reader:
    return Reader(
        platform=platform,
        rosters=Rosters(platform.read),
        signer=signer_of(platform),
        folders=rules_of(platform),
        every=timedelta(seconds=10),
        limit=limit,
        chance=lambda: 0.0,
    )


def decides(reminder: Reminder) -> bool:
    """Do the reminder's job; whether it decided a step of any notice."""

    def decided() -> int:
        with reminder.platform.read() as seen:
            row = seen.tx.execute("SELECT count(*) FROM notice_step").fetchone()
        assert row is not None
        return int(row[0])

    before = decided()
    reminder.one_job()
    return decided() > before
