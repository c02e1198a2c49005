"""Dead letters, and people who order them to be sent again, for the tests of the worker."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from deedbox.kafka.broker import TopicFacts
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.dead_letters import Origin
from deedbox.kafka.letters.worker import LetterWorker, worker_name
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record

from .conftest import NOW, Registry

DLT = "shop.orders.dlt"
ORIGIN = "shop.orders"


def letter(n: int, *, value: bytes | None = b'{"id":1}', key: bytes | None = b"k", **said: str | bytes) -> Record:
    """A dead letter of ours, the n-th of its origin; further headers with `_` for `-`."""
    headers = {"deedbox-rule": b"type", "deedbox-pointer": b"/id", "deedbox-fingerprint": b"0123456789ab"}
    headers |= {f"deedbox-{k.replace('_', '-')}": v if isinstance(v, bytes) else v.encode() for k, v in said.items()}
    origin = dead_letters.origin_headers(Origin(ORIGIN, 0, n, NOW + n))
    return Record(DLT, 0, -1, key, value, [*headers.items(), *origin], NOW + n)


def groups(registry: Registry) -> list[dict[str, Any]]:
    found = registry.client._json("GET", f"/dead-letters/groups?topic={DLT}")["items"]
    return sorted(found, key=lambda group: str(group["rule"]))


def stand(registry: Registry, topic_id: str = "") -> dict[int, int]:
    return registry.client.dead_letter_positions("memory", DLT, topic_id)


def worker(registry: Registry, broker: MemoryBroker, **options: Any) -> LetterWorker:
    return LetterWorker(broker, registry.client, [DLT], worker_name(), **options)


class Ordering:
    """People at the registry's pages."""

    def __init__(self, registry: Registry, topic: str, cluster: str = "memory") -> None:
        self._client, self._topic, self._cluster = registry.client, topic, cluster

    def order(self, fingerprint: str) -> str:
        id = str(uuid4())
        body = {"id": id, "cluster": self._cluster, "topic": self._topic, "fingerprint": fingerprint}
        self._client._json("POST", "/replay-orders", body=body)
        return id

    def confirm(self, id: str) -> None:
        digest = self.get(id)["trial"]["digest"]
        self._client._json("POST", f"/replay-orders/{id}/confirmation", body={"digest": digest})

    def cancel(self, id: str) -> None:
        self._client._json("POST", f"/replay-orders/{id}/cancellation", body={"reason": "no"})

    def get(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client._json("GET", f"/replay-orders/{id}")
        return found


class Shaped(MemoryBroker):
    """Whose logs begin where a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: dict[int, int] = {}

    def describe(self, topics: Any) -> dict[str, TopicFacts]:
        return {
            topic: TopicFacts(f.cluster, f.topic_id, {n: self.begun.get(n, 0) for n in f.ends}, f.ends, f.epochs)
            for topic, f in super().describe(topics).items()
        }


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
