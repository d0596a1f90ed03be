"""`/metrics`: how the platform fares, in the form that Prometheus reads. Counts and ages by partner, carrier and kind.

It is for whoever runs the platform: with HUANXIN_METRICS_TOKEN it asks for that token, without it it answers this machine
alone. However often it is asked, the database is asked every few seconds at most.
"""

from __future__ import annotations

import hmac
import ipaddress
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from huanxin.acts import Platform
from huanxin.domain.errors import Forbidden, HuanxinError, Unauthorized
from huanxin.store.figures import vitals
from huanxin.store.figures.vitals import JobKind, Outbox
from huanxin.store.release import releases
from huanxin.store.server import sizes
from huanxin.words.sentences import Sentence
from huanxin.work.room import Room

_KEPT = 5.0  # seconds
_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_FORWARDED = ("x-forwarded-for", "forwarded")


@dataclass(kw_only=True)
class Metrics:
    """What is counted of requests, and what is asked of the platform when somebody looks."""

    platform: Platform
    room: Room
    token: str | None = field(repr=False)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        names = ("method", "route", "status")
        self.requests = Counter("huanxin_http_requests", "Requests answered.", names, registry=self.registry)
        self.seconds = Histogram("huanxin_http_seconds", "Until an answer began.", ("route",), buckets=_BUCKETS,
                                 registry=self.registry)  # fmt: skip
        self.registry.register(_Vitals(platform=self.platform, room=self.room))

    def may_look(self, request: Request) -> None:
        """Raise Unauthorized without the token, or, where none is set, Forbidden for whoever is not on this machine."""
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        if self.token:
            if kind.lower() != "bearer" or not hmac.compare_digest(shown.encode(), self.token.encode()):
                raise Unauthorized(Sentence("send the token of HUANXIN_METRICS_TOKEN: Authorization: Bearer TOKEN"))
            return
        through = any(name in request.headers for name in _FORWARDED)
        if through or request.client is None or not ipaddress.ip_address(request.client.host).is_loopback:
            raise Forbidden(
                Sentence("these figures are open to this machine alone; set HUANXIN_METRICS_TOKEN to have others look")
            )


def include(app: FastAPI, platform: Platform, room: Room, token: str | None) -> None:
    """Add /metrics, and have requests counted."""
    metrics = Metrics(platform=platform, room=room, token=token)

    @app.get("/metrics", include_in_schema=False)
    def look(request: Request) -> Response:
        metrics.may_look(request)
        return Response(
            generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
        )

    app.add_middleware(CountsRequests, metrics=metrics)


class CountsRequests:
    """Counts requests by the route that answered, so that there are as many series as routes, whatever is asked for."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noticed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.seconds.labels(_route(scope)).observe(time.perf_counter() - began)
            await send(message)

        try:
            await self._app(scope, receive, noticed)
        finally:
            method = scope["method"] if scope["method"] in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS") else "other"
            self._metrics.requests.labels(method, _route(scope), str(status)).inc()


def _route(scope: Scope) -> str:
    return str(getattr(scope.get("route"), "path", "")) or "none"


@dataclass(kw_only=True, eq=False)
class _Vitals(Collector):
    """Asked when somebody looks, and kept for a few seconds. A database that can't be reached is a figure too."""

    platform: Platform
    room: Room
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _asked: float = float("-inf")
    _found: tuple[Metric, ...] = ()

    def collect(self) -> Iterable[Metric]:
        """What is known, asked anew if it is old. Who comes meanwhile gets what was known."""
        if time.monotonic() >= self._asked + _KEPT and self._lock.acquire(blocking=not self._found):
            try:
                self._found, self._asked = tuple(self._ask()), time.monotonic()
            finally:
                self._lock.release()
        return self._found

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering this must not ask the database."""
        return ()

    def _ask(self) -> Iterator[Metric]:
        yield _one("disk_left_bytes", "What uploads may still take; below zero they are refused.", self.room.left)
        began = time.perf_counter()
        try:
            with self.platform.read() as seen:
                sizes.ping(seen.tx)
                took = time.perf_counter() - began
                events, jobs = vitals.outbox(seen.tx), vitals.job_kinds(seen.tx, seen.now)
                reported, breaches = vitals.last_reports(seen.tx), releases.breach_totals(seen.tx)
                size, now = sizes.bytes_on_disk(seen.tx), seen.now
        except (psycopg.Error, HuanxinError):
            yield _one("database_up", "1 if the database answers.", 0)
            return
        yield _one("database_up", "1 if the database answers.", 1)
        yield _one("database_seconds", "Until the database gave a sign of life.", took)
        yield _one("database_bytes", "What the database takes on disk.", size)
        yield from _of_partners(events, now)
        yield from _of_jobs(jobs, now)
        ages = {carrier: (now - at).total_seconds() for carrier, at in reported.items()}
        yield _by("report_age_seconds", "Since a carrier's last report.", "carrier", ages)
        yield _by("breach_numbers", "Numbers that breaches touch.", "kind", breaches)


def _of_partners(events: list[Outbox], now: datetime) -> Iterator[Metric]:
    yield _by("events_waiting", "Events on their way.", "partner", {one.partner: one.waiting for one in events})
    yield _by("events_failing", "Events that were tried in vain.", "partner", {one.partner: one.failing for one in events})
    ages = {one.partner: (now - one.oldest).total_seconds() for one in events}
    yield _by("events_oldest_seconds", "Age of the oldest event on its way.", "partner", ages)


def _of_jobs(jobs: list[JobKind], now: datetime) -> Iterator[Metric]:
    yield _by("jobs_due", "Jobs that are due.", "kind", {one.kind: one.due for one in jobs})
    yield _by("jobs_failing", "Jobs that failed the last time.", "kind", {one.kind: one.failing for one in jobs})
    late = {one.kind: (now - one.oldest).total_seconds() for one in jobs if one.oldest}
    yield _by("jobs_oldest_seconds", "For how long the oldest job is due.", "kind", late)


def _one(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(f"huanxin_{name}", meaning, value=value)


def _by(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    made = GaugeMetricFamily(f"huanxin_{name}", meaning, labels=(label,))
    for key, value in values.items():
        made.add_metric((key,), value)
    return made
