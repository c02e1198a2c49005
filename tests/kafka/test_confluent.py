"""confluent-kafka's serializers: as it calls them, in its own framings, and inside it against a real Kafka."""

from __future__ import annotations

import time
from typing import Any
from uuid import UUID

import orjson
import pytest
from confluent_kafka import DeserializingConsumer, Producer, SerializingProducer
from confluent_kafka.error import ValueSerializationError
from confluent_kafka.schema_registry import SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError
from deedbox.kafka.confluent import DeedboxDeserializer, DeedboxSerializer
from deedbox.kafka.errors import InvalidMessage
from deedbox.kafka.inspection import Inspector, Invalid
from deedbox.kafka.lookup import Lookup, Version
from deedbox.kafka.serializing import Reading, Writing

from .conftest import ORDER, Registry

TOPIC = "shop.orders"
GUID = UUID("0f4ac1f6-6d7f-4f0a-9a65-5d2b1c0e7a11")
SUBJECT = f"{TOPIC}-value"


def reading(lookup: Lookup) -> DeedboxDeserializer:
    return DeedboxDeserializer(Reading(Inspector(lookup)))


def context(headers: Any = None) -> SerializationContext:
    return SerializationContext(TOPIC, MessageField.VALUE, headers)


@pytest.mark.parametrize("headers", [[], {}], ids=["list", "mapping"])
def test_by_its_calling_convention(registry: Registry, headers: Any) -> None:
    registry.publish("orders/order-placed", ORDER)
    lookup = registry.lookup()
    here = context(headers)
    data = DeedboxSerializer(Writing(lookup, "orders/order-placed"))({"id": "a"}, here)
    assert dict(headers)["deedbox-version"] == b"1.0.0"
    assert reading(lookup)(data, here) == {"id": "a"}
    found = reading(lookup)(b"{}", here)
    assert isinstance(found, Invalid)
    assert found.pointer == "/id"
    assert reading(lookup)(None, here) is None


