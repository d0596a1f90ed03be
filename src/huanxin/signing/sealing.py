"""What has to be read again, such as the Authorization header that a partner wants on pushes: kept encrypted."""

from __future__ import annotations

from functools import lru_cache

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from huanxin.domain.errors import BadSetting


class _Registry(jwe.JWERegistry):
    """Opens what is as long as a form with a file: the library itself seals it and opens 64 KB."""

    max_ciphertext_length = 64 << 20  # bytes of base64


_HEADER = {"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"}
_REGISTRY = _Registry(algorithms=list(_HEADER.values()))


def seal_bytes(content: bytes, passphrase: str) -> bytes:
    """A JWE (RFC 7516) of some bytes, 48 MB at most, by a passphrase."""
    return jwe.encrypt_compact(_HEADER, content, OctKey.import_key(passphrase), registry=_REGISTRY).encode()


def unseal_bytes(sealed: bytes, passphrase: str) -> bytes:
    """The bytes that `seal_bytes` was given. Raises BadSetting if the passphrase is another one, or something else was
    sealed."""
    try:
        return jwe.decrypt_compact(sealed, OctKey.import_key(passphrase), registry=_REGISTRY).plaintext or b""
    except (JoseError, ValueError) as error:
        raise BadSetting(
            "a secret in the database can't be opened with HUANXIN_KEY_PASSPHRASE; set the passphrase it was sealed with"
        ) from error


def seal(text: str, passphrase: str) -> str:
    """The same of a text."""
    return seal_bytes(text.encode(), passphrase).decode()


@lru_cache(maxsize=512)
def unseal(sealed: str, passphrase: str) -> str:
    """The text that `seal` was given. Raises BadSetting as `unseal_bytes`."""
    return unseal_bytes(sealed.encode(), passphrase).decode()
