"""Operators of the console who are signed in."""

from __future__ import annotations

from itertools import count

import httpx

from huanxin.access import people
from huanxin.operations import Platform

PASSWORD = "春眠不觉晓 处处闻啼鸟 2026"
_numbers = count(1)


def add_operator(platform: Platform, *roles: str, carrier: str | None = None) -> str:
    """A new operator with PASSWORD; the login."""
    login = f"operator{next(_numbers)}"
    with platform.database.transaction() as tx:
        made = people.add_operator(
            tx, login=login, name=login, roles=roles, carrier=carrier, plan=platform.plan, now=platform.now(), by="test"
        )
        people.own_password(tx, made, PASSWORD, now=platform.now())
    return login


def signed_in(url: str, platform: Platform, *roles: str, carrier: str | None = None) -> httpx.Client:
    """A browser in which a new operator with these roles has signed in; it follows redirects."""
    login = add_operator(platform, *roles, carrier=carrier)
    client = httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)
    answer = client.post("/console/sign-in", data={"login": login, "password": PASSWORD})
    assert answer.status_code < 400, answer.text
    return client