def test_a_message_that_could_not_say_what_it_is_is_refused(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    writing = Writing(registry.lookup(), "orders/order-placed")
    with pytest.raises(SerializationError, match="headers="):
        DeedboxSerializer(writing)({"id": "a"}, context())
    assert DeedboxSerializer(writing)(None, context()) is None
    prefixed = Writing(registry.lookup(), "orders/order-placed", framing="confluent")
    data = DeedboxSerializer(prefixed)({"id": "a"}, context())
    assert data is not None
    assert data[:5] == b"\0" + writing.version.schema_id.to_bytes(4, "big")


class Schemas:
    """Confluent's own registry in memory, with its JSON serializers, beside ours that knows the schema by the same id."""

    def __init__(self, registry: Registry) -> None:
        registry.publish("orders/order-placed", ORDER)
        self.lookup = registry.lookup()
        version = self.lookup.version("orders/order-placed", "1.0.0")
        assert isinstance(version, Version)
        self.client = SchemaRegistryClient.new_client({"url": "mock://"})
        text = orjson.dumps({"title": "Order", **ORDER}).decode()
        options = {"auto.register.schemas": True}
        self.serializer = JSONSerializer(text, self.client, conf=options)
        by_guid = {**options, "schema.id.serializer": header_schema_id_serializer}
        self.header_serializer = JSONSerializer(text, self.client, conf=by_guid)
        self.deserializer = JSONDeserializer(None, schema_registry_client=self.client)
        self.serializer({"id": "x"}, context())
        registered = self.client.get_latest_version(SUBJECT)
        self.id, self.guid = int(registered.schema_id or 0), UUID(registered.guid)
        # Our side of the agreement: which version these name.
        version.schema_id, version.schema_guid = self.id, self.guid


def test_what_confluents_serializer_writes_is_read(registry: Registry) -> None:
    schemas = Schemas(registry)
    read = reading(schemas.lookup)
    data = schemas.serializer({"id": "a"}, context())
    assert data is not None
    assert data[0] == 0
    assert read(data, context()) == {"id": "a"}
    headers: list[Any] = []
    data = schemas.header_serializer({"id": "b"}, context(headers))
    assert headers == [("__value_schema_id", b"\x01" + schemas.guid.bytes)]
    assert read(data, context(headers)) == {"id": "b"}
    headers = [("__value_schema_id", b"\x01" + GUID.bytes)]
    unknown = read(data, context(headers))
    assert isinstance(unknown, Invalid)
    assert unknown.rule == "unknown-schema"


@pytest.mark.parametrize("framing", ["confluent", "confluent-header"])
def test_what_we_write_confluents_deserializer_reads(registry: Registry, framing: Any) -> None:
    schemas = Schemas(registry)
    headers: list[Any] = []
    writing = Writing(schemas.lookup, "orders/order-placed", framing=framing)
    data = DeedboxSerializer(writing)({"id": "a"}, context(headers))
    assert schemas.deserializer(data, context(headers)) == {"id": "a"}
    assert dict(headers)["deedbox-contract"] == b"orders/order-placed"
    assert ("__value_schema_id" in dict(headers)) is (framing == "confluent-header")


@pytest.mark.parametrize("channels", [["shop.orders"], ["elsewhere"], []])
def test_a_schema_is_found_by_its_id_and_its_guid_whatever_channels_its_contract_names(
    registry: Registry, channels: list[str]
) -> None:
    published = registry.publish("orders/order-placed", ORDER, channels=channels)
    registry.publish("billing/order-placed", ORDER, role="consumes", channels=channels)
    lookup = registry.lookup()
    guid, number = UUID(published["schema_guid"]), published["schema_id"]
    by_header = [("__value_schema_id", b"\x01" + guid.bytes)]
    for value, headers in (
        (b'{"id":"a"}', by_header),
        (b"\x01" + guid.bytes + b'{"id":"a"}', None),
        (b"\x00" + number.to_bytes(4, "big") + b'{"id":"a"}', None),
        (b'{"id":"a"}', [("__value_schema_id", b"\x00" + number.to_bytes(4, "big"))]),
    ):
        found = Inspector(lookup).inspect("shop.orders", headers or (), value)
        assert (found.status, str(found.version), found.value) == ("valid", "orders/order-placed 1.0.0", {"id": "a"})
    written: list[Any] = []
    writing = Writing(lookup, "orders/order-placed", framing="confluent-header")
    assert DeedboxSerializer(writing)({"id": "a"}, context(written)) == b'{"id":"a"}'
    assert dict(written)["__value_schema_id"] == b"\x01" + guid.bytes


def test_inside_confluent_kafka(registry: Registry, bootstrap: str, topic: str) -> None:
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    lookup = registry.lookup()
    writing = Writing(lookup, "orders/order-placed", refuse=True)
    producer: SerializingProducer[Any, Any] = SerializingProducer(
        {"bootstrap.servers": bootstrap, "value.serializer": DeedboxSerializer(writing)}
    )
    raw = Producer({"bootstrap.servers": bootstrap})
    with pytest.raises(ValueSerializationError) as refused:
        producer.produce(topic, value={"id": 1}, headers=[])
    assert isinstance(refused.value.args[0], InvalidMessage) or isinstance(refused.value.__context__, InvalidMessage)
    producer.produce(topic, value={"id": "a"}, headers=[])
    assert producer.flush(30) == 0
    for poison in (b"nope", b"", None):
        raw.produce(topic, value=poison, key=b"k")
        assert raw.flush(30) == 0
    producer.produce(topic, value={"id": "b"}, headers=[])
    assert producer.flush(30) == 0
    consumer: DeserializingConsumer[Any, Any] = DeserializingConsumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"{topic}-group",
            "auto.offset.reset": "earliest",
            "value.deserializer": reading(lookup),
        }
    )
    consumer.subscribe([topic])
    found: list[Any] = []
    until = time.monotonic() + 30
    while len(found) < 5 and time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is not None:
            found.append(message.deserialized_value())
    consumer.close()
    assert [v.rule if isinstance(v, Invalid) else v for v in found] == [
        {"id": "a"}, "not-json", "empty", None, {"id": "b"},
    ]  # fmt: skip
