"""The people of the demo's console: one for each role, and a second supervisor, since a waiver takes two."""

from __future__ import annotations

from functools import cache

from rich.text import Text

from huanxin.access import people
from huanxin.acts import Platform
from huanxin.domain.operators import Role
from huanxin.store.access import operators
from huanxin.terminal import led

PASSWORD = "huanxin 2026 yanshi"
"""Of all of them, in the demo only."""

_STAFF = (
    ("li", "李 (操作员 operator)", Role.OPERATOR), ("wang", "王 (主管 supervisor)", Role.SUPERVISOR),
    ("zhao", "赵 (主管 supervisor)", Role.SUPERVISOR), ("dian", "店员 (shop desk)", Role.DESK),
    ("jian", "监管 (regulator)", Role.REGULATOR), ("guan", "管理员 (admin)", Role.ADMIN),
)  # fmt: skip


def hire(platform: Platform) -> None:
    """Let them in, once."""
    with platform.act("demo") as act:
        known = {one.login for one in operators.everyone(act.tx)}
        for login, name, role in _STAFF:
            if login in known:
                continue
            made = people.add_operator(act, login=login, name=name, roles=[role], carrier=None)
            operators.set_password(act.tx, made.id, _hashed(), must_change=False, at=act.now)
            if made.waits:
                people.confirm_at_machine(act, login)


@cache
def _hashed() -> str:
    """One for all: each would take as long as everything else here together."""
    return people.HASHER.hash(PASSWORD)


def steps(issuer: str) -> Text:
    """Where they sign in."""
    logins = ", ".join(f"{login} {role.value}" for login, _, role in _STAFF)
    return led("Console 控制台", "bold", f"  {issuer}/console   password 密码: {PASSWORD}\n  {logins}")
