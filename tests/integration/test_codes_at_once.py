"""Codes that let somebody in, typed twice in one instant: who looked over a shoulder must not get in beside the owner."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import httpx
import pyotp
import pytest

from huanxin.access import people, signing_in
from huanxin.domain.errors import TooMany
from huanxin.domain.operators import Role
from huanxin.request import codes
from huanxin.request.codes import CodeRules
from huanxin.signing.sealing import seal
from huanxin.store.access import operators
from operators import PASSWORD, operator
from town import FIRST, HTML, RECYCLED, Town, settings_of, town

TURNS, BROWSERS = 6, 3


@pytest.fixture
def place(dsn: str, tmp_path: Path) -> Iterator[Town]:
    with town(dsn, tmp_path) as made:
        yield made


def at_once(place: Town, cookies: httpx.Cookies, post: Callable[[httpx.Client], bool]) -> int:
    """Several browsers with the same cookies do the same in the same instant; how many of them got in."""
    ready = Barrier(BROWSERS)
    with ExitStack() as open_, ThreadPoolExecutor(BROWSERS) as pool:
        clients = [
            open_.enter_context(httpx.Client(base_url=place.url, headers=HTML, cookies=cookies, timeout=30))
            for _ in range(BROWSERS)
        ]

        def go(client: httpx.Client) -> bool:
            ready.wait()
            return post(client)

        return sum(pool.map(go, clients))


def test_a_code_by_sms_lets_one_in_however_many_type_it(place: Town) -> None:
    for turn in range(TURNS):
        number = (RECYCLED, FIRST)[turn % 2]
        place.clock.forward(minutes=13)
        with httpx.Client(base_url=place.url, headers=HTML) as asking:
            asking.post("/renew/sign-in", data={"number": number, "to": "renew"})
            code = place.code(number)

            def typed(client: httpx.Client, code: str = code) -> bool:
                return "owner" in client.post("/renew/code", data={"code": code}).cookies

            assert at_once(place, asking.cookies, typed) == 1


def test_an_authenticators_code_lets_one_in_however_many_type_it(place: Town, tmp_path: Path, dsn: str) -> None:
    operator(place.platform, Role.SUPERVISOR, login="chen")
    secret, passphrase = signing_in.new_secret(), settings_of(dsn, tmp_path).passphrase()
    with place.platform.database.transaction() as tx:
        operators.set_totp(tx, people.named(tx, "chen").id, seal(secret, passphrase), step=0)
    for _ in range(TURNS):
        place.clock.forward(minutes=16)
        code = pyotp.TOTP(secret).at(place.clock())
        with httpx.Client(base_url=place.url, headers=HTML) as half:
            half.post("/console/sign-in", data={"login": "chen", "password": PASSWORD})

            def typed(client: httpx.Client, code: str = code) -> bool:
                return "operator" in client.post("/console/sign-in/code", data={"code": code}).cookies

            assert at_once(place, half.cookies, typed) == 1
            assert "operator" not in half.post("/console/sign-in/code", data={"code": code}).cookies, "nor later"


def test_no_more_codes_are_sent_than_may_be_however_many_ask_in_one_instant(place: Town) -> None:
    """An address may ask for so many an hour; those that were counted at the same time all were the last one."""
    most, numbers = 5, [8613800138000 + at for at in range(40)]
    rules = replace(CodeRules(), per_address_hour=most)

    def ask(number: int) -> bool:
        try:
            with place.platform.act("li") as act:
                codes.ask(act, number, address="192.0.2.1", secret="a test", rules=rules)
        except TooMany:
            return False
        return True

    for turn in range(TURNS):
        place.clock.forward(hours=2)
        with ThreadPoolExecutor(8) as askers:
            assert sum(askers.map(ask, numbers[: 16 + turn])) == most
