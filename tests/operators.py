"""Operators of the console for tests: added, given a password, signed in."""

from __future__ import annotations

import httpx

from huanxin.access import people
from huanxin.operations import Platform

PASSWORD = "白日依山尽 黄河入海流 2026"


def signed_in(url: str, platform: Platform, *roles: str, carrier: str | None = None) -> httpx.Client:
    """A browser in which a person with these roles is signed in; whoever asks for it closes it."""
    login = "-".join([*roles, carrier or "all"])
    with platform.database.transaction() as tx:
        made = people.add_operator(
            tx, login=login, name=login, roles=roles, carrier=carrier, plan=platform.plan, now=platform.now(), by="test"
        )
        people.own_password(tx, made, PASSWORD, now=platform.now())
    client = httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)
    answer = client.post("/console/sign-in", data={"login": login, "password": PASSWORD})
    assert "/sign-in" not in str(answer.url), answer.text
    return client
