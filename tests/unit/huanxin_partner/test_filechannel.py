"""The file channel: nothing half-read, nothing answered twice, nothing taken that the platform didn't sign."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from huanxin_partner import cli
from partner_signing import ISSUER, RENEWAL, jwks, key, token

RETRACTION = "urn:huanxin:event:retraction"
CUTOFF = "2026-01-01T00:00:00Z"
NUMBERS = [f"+861380013800{place}" for place in range(5)]
RECEIPT = ["number,outcome,reason,until", f"{NUMBERS[0]},unbound,,", f"{NUMBERS[1]},kept,,"]


class Site:
    """A partner without HTTP: a database, two folders, and the platform's keys in a file."""

    def __init__(self, folder: Path) -> None:
        self.out, self.inbox, self.key = folder / "out", folder / "in", key("k1")
        self.out.mkdir()
        self.database = folder / "site.db"
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
            ties = [(NUMBERS[0], "2020-01-01T00:00:00Z"), (NUMBERS[1], CUTOFF)]
            db.executemany("INSERT INTO users (phone, since) VALUES (?, ?)", ties)
        (folder / "jwks.json").write_text(json.dumps(jwks(self.key)), encoding="utf-8")
        self.config = folder / "partner.toml"
        self.config.write_text(
            f'issuer = "{ISSUER}"\nclient_id = "pc_1"\ndatabase = "{self.database}"\ntable = "users"\n'
            f'number_column = "phone"\nbound_at_column = "since"\njwks_file = "{folder}/jwks.json"\n'
            f'files_out = "{self.out}"\nfiles_in = "file://{self.inbox}"\n',
            encoding="utf-8",
        )

    def run(self) -> int:
        return cli.main(["file", "--once", "--config", str(self.config)])

    def notice(self, notice: str = "n1", *, numbers: Sequence[str] = NUMBERS, signer: ECKey | None = None,
               of: str = "", age: int = 0, changed: dict[str, Any] | None = None) -> None:  # fmt: skip
        """Write a notice as the platform does; `changed` members of the manifest."""
        content = ("\n".join(["number", *numbers]) + "\n").encode()
        sha256 = hashlib.sha256(content).hexdigest()
        event = {"notice": notice, "scope": "batch", "count": len(numbers), "cutoff": CUTOFF, "answer_by": CUTOFF,
                 "numbers": {"url": f"{ISSUER}/numbers", "sha256": {"text/csv": sha256}}}  # fmt: skip
        claims = {"iss": ISSUER, "aud": "pc_1", "iat": int(time.time()) - age, "jti": f"j-{notice}", "txn": notice,
                  "sub_id": {"format": "opaque", "id": notice},
                  "events": {RETRACTION: event | {"of": of}} if of else {RENEWAL: event}}  # fmt: skip
        manifest = {"notice": notice, "purpose": "retraction" if of else "renewal", "count": len(numbers), "sha256": sha256,
                    "cutoff": CUTOFF, "answer_by": CUTOFF, "numbers": f"{notice}.numbers.csv",
                    "set": token(signer or self.key, claims)} | (changed or {})  # fmt: skip
        (self.out / f"{notice}.numbers.csv").write_bytes(content)
        (self.out / f"{notice}.notice.json").write_text(json.dumps(manifest), encoding="utf-8")

    def result(self, name: str, **more: Any) -> None:
        said = {"notice": "n1", "receipt_file": f"{name}.receipt.csv", "accepted": None, "outstanding": 0,
                "confirmation": None, "problem": None} | more  # fmt: skip
        (self.out / f"{name}.result.json").write_text(json.dumps(said), encoding="utf-8")

    def written(self) -> list[str]:
        return sorted(path.name for path in self.inbox.iterdir()) if self.inbox.exists() else []

    def phones(self) -> list[str | None]:
        with closing(sqlite3.connect(self.database)) as db:
            return [phone for (phone,) in db.execute("SELECT phone FROM users ORDER BY id")]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_notice_is_cut_and_answered_with_a_receipt_and_its_manifest(site: Site) -> None:
    site.notice()
    assert site.run() == 0
    assert site.phones() == [None, NUMBERS[1]]
    assert site.written() == ["n1.1.receipt.csv", "n1.1.receipt.json"]
    receipt = (site.inbox / "n1.1.receipt.csv").read_bytes()
    assert receipt.decode().splitlines() == RECEIPT
    assert json.loads((site.inbox / "n1.1.receipt.json").read_text(encoding="utf-8")) == {
        "notice": "n1", "count": len(list(csv.DictReader(io.StringIO(receipt.decode())))),
        "sha256": hashlib.sha256(receipt).hexdigest(), "complete": True, "receipt": "n1.1.receipt.csv",
    }  # fmt: skip


def test_a_second_run_writes_nothing_more(site: Site) -> None:
    site.notice()
    assert (site.run(), site.run()) == (0, 0)
    assert site.written() == ["n1.1.receipt.csv", "n1.1.receipt.json"]


