"""A real registry in this process, which can be taken away; and ways to say what is published."""

from __future__ import annotations

import json
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from deedbox.client import RegistryClient
from deedbox.client.transport import Patience, Transport
from deedbox.kafka.broker import Broker
from deedbox.kafka.lookup import Lookup
from deedbox.registry.app import create_app
from deedbox.registry.config import Settings

from tests.conftest import UNDER_CI

from .kafka_server import KafkaServer, NoKafka

with warnings.catch_warnings():
    # kafka-python 3.0 reads its protocol's files by a function that Python 3.11 deprecates and 3.13 has again.
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka  # noqa: F401

NOW = int(time.time()) * 1000
"""Timestamps of messages: Kafka drops from a log what its retention finds too old, though it was just written."""
URL = "http://registry.example"

ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "total": {"type": "integer"},
        "lines": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
    },
}

ASYNCAPI: dict[str, Any] = {
    "asyncapi": "3.0.0",
    "info": {"title": "orders", "version": "1"},
    "channels": {"placed": {"address": "shop.orders", "messages": {"placed": {"payload": ORDER}}}},
    "operations": {"send": {"action": "send", "channel": {"$ref": "#/channels/placed"}}},
}
"""By which no message is judged."""


class Switch(httpx2.BaseTransport):
    """Leads to the application while `on`; counts what is asked."""

    def __init__(self, app: Any) -> None:
        self._inner = httpx2.WSGITransport(app=app)
        self.on = True
        self.asked: list[str] = []

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        if not self.on:
            raise httpx2.ConnectError("taken away by the test")
        return self._inner.handle_request(request)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Registry:
    """The registry and a client of it."""

    def __init__(self, folder: Path) -> None:
        app = create_app(Settings(database_url=f"sqlite:///{folder}/registry.db"))
        self.services = app.extensions["deedbox"]
        self.switch = Switch(app)
        transport = Transport(URL, {}, Patience(attempts=1), transport=self.switch, sleep=lambda _: None)
        self.client = RegistryClient(URL, transport=transport)
        self.clock = Clock()

    def publish(self, contract: str, schema: Any, **fields: Any) -> dict[str, Any]:
        body = {
            "schema": json.dumps(schema),
            "role": "produces",
            "kind": "event",
            "channels": ["shop.orders"],
            **fields,
        }
        return self.client.publish(contract, body)

    def lookup(self, **options: Any) -> Lookup:
        return Lookup(self.client, clock=self.clock, **options)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry(tmp_path)
    yield registry
    registry.services.sandbox.close()
    registry.services.database.close()


def connected(client: str, bootstrap: str) -> Broker:
    """The broker port filled by a client."""
    if client == "kafka-python":
        from deedbox.kafka.kafka_python import KafkaPythonBroker

        return KafkaPythonBroker(bootstrap)
    from deedbox.kafka.confluent import ConfluentBroker

    return ConfluentBroker(bootstrap)


def header(contract: str | None = None, version: str | None = None) -> list[tuple[str, bytes]]:
    """Deedbox's own headers."""
    pairs = (("deedbox-contract", contract), ("deedbox-version", version))
    return [(name, value.encode()) for name, value in pairs if value is not None]


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A Kafka of our own, that a test may stop and start. Without Java or Maven its tests are left out; never in CI."""
    try:
        server = KafkaServer(tmp_path_factory.mktemp("kafka"))
        server.start()
    except NoKafka as missing:
        if UNDER_CI:
            pytest.fail(f"CI needs a real Kafka: {missing}")
        pytest.skip(f"no real Kafka: {missing}")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bootstrap(request: pytest.FixtureRequest) -> str:
    """Where a real Kafka is: KAFKA_BOOTSTRAP_SERVERS, or one started for this session."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    return given or str(request.getfixturevalue("kafka_server").bootstrap)


@pytest.fixture
def topic() -> str:
    """A topic's name that no other test uses."""
    return f"test-{uuid4().hex[:12]}"
