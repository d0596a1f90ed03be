"""Receivers on loopback that are broken on purpose, over HTTP: the rehearsal finds what is broken, and only that."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws
from starlette.applications import Starlette

from huanxin_partner import Answer, Event, Handler, Journal, Platform, Verifier, Worker, receiver_app
from huanxin_partner.filechannel import Exchange, FileHandler, Mail
from huanxin_partner.folders import Folder
from huanxin_partner.rehearsal.by_files import FilesStandIn
from huanxin_partner.rehearsal.run import Run, ScenarioResult
from huanxin_partner.rehearsal.scenarios import rehearse
from huanxin_partner.rehearsal.standin import StandIn
from huanxin_partner.sqlite_ties import SqliteTies
from huanxin_partner.trial import load_magic_ties
from serving import served


class Shop:
    """A receiver with the ready parts of the package; a test puts a broken one in."""

    def __init__(self, folder: Path, stand_in: StandIn, client: httpx.Client) -> None:
        path = folder / "shop.db"
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, phone TEXT, since TEXT)")
        load_magic_ties(path, "users", "phone", "since")
        self.ties = SqliteTies(path, table="users", number_column="phone", bound_at_column="since")
        self.platform = Platform(stand_in.issuer, client_id="rehearsal", client_secret="secret", client=client)
        self.journal = Journal(folder / "journal.db")
        self.verifier = Verifier(issuer=stand_in.issuer, audience="rehearsal", client=client)

    def app(self) -> Starlette:
        self.worker = Worker(self.journal, Handler(self.ties, self.platform, self.journal))
        self.worker.start()
        return receiver_app(self.verifier, self.journal, self.worker)

    def close(self) -> None:
        self.worker.stop()
        self.journal.close()


@contextmanager
def rehearsed(folder: Path, breaks: Callable[[Shop], object]) -> Iterator[Callable[..., dict[str, tuple[str, str]]]]:
    """Plays scenarios on a shop that was broken so."""
    with StandIn(client_id="rehearsal", client_secret="secret") as stand_in, ExitStack() as stack:
        shop = Shop(folder, stand_in, stack.enter_context(httpx.Client(timeout=10)))
        breaks(shop)
        stand_in.endpoint = f"{stack.enter_context(served(shop.app())).base_url}/"
        stack.callback(shop.close)

        def play(*only: str) -> dict[str, tuple[str, str]]:
            results: list[ScenarioResult] = rehearse(Run(stage=stand_in, patience=5, quiet=0.5), only=only)
            return {result.code: (result.state, result.mend) for result in results}

        yield play


def cuts_a_day_too_much(shop: Shop) -> None:
    right = shop.ties.unbind

    def unbind(numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        return right(numbers, cutoff + timedelta(days=1))

    shop.ties.unbind = unbind  # type: ignore[method-assign]


def forgets_what_it_cut(shop: Shop) -> None:
    shop.ties.restore = lambda numbers, cutoff: []  # type: ignore[method-assign]


def checks_nothing(shop: Shop) -> None:
    def verify(token: str) -> Event:
        claims: dict[str, Any] = json.loads(jws.extract_compact(token.encode()).payload)
        ((name, payload),) = claims["events"].items()
        return Event(jti=claims["jti"], name=name, claims=payload, subject={}, issued_at=claims["iat"])

    shop.verifier.verify = verify  # type: ignore[method-assign]


def knows_no_replay(shop: Shop) -> None:
    """Without the jti, and without a record of what it cut: the second time nothing is there any more."""
    taken, cut, times = shop.journal.take_all, shop.ties.unbind, iter(range(1000))
    seen: set[str] = set()

    def take(events: Sequence[Event]) -> list[bool]:
        return taken([replace(event, jti=f"{event.jti}-{next(times)}") for event in events])

    def unbind(numbers: Sequence[str], cutoff: datetime) -> list[Answer]:
        new = [number for number in numbers if number not in seen]
        seen.update(numbers)
        return cut(new, cutoff)

    shop.journal.take_all, shop.ties.unbind = take, unbind  # type: ignore[method-assign]


def trusts_the_number_file(shop: Shop) -> None:
    def fetch(url: str, sha256: str, file: Any) -> None:
        del sha256
        headers = {"Authorization": f"Bearer {shop.platform.token()}"}
        file.write(shop.platform._client.get(url, headers=headers).content)

    shop.platform._fetch = fetch  # type: ignore[method-assign]


def has_the_wrong_secret(shop: Shop) -> None:
    shop.platform._secret = "another"


@pytest.mark.parametrize(
    ("breaks", "expected"),
    [
        (cuts_a_day_too_much, {
            "plain": ("passed", ""), "on-cutoff": ("failed", "boundary"), "after-cutoff": ("failed", "boundary"),
        }),
        (forgets_what_it_cut, {"retraction": ("failed", "not-restored"), "on-cutoff": ("passed", "")}),
        (checks_nothing, {
            "plain": ("passed", ""), "forged": ("failed", "bad-taken"), "audience": ("failed", "bad-taken"),
            "old": ("failed", "bad-taken"),
        }),
        (knows_no_replay, {"duplicate": ("failed", "second-effect")}),
        (trusts_the_number_file, {"plain": ("passed", ""), "broken-file": ("failed", "answered-broken")}),
        (has_the_wrong_secret, {"plain": ("failed", "no-answer"), "forged": ("passed", "")}),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)  # fmt: skip
def test_what_is_broken_is_found_and_only_that(
    tmp_path: Path, breaks: Callable[[Shop], object], expected: dict[str, tuple[str, str]]
) -> None:
    with rehearsed(tmp_path, breaks) as play:
        assert play(*expected) == expected


def test_who_exchanges_files_and_verifies_nothing_is_found_to_act_on_a_forged_manifest(tmp_path: Path) -> None:
    """Whoever may write into the folder could unbind accounts: what shows it is a receipt that should not be there."""
    out, into, over = Folder(str(tmp_path / "OUT")), Folder(str(tmp_path / "IN")), threading.Event()
    with FilesStandIn(out=out, into=into, client_id="rehearsal", client_secret="s") as stand_in, httpx.Client() as client:
        shop = Shop(tmp_path, stand_in, client)
        exchange = Exchange(out=out, inbox=into)
        mail = Mail(exchange=exchange, verifier=shop.verifier, journal=shop.journal, say=lambda _: None)
        handler = FileHandler(shop.ties, exchange, shop.journal, say=lambda _: None)
        shop.worker = Worker(shop.journal, handler)

        def look() -> None:
            while not over.wait(0.05):
                mail.fetch()
                while shop.worker.one_event():
                    pass

        looking = threading.Thread(target=look)
        looking.start()
        run = Run(stage=stand_in, patience=5, quiet=0.5)
        try:
            right = {one.code: (one.state, one.mend) for one in rehearse(run, only=("forged", "audience", "old"))}
            checks_nothing(shop)
            wrong = {one.code: (one.state, one.mend) for one in rehearse(run, only=("nobody", "forged", "audience", "old"))}
        finally:
            over.set()
            looking.join()
        shop.journal.close()
    assert right == dict.fromkeys(("forged", "audience", "old"), ("passed", ""))
    assert wrong == {"nobody": ("passed", ""), **dict.fromkeys(("forged", "audience", "old"), ("failed", "bad-answered"))}