def test_a_notice_that_was_answered_long_ago_is_no_fault(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.notice()
    assert site.run() == 0
    site.notice(age=90 * 86_400)  # the same event, by now too old to verify
    capsys.readouterr()
    assert site.run() == 0
    assert capsys.readouterr().out == ""


def test_a_crash_before_the_receipt_loses_nothing_and_after_it_writes_no_second(site: Site) -> None:
    site.notice()
    site.inbox.write_text("in the way", encoding="utf-8")  # no folder can be made here
    assert site.run() == 1
    assert site.phones() == [None, NUMBERS[1]]  # cut, and not yet told
    site.inbox.unlink()
    with closing(sqlite3.connect(site.database.with_suffix(".huanxin.db"))) as db, db:
        db.execute("UPDATE huanxin_event SET due = 0")
    assert site.run() == 0
    with closing(sqlite3.connect(site.database.with_suffix(".huanxin.db"))) as db, db:
        db.execute("UPDATE huanxin_event SET done = NULL, due = 0")  # as if killed after the receipt was written
    assert site.run() == 0
    assert site.written() == ["n1.1.receipt.csv", "n1.1.receipt.json"]
    assert (site.inbox / "n1.1.receipt.csv").read_text(encoding="utf-8").splitlines() == RECEIPT


def test_a_number_file_that_is_not_whole_is_left_alone_until_it_is(site: Site) -> None:
    site.notice()
    numbers = site.out / "n1.numbers.csv"
    whole = numbers.read_bytes()
    numbers.write_bytes(whole[:-9])
    assert site.run() == 1
    assert (site.phones(), site.written()) == ([NUMBERS[0], NUMBERS[1]], [])
    numbers.write_bytes(whole)
    with closing(sqlite3.connect(site.database.with_suffix(".huanxin.db"))) as db, db:
        db.execute("UPDATE huanxin_event SET due = 0")
    assert site.run() == 0
    assert site.phones() == [None, NUMBERS[1]]


def test_files_that_are_being_written_are_not_read(site: Site) -> None:
    site.notice()
    (site.out / "n1.notice.json").rename(site.out / "n1.notice.json.part")
    assert site.run() == 0
    assert site.written() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"notice": "n2"}, "signed event is of 'n1'"),
        ({"purpose": "retraction"}, "purpose"),
        ({"count": 4}, "count and sha256"),
        ({"count": "5"}, "count is not a number"),
        ({"sha256": "0" * 64}, "count and sha256"),
        ({"set": "x"}, "signed token"),
        ({"set": None}, "set is missing"),
    ],
)
def test_a_manifest_that_disagrees_with_what_was_signed_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str], changed: dict[str, Any], said: str
) -> None:
    site.notice(changed=changed)
    assert site.run() == 1
    assert said in capsys.readouterr().out
    assert (site.phones(), site.written()) == ([NUMBERS[0], NUMBERS[1]], [])


def test_a_forged_notice_cuts_nothing(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.notice(signer=key("k1"))
    assert site.run() == 1
    assert "the signature is not the issuer's" in capsys.readouterr().out
    assert (site.phones(), site.written()) == ([NUMBERS[0], NUMBERS[1]], [])


def test_a_manifest_cannot_lead_out_of_the_folder(site: Site) -> None:
    site.notice(numbers=NUMBERS)
    site.notice("n1", changed={"numbers": "../site.db"})
    assert site.run() == 1
    assert (site.phones(), site.written()) == ([NUMBERS[0], NUMBERS[1]], [])


def test_a_retraction_gives_back(site: Site) -> None:
    site.notice()
    assert site.run() == 0
    site.notice("n2", numbers=NUMBERS[:1], of="n1")
    assert site.run() == 0
    assert site.phones() == [NUMBERS[0], NUMBERS[1]]
    assert (site.inbox / "n2.1.receipt.csv").read_text(encoding="utf-8").splitlines()[1:] == [f"{NUMBERS[0]},restored,,"]


def test_what_the_platform_says_of_a_receipt_is_told_once(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.result("n1.1", accepted={"unbound": 1, "kept": 1}, confirmation=token(site.key, {"receipt": 1}))
    site.result("n1.2", problem={"title": "the receipt is refused", "errors": [{"line": 3, "reason": "twice"}]})
    assert site.run() == 1
    said = capsys.readouterr().out
    assert (
        "n1.1.result.json: the receipt was accepted (unbound 1, kept 1), confirmed with a signature; outstanding 0" in said
    )
    assert "n1.2.result.json: the receipt was REFUSED" in said
    assert '"line": 3' in said
    assert site.run() == 0
    assert capsys.readouterr().out == ""


def test_a_confirmation_that_the_platform_did_not_sign_is_not_believed(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.result("n1.1", accepted={"unbound": 1}, confirmation=token(key("k1"), {"receipt": 1}))
    assert site.run() == 1
    assert "not taken: the signature is not the issuer's" in capsys.readouterr().out


def test_a_setting_that_is_missing_is_named(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    kept = [line for line in site.config.read_text(encoding="utf-8").splitlines() if not line.startswith("files_out")]
    site.config.write_text("\n".join(kept), encoding="utf-8")
    assert site.run() == cli.WRONG_SETTING
    assert "files_out" in capsys.readouterr().err


def test_a_folder_of_an_unknown_kind_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUANXIN_PARTNER_FILES_OUT", "pigeon://loft/out")
    assert site.run() == cli.WRONG_SETTING
    assert "pigeon" in capsys.readouterr().err
