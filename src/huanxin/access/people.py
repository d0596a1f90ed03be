"""Operators: added by an admin (the first one by whoever has the machine), given roles, disabled, never deleted.

A right over waivers and releases begins only when another person confirms it (docs/decisions/0011): an admin who makes two
people and knows both first passwords would be both.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from argon2 import PasswordHasher

from huanxin.domain.errors import BadInput, Conflict, Forbidden, NotFound
from huanxin.domain.operators import Operator, governed, read_roles
from huanxin.store.access import operators
from huanxin.store.acting import Act
from huanxin.store.database import Tx, one_name_at_a_time
from huanxin.words.sentences import Sentence

HASHER = PasswordHasher()  # argon2id with the parameters of RFC 9106, section 4, for memory-constrained machines
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
SHORTEST, LONGEST = 12, 256
_ENOUGH = 2  # pairs of eyes


def add_operator(act: Act, *, login: str, name: str, roles: Iterable[str], carrier: str | None) -> Operator:
    """Record a person who may sign in, without a password yet. Raises BadInput, or Conflict for a login that is taken."""
    if not _LOGIN.fullmatch(login):
        raise BadInput(Sentence("a login is 2 to 64 of a-z, 0-9, . _ @ and -, and begins with a letter or digit"))
    wanted = read_roles(roles)
    if carrier is not None and carrier not in act.plan.carriers:
        raise BadInput(
            Sentence(
                "there is no carrier %(carrier)s; the carriers are %(known)s", carrier=carrier,
                known=", ".join(act.plan.carriers),
            )
        )  # fmt: skip
    made = operators.add(act.tx, login=login, name=name.strip() or login, carrier=carrier, by=act.by, at=act.now)
    if made is None:
        raise Conflict(
            Sentence("the login %(login)s is taken; logins are never used twice, so that records stay clear", login=login)
        )
    operators.note(
        act.tx, made, "roles", by=act.by, at=act.now, detail={"roles": sorted(wanted), "anew": bool(governed(wanted))}
    )
    return _known(act.tx, made)


def set_roles(act: Act, login: str, roles: Iterable[str]) -> Operator:
    """Give a person these roles and no others; sign-ins with the roles of before have ended."""
    person, wanted = named(act.tx, login), read_roles(roles)
    anew = bool(governed(wanted) - governed(person.roles))
    operators.note(act.tx, person.id, "roles", by=act.by, at=act.now, detail={"roles": sorted(wanted), "anew": anew})
    operators.end_sessions(act.tx, person.id, act.now)
    return _known(act.tx, person.id)


def set_enabled(act: Act, login: str, enabled: bool) -> Operator:
    """Let a person in again, or lock them out at once, everywhere."""
    person = named(act.tx, login)
    operators.note(act.tx, person.id, "enabled" if enabled else "disabled", by=act.by, at=act.now)
    operators.end_sessions(act.tx, person.id, act.now)
    return _known(act.tx, person.id)


def confirm(act: Act, login: str, *, operator: Operator) -> Operator:
    """Say that a person is who they should be: their rights over waivers and releases begin.

    Raises Forbidden unless `by` has these rights, sees to the person's carrier and is somebody else than whoever gave them;
    Conflict for a person who waits for nothing, or has not come yet.
    """
    person = named(act.tx, login)
    if operator.carrier not in (None, person.carrier):
        raise NotFound(nobody(login))
    _waiting(person)
    for right in governed(person.roles):
        operator.require(right)
    if operator.id == person.id or operators.made_by(act.tx, person.id, operator.login):
        raise Forbidden(
            Sentence("whoever added or reset %(login)s can't confirm them; another person with this right does", login=login)
        )
    if not operators.has_come(act.tx, person.id):
        raise Conflict(
            Sentence("%(login)s has to sign in and choose a password first, so that nobody else knows it", login=login)
        )
    return _confirmed(act, person)


def confirm_at_machine(act: Act, login: str) -> Operator:
    """The same by whoever has the machine, for the first two people with a right: nobody else could. Raises Conflict once
    there are two."""
    one_name_at_a_time(act.tx, "operators are confirmed one after another")
    person = named(act.tx, login)
    _waiting(person)
    needed = governed(person.roles)
    if all(sum(one.may(right) for one in operators.everyone(act.tx)) >= _ENOUGH for right in needed):
        raise Conflict(
            Sentence(
                "two people have this right already, so one of them confirms %(login)s, at /console/approvals", login=login
            )
        )
    return _confirmed(act, person)


def _waiting(person: Operator) -> None:
    if not person.waits:
        raise Conflict(Sentence("%(login)s has no right that waits to be confirmed", login=person.login))


def _confirmed(act: Act, person: Operator) -> Operator:
    operators.note(act.tx, person.id, "confirmed", by=act.by, at=act.now, detail={"roles": sorted(person.roles)})
    return _known(act.tx, person.id)


def first_password(act: Act, login: str) -> str:
    """A new password for a person, to be changed at the first sign-in; a second factor that was lost goes too."""
    person = named(act.tx, login)
    password = secrets.token_urlsafe(12)
    operators.set_password(act.tx, person.id, HASHER.hash(password), must_change=True, at=act.now)
    operators.set_totp(act.tx, person.id, None, step=0)
    operators.note(act.tx, person.id, "password-set", by=act.by, at=act.now, detail={"must_change": True})
    return password


def own_password(act: Act, person: Operator, password: str) -> None:
    """A password that the person chose. Raises BadInput for one that is too easy (NIST SP 800-63B, section 5.1.1)."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(
            Sentence(
                "a password has %(shortest)s to %(longest)s characters; a short sentence is easy to remember",
                shortest=SHORTEST,
                longest=LONGEST,
            )
        )
    if person.login in password.casefold() or len(set(password)) < SHORTEST // 2:
        raise BadInput(
            Sentence("this password is too easy to guess: it holds your login, or a few characters again and again")
        )
    operators.set_password(act.tx, person.id, HASHER.hash(password), must_change=False, at=act.now)
    operators.note(act.tx, person.id, "password-set", by=person.login, at=act.now, detail={"must_change": False})


def named(tx: Tx, login: str) -> Operator:
    """The operator with this login. Raises NotFound."""
    found = operators.by_login(tx, login)
    if found is None:
        raise NotFound(nobody(login))
    return found


def nobody(login: str) -> Sentence:
    """What is said of a login that nobody has."""
    return Sentence("there is no operator %(login)s; `huanxin operator list` shows them", login=login)


def _known(tx: Tx, operator_id: int) -> Operator:
    found = operators.get(tx, operator_id)
    assert found is not None
    return found
