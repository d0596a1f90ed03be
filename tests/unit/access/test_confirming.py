"""Who confirms whom: one person alone never becomes the two that a waiver or a release takes."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from huanxin.access import people
from huanxin.acts import Platform
from huanxin.domain.errors import Conflict, Forbidden, NotFound
from huanxin.domain.operators import Operator, Right, Role
from huanxin.store import migrate
from huanxin.store.access import operators
from huanxin.store.database import Database, Tx
from operators import operator
from ordering import acting


def hired(platform: Platform, *roles: Role, login: str, by: str, carrier: str | None = None, came: bool = True) -> Operator:
    """Somebody new whom an admin added; `came`: they have chosen a password of their own."""
    with platform.act(by) as act:
        made = people.add_operator(act, login=login, name="", roles=roles, carrier=carrier)
        people.first_password(act, login)
        if came:
            people.own_password(act, made, "白日依山尽 黄河入海流 2026")
        return people.named(act.tx, login)


@pytest.fixture
def wang(platform: Platform) -> Operator:
    return operator(platform, Role.SUPERVISOR, login="wang")


@pytest.fixture
def admin(platform: Platform) -> Operator:
    return operator(platform, Role.ADMIN, login="guan")


@pytest.fixture
def confirm(platform: Platform) -> Callable[[str, Operator], Operator]:
    def confirmed(login: str, by: Operator) -> Operator:
        with platform.act(by.login) as act:
            return people.confirm(act, login, operator=by)

    return confirmed


Confirm = Callable[[str, Operator], Operator]


def test_the_people_an_admin_makes_can_neither_propose_nor_decide(
    platform: Platform, admin: Operator, confirm: Confirm
) -> None:
    """The admin reads both first passwords, and so is both people."""
    one = hired(platform, Role.OPERATOR, login="o1", by=admin.login)
    other = hired(platform, Role.SUPERVISOR, login="s1", by=admin.login)
    assert not one.may(Right.BATCHES)
    assert not other.may(Right.DECIDE)
    for login, by in (("s1", one), ("o1", other), ("o1", one), ("o1", admin)):
        with pytest.raises(Forbidden):
            confirm(login, by)


def test_another_person_with_the_right_lets_it_begin(
    platform: Platform, admin: Operator, wang: Operator, confirm: Confirm
) -> None:
    hired(platform, Role.SUPERVISOR, login="s1", by=admin.login)
    assert confirm("s1", wang).may(Right.DECIDE)
    with pytest.raises(Conflict, match="no right that waits"):
        confirm("s1", wang)


def test_an_operator_confirms_operators_and_no_supervisor(platform: Platform, admin: Operator, confirm: Confirm) -> None:
    li = operator(platform, Role.OPERATOR, login="li")
    hired(platform, Role.OPERATOR, login="o1", by=admin.login)
    hired(platform, Role.SUPERVISOR, login="s1", by=admin.login)
    assert confirm("o1", li).may(Right.BATCHES)
    with pytest.raises(Forbidden, match="needs the role supervisor"):
        confirm("s1", li)


def test_who_has_not_come_yet_is_not_confirmed(
    platform: Platform, admin: Operator, wang: Operator, confirm: Confirm
) -> None:
    """Whoever read the first password would be the person who is confirmed."""
    hired(platform, Role.SUPERVISOR, login="s1", by=admin.login, came=False)
    with pytest.raises(Conflict, match="choose a password first"):
        confirm("s1", wang)


def test_who_made_somebody_does_not_confirm_them_even_with_the_right(platform: Platform, confirm: Confirm) -> None:
    both = operator(platform, Role.ADMIN, Role.SUPERVISOR, login="zhou")
    hired(platform, Role.SUPERVISOR, login="s1", by=both.login)
    with pytest.raises(Forbidden, match="whoever added or reset"):
        confirm("s1", both)


@pytest.mark.parametrize("reset", ["password", "roles", "enabled"])
def test_a_right_that_was_reset_waits_again(
    platform: Platform, admin: Operator, wang: Operator, confirm: Confirm, reset: str
) -> None:
    hired(platform, Role.SUPERVISOR, login="s1", by=admin.login)
    confirm("s1", wang)

    def change(tx: Tx) -> None:
        now, by = platform.now(), admin.login
        if reset == "password":
            people.first_password(acting(tx, now=now, by=by), "s1")
        elif reset == "enabled":
            people.set_enabled(acting(tx, now=now, by=by), "s1", False)
            people.set_enabled(acting(tx, now=now, by=by), "s1", True)
        else:
            people.set_roles(acting(tx, now=now, by=by), "s1", [Role.DESK])
            people.set_roles(acting(tx, now=now, by=by), "s1", [Role.SUPERVISOR])

    with platform.database.transaction() as tx:
        change(tx)
        assert people.named(tx, "s1").waits


def test_roles_that_add_no_such_right_leave_it_as_it_is(platform: Platform, wang: Operator) -> None:
    with platform.act("guan") as act:
        assert people.set_roles(act, "wang", [Role.SUPERVISOR, Role.REGULATOR]).may(Right.DECIDE)


def test_a_password_that_one_chooses_oneself_leaves_it_as_it_is(platform: Platform, wang: Operator) -> None:
    with platform.act("li") as act:
        people.own_password(act, wang, "欲穷千里目 更上一层楼 2026")
        assert people.named(act.tx, "wang").may(Right.DECIDE)


def test_people_of_another_carrier_are_nobodys_here(platform: Platform, admin: Operator, confirm: Confirm) -> None:
    ours = operator(platform, Role.SUPERVISOR, login="ours", carrier="cmcc")
    hired(platform, Role.SUPERVISOR, login="s1", by=admin.login, carrier="cucc")
    hired(platform, Role.SUPERVISOR, login="all", by=admin.login)
    for login in ("s1", "all"):
        with pytest.raises(NotFound):
            confirm(login, ours)


def test_the_first_two_are_confirmed_at_the_machine_and_no_third(platform: Platform, admin: Operator) -> None:
    for login in ("s1", "s2", "s3"):
        hired(platform, Role.SUPERVISOR, login=login, by=admin.login)
    with platform.act("root") as act:
        for login in ("s1", "s2"):
            assert people.confirm_at_machine(act, login).may(Right.DECIDE)
        with pytest.raises(Conflict, match="two people have this right already"):
            people.confirm_at_machine(act, "s3")


def test_who_confirmed_somebody_is_tied_to_them_both_ways(
    platform: Platform, admin: Operator, wang: Operator, confirm: Confirm
) -> None:
    new = hired(platform, Role.SUPERVISOR, login="s1", by=admin.login)
    confirm("s1", wang)
    stranger = operator(platform, Role.SUPERVISOR, login="zhao")
    with platform.database.transaction() as tx:
        ties = {(one.login, two.login): operators.tied(tx, one.id, two.id)
                for one in (new, wang, admin, stranger) for two in (new, wang, admin, stranger) if one != two}  # fmt: skip
    bound = {("s1", "wang"), ("wang", "s1"), ("s1", "guan"), ("guan", "s1")}
    assert {pair for pair, tied in ties.items() if tied} == bound


def test_whoever_works_here_when_the_platform_is_upgraded_counts_as_confirmed(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could approve anything on the morning after."""
    everything = migrate.migrations()
    monkeypatch.setattr(migrate, "migrations", lambda: [one for one in everything if one[0] < "0038"])
    migrate.migrate(empty_dsn)
    with psycopg.connect(empty_dsn) as connection:
        connection.execute("INSERT INTO operator (login, name, added_by, added_at) VALUES ('old', 'old', 'guan', now())")
        connection.execute(
            "INSERT INTO operator_event (operator_id, kind, detail, recorded_by, at)"
            " SELECT id, 'roles', '{\"roles\": [\"supervisor\"]}', 'guan', now() FROM operator"
        )
        connection.execute("INSERT INTO operator_login (operator_id, sessions_after) SELECT id, now() FROM operator")
    monkeypatch.setattr(migrate, "migrations", lambda: everything)
    migrate.migrate(empty_dsn)
    with Database(empty_dsn) as database, database.transaction() as tx:
        assert people.named(tx, "old").may(Right.DECIDE)
