"""Errors at the edge: kinds of the domain become RFC 9457 problems, here and nowhere else."""

from __future__ import annotations

from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException

from huanxin.domain.errors import HuanxinError, LacksScope, TooLarge, TooMany, TooSlow, Unauthorized
from huanxin.operations.problems import problem_body, problem_of, status_of
from huanxin.sentences import Sentence
from huanxin.web import i18n
from huanxin.web.pages.render import error_page, error_view


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An RFC 9457 problem."""
    body = problem_body(status, code, detail, **more)
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def _wants_page(request: Request) -> bool:
    """Whether a person in a browser asks, rather than a program."""
    return "text/html" in request.headers.get("accept", "")


def _page(request: Request, status: int, said: str = "") -> Response:
    query, cookie = request.query_params.get("lang"), request.cookies.get(i18n.COOKIE)
    language = i18n.choose_language(query, cookie, request.headers.get("accept-language"))
    view = error_view(status, said=said if isinstance(said, Sentence) else "")
    return HTMLResponse(error_page(language, view), status_code=status)


def _headers(request: Request, error: HuanxinError) -> dict[str, str]:
    """What a program is told besides the problem: RFC 6750, section 3 names no error when no token was shown."""
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, LacksScope):
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"' if request.headers.get("authorization") else "Bearer"}
    # What is left of the body was not read, so the connection can't carry another request.
    return {"Connection": "close"} if isinstance(error, TooLarge | TooSlow) else {}


def answer_errors(app: FastAPI) -> None:
    """Make an application answer every error as a problem."""

    @app.exception_handler(HuanxinError)
    def ours(request: Request, error: HuanxinError) -> Response:
        status = status_of(error)
        if _wants_page(request):
            return _page(request, status, error.said)
        headers = _headers(request, error)
        return JSONResponse(problem_of(error), status_code=status, media_type="application/problem+json", headers=headers)

    @app.exception_handler(HTTPException)
    def starlettes(request: Request, error: HTTPException) -> Response:
        if _wants_page(request):
            return _page(request, error.status_code)
        return problem(error.status_code, "http", str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def validation(_: Request, error: RequestValidationError) -> Response:
        errors = [{"field": ".".join(str(part) for part in one["loc"]), "reason": one["msg"]} for one in error.errors()]
        return problem(400, "bad-request", "the call can't be read; see errors", errors=errors)

    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(PoolTimeout)
    def database(_: Request, error: Exception) -> Response:
        del error  # what went wrong inside is for the log, not for partners
        return problem(503, "unavailable", "the platform can't reach its database; try again", headers={"Retry-After": "5"})
