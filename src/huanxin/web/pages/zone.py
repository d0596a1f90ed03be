"""Pages give instants in one zone, the platform's by its setting. What a carrier's day decides is decided in its own."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from huanxin.words.i18n import ZONE


class InZone:
    """Sets the zone of the pages for each request."""

    def __init__(self, app: ASGIApp, zone: str) -> None:
        self._app, self._zone = app, zone

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ZONE.set(self._zone)
        await self._app(scope, receive, send)
