"""Registering an account: names and domains are checked, and recorded with a challenge for the domain."""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass

import idna

from huanxin.domain.accounts import Account, Happened
from huanxin.domain.errors import BadInput, NotFound
from huanxin.domain.partners import Kind
from huanxin.domain.rules import NewId, random_id
from huanxin.store.acting import Act
from huanxin.store.connect import accounts
from huanxin.store.database import Tx
from huanxin.words.sentences import Sentence

_LONGEST_NAME = 80  # characters
_LONGEST_DOMAIN = 253  # RFC 1035, section 2.3.4, less the root
_LAST_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What was asked for, checked: `name_key` is the name as it is compared."""

    name: str
    name_key: str
    kind: Kind
    domain: str


def checked(*, name: str, kind: str, domain: str, development: bool) -> Wanted:
    """What a company writes of itself, checked. Raises BadInput.

    In development a domain may be a machine on loopback, and have a port.
    """
    clean = checked_name(name)
    if kind not in list(Kind):
        raise BadInput(Sentence("kind must be one of %(kinds)s: what is kept on a number", kinds=", ".join(Kind)))
    return Wanted(
        name=clean, name_key=key_of(clean), kind=Kind(kind), domain=checked_domain(domain, development=development)
    )


def checked_name(name: str) -> str:
    """A name as it is kept: composed, single spaces. Markup in it is text like any other. Raises BadInput."""
    clean = " ".join(unicodedata.normalize("NFC", name).split(" ")).strip()
    if not clean:
        raise BadInput(Sentence("name is empty; write the company's or the service's name"))
    if len(clean) > _LONGEST_NAME:
        raise BadInput(
            Sentence("name has %(count)s characters; at most %(most)s are kept", count=len(clean), most=_LONGEST_NAME)
        )
    # Categories C*: control characters, and invisible ones that turn or hide text.
    if any(unicodedata.category(letter).startswith("C") or letter in "\u2028\u2029" for letter in clean):
        raise BadInput(Sentence("name has control characters or invisible ones; type it as plain text"))
    return clean


def key_of(name: str) -> str:
    """A name as it is compared: in one form, one case, without spaces, so that no two accounts look the same in a list."""
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def checked_domain(domain: str, *, development: bool) -> str:
    """A domain as it is kept: lower case, in its ASCII form. Raises BadInput."""
    text = domain.strip().rstrip(".").lower()
    if "/" in text or "@" in text or not text:
        raise BadInput(Sentence("domain must be a name like example.com, without https:// and without a path"))
    host, _, port = text.partition(":")
    if development and (port or _is_local(host)):
        if not _is_local(host) or (port and not _is_port(port)):
            raise BadInput(Sentence("in development a domain with a port is this machine's, like 127.0.0.1:8701"))
        return text
    if port:
        raise BadInput(Sentence("domain has a port; write the name alone: the file is fetched by https"))
    return _name(host)


def _name(host: str) -> str:
    if _is_address(host):
        raise BadInput(Sentence("domain is an address; write the domain name that your company owns"))
    try:
        name = idna.encode(host, uts46=True).decode()
    except idna.IDNAError as error:
        raise BadInput(_not_a_name(host)) from error
    if "." not in name or len(name) > _LONGEST_DOMAIN:
        raise BadInput(_not_a_name(host))
    return name


def _not_a_name(host: str) -> Sentence:
    return Sentence("domain %(domain)s is not a domain name like example.com", domain=host[:80])


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= _LAST_PORT


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def register(act: Act, wanted: Wanted, *, sandbox_client_id: str, new_id: NewId = random_id) -> Account:
    """Record an account. Raises Conflict if the name is taken."""
    account = Account(
        id=new_id("ac"), name=wanted.name, kind=wanted.kind, domain=wanted.domain, challenge=new_id("huanxin"),
        sandbox_client_id=sandbox_client_id, registered_at=act.now,
    )  # fmt: skip
    accounts.add(act.tx, account, name_key=wanted.name_key)
    accounts.note(act.tx, account.id, Happened.REGISTERED, by=act.by, at=act.now)
    return account


def named(tx: Tx, name: str) -> Account:
    """An account by its name or id. Raises NotFound."""
    found = accounts.by_name_key(tx, key_of(name)) or accounts.get(tx, name)
    if found is None:
        raise NotFound(Sentence("no account is named %(name)s; `huanxin partner accounts` shows them", name=name))
    return found
