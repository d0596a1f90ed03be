"""A certified OpenID provider (the Node package oidc-provider) in a process of its own, with made-up people."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from typing import Any

import httpx

from node import PEERS, node
from processes import bound, free_port, until

CLIENT_ID, CLIENT_SECRET = "huanxin", "a-secret-of-tests-only-32-characters"


@dataclass(frozen=True, kw_only=True)
class OpenIdProvider:
    """Where it is. Not 127.0.0.1, so that browsers take it for another site than ours."""

    issuer: str

    def choose(self, http: httpx.Client, begun: httpx.Response, person: str) -> httpx.Response:
        """A person who was sent to the provider clicks on a name there ("" for no) and comes back."""
        assert str(begun.url).startswith(f"{self.issuer}/people/"), begun.text
        assert f'href="?as={person}"' in unescape(begun.text)
        return http.get(f"{begun.url}?as={person}")


@contextmanager
def openid_provider(
    people: Mapping[str, Mapping[str, Any]], redirect_uris: Sequence[str], *, in_id_token: bool = False
) -> Iterator[OpenIdProvider]:
    """Serve people, by name with their claims, to a client; their claims are in UserInfo, or in the ID token too. Skips the
    test if Node or the package is not here."""
    program, port = node("oidc", "oidc-provider"), free_port()
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uris": list(redirect_uris)}
    told = json.dumps({"port": port, "client": client, "people": people, "inIdToken": in_id_token}) + "\n"
    process = bound(subprocess.Popen(
        [program, str(PEERS / "oidc" / "provider.mjs")], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, text=True,
    ))  # fmt: skip
    try:
        assert process.stdin
        process.stdin.write(told)
        process.stdin.flush()
        found = OpenIdProvider(issuer=f"http://localhost:{port}")
        until(lambda: process.poll() is not None or _answers(found.issuer), 60)
        assert process.poll() is None, "the provider ended; run it by hand to see why"
        yield found
    finally:
        process.kill()
        process.communicate()


def _answers(issuer: str) -> bool:
    try:
        return httpx.get(f"{issuer}/.well-known/openid-configuration").status_code == httpx.codes.OK
    except httpx.TransportError:
        return False
