"""What a page has to hand in again and nobody may read in it, in its address or in a log: sealed for one operator."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from fastapi import Request
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from huanxin.domain.errors import BadInput
from huanxin.web.pages.console.signing import Working
from huanxin.web.people import people_of
from huanxin.words.sentences import Sentence

_SEALED = {"alg": "dir", "enc": "A256GCM"}
_ALGORITHMS = list(_SEALED.values())


def keep(request: Request, who: Working, room: str, value: Any) -> str:
    """A value of JSON, encrypted (RFC 7516) for this operator in one room of the console."""
    return jwe.encrypt_compact(_SEALED, json.dumps(value).encode(), _key(request, who, room), algorithms=_ALGORITHMS)


def kept(request: Request, who: Working, room: str, sealed: str) -> Any:
    """The value that `keep` was given. Raises BadInput."""
    try:
        found = jwe.decrypt_compact(sealed, _key(request, who, room), algorithms=_ALGORITHMS)
    except (JoseError, ValueError) as error:
        raise BadInput(Sentence("this page has become too old; search the number again")) from error
    return json.loads(found.plaintext or b"null")


def _key(request: Request, who: Working, room: str) -> OctKey:
    secret = f"{people_of(request).secret}/{room}/{who.operator.id}"
    return OctKey.import_key(hashlib.sha256(secret.encode()).digest())
