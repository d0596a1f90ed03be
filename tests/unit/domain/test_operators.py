"""Roles: what nobody may do alone, and what a role must not see."""

from __future__ import annotations

import pytest

from huanxin.domain.errors import BadInput, Conflict, Forbidden
from huanxin.domain.operators import RIGHTS, Operator, Right, Role, read_roles, second_person


def person(*roles: Role, key: int = 1, carrier: str | None = None, enabled: bool = True, confirmed: bool = True) -> Operator:
    return Operator(
        id=key, login=f"p{key}", name="某人", carrier=carrier, roles=frozenset(roles), enabled=enabled, confirmed=confirmed
    )


@pytest.mark.parametrize("role", Role)
def test_nobody_decides_on_what_he_proposed_himself_whatever_his_roles(role: Role) -> None:
    with pytest.raises(Conflict, match="another supervisor"):
        second_person(1, person(Role.SUPERVISOR, role, key=1), tied=False)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SUPERVISOR])
def test_only_a_supervisor_is_a_second_person(role: Role) -> None:
    with pytest.raises(Forbidden, match="needs the role supervisor"):
        second_person(1, person(role, key=2), tied=False)
    second_person(1, person(Role.SUPERVISOR, key=2), tied=False)


def test_a_regulator_sees_figures_and_no_number() -> None:
    assert RIGHTS[Role.REGULATOR] == {Right.FIGURES, Right.WATCH}


def test_an_admin_gives_rights_and_has_none_over_numbers_himself() -> None:
    assert not {Right.NUMBERS, Right.DECIDE, Right.BATCHES, Right.DESK} & person(Role.ADMIN).rights


def test_who_was_locked_out_has_no_rights_left() -> None:
    assert person(*Role, enabled=False).rights == frozenset()


def test_a_right_over_waivers_and_releases_waits_for_whoever_confirms_it_and_no_other_does() -> None:
    """Else an admin who makes two people, and knows both first passwords, waives and releases alone."""
    new = person(Role.OPERATOR, Role.SUPERVISOR, confirmed=False)
    assert new.waits
    assert new.rights == person(Role.OPERATOR, Role.SUPERVISOR).rights - {Right.BATCHES, Right.DECIDE}
    with pytest.raises(Forbidden, match="confirmed"):
        new.require(Right.DECIDE)
    assert not person(Role.DESK, Role.REGULATOR, Role.ADMIN, confirmed=False).waits


def test_who_made_or_confirmed_whom_is_no_second_person() -> None:
    with pytest.raises(Conflict, match="somebody else"):
        second_person(1, person(Role.SUPERVISOR, key=2), tied=True)


def test_somebody_of_one_carrier_does_not_act_on_anothers_numbers() -> None:
    mine = person(Role.OPERATOR, carrier="cmcc")
    assert mine.sees(["cmcc"])
    assert not mine.sees(["cmcc", "cucc"])
    assert person(Role.OPERATOR).sees(["cmcc", "cucc"])


@pytest.mark.parametrize("names", [[], [""], ["operator", "king"]])
def test_a_role_that_does_not_exist_is_refused_with_those_that_do(names: list[str]) -> None:
    with pytest.raises(BadInput, match="supervisor"):
        read_roles(names)
