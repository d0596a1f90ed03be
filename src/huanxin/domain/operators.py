"""Operators: the people who work with the platform all day, what each role may do, and when a second person is needed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from huanxin.domain.errors import BadInput, Conflict, Forbidden
from huanxin.sentences import Sentence


class Role(StrEnum):
    """What somebody is at work. One person may have several roles."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    DESK = "desk"
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
    WATCH = "watch"
    """see which partners are late or refuse, by name"""
    PEOPLE = "people"
    """operators, their roles, and who did what"""


RIGHTS: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({Right.FIGURES, Right.REPORTS, Right.BATCHES, Right.HOLDS, Right.NUMBERS}),
    Role.SUPERVISOR: frozenset({Right.FIGURES, Right.BATCHES, Right.DECIDE, Right.NUMBERS, Right.WATCH}),
    Role.DESK: frozenset({Right.DESK}),
    Role.REGULATOR: frozenset({Right.FIGURES, Right.WATCH}),
    Role.ADMIN: frozenset({Right.FIGURES, Right.PEOPLE, Right.WATCH}),
}


@dataclass(frozen=True, kw_only=True)
class Operator:
    """A person who may sign in. `carrier`: whose numbers he works with; None for all carriers."""

    id: int
    login: str
    name: str
    carrier: str | None
    roles: frozenset[Role]
    enabled: bool

    @property
    def rights(self) -> frozenset[Right]:
        return frozenset().union(*(RIGHTS[role] for role in self.roles)) if self.enabled else frozenset()

    def may(self, right: Right) -> bool:
        return right in self.rights

    def require(self, right: Right) -> None:
        """Raise Forbidden unless a role of this person allows it."""
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


def second_person(proposed_by: int, decider: Operator) -> None:
    """Four eyes: raise unless somebody else, who may decide, decides. Conflict for the same person, else Forbidden."""
    decider.require(Right.DECIDE)
    if decider.id == proposed_by:
        raise Conflict(Sentence("you proposed this, so another supervisor has to decide on it"))
