"""Operators of a test: added with a password, signed in as a browser would be."""

from __future__ import annotations

import httpx

from huanxin.access import people
from huanxin.domain.operators import Operator
from huanxin.operations import Platform

PASSWORD = "a long sentence of a test"


def operator(platform: Platform, *roles: str, carrier: str | None = None, login: str = "") -> Operator:
    """An operator with these roles who has chosen a password; the login says the roles unless one is given."""
    with platform.database.transaction() as tx:
        made = people.add_operator(
            tx, login=login or "-".join((*roles, carrier or "all")), name="", roles=roles, carrier=carrier,
            plan=platform.plan, now=platform.now(), by="test",
        )  # fmt: skip
        people.own_password(tx, made, PASSWORD, now=platform.now())
    return made


def signed_in(url: str, platform: Platform, *roles: str, carrier: str | None = None, login: str = "") -> httpx.Client:
    """A client that is signed in to the console as somebody new with these roles. The caller closes it."""
    person = operator(platform, *roles, carrier=carrier, login=login)
    client = httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)
    answer = client.post("/console/sign-in", data={"login": person.login, "password": PASSWORD})
    assert "operator" in client.cookies, answer.text
    return client
