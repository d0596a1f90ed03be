"""What every partner page is made with."""

from __future__ import annotations

from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from huanxin.web.pages import flash
from huanxin.web.pages.partner import words
from huanxin.web.pages.render import render
from huanxin.web.pages.routes import html, language
from huanxin.words.saying import translated

_NO_STORE = {"Cache-Control": "no-store"}


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A partner page; nothing of it is kept by the browser."""
    lang = language(request)
    answer = html(request, render(f"partner/{template}", lang, here="/partner", **_names(lang), **values))
    answer.status_code = status
    answer.headers.update(_NO_STORE)
    flash.forget(request, answer)
    return answer


@cache
def _names(lang: str) -> dict[str, dict[str, str]]:
    return {name: translated(one, lang) for name, one in words.NAMES.items()}
