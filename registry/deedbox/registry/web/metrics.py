"""Counters for Prometheus. Counts of all server processes where `PROMETHEUS_MULTIPROC_DIR` is set, as `serving` does."""

from __future__ import annotations

import os
import time
from functools import lru_cache

from deedbox.registry.services import Services
from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REQUESTS = Counter("deedbox_requests", "Requests answered", ["method", "route", "status"], registry=None)
SECONDS = Histogram(
    "deedbox_request_seconds",
    "Time to answer a request",
    ["route"],
    buckets=(0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60),
    registry=None,
)
COMPARISONS = Counter("deedbox_comparisons", "Comparisons needed, by where they came from", ["from"], registry=None)
LOST = Counter("deedbox_comparing_processes_lost", "Comparing processes that died or were killed", registry=None)


class _Deltas:
    """What a growing number grew by since it was last looked at."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, name: str, value: int) -> int:
        before, self._seen[name] = self._seen.get(name, 0), value
        return value - before


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Counts one answered request."""
    requests, times = _children(method, route, status)
    requests.inc()
    times.observe(seconds)


@lru_cache(maxsize=4096)
def _children(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    # Finding them by their labels costs as much as the rest of a remembered reply.
    return REQUESTS.labels(method, route, str(status)), SECONDS.labels(route)


def install(app: Flask, services: Services) -> None:
    """Counts requests, and serves `/metrics`."""
    deltas = _Deltas()

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def count_request(response: Response) -> Response:
        route = request.url_rule.rule if request.url_rule is not None else "none"
        method = request.method if request.url_rule is not None else "other"
        count(method, route, response.status_code, time.perf_counter() - g.get("started", time.perf_counter()))
        if method != "GET" or request.path == "/metrics":
            verdicts = services.verdicts
            COMPARISONS.labels("checker").inc(deltas.of("computed", verdicts.computed))
            COMPARISONS.labels("database").inc(deltas.of("remembered", verdicts.remembered))
            LOST.inc(deltas.of("lost", services.sandbox.killed))
        return response

    @app.route("/metrics")
    def metrics() -> Response:
        return Response(_exposed(), content_type=CONTENT_TYPE_LATEST)


def _exposed() -> bytes:
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for metric in (REQUESTS, SECONDS, COMPARISONS, LOST):
            registry.register(metric)
    return generate_latest(registry)
