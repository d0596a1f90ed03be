"""Proving a domain: the challenge stands in a file at it, or in its DNS. What was found instead is told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from huanxin.domain.accounts import Account, Happened
from huanxin.domain.errors import Conflict
from huanxin.outbound import NoAnswer, Outbound, why_not
from huanxin.store.acting import Act
from huanxin.store.connect import accounts
from huanxin.words.sentences import Sentence

if TYPE_CHECKING:
    import dns.resolver

PATH = "/.well-known/huanxin-challenge"
RECORD = "_huanxin-challenge"
_ENTRY = "huanxin-challenge="
_SHOWN = 80  # characters of what was found instead
_PATIENCE = 5.0  # seconds for DNS

LookUp = Callable[[str], Sequence[str]]
"""The TXT entries of a name. Raises LookUpFailed with the reason."""


class LookUpFailed(Exception):
    """A name has no TXT entries, or they can't be read now; `why` says which."""

    def __init__(self, why: Sentence) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, kw_only=True)
class Proof:
    """The ways in which a domain is looked at: over HTTP, at public addresses only, and in the DNS. In development
    the file may stand on this machine, without TLS."""

    outbound: Outbound
    look_up: LookUp
    development: bool


def file_url(account: Account, *, development: bool) -> str:
    """Where the file is looked for."""
    local = development and (":" in account.domain or "." not in account.domain or account.domain.startswith("127."))
    return f"{'http' if local else 'https'}://{account.domain}{PATH}"


def record_name(account: Account) -> str:
    """Where the TXT entry is looked for; a domain with a port has the same name as without."""
    return f"{RECORD}.{account.domain.partition(':')[0]}"


def record_value(account: Account) -> str:
    """What the TXT entry must be."""
    return f"{_ENTRY}{account.challenge}"


def look(account: Account, proof: Proof) -> str:
    """Look for the challenge, in the file, then in the DNS; the way in which it was found: `file` or `dns`.

    No transaction is open meanwhile: others may be slow. Raises Conflict with what was found in both places, and what
    to do.
    """
    url = file_url(account, development=proof.development)
    by_file = _in_file(url, account.challenge, proof.outbound)
    if by_file is None:
        return "file"
    by_dns = _in_dns(record_name(account), record_value(account), proof.look_up)
    if by_dns is None:
        return "dns"
    raise Conflict(
        Sentence(
            "%(domain)s is not proven yet. The file %(url)s: %(by_file)s. The TXT entry of %(entry)s: %(by_dns)s."
            " Do one of the two: serve a file there that contains %(challenge)s and nothing else, or add the TXT entry"
            " %(value)s; then ask again",
            domain=account.domain,
            url=url,
            by_file=by_file,
            entry=record_name(account),
            by_dns=by_dns,
            challenge=account.challenge,
            value=record_value(account),
        )
    )


def record_proof(act: Act, account: Account, *, way: str) -> None:
    """Record that the domain was proven; once is enough."""
    accounts.one_at_a_time(act.tx, account.id)
    if not any(event.kind == Happened.DOMAIN_PROVEN for event in accounts.events_of(act.tx, account.id)):
        detail = {"domain": account.domain, "way": way}
        accounts.note(act.tx, account.id, Happened.DOMAIN_PROVEN, detail=detail, by=act.by, at=act.now)


def _in_file(url: str, challenge: str, outbound: Outbound) -> Sentence | None:
    """None if the file has the challenge; else what was found instead."""
    try:
        answer = outbound.get(url, {"Accept": "text/plain"})
    except NoAnswer as error:
        return Sentence("can't be fetched (%(why)s)", why=why_not(error))
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        return Sentence("answers %(status)s, which leads elsewhere; serve it without a redirect", status=answer.status)
    if answer.status != HTTPStatus.OK:
        return Sentence("answers %(status)s instead of 200", status=answer.status)
    found = answer.text.strip()
    if found == challenge:
        return None
    if len(found) > _SHOWN:
        return Sentence("contains %(found)s and more", found=repr(found[:_SHOWN]))
    return Sentence("contains %(found)s", found=repr(found)) if found else Sentence("is empty")


def _in_dns(name: str, wanted: str, look_up: LookUp) -> Sentence | None:
    """None if the entry is there; else what was found instead."""
    try:
        found = look_up(name)
    except LookUpFailed as error:
        return error.why
    if wanted in (entry.strip() for entry in found):
        return None
    ours = [entry[:_SHOWN] for entry in found if entry.startswith(_ENTRY)] or [entry[:_SHOWN] for entry in found[:3]]
    return Sentence("is %(found)s", found=", ".join(map(repr, ours))) if ours else Sentence("is empty")


def text_entries(resolver: dns.resolver.Resolver | None = None) -> LookUp:
    """Looks up TXT entries, with the machine's resolver unless another is given."""

    def look_up(name: str) -> list[str]:
        import dns.resolver  # noqa: PLC0415  # as long to load as a web framework, and asked once for each company

        try:
            answer = (resolver or dns.resolver.get_default_resolver()).resolve(name, "TXT", lifetime=_PATIENCE)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            raise LookUpFailed(Sentence("there is none")) from error
        except dns.exception.DNSException as error:
            raise LookUpFailed(Sentence("can't be looked up now (%(why)s)", why=type(error).__name__)) from error
        return [b"".join(entry.strings).decode("utf-8", "replace") for entry in answer]

    return look_up
