"""The console's pages, put into the application."""

from __future__ import annotations

from fastapi import FastAPI

from huanxin.settings import Settings
from huanxin.web.pages.console import approvals, batches, holds, me, numbers, people, signing, start


def include(app: FastAPI, settings: Settings) -> None:
    """Everything under /console."""
    app.state.second_factor = settings.second_factor()
    app.state.escalates = settings.escalate_url is not None
    for room in (start, me, batches, approvals, numbers, holds, people):
        app.include_router(room.router)
    app.add_exception_handler(signing.OperatorSignsIn, signing.to_sign_in)
    app.add_exception_handler(signing.SetUpFirst, signing.to_set_up)
