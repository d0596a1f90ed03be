"""Secrets that have to be read again, such as the Authorization header that a partner wants on pushes: kept encrypted."""

from __future__ import annotations

from functools import lru_cache

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from huanxin.domain.errors import BadSetting

_HEADER = {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"}
_ALGORITHMS = list(_HEADER.values())


def seal(text: str, passphrase: str) -> str:
    """A JWE (RFC 7516) of a text by a passphrase."""
    return jwe.encrypt_compact(_HEADER, text.encode(), OctKey.import_key(passphrase), algorithms=_ALGORITHMS)


@lru_cache(maxsize=512)
def unseal(sealed: str, passphrase: str) -> str:
    """The text that `seal` was given. Raises BadSetting if the passphrase is another one."""
    try:
        found = jwe.decrypt_compact(sealed, OctKey.import_key(passphrase), algorithms=_ALGORITHMS)
    except (JoseError, ValueError) as error:
        raise BadSetting(
            "a secret in the database can't be opened with HUANXIN_KEY_PASSPHRASE; set the passphrase it was sealed with"
        ) from error
    return (found.plaintext or b"").decode()
