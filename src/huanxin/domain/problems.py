"""Errors as RFC 9457 problems: what the HTTP API and the result files say."""

from __future__ import annotations

from typing import Any

from huanxin.domain.errors import (
    BadInput,
    BadRequest,
    Conflict,
    Forbidden,
    HuanxinError,
    NotFound,
    TooLarge,
    TooMany,
    TooSlow,
    Unauthorized,
    Unavailable,
    UnsupportedForm,
)

STATUS: dict[type[HuanxinError], int] = {
    NotFound: 404, Conflict: 409, Unauthorized: 401, Forbidden: 403, BadInput: 422, BadRequest: 400, UnsupportedForm: 415,
    TooLarge: 413, TooSlow: 408, TooMany: 429, Unavailable: 503,
}  # fmt: skip
_BASE = "urn:huanxin:problem:"


def status_of(error: HuanxinError) -> int:
    return next((code for kind, code in STATUS.items() if isinstance(error, kind)), 500)


def problem_body(status: int, code: str, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem."""
    return {"type": _BASE + code, "title": code.replace("-", " "), "status": status, "detail": detail, **more}


def problem_of(error: HuanxinError) -> dict[str, Any]:
    """An error as a problem, with the lines of an input that was refused."""
    more: dict[str, Any] = {}
    if isinstance(error, BadInput):
        more["errors"] = [{"line": fault.line, "reason": fault.reason} for fault in error.faults]
        more["errors_total"] = error.total
    return problem_body(status_of(error), error.code, str(error), **more)
