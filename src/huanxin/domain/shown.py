"""What somebody shows, read before anything of it is believed: JSON, and signed tokens. Whatever it is, it is read, or
refused with ValueError: nested a thousand deep, with half characters (`\\ud800`) that nothing can keep, with what is no
number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NoReturn

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

_UNREADABLE = (JoseError, ValueError, TypeError, KeyError, AttributeError)
"""What the libraries raise for what they did not expect."""


def read_json(content: str | bytes) -> Any:
    """A JSON text (RFC 8259). Raises ValueError."""
    try:
        found = json.loads(content, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON that can be read: {str(error)[:100]}") from error
    return found


def read_token(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a JWT in its compact form (RFC 7519), nothing of them verified. Raises ValueError."""
    try:
        parts = jws.extract_compact(token.encode())
        header, claims = dict(parts.headers()), read_json(parts.payload)
        json.dumps(header, ensure_ascii=False).encode()
    except _UNREADABLE as error:
        raise ValueError("not a signed JWT") from error
    if not isinstance(claims, dict):
        raise ValueError("not a signed JWT")
    return header, claims


def verified(token: str, key: Any, algorithms: Sequence[str]) -> dict[str, Any]:
    """The claims of a token that a key, or one of a KeySet, signed. Raises ValueError."""
    _, claims = read_token(token)
    try:
        jwt.decode(token, key, algorithms=list(algorithms))
    except _UNREADABLE as error:
        raise ValueError("not signed with this key") from error
    return claims


def key_set(jwks: Any) -> KeySet:
    """The keys of a JWKS (RFC 7517), whatever it is. Raises ValueError."""
    try:
        return KeySet.import_key_set(jwks)
    except _UNREADABLE as error:
        raise ValueError("not a set of keys") from error


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")
