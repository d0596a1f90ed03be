"""Tokens of operators: with one, a carrier's own software acts for a person, with their rights and no others."""

from __future__ import annotations

import hashlib
import secrets

from huanxin.access.people import named
from huanxin.domain.errors import Conflict, Unauthorized
from huanxin.domain.operators import Operator
from huanxin.store.access import operators, tokens
from huanxin.store.acting import Act
from huanxin.store.database import Tx
from huanxin.words.sentences import Sentence

_PREFIX = "hxo_"  # so that a leaked one is recognised where code is searched for secrets


def make_token(act: Act, login: str) -> str:
    """A new token for a person; it is shown once, and only its hash is kept. Raises NotFound, or Conflict for one who is
    locked out."""
    person = named(act.tx, login)
    if not person.enabled:
        raise Conflict(
            Sentence("%(login)s is locked out, so a token would open nothing; let them in again first", login=login)
        )
    token = _PREFIX + secrets.token_urlsafe(32)
    tokens.add(act.tx, person.id, _hash(token), by=act.by, at=act.now)
    operators.note(act.tx, person.id, "token-made", by=act.by, at=act.now)
    return token


def end_tokens(act: Act, login: str) -> int:
    """End every token of a person at once; how many there were."""
    person = named(act.tx, login)
    ended = tokens.end_all(act.tx, person.id, by=act.by, at=act.now)
    if ended:
        operators.note(act.tx, person.id, "tokens-ended", by=act.by, at=act.now, detail={"tokens": ended})
    return ended


def holder(tx: Tx, token: str) -> Operator:
    """Whom a token acts for. Raises Unauthorized for one that is unknown or has ended, or whose person is locked out."""
    found = tokens.holder(tx, _hash(token))
    person = operators.get(tx, found) if found is not None else None
    if person is None or not person.enabled:
        raise Unauthorized(Sentence("this token is not good (any more); `huanxin operator token` makes another"))
    return person


def _hash(token: str) -> bytes:
    """A random token of 256 bits can't be guessed from a plain hash."""
    return hashlib.sha256(token.encode()).digest()
