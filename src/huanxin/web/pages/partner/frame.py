"""What every partner page is made with."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import Response

from huanxin.web.pages import flash
from huanxin.web.pages.render import render
from huanxin.web.pages.routes import html, language

_NO_STORE = {"Cache-Control": "no-store"}


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A partner page; nothing of it is kept by the browser."""
    answer = html(request, render(f"partner/{template}", language(request), here="/partner", **values))
    answer.status_code = status
    answer.headers.update(_NO_STORE)
    flash.forget(request, answer)
    return answer
