"""Errors at the edge: kinds of the domain become RFC 9457 problems, here and nowhere else."""

from __future__ import annotations

import errno
import logging
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.domain.errors import BadRequest, HuanxinError, LacksScope, TooLarge, TooMany, TooSlow, Unauthorized, Unavailable
from huanxin.domain.numbers import masked_text
from huanxin.domain.problems import problem_body, problem_of, status_of
from huanxin.domain.rules import random_id
from huanxin.web.pages.render import error_page, error_view
from huanxin.words import i18n
from huanxin.words.sentences import Sentence

log = logging.getLogger("huanxin.web")
_SERVER = 500
_LATER = {"Retry-After": "5"}
_NO_ROOM = Sentence("the platform's disk is full, so nothing of this was taken; try again later")
_NOT_KEPT = Sentence("something that was sent can't be kept: a text with control characters, or a number that is too large")


def problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """An RFC 9457 problem."""
    body = problem_body(status, code, detail, **more)
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


def _wants_page(request: Request) -> bool:
    """Whether a person in a browser asks, rather than a program."""
    return "text/html" in request.headers.get("accept", "")


def _page(
    request: Request, status: int, said: str = "", *, reference: str = "", headers: dict[str, str] | None = None
) -> Response:
    """The page of an error in the reader's language; what `said` quotes is masked."""
    query, cookie = request.query_params.get("lang"), request.cookies.get(i18n.COOKIE)
    language = i18n.choose_language(query, cookie, request.headers.get("accept-language"))
    view = error_view(status, reference, said=masked_text(said) if isinstance(said, Sentence) else "")
    return HTMLResponse(error_page(language, view), status_code=status, headers=headers)


def _headers(request: Request, error: HuanxinError) -> dict[str, str]:
    """What a program is told besides the problem: RFC 6750, section 3 names no error when no token was shown."""
    if isinstance(error, TooMany):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, Unavailable):
        return _LATER
    if isinstance(error, LacksScope):
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{error.scope}"'}
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": 'Bearer error="invalid_token"' if request.headers.get("authorization") else "Bearer"}
    # What is left of the body was not read, so the connection can't carry another request.
    return {"Connection": "close"} if isinstance(error, TooLarge | TooSlow) else {}


def _unexpected(request: Request, error: Exception) -> Response:
    """The answer to an error that nobody foresaw: a reference, which stands in the log beside what happened."""
    reference = random_id("er")
    log.error("%s: %s %s failed", reference, request.method, request.url.path, exc_info=error)
    if _wants_page(request):
        return _page(request, _SERVER, reference=reference)
    detail = f"something broke on the platform's side; tell whoever runs it, and quote {reference}"
    return problem(500, "error", detail, reference=reference)


class NeverBare:
    """Answers what no handler did, on the inside of the middlewares that dress every answer. An answer that has begun can't
    be taken back: it is cut off, and whoever serves logs why."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noticed(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise
            await _unexpected(Request(scope), error)(scope, receive, send)


def answer_errors(app: FastAPI) -> None:
    """Make an application answer every error as a problem, or to a browser as a page."""
    app.add_middleware(NeverBare)

    @app.exception_handler(HuanxinError)
    def ours(request: Request, error: HuanxinError) -> Response:
        status, headers = status_of(error), _headers(request, error)
        if _wants_page(request):
            return _page(request, status, error.said, headers=headers)
        return JSONResponse(problem_of(error), status_code=status, media_type="application/problem+json", headers=headers)

    @app.exception_handler(ClientDisconnect)
    def gone(request: Request, error: ClientDisconnect) -> Response:
        """Nobody reads this any more; it is no fault of ours that would have to stand in the log."""
        return ours(request, BadRequest("the connection was closed before the body ended"))

    @app.exception_handler(HTTPException)
    def starlettes(request: Request, error: HTTPException) -> Response:
        if isinstance(error.__cause__, HuanxinError):
            return ours(request, error.__cause__)
        if _wants_page(request):
            return _page(request, error.status_code)
        return problem(error.status_code, "http", str(error.detail), headers=dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def validation(request: Request, error: RequestValidationError) -> Response:
        if _wants_page(request):
            return _page(request, 400)
        errors = [{"field": ".".join(str(part) for part in one["loc"]), "reason": one["msg"]} for one in error.errors()]
        return problem(400, "bad-request", "the call can't be read; see errors", errors=errors)

    @app.exception_handler(psycopg.OperationalError)
    @app.exception_handler(PoolTimeout)
    def database(request: Request, error: Exception) -> Response:
        if isinstance(error, psycopg.errors.DiskFull):
            return full(request, error)
        if _wants_page(request):  # what went wrong inside is for the log, not for partners
            return _page(request, 503, headers=_LATER)
        return problem(503, "unavailable", "the platform can't reach its database; try again", headers=_LATER)

    @app.exception_handler(OSError)
    def full(request: Request, error: Exception) -> Response:
        """No room on disk is nobody's mistake but the operator's, and passes once they make some."""
        if isinstance(error, OSError) and error.errno not in (errno.ENOSPC, errno.EDQUOT):
            return _unexpected(request, error)
        log.error("%s %s: no room on disk: %s", request.method, request.url.path, error)
        return ours(request, Unavailable(_NO_ROOM))

    @app.exception_handler(psycopg.DataError)
    @app.exception_handler(UnicodeEncodeError)
    def kept(request: Request, error: psycopg.DataError | UnicodeEncodeError) -> Response:
        """What the database can't keep was sent by somebody: a text with a NUL or half a character, a number of thirty
        digits."""
        log.warning("%s %s was refused by the database: %s", request.method, request.url.path, error)
        return ours(request, BadRequest(_NOT_KEPT))
