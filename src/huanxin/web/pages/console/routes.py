"""The console's pages, put into the application."""

from __future__ import annotations

from fastapi import FastAPI

from huanxin.settings import Settings
from huanxin.web.pages.console import confirming, holds, partners, reports, signing, start, watch
from huanxin.web.pages.console.batches import approvals, breaches
from huanxin.web.pages.console.batches import routes as batches
from huanxin.web.pages.console.desk import records as desk_records
from huanxin.web.pages.console.desk import routes as desk
from huanxin.web.pages.console.number import routes as numbers
from huanxin.web.pages.console.pool import planner
from huanxin.web.pages.console.pool import routes as pool
from huanxin.web.pages.console.team import me, openid
from huanxin.web.pages.console.team import routes as people


def include(app: FastAPI, settings: Settings) -> None:
    """Everything under /console."""
    app.state.second_factor = settings.second_factor()
    app.state.escalates = settings.escalate_url is not None
    app.state.operators_setting = settings.operators
    app.state.operators_provider = openid.make(settings.operators, app.state.context)
    for room in (
        start,
        batches,
        approvals,
        numbers,
        holds,
        partners,
        pool,
        reports,
        confirming,
        watch,
        planner,
        desk,
        desk_records,
        breaches,
        me,
        openid,
        people,
    ):
        app.include_router(room.router)
    app.add_exception_handler(signing.OperatorSignsIn, signing.to_sign_in)
    app.add_exception_handler(signing.SetUpFirst, signing.to_set_up)
