"""What the API's own description says of its answers: models, problems and examples, for OpenAPI and `/docs`."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from pydantic import BaseModel, Field

from huanxin.domain.answers import OUTCOMES_OF, Purpose, Reason
from huanxin.domain.partners import Scope
from huanxin.numbersets.numberfile import CSV, PARQUET

_CODES = "stable; what each means and what to do is in docs/partners/errors.md"


class NoticeItem(BaseModel):
    """One notice of the caller."""

    notice: str = Field(examples=["nt_4Wq0cQ5nC2Yt"])
    purpose: str = Field(
        description="renewal (cut stale ties) or retraction (give back what a reclaimed number had); of one number: renew, "
        "leave (cut, as its owner ordered) or inquire (say whether there is a tie)"
    )
    number: str | None = Field(None, description="the one number of a request's notice", examples=["+8613800138000"])
    count: int = Field(description="numbers in the notice", examples=[1200])
    cutoff: str = Field(description="RFC 3339; ties bound at or after it stay", examples=["2026-11-24T01:00:00+00:00"])
    answer_by: str = Field(description="RFC 3339", examples=["2026-12-02T00:00:00+08:00"])


class NoticeList(BaseModel):
    """The caller's notices, newest first."""

    notices: list[NoticeItem]


class ReceiptTaken(BaseModel):
    """A receipt that was taken."""

    receipt: str = Field(description="its id", examples=["rc_8bFh1sT0aZ"])
    accepted: dict[str, int] = Field(description="numbers by outcome", examples=[{"unbound": 412, "refused": 3}])
    complete: bool = Field(description="whether it said that whatever no receipt lists is absent")
    outstanding: int = Field(description="numbers of the notice without any answer yet", examples=[0])
    confirmation: str = Field(
        description="a JWS (RFC 7515, compact) with `typ` receipt-confirmation+jwt, signed by a key of /jwks.json. Its "
        "claims: iss, aud (your client_id), iat, jti, notice, receipt, sha256 (hex, of the content unpacked), complete, "
        "lines, accepted, outstanding, received_at"
    )


class ReceiptsTaken(BaseModel):
    """A receipt for the notices of many requests that was taken."""

    receipts: dict[str, str] = Field(description="the receipt's id by notice", examples=[{"nr_8bFh1sT0aZ": "rc_4Wq0cQ5n"}])
    accepted: dict[str, int] = Field(description="notices by outcome", examples=[{"unbound": 412, "refused": 3}])
    confirmation: str = Field(description="a JWS as for one notice; its claims have `receipts` in place of `receipt`")


class TokenGranted(BaseModel):
    """An access token (RFC 6749, section 5.1)."""

    access_token: str
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="seconds", examples=[600])
    scope: str = Field(examples=["notices receipts"])


class TokenRefused(BaseModel):
    """Why no token was granted (RFC 6749, section 5.2)."""

    error: str = Field(examples=["invalid_client"])
    error_description: str


class KeySet(BaseModel):
    """A JSON Web Key Set (RFC 7517)."""

    keys: list[dict[str, Any]]


class Status(BaseModel):
    """`ok` or `ready`."""

    status: str


class Readiness(BaseModel):
    """`ready`, and how it stands with the disk."""

    status: str
    disk: str = Field(description="`ok`, or `low`: files are refused that would take what is left")


class ProblemError(BaseModel):
    """One thing that is wrong."""

    line: int | None = Field(None, description="from 1, the heading included (Parquet: the row, from 1); 0: the whole input")
    field: str | None = Field(None, description="the parameter of the call, where the call itself can't be read")
    reason: str


class Problem(BaseModel):
    """What went wrong (RFC 9457), as application/problem+json."""

    type: str = Field(description=f"urn:huanxin:problem:CODE; {_CODES}", examples=["urn:huanxin:problem:bad-input"])
    title: str = Field(examples=["bad input"])
    status: int = Field(examples=[422])
    detail: str = Field(
        description="what happened and what to do; the text may change",
        examples=["the receipt was refused whole: 1 of its lines can't be taken"],
    )
    errors: list[ProblemError] | None = Field(
        None, description="the first hundred", examples=[[{"line": 3, "reason": "the number is empty"}]]
    )
    errors_total: int | None = Field(None, description="how many there are", examples=[1])


