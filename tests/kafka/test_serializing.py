"""Serializers and deserializers: by themselves, and inside kafka-python against a real Kafka."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf, nan
from typing import Any
from uuid import uuid4

import pytest
from deedbox.client import Problem
from deedbox.kafka.counting import Counts
from deedbox.kafka.errors import InvalidMessage, UndeclaredContract
from deedbox.kafka.inspection import Inspector, Invalid
from deedbox.kafka.kafka_python import DeedboxDeserializer, DeedboxSerializer
from deedbox.kafka.serializing import Reading, Writing
from pydantic import BaseModel

from .conftest import ASYNCAPI, ORDER, Registry, header

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


class Model(BaseModel):
    id: Any = None
    total: Any = None


@dataclass
class Order:
    id: str
    total: Any


NOT_A_NUMBER = [
    {"id": "a", "total": nan},
    {"id": "a", "lines": [{"weight": -inf}, None]},
    Order("a", nan),
    [Order("a", (1.5, inf))],
    Model(id="a", total=nan),
    {"orders": [Model(id="a", total=Order("b", inf))]},
]


def test_what_is_not_a_number_is_not_sent_as_null_and_null_is(registry: Registry) -> None:
    registry.publish("orders/order-placed", {})
    writing = Writing(registry.lookup(), "orders/order-placed")
    for value in NOT_A_NUMBER:
        with pytest.raises(InvalidMessage, match="not JSON"):
            writing.write(TOPIC, [], value)
    for value in ({"id": None, "total": 1e300}, Order("a", None), Model(id=None), [datetime.now(UTC), uuid4(), None]):
        assert b"null" in (writing.write(TOPIC, [], value) or b"")


def test_what_is_to_be_refused_is_judged_though_the_registry_went_away(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    writing = Writing(registry.lookup(), "orders/order-placed", refuse=True)
    registry.switch.on = False
    assert writing.write(TOPIC, [], {"id": "a"}) == b'{"id":"a"}'
    with pytest.raises(InvalidMessage, match="/id"):
        writing.write(TOPIC, [], {"id": 1})


def test_what_is_to_be_refused_is_not_sent_unjudged(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    registry.publish("orders/order-sent", {**ORDER, "title": "another"})
    lookup = registry.lookup(most_schemas=1)
    refusing = Writing(lookup, "orders/order-placed", refuse=True)
    reporting = Writing(lookup, "orders/order-placed")
    Writing(lookup, "orders/order-sent")  # whose schema takes the place of the other one
    registry.switch.on = False
    with pytest.raises(InvalidMessage, match="the registry is away"):
        refusing.write(TOPIC, [], {"id": 1})
    assert reporting.write(TOPIC, [], {"id": 1}) == b'{"id":1}'


def test_what_no_message_can_be_judged_by_refuses_none_and_says_so(registry: Registry) -> None:
    registry.publish("orders/order-placed", ASYNCAPI, format="asyncapi")
    with pytest.raises(UndeclaredContract, match=r"orders/order-placed 1\.0\.0 cannot .* its format, asyncapi"):
        Writing(registry.lookup(), "orders/order-placed", refuse=True)
    headers: list[tuple[str, bytes]] = []
    data = Writing(registry.lookup(), "orders/order-placed").write(TOPIC, headers, {"id": 1})
    found = reading(registry).read(TOPIC, headers, data)
    assert (found.rule, found.contract) == ("not-judged", "orders/order-placed")
    assert "asyncapi" in found.reason


TRACED = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7"


def test_a_trace_that_the_caller_names_is_kept(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    writing = Writing(registry.lookup(), "orders/order-placed")
    for said in (f"00-{TRACED}-01", f"00-{TRACED}-ff", f"cc-{TRACED}-01", f"cc-{TRACED}-01-more"):
        # confluent-kafka takes text as well as bytes.
        for headers in ([("traceparent", said.encode()), ("tracestate", b"a=b")], [("traceparent", said)]):
            given: Any = list(headers)
            writing.write(TOPIC, given, {"id": "a"})
            assert [pair for pair in given if pair[0].startswith("trace")] == headers


NO_TRACE = (
    b"",
    b"\xff\xfe",
    b"nonsense",
    f"00-{TRACED}".encode(),
    f"00-{TRACED}-01\n".encode(),
    f"00-{TRACED}-01-more".encode(),
    f"ff-{TRACED}-01".encode(),
    f"cc-{TRACED}-01more".encode(),
    f"00-{TRACED.upper()}-01".encode(),
    b"00-" + b"0" * 32 + b"-00f067aa0ba902b7-01",
    b"00-4bf92f3577b34da6a3ce929d0e0e4736-" + b"0" * 16 + b"-01",
)


def test_a_trace_that_is_none_is_begun_anew_with_all_that_belongs_to_it(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    writing = Writing(registry.lookup(), "orders/order-placed")
    for said in NO_TRACE:
        headers = [("traceparent", said), ("tracestate", b"a=b"), ("own", b"1")]
        writing.write(TOPIC, headers, {"id": "a"})
        (begun,) = (value for name, value in headers if name == "traceparent")
        assert re.fullmatch(rb"00-[0-9a-f]{32}-[0-9a-f]{16}-00", begun), said
        assert TRACED.encode() not in begun
        assert "tracestate" not in dict(headers)
        assert ("own", b"1") in headers


def test_a_list_of_headers_that_is_used_again_says_another_message(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    writing = Writing(registry.lookup(), "orders/order-placed")
    common: list[tuple[str, bytes]] = [("tenant", b"x")]
    sent = []
    for _ in range(3):
        writing.write(TOPIC, common, {"id": "a"})
        sent.append(dict(common))
        assert len(common) == 5
    for name in ("deedbox-message-id", "traceparent"):
        assert len({headers[name] for headers in sent}) == 3
    own = [("deedbox-message-id", b"m-1")]
    for _ in range(2):
        writing.write(TOPIC, own, {"id": "a"})
        assert dict(own)["deedbox-message-id"] == b"m-1"


def test_an_empty_message_id_is_none(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    headers = [("deedbox-message-id", b"")]
    Writing(registry.lookup(), "orders/order-placed").write(TOPIC, headers, {"id": "a"})
    (identity,) = (value for name, value in headers if name == "deedbox-message-id")
    assert len(identity) == 36


def test_a_registry_that_refuses_is_told_of_at_the_start_and_later_holds_up_nothing(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    headers = header("orders/order-placed", "1.0.0")
    known = reading(registry)
    assert known.read(TOPIC, headers, b'{"id":"a"}') == {"id": "a"}

    def refuse(*_: Any, **__: Any) -> Any:
        raise Problem(403, {"title": "not you"}, url="")

    registry.client.contracts = registry.client.publication = refuse  # type: ignore[method-assign]
    with pytest.raises(Problem, match="not you"):
        Writing(registry.lookup(), "orders/order-placed")
    first = reading(registry).read(TOPIC, headers, b'{"id":"a"}')
    assert (first.rule, "not you" in first.reason) == ("not-judged", True)
    registry.clock.now += 1_000
    assert known.read(TOPIC, headers, b'{"id":"a"}') == {"id": "a"}
    assert known.read(TOPIC, header("orders/order-placed", "1.0.1"), b'{"id":"a"}').rule == "not-judged"


def test_an_unpublished_contract_cannot_be_written(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    registry.client.retire("orders/order-placed", "1.0.0", "sold")
    for contract, version, said in (
        ("orders/order-changed", None, "orders/order-changed has no release that is not retired. Publish one"),
        ("orders/order-placed", None, "orders/order-placed has no release that is not retired"),
        ("orders/order-placed", "1.0.1", r"orders/order-placed 1\.0\.1 is not registered. Publish it"),
        ("order-placed", None, "'order-placed' names no contract: it is written SERVICE/NAME"),
    ):
        with pytest.raises(UndeclaredContract, match=said):
            Writing(registry.lookup(), contract, version)
    registry.switch.on = False
    with pytest.raises(UndeclaredContract, match="order-placed latest cannot be looked up: the registry is away"):
        Writing(registry.lookup(), "orders/order-placed")
    nonsense: Any = "avro"
    with pytest.raises(ValueError, match="'avro' is no framing: one of headers, confluent, confluent-header"):
        Writing(registry.lookup(), "orders/order-placed", framing=nonsense)


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
