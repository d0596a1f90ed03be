"""An operator of the console who is signed in, as a browser would be."""

from __future__ import annotations

import secrets

import httpx

from huanxin.access import people
from huanxin.operations import Platform

PASSWORD = "春眠不觉晓 处处闻啼鸟 2026"


def signed_in(url: str, platform: Platform, *roles: str, carrier: str | None = None) -> httpx.Client:
    """Add an operator with some roles and sign in with his password at the served platform."""
    login = f"{roles[0]}-{secrets.token_hex(4)}"
    with platform.database.transaction() as tx:
        person = people.add_operator(
            tx, login=login, name=login, roles=roles, carrier=carrier, plan=platform.plan, now=platform.now(), by="test"
        )
        people.own_password(tx, person, PASSWORD, now=platform.now())
    client = httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)
    answer = client.post("/console/sign-in", data={"login": login, "password": PASSWORD})
    assert "operator" in client.cookies, answer.text
    return client
