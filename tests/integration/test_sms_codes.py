"""Codes by SMS: nobody gets in by guessing, and nobody's phone is flooded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clocks import Clock
from huanxin.domain.errors import TooMany
from huanxin.request.codes import CodeRules, CodeTried, ask, check
from huanxin.store.database import Database
from ordering import acting

NUMBER, OTHER = 8613800138000, 8613800138001
RULES = CodeRules()
SECRET = "a passphrase"


class Phone:
    """Asks for codes and types them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.database, self.clock = database, clock

    def ask(self, number: int = NUMBER, address: str = "10.0.0.1", rules: CodeRules = RULES) -> str:
        with self.database.transaction() as tx:
            return ask(acting(tx, now=self.clock()), number, address=address, secret=SECRET, rules=rules)

    def type(self, code: str, number: int = NUMBER) -> CodeTried:
        with self.database.transaction() as tx:
            return check(acting(tx, now=self.clock()), number, code, secret=SECRET, rules=RULES)


@pytest.fixture
def phone(database: Database, clock: Clock) -> Phone:
    return Phone(database, clock)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_the_code_that_was_sent_lets_its_number_in_once(phone: Phone) -> None:
    code = phone.ask()
    assert len(code) == 6
    assert phone.type(f" {code} ").right
    assert phone.type(code) == CodeTried(right=False, gone=True)


def test_the_code_of_one_number_is_worth_nothing_for_another(phone: Phone) -> None:
    code = phone.ask()
    phone.ask(OTHER)
    assert not phone.type(code, OTHER).right or code == ""


def test_after_five_wrong_codes_the_right_one_is_too_late(phone: Phone) -> None:
    code = phone.ask()
    assert [phone.type(wrong(code)).left for _ in range(5)] == [4, 3, 2, 1, 0]
    assert phone.type(code) == CodeTried(right=False, gone=True)


def test_a_code_is_good_for_five_minutes(phone: Phone, clock: Clock) -> None:
    code = phone.ask()
    clock.forward(minutes=5, seconds=1)
    assert phone.type(code).gone


def test_a_new_code_ends_the_one_before(phone: Phone, clock: Clock) -> None:
    first = phone.ask()
    clock.forward(seconds=61)
    second = phone.ask()
    assert first == second or not phone.type(first).right
    assert phone.type(second).right


@pytest.mark.parametrize(
    ("limit", "spacing", "same_number", "allowed"),
    [
        ("pause", timedelta(seconds=1), True, 1),
        ("per_number_hour", timedelta(seconds=61), True, 5),
        ("per_number_day", timedelta(minutes=31), True, 10),
        ("per_address_hour", timedelta(seconds=1), False, 30),
    ],
)
def test_only_so_many_codes_are_sent(
    phone: Phone, clock: Clock, limit: str, spacing: timedelta, same_number: bool, allowed: int
) -> None:
    for turn in range(allowed):
        phone.ask(NUMBER if same_number else NUMBER + turn)
        clock.now += spacing
    with pytest.raises(TooMany) as refused:
        phone.ask(NUMBER if same_number else NUMBER + 99)
    assert refused.value.retry_after > 0, limit
    clock.forward(seconds=refused.value.retry_after)
    assert phone.ask(NUMBER if same_number else NUMBER + 99)


def test_everybody_together_is_limited_too(phone: Phone) -> None:
    few = CodeRules(overall_minute=3)
    for turn in range(3):
        phone.ask(NUMBER + turn, address=f"10.0.0.{turn}", rules=few)
    with pytest.raises(TooMany):
        phone.ask(NUMBER + 3, address="10.0.0.9", rules=few)


def test_neither_the_code_nor_the_address_is_stored(phone: Phone, database: Database) -> None:
    code = phone.ask(address="10.9.8.7")
    with database.transaction() as tx:
        stored = str(tx.execute("SELECT * FROM sms_code").fetchall())
    assert code not in stored
    assert "10.9.8.7" not in stored
