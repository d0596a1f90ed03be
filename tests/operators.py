"""People who work at a served platform's console, each with a browser of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import httpx

from huanxin.access import people
from huanxin.acts import Platform
from huanxin.domain.operators import Operator
from huanxin.store.access import operators

PASSWORD = "春眠不觉晓 处处闻啼鸟 2026"
_newcomers = count(1)


def operator(platform: Platform, *roles: str, carrier: str | None = None, login: str = "") -> Operator:
    """Somebody new with these roles, who has chosen a password."""
    login = login or f"{roles[0]}{next(_newcomers)}"
    with platform.act("test") as act:
        made = people.add_operator(act, login=login, name="", roles=roles, carrier=carrier)
        people.own_password(act, made, PASSWORD)
        operators.note(act.tx, made.id, "confirmed", by="test", at=platform.now())
        return people.named(act.tx, login)


def signed_in(url: str, platform: Platform, *roles: str, carrier: str | None = None, login: str = "") -> httpx.Client:
    """A browser in which somebody new with these roles has signed in; whoever asks for it closes it."""
    person = operator(platform, *roles, carrier=carrier, login=login)
    client = httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=30)
    answer = client.post("/console/sign-in", data={"login": person.login, "password": PASSWORD})
    assert "operator" in client.cookies, answer.text
    return client


@contextmanager
def browsing(
    url: str, platform: Platform, *roles: str, carrier: str | None = None, login: str = ""
) -> Iterator[httpx.Client]:
    """The same for the length of a block."""
    client = signed_in(url, platform, *roles, carrier=carrier, login=login)
    try:
        yield client
    finally:
        client.close()


def reported(who: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """What became of a report that was uploaded: whoever sent it says yes to what the page shows, if it asks."""
    if "/console/reports/waiting/" not in answer.url.path:
        return answer
    (seen,) = re.findall('name="sha256" value="([0-9a-f]{64})"', answer.text)
    taken = who.post(f"{answer.url.path}/take", data={"sha256": seen})
    return who.get(taken.headers["location"]) if taken.is_redirect else taken
