"""Operators: the people who work with the platform all day, what each role may do, and when a second person is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from huanxin.domain.errors import BadInput, Conflict, Forbidden
from huanxin.words.sentences import Sentence


class Role(StrEnum):
    """What somebody is at work. One person may have several roles."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    DESK = "desk"
    INVENTORY = "inventory"
    REGULATOR = "regulator"
    ADMIN = "admin"


class Right(StrEnum):
    """What a page or an order asks for."""

    FIGURES = "figures"
    """see counts: pool, batches, answer times"""
    REPORTS = "reports"
    """import reports and see their rejected lines"""
    BATCHES = "batches"
    """plan, send, remind, retract; propose waivers and releases"""
    HOLDS = "holds"
    DECIDE = "decide"
    """waivers and releases: decide on what another person proposed"""
    NUMBERS = "numbers"
    """search single numbers; the whole number only for a stated purpose"""
    DESK = "desk"
    """disclose numbers to buyers"""
    INVENTORY = "inventory"
    """take all numbers that one's carrier may sell, and what changes: for its systems, by a token"""
    WATCH = "watch"
    """see which partners are late or refuse, by name"""
    PEOPLE = "people"
    """operators, their roles, and who did what"""


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({Right.FIGURES, Right.REPORTS, Right.BATCHES, Right.HOLDS, Right.NUMBERS}),
    Role.SUPERVISOR: frozenset({Right.FIGURES, Right.BATCHES, Right.DECIDE, Right.NUMBERS, Right.WATCH}),
    Role.DESK: frozenset({Right.DESK}),
    Role.INVENTORY: frozenset({Right.INVENTORY}),
    Role.REGULATOR: frozenset({Right.FIGURES, Right.WATCH}),
    Role.ADMIN: frozenset({Right.FIGURES, Right.PEOPLE, Right.WATCH}),
}


GOVERNED = frozenset({Right.BATCHES, Right.DECIDE})
"""Rights over waivers and releases: they begin when another person who has them confirms it."""


def governed(roles: Iterable[Role]) -> frozenset[Right]:
    """The rights over waivers and releases that some roles give."""
    return frozenset().union(*(RIGHTS[role] for role in roles)) & GOVERNED


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A person who may sign in. `carrier`: whose numbers they work with; None for all carriers. `confirmed`: another person
    has said who this is, since they got a right over waivers and releases, or a new first password."""

    id: int
    login: str
    name: str
    carrier: str | None
    roles: frozenset[Role]
    enabled: bool
    confirmed: bool

    @property
    def rights(self) -> frozenset[Right]:
        given = frozenset().union(*(RIGHTS[role] for role in self.roles)) if self.enabled else frozenset()
        return given if self.confirmed else given - GOVERNED

    @property
    def waits(self) -> bool:
        """Whether a right over waivers and releases waits for somebody who confirms it."""
        return self.enabled and not self.confirmed and bool(governed(self.roles))

    def may(self, right: Right) -> bool:
        return right in self.rights

    def require(self, right: Right) -> None:
        """Raise Forbidden unless a role of this person allows it."""
        if self.waits and right in governed(self.roles):
            raise Forbidden(
                Sentence(
                    "%(login)s may do this once another person with this right has confirmed them, under approvals",
                    login=self.login,
                )
            )
        if not self.may(right):
            roles = ", ".join(sorted(role for role, rights in RIGHTS.items() if right in rights))
            raise Forbidden(
                Sentence(
                    "%(login)s may not do this; it needs the role %(roles)s. Ask an admin of this platform",
                    login=self.login,
                    roles=roles,
                )
            )

    def sees(self, carriers: Iterable[str]) -> bool:
        """Whether everything of these carriers is this person's to work with."""
        return self.carrier is None or set(carriers) <= {self.carrier}


def read_roles(names: Iterable[str]) -> frozenset[Role]:
    """Roles by their names. Raises BadInput for an unknown one, or for none."""
    wanted = {name.strip() for name in names if name.strip()}
    unknown = sorted(wanted - set(Role))
    if unknown or not wanted:
        raise BadInput(
            Sentence(
                "%(named)s is no role; the roles are %(roles)s",
                named=", ".join(unknown) or Sentence("nothing"),
                roles=", ".join(Role),
            )
        )
    return frozenset(Role(name) for name in wanted)


def second_person(proposed_by: int, decider: Operator, *, tied: bool) -> None:
    """Four eyes: raise unless somebody else, who may decide, decides. Conflict for the same person, else Forbidden.

    `tied`: one of the two made, reset or confirmed the other, and so might be both.
    """
    decider.require(Right.DECIDE)
    if decider.id == proposed_by:
        raise Conflict(Sentence("you proposed this, so another supervisor has to decide on it"))
    if tied:
        raise Conflict(
            Sentence(
                "one of you two added, reset or confirmed the other at this platform, so somebody else has to decide on it"
            )
        )
