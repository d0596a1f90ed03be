"""Small bodies of calls, read with a limit whatever Content-Type they name (the examples of OpenID SSF name none)."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from huanxin.domain.errors import BadRequest
from huanxin.domain.shown import read_json
from huanxin.web.bodies import has_its_own_limit

_LARGEST = 256 * 1024  # bytes


async def read_body(request: Request, most: int = _LARGEST) -> bytes:
    """The body, at most so many bytes. Raises BadRequest."""
    has_its_own_limit(request)
    read = bytearray()
    async for block in request.stream():
        read += block
        if len(read) > most:
            raise BadRequest(f"the body is longer than {most:,} bytes")
    return bytes(read)


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object. Raises BadRequest."""
    return _parsed(await read_body(request))


async def _object_or_nothing(request: Request) -> dict[str, Any]:
    read = await read_body(request)
    return _parsed(read) if read.strip() else {}


def _parsed(read: bytes) -> dict[str, Any]:
    try:
        found = read_json(read)
    except ValueError as error:
        raise BadRequest("the body can't be read as JSON") from error
    if not isinstance(found, dict):
        raise BadRequest("the body must be a JSON object")
    return found


async def _form(request: Request) -> dict[str, str]:
    try:
        return dict(parse_qsl((await read_body(request)).decode(), keep_blank_values=True, max_num_fields=50))
    except ValueError as error:
        raise BadRequest("the body can't be read as a form (application/x-www-form-urlencoded)") from error


JsonObject = Annotated[dict[str, Any], Depends(json_object)]
"""The body as a JSON object. Raises BadRequest."""
JsonObjectOrNothing = Annotated[dict[str, Any], Depends(_object_or_nothing)]
"""The body as a JSON object, empty if there is none. Raises BadRequest."""
FormFields = Annotated[dict[str, str], Depends(_form)]
"""The body as the fields of a form, the last of each name. Raises BadRequest."""


def shows(media_type: str, example: dict[str, Any]) -> dict[str, Any]:
    """What the API's own page shows of such a body."""
    schema = {"type": "object", "properties": {name: {} for name in example}}
    return {"requestBody": {"required": True, "content": {media_type: {"schema": schema, "example": example}}}}
