"""Serializers and deserializers: by themselves, and inside kafka-python against a real Kafka."""

from __future__ import annotations

import time
from typing import Any

import pytest
from deedbox.kafka.counting import Counts
from deedbox.kafka.errors import InvalidMessage, UndeclaredContract
from deedbox.kafka.inspection import Inspector, Invalid
from deedbox.kafka.kafka_python import DeedboxDeserializer, DeedboxSerializer
from deedbox.kafka.serializing import Reading, Writing

from .conftest import ORDER, Registry

TOPIC = "shop.orders"


def reading(registry: Registry, **options: Any) -> Reading:
    return Reading(Inspector(registry.lookup(), clock=registry.clock), **options)


@pytest.mark.parametrize("framing", ["headers", "confluent"])
def test_there_and_back(registry: Registry, framing: Any) -> None:
    registry.publish("orders/order-placed", ORDER)
    writing = Writing(registry.lookup(), "orders/order-placed", framing=framing)
    headers: list[tuple[str, bytes]] = [("own", b"1"), ("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")]
    data = DeedboxSerializer(writing).serialize(TOPIC, headers, {"id": "a"})
    assert data is not None
    names = [name for name, _ in headers]
    assert sorted(names) == ["deedbox-contract", "deedbox-message-id", "deedbox-version", "own", "traceparent"]
    assert DeedboxDeserializer(reading(registry)).deserialize(TOPIC, headers, data) == {"id": "a"}
    if framing == "confluent":
        assert DeedboxDeserializer(reading(registry)).deserialize(TOPIC, [], data) == {"id": "a"}


def test_what_was_not_promised_is_reported_or_refused(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    counts = Counts()
    reporting = Writing(registry.lookup(), "orders/order-placed", counts=counts)
    assert reporting.write(TOPIC, [], {"id": "a", "note": "x"}) is not None
    assert [cell.pointer for cell in counts.read().cells if cell.kind == "undeclared"] == ["/note"]
    refusing = Writing(registry.lookup(), "orders/order-placed", refuse=True)
    for value, pointer in (({"id": "a", "note": "x"}, "/note"), ({"id": 1}, "/id")):
        with pytest.raises(InvalidMessage, match=pointer):
            refusing.write(TOPIC, [], value)
    with pytest.raises(InvalidMessage, match="not JSON"):
        refusing.write(TOPIC, [], {"id": object()})


def test_an_unpublished_contract_cannot_be_written(registry: Registry) -> None:
    with pytest.raises(UndeclaredContract, match="Publish it"):
        Writing(registry.lookup(), "orders/order-placed")


def test_a_deserializer_never_raises(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)

    def build(value: Any) -> Any:
        raise LookupError("the DTO does not take it")

    deserializer = DeedboxDeserializer(reading(registry, build=build))
    poison: list[Any] = [b"", b"\0", b"\0\0\0\0\x63{}", b"nope", b"[" * 9_999, b'{"id":1}', b'{"id":"a"}', b"\xff\xfe"]
    for data in poison:
        found = deserializer.deserialize(TOPIC, None, data)
        assert isinstance(found, Invalid)
        assert found.raw == data
    registry.switch.on = False
    registry.clock.now += 1_000
    assert isinstance(DeedboxDeserializer(reading(registry)).deserialize("other", [], b"{}"), Invalid)
    assert deserializer.deserialize(TOPIC, [], None) is None


def test_inside_kafka_python(registry: Registry, bootstrap: str, topic: str) -> None:
    from kafka import KafkaConsumer, KafkaProducer

    registry.publish("orders/order-placed", ORDER, channels=[topic])
    producer = KafkaProducer(
        bootstrap_servers=bootstrap,
        value_serializer=DeedboxSerializer(Writing(registry.lookup(), "orders/order-placed", refuse=True)),
    )
    raw = KafkaProducer(bootstrap_servers=bootstrap)
    with pytest.raises(InvalidMessage):
        producer.send(topic, {"id": 1})
    producer.send(topic, {"id": "a"}).get(10)
    for poison in (b"nope", b"", None):
        raw.send(topic, value=poison, key=b"k").get(10)
    producer.send(topic, {"id": "b"}).get(10)
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        group_id=f"{topic}-group",
        value_deserializer=DeedboxDeserializer(reading(registry)),
    )
    found: list[Any] = []
    until = time.monotonic() + 15
    while len(found) < 5 and time.monotonic() < until:
        found += [r.value for batch in consumer.poll(timeout_ms=300).values() for r in batch]
    for client in (producer, raw, consumer):
        client.close()
    assert [v.rule if isinstance(v, Invalid) else v for v in found] == [
        {"id": "a"}, "not-json", "empty", None, {"id": "b"},
    ]  # fmt: skip
