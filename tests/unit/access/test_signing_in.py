"""Signing in to the console: what a thief with half the secrets, or with much patience, gets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pyotp
import pytest

from clocks import Clock
from huanxin.access import people, signing_in
from huanxin.access.signing_in import LOCK, TRIES, TryResult
from huanxin.domain.errors import BadInput, Conflict
from huanxin.domain.numbers import chinese_plan
from huanxin.domain.operators import Operator
from huanxin.store.access import operators
from huanxin.store.database import Database, Tx
from ordering import acting

REAL = people.HASHER  # as it is before tests put a quicker one in its place
PASSWORD = "春眠不觉晓 处处闻啼鸟 2026"


@pytest.fixture
def tx(database: Database) -> Iterator[Tx]:
    with database.transaction() as opened:
        yield opened


@pytest.fixture
def chen(tx: Tx, clock: Clock) -> Operator:
    made = people.add_operator(
        acting(tx, plan=chinese_plan(), now=clock(), by="test"), login="chen", name="陈", roles=["operator"], carrier=None
    )
    people.own_password(acting(tx, now=clock()), made, PASSWORD)
    return made


def kinds(tx: Tx, person: Operator) -> list[str]:
    return [event.kind for event in operators.events(tx, operator_id=person.id)]


def test_the_right_password_signs_in_and_is_recorded(tx: Tx, chen: Operator, clock: Clock) -> None:
    assert signing_in.try_password(acting(tx, now=clock()), " Chen", PASSWORD).result is TryResult.IN
    assert kinds(tx, chen)[0] == "signed-in"


def test_an_unknown_login_is_told_what_a_wrong_password_is_told(tx: Tx, chen: Operator, clock: Clock) -> None:
    wrong = signing_in.try_password(acting(tx, now=clock()), chen.login, "x")
    assert wrong == signing_in.try_password(acting(tx, now=clock()), "nobody", "x")


def test_an_unknown_login_takes_as_long_as_a_known_one() -> None:
    """Else the time of an answer tells who may sign in: what nobody's password is compared with costs what others' do."""
    assert not REAL.check_needs_rehash(signing_in.NOBODYS)


def test_after_five_wrong_tries_even_the_right_password_waits(tx: Tx, chen: Operator, clock: Clock) -> None:
    results = [signing_in.try_password(acting(tx, now=clock()), chen.login, "x").result for _ in range(TRIES)]
    assert results == [TryResult.WRONG] * (TRIES - 1) + [TryResult.LOCKED]
    clock.forward(seconds=LOCK.total_seconds() - 1)
    assert signing_in.try_password(acting(tx, now=clock()), chen.login, PASSWORD).result is TryResult.LOCKED
    clock.forward(seconds=1)
    assert signing_in.try_password(acting(tx, now=clock()), chen.login, PASSWORD).result is TryResult.IN
    assert "locked-out" in kinds(tx, chen)


def test_who_was_locked_out_by_an_admin_does_not_get_in(tx: Tx, chen: Operator, clock: Clock) -> None:
    people.set_enabled(acting(tx, now=clock(), by="admin"), chen.login, False)
    assert signing_in.try_password(acting(tx, now=clock()), chen.login, PASSWORD).result is TryResult.WRONG


def test_with_an_authenticator_the_password_is_half_the_way(tx: Tx, chen: Operator, clock: Clock) -> None:
    secret = signing_in.new_secret()
    totp = pyotp.TOTP(secret)
    signing_in.prove_totp(acting(tx, now=clock()), chen, totp.at(clock()), secret=secret, sealed="sealed")
    assert signing_in.try_password(acting(tx, now=clock()), chen.login, PASSWORD).result is TryResult.CODE
    again = signing_in.try_code(acting(tx, now=clock()), chen, totp.at(clock()), secret=secret)
    assert again.result is TryResult.WRONG, "a code that was seen over the shoulder is taken once"
    clock.forward(seconds=30)
    assert signing_in.try_code(acting(tx, now=clock()), chen, totp.at(clock()), secret=secret).result is TryResult.IN


def test_guessed_codes_lock_the_login_too(tx: Tx, chen: Operator, clock: Clock) -> None:
    secret = signing_in.new_secret()
    signing_in.prove_totp(acting(tx, now=clock()), chen, pyotp.TOTP(secret).at(clock()), secret=secret, sealed="sealed")
    for _ in range(TRIES):
        tried = signing_in.try_code(acting(tx, now=clock()), chen, "000000", secret=secret)
    assert tried.result is TryResult.LOCKED


@pytest.mark.parametrize("seconds", [-90, -31, 60, 90])
def test_a_code_of_another_time_is_no_code(seconds: int, clock: Clock) -> None:
    secret = signing_in.new_secret()
    other = pyotp.TOTP(secret).at(clock() + timedelta(seconds=seconds))
    assert signing_in.step_of(secret, other, clock()) is None or other == pyotp.TOTP(secret).at(clock())


def test_a_new_first_password_forgets_a_lost_phone_and_has_to_be_changed(tx: Tx, chen: Operator, clock: Clock) -> None:
    secret = signing_in.new_secret()
    signing_in.prove_totp(acting(tx, now=clock()), chen, pyotp.TOTP(secret).at(clock()), secret=secret, sealed="sealed")
    first = people.first_password(acting(tx, now=clock(), by="admin"), chen.login)
    tried = signing_in.try_password(acting(tx, now=clock()), chen.login, first)
    assert (tried.result, tried.must_change) == (TryResult.IN, True)


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "chen-chen-2026-ok"])
def test_a_password_that_is_easy_to_guess_is_refused(tx: Tx, chen: Operator, clock: Clock, password: str) -> None:
    with pytest.raises(BadInput, match="password"):
        people.own_password(acting(tx, now=clock()), chen, password)


def test_a_login_is_never_given_to_somebody_else(tx: Tx, chen: Operator, clock: Clock) -> None:
    with pytest.raises(Conflict, match="taken"):
        people.add_operator(
            acting(tx, plan=chinese_plan(), now=clock(), by="test"), login="chen", name="", roles=["desk"], carrier=None
        )


def test_five_wrong_tries_lock_a_login_that_nobody_has_as_they_lock_a_real_one(tx: Tx, chen: Operator, clock: Clock) -> None:
    """Else five tries tell who may sign in: whoever guesses passwords would know where to guess on."""
    locked_out = people.add_operator(
        acting(tx, plan=chinese_plan(), now=clock(), by="test"), login="wang", name="", roles=["operator"], carrier=None
    )
    people.set_enabled(acting(tx, now=clock(), by="test"), locked_out.login, False)

    def tries(login: str) -> list[TryResult]:
        return [signing_in.try_password(acting(tx, now=clock()), login, "x").result for _ in range(TRIES + 2)]

    real = tries(chen.login)
    assert [tries("nobody"), tries(" WANG")] == [real, real]
    clock.forward(seconds=LOCK.total_seconds())
    again = [signing_in.try_password(acting(tx, now=clock()), login, "x").result for login in (chen.login, "nobody", "wang")]
    assert again == [TryResult.WRONG] * 3
    assert kinds(tx, chen).count("locked-out") == 1
