"""A partner's endpoint that takes what is pushed to it, and answers what it is told to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving import served


class Receiver:
    """Takes what is pushed to it, and answers what it is told to; `meanwhile` is done before it answers."""

    def __init__(self) -> None:
        self.url, self.got, self.headers = "", list[str](), list[dict[str, str]]()
        self.status, self.body = 202, ""
        self.meanwhile: Callable[[str], None] = lambda _: None

    def take(self, request: Request, body: str) -> Response:
        self.got.append(body)
        self.headers.append(dict(request.headers))
        self.meanwhile(body)
        return Response(self.body, status_code=self.status)


@contextmanager
def receiving(receiver: Receiver | None = None) -> Iterator[Receiver]:
    receiver = receiver or Receiver()

    async def endpoint(request: Request) -> Response:
        from anyio import to_thread

        body = (await request.body()).decode()
        return await to_thread.run_sync(receiver.take, request, body)

    with served(Starlette(routes=[Route("/events", endpoint, methods=["POST"])])) as client:
        receiver.url = f"{client.base_url}/events"
        yield receiver
