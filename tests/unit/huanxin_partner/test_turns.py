"""Several workers on one journal, in one process or more: what is taken back is not cut, no event is done twice at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from huanxin_partner import cli
from huanxin_partner.handler import Handler
from huanxin_partner.journal import Journal
from huanxin_partner.outbox import Outbox
from huanxin_partner.receiver import Worker
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.ties import Answer
from huanxin_partner.tokens import Event

RENEWAL, RETRACTION = "urn:huanxin:event:renewal", "urn:huanxin:event:retraction"
NUMBERS = [f"+861380013800{place}" for place in range(4)]
HOLDS = """
import sys, time
from pathlib import Path
from huanxin_partner.journal import Journal
with Journal(Path(sys.argv[1])).alone() as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


class Platform:
    """Numbers and receipts; `between` is called amid the numbers of a batch, or once an order's receipt is filed."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, dict[str, str]]] = []
        self.between: Callable[[], None] = lambda: None

    @contextmanager
    def numbers(self, url: str, sha256: str) -> Iterator[Iterator[str]]:
        del sha256
        yield self._lines(url)

    def _lines(self, url: str) -> Iterator[str]:
        yield "number\n"
        if url.endswith("last"):
            yield NUMBERS[-1]
            return
        yield from NUMBERS[:-1]
        self.between()
        yield NUMBERS[-1]

    def file_receipt(self, notice: str, answers: Sequence[Answer], *, complete: bool, key: str) -> dict[str, Any]:
        del complete, key
        self.receipts.append((notice, {answer.number: answer.outcome for answer in answers}))
        return {}

    def file_receipts(self, answers: Mapping[str, Answer], *, key: str) -> dict[str, Any]:
        del key
        self.receipts += [(notice, {answer.number: answer.outcome}) for notice, answer in answers.items()]
        self.between()
        return {}


class Shop:
    """Accounts on all numbers, and workers on one journal, each as in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.platform = folder, Platform()
        with closing(sqlite3.connect(folder / "shop.db")) as db, db:
            db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
            db.executemany("INSERT INTO users (phone, since) VALUES (?, '2020-01-01')", [(number,) for number in NUMBERS])

    def worker(self) -> tuple[Journal, Handler, Worker]:
        store = SqliteTies(self.folder / "shop.db", table="users", number_column="phone", bound_at_column="since")
        journal = Journal(self.folder / "j.db")
        handler = Handler(store, self.platform, journal, chunk=2)  # type: ignore[arg-type]  # lines from no real file
        return journal, handler, Worker(journal, handler)

    def phones(self) -> list[str | None]:
        with closing(sqlite3.connect(self.folder / "shop.db")) as db:
            return [phone for (phone,) in db.execute("SELECT phone FROM users ORDER BY id")]


def event(name: str, notice: str, numbers: str = "all", **more: str) -> Event:
    file = {"url": f"http://x/{numbers}", "sha256": {"text/csv": "a" * 64}}
    claims = {"notice": notice, "scope": "batch", "cutoff": "2026-11-24T05:00:00Z", "numbers": file} | more
    return Event(jti=f"j{notice}", name=name, claims=claims, subject={}, issued_at=1)


def order(number: str) -> Event:
    claims = {"notice": "nr_1", "scope": "request", "cutoff": "2026-11-24T05:00:00Z"}
    return Event(jti="jnr_1", name=RENEWAL, claims=claims, subject={"phone_number": number}, issued_at=1)


def test_a_number_that_another_worker_takes_back_while_a_batch_is_under_way_is_not_cut(tmp_path: Path) -> None:
    """It would be lost: its retraction has been handled, and found nothing to give back."""
    shop = Shop(tmp_path)
    _, handler, _ = shop.worker()
    _, other, _ = shop.worker()

    def take_back() -> None:
        other.handle(event(RETRACTION, "n2", "last", of="n1"))

    shop.platform.between = take_back
    handler.handle(event(RENEWAL, "n1"))
    assert shop.phones() == [None, None, None, NUMBERS[-1]]
    assert shop.platform.receipts[-1] == ("n1", dict.fromkeys(NUMBERS[:-1], "unbound"))


