"""Counters for Prometheus. Counts of all server processes where `PROMETHEUS_MULTIPROC_DIR` is set, as `serving` does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import lru_cache

from deedbox.registry.errors import RegistryError
from deedbox.registry.services import Services
from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

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
        return Response(_exposed(services), content_type=CONTENT_TYPE_LATEST)


class _Jobs(Collector):
    """Jobs as the database has them when it is asked, as servers and workers elsewhere work on them too."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            counts = self._services.jobs.counts()
        except RegistryError:
            return  # the counts of this process are told all the same
        open_ = GaugeMetricFamily("deedbox_jobs_open", "Jobs that have not ended", labels=["state"])
        for state, count in counts["open"].items():
            open_.add_metric([state], count)
        ended = CounterMetricFamily("deedbox_job_attempts", "Attempts at jobs that ended, by how", labels=["outcome"])
        for outcome, count in counts["attempts"].items():
            ended.add_metric([outcome], count)
        yield open_
        yield ended


def _exposed(services: Services) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Jobs(services))
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for metric in (REQUESTS, SECONDS, COMPARISONS, LOST):
            registry.register(metric)
    return generate_latest(registry)