_MEANING = {
    304: "The ETag in If-None-Match is still right.",
    400: "The call or its body is malformed, or the body was cut short.",
    401: "The access token is missing, wrong or expired.",
    403: "The access token does not allow this.",
    404: "The caller has no such notice.",
    408: "The body came too slowly, or took too long.",
    409: "The call contradicts a recorded fact.",
    413: "The body is larger than what is taken in one piece.",
    415: "The content type or encoding is not one that is read here.",
    416: "The file has no such bytes.",
    422: "Refused whole: `errors` has the lines and reasons.",
    429: "Too many calls; Retry-After says the seconds to wait.",
    503: "The database is out of reach for now, or its disk has no room; Retry-After says when to try again.",
}

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """How an operation may fail; any may answer 503."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _MEANING[status], "content": content} for status in (*statuses, 503)}


_FILE = {
    CSV: {"schema": {"type": "string"}, "example": "number\n+8613800138000\n+8613800138001\n"},
    PARQUET: {"schema": {"type": "string", "format": "binary"}},
}
NUMBERS: Responses = {
    200: {"description": "The whole file.", "content": _FILE},
    206: {"description": "The bytes that Range asked for.", "content": _FILE},
    304: {"description": _MEANING[304]},
    **problems(400, 401, 403, 404, 409, 416),
}
RECEIPTS: Responses = {
    200: {"description": "This receipt was taken before; nothing changed.", "model": ReceiptTaken},
    **problems(400, 401, 403, 404, 408, 409, 413, 415, 422),
}
MANY_RECEIPTS: Responses = {
    200: {"description": "Every line was a repeat; nothing changed.", "model": ReceiptsTaken},
    **problems(400, 401, 403, 408, 409, 413, 415, 422),
}
_EXAMPLE = "number,outcome,reason,until\n+8613800138000,unbound,,\n+8613800138001,refused,debt,2026-12-31\n"
RECEIPT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"Columns `number` (+E164) and `outcome`; `reason` for `refused` ({', '.join(Reason)}); `until`, a"
        f" date, if it is known. Outcomes of a renewal: {', '.join(OUTCOMES_OF[Purpose.RENEWAL])}; of a retraction:"
        f" {', '.join(OUTCOMES_OF[Purpose.RETRACTION])}.",
        "content": {
            CSV: {"schema": {"type": "string"}, "example": _EXAMPLE},
            PARQUET: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


_MANY = "notice,number,outcome,reason,until\nnr_8bFh1sT0aZ,+8613800138000,unbound,,\n"
MANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "As a receipt, with the column `notice` before. An inquiry is answered by bound or absent.",
        "content": {
            CSV: {"schema": {"type": "string"}, "example": _MANY},
            PARQUET: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


def needs(scope: Scope) -> dict[str, Any]:
    """What an operation says of the access token that it needs."""
    return {"security": [{"oauth": [scope.value]}]}


def _definitions_in(part: Any) -> dict[str, Any]:
    """The schemas that parts of a document bring along (`$defs`), taken out of them: what refers to one looks for it among
    the document's own, where it is to stand."""
    found: dict[str, Any] = {}
    inner: list[Any] = part if isinstance(part, list) else []
    if isinstance(part, dict):
        found = part.pop("$defs", {})
        if str(part.get("$ref", "")).startswith(_DEFS):
            part["$ref"] = "#/components/schemas/" + part["$ref"].removeprefix(_DEFS)
        inner = [*part.values(), *found.values()]
    for one in inner:
        found = found | _definitions_in(one)
    return found


_DEFS = "#/$defs/"
_SECURITY = {
    "oauth": {
        "type": "oauth2", "description": "An access token for a partner's client credentials.",
        "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {one.value: one.allows for one in Scope}}},
    },
    "operator": {"type": "http", "scheme": "bearer", "description": "A token that `huanxin operator token` printed."},
    "client": {"type": "http", "scheme": "basic", "description": "client_id and client_secret"},
}  # fmt: skip


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with what FastAPI leaves out or puts in of its own: the problem's schema instead of its own
    form of validation errors, which this platform does not use."""
    document = deepcopy(document)  # parts of it are the routes' own
    document["components"]["securitySchemes"] = _SECURITY
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    schemas |= _definitions_in(document)
    for operations in document["paths"].values():
        for operation in operations.values():
            own = operation["responses"].get("422", {})
            if "HTTPValidationError" in str(own):
                del operation["responses"]["422"]
    return document
