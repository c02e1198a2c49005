"""Two majors of one event on a real Kafka, as the packages that are built of them: in one queue, and in two."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from deedbox.codegen import PackageRequest, build_package
from deedbox.codegen.loading import loaded
from deedbox.kafka.consuming import ContractConsumer
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.serializing import Writing
from deedbox.kafka.stores import MemoryStore

from .conftest import Registry, connected

CONTRACT = "orders/order-placed"
STRING = {"type": "string"}


def schema(*required: str) -> dict[str, Any]:
    return {"type": "object", "required": list(required), "properties": dict.fromkeys(required, STRING)}


SCHEMAS = {"1.0.0": schema("id"), "2.0.0": schema("id", "currency"), "3.0.0": schema("id", "currency", "market")}


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
@pytest.mark.parametrize("own_queue", [False, True], ids=["one queue", "a queue of its own"])
def test_each_message_arrives_as_the_class_that_its_handler_takes(
    registry: Registry, bootstrap: str, topic: str, client: str, own_queue: bool
) -> None:
    queues = {"1.0.0": topic, "2.0.0": f"{topic}.v2" if own_queue else topic}
    queues["3.0.0"] = queues["2.0.0"]
    for version, document in SCHEMAS.items():
        registry.publish(CONTRACT, document, version=version, channels=[queues[version]])
    broker = connected(client, bootstrap)
    with ExitStack() as stack:
        modules = {}
        for version in ("1.0.0", "2.0.0"):
            package = build_package(PackageRequest(CONTRACT, version, SCHEMAS[version]))
            modules[version[0]] = stack.enter_context(loaded(package.files, package.module))
        handlers, got = Handlers(), list[Any]()

        @handlers.handles("order-placed", "2", build=modules["2"].parse)
        def placed(message: Message) -> None:
            got.append((message.value, message.version.version))

        @handlers.upgrades("order-placed", "1", "2")
        def with_currency(value: dict[str, Any]) -> dict[str, Any]:
            old = modules["1"].parse(value)  # the hook, too, may work on the class that it was written as
            return {"id": old.id, "currency": "EUR"}

        topics = list(dict.fromkeys(queues.values()))
        consumer = ContractConsumer(
            broker, topics, f"{topic}-billing", handlers, Inspector(registry.lookup()), store=MemoryStore()
        )
        producer = broker.producer()
        send = sender(registry, producer.send)
        send("1.0.0", queues, {"id": "old"})
        send("2.0.0", queues, {"id": "new", "currency": "SEK"}, times=2)
        send("3.0.0", queues, {"id": "x", "currency": "EUR", "market": "se"})
        producer.flush()
        for _ in range(60):
            consumer.run_once(seconds=1)
            if consumer.counts.handled == 2 and consumer.counts.dead_letters == 1 and consumer.counts.duplicates == 1:
                break
        consumer.close()
        producer.close()
        two = modules["2"].parse
        assert sorted(got, key=lambda pair: pair[1]) == [
            (two({"id": "old", "currency": "EUR"}), "1.0.0"),
            (two({"id": "new", "currency": "SEK"}), "2.0.0"),
        ]
        assert type(got[0][0]) is type(two({"id": "a", "currency": "b"}))
        assert consumer.counts.duplicates == 1
    reader = broker.reader(f"{queues['3.0.0']}.dlt")
    letters = next(filter(None, (reader.poll(10, 0.5) for _ in range(60))), [])
    reader.close()
    (letter,) = [dead_letters.read(record) for record in letters]
    assert (letter.rule, letter.reason) == ("unhandled-version", "nobody here handles order-placed 3")
    assert letter.origin.topic == queues["3.0.0"]


def sender(registry: Registry, send: Callable[..., None]) -> Callable[..., None]:
    """Sends a value as a version, to the queue of that version, as often as is said."""

    def write(version: str, queues: dict[str, str], value: Any, times: int = 1) -> None:
        headers: list[tuple[str, bytes]] = []
        body = Writing(registry.lookup(), CONTRACT, version, refuse=True).write(queues[version], headers, value)
        for _ in range(times):
            send(queues[version], b"key", body, headers)

    return write
