"""Calls to an ASGI app without a server. (starlette.testclient wants a package that nothing else here needs.)"""

from __future__ import annotations

import asyncio

import httpx
from starlette.applications import Starlette


def post(app: Starlette, path: str, *, content: str, headers: dict[str, str]) -> httpx.Response:
    """The answer to one POST, with the app started and stopped around it."""

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://app") as client:
            answer = await client.post(path, content=content, headers=headers)
            await answer.aread()
            return answer

    return asyncio.run(call())
