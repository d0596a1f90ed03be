"""People who work at a served platform's console, each with a browser of his own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from huanxin.access import people
from huanxin.domain.operators import Operator, Role
from huanxin.operations import Platform

PASSWORD = "春眠不觉晓 处处闻啼鸟 2026"


def hired(platform: Platform, login: str, *roles: Role, carrier: str | None = None) -> Operator:
    """An operator with a password of his own."""
    with platform.database.transaction() as tx:
        made = people.add_operator(
            tx, login=login, name="", roles=roles, carrier=carrier, plan=platform.plan, now=platform.now(), by="test"
        )
        people.own_password(tx, made, PASSWORD, now=platform.now())
    return made


@contextmanager
def signed_in(
    url: str, platform: Platform, *roles: Role, carrier: str | None = None, login: str = ""
) -> Iterator[httpx.Client]:
    """A browser in which a new operator with these roles has signed in."""
    login = login or "-".join(roles)
    hired(platform, login, *roles, carrier=carrier)
    with httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30) as client:
        answer = client.post("/console/sign-in", data={"login": login, "password": PASSWORD})
        assert answer.is_success, answer.text
        assert "/sign-in" not in str(answer.url), "not signed in"
        yield client