def test_a_retraction_waits_for_the_cut_that_is_under_way_and_then_gives_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    _, handler, _ = shop.worker()
    _, other, _ = shop.worker()
    cut, retraction = handler.store.unbind, event(RETRACTION, "n2", "last", of="n1")
    second = threading.Thread(target=lambda: other.handle(retraction))

    def slowly(numbers: Sequence[str], cutoff: datetime) -> Any:
        if NUMBERS[-1] in numbers:  # what is taken back has been read, and nothing is cut yet
            second.start()
            second.join(0.5)
            assert second.is_alive()
        return cut(numbers, cutoff)

    handler.store.unbind = slowly  # type: ignore[method-assign]
    handler.handle(event(RENEWAL, "n1"))
    second.join()
    assert shop.phones() == [None, None, None, NUMBERS[-1]]
    assert ("n2", {NUMBERS[-1]: "restored"}) in shop.platform.receipts


@pytest.mark.parametrize("coming", ["batch", "order"])
def test_of_two_timers_that_overlap_one_does_the_work(tmp_path: Path, coming: str) -> None:
    shop = Shop(tmp_path)
    journal, _, worker = shop.worker()
    _, _, other = shop.worker()
    journal.take(event(RENEWAL, "n1") if coming == "batch" else order(NUMBERS[0]))
    done: list[bool] = []

    def overlap() -> None:
        second = threading.Thread(target=lambda: done.append(other.some_events()), daemon=True)
        second.start()
        second.join(5)

    shop.platform.between = overlap
    assert worker.some_events()
    assert done == [False]
    assert len(shop.platform.receipts) == 1
    assert not other.some_events()


def test_of_two_timers_by_files_one_writes_what_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both would give the same receipt a number of its own."""
    Shop(tmp_path)
    monkeypatch.chdir(tmp_path)
    settings = {
        "issuer": "http://127.0.0.1:9", "client_id": "pc_1", "database": "shop.db", "table": "users",
        "number_column": "phone", "bound_at_column": "since", "journal": "j.db", "files_out": "OUT", "files_in": "IN",
    }  # fmt: skip
    (tmp_path / "c.toml").write_text("\n".join(f'{name} = "{value}"' for name, value in settings.items()), encoding="utf-8")
    journal, outbox = Journal(tmp_path / "j.db"), Outbox(tmp_path / "j.db")
    outbox.add("n1", b"number,outcome,reason,until\n", lines=0, complete=True, key="k")
    with journal.alone():
        cli.main(["file", "--once", "--config", "c.toml"])
        assert not (tmp_path / "IN").exists()
    assert cli.main(["file", "--once", "--config", "c.toml"]) == 0
    assert sorted(path.name for path in (tmp_path / "IN").iterdir()) == ["n1.1.receipt.csv", "n1.1.receipt.json"]


def test_the_turn_of_a_process_that_is_killed_is_free_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.db")
    with subprocess.Popen([sys.executable, "-c", HOLDS, str(tmp_path / "j.db")], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        with journal.alone(wait=False) as mine:
            assert not mine
        holder.kill()
        holder.wait()
    with journal.alone() as mine, journal.alone(wait=False) as again:
        assert mine
        assert again


def test_a_turn_ends_with_its_block_also_by_an_error(tmp_path: Path) -> None:
    first, second = Journal(tmp_path / "j.db"), Journal(tmp_path / "j.db")
    for error in (None, ValueError("a hook failed")):
        try:
            with first.alone(), second.alone(wait=False) as mine:
                assert not mine
                if error:
                    raise error
        except ValueError:
            pass
        with second.alone(wait=False) as mine:
            assert mine
