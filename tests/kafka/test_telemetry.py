"""What can be seen of guards and consumers from outside: metrics, spans, logs."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from deedbox.client.logs import JsonLines
from deedbox.kafka.consuming import ContractConsumer
from deedbox.kafka.errors import InvalidMessage, PortTaken
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record
from deedbox.kafka.metrics import LiveMetrics
from deedbox.kafka.serializing import Writing
from deedbox.kafka.tracing import OpenTelemetry
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client.parser import text_string_to_metric_families

from .conftest import ORDER, Registry, header

TOPIC = "shop.orders"
LABELS = ("channel", "contract", "version", "status", "rule")
V1 = header("orders/order-placed", "1.0.0")


def send(broker: MemoryBroker, *bodies: bytes | None, headers: Any = V1) -> None:
    broker.append([Record(TOPIC, 0, -1, b"k", body, headers) for body in bodies])


def samples(port: int) -> dict[tuple[str, ...], float]:
    """Name and values of the labels → value."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
        page = reply.read().decode()
    return {
        (sample.name, *(sample.labels[n] for n in LABELS if n in sample.labels)): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_the_guard_counted_for_prometheus(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    broker = MemoryBroker()
    send(broker, b'{"id":"a"}', b'{"id":"b"}', b'{"id":7}', b'{"id":"c","note":1}', b"nope", None)
    send(broker, b"{}", headers=header('evil"\n/name', "1.0.0"))
    lookup = registry.lookup()
    guard = Guard(broker, lookup, [TOPIC])
    metrics = LiveMetrics()
    metrics.add_guard(guard)
    metrics.add_lookup(lookup)
    with metrics.served(0) as port:
        guard.run_once(seconds=0)
        about = (TOPIC, "orders/order-placed", "1.0.0")
        found = samples(port)
        assert found["deedbox_messages_total", *about, "valid"] == 3
        assert found["deedbox_messages_total", *about, "invalid"] == 2
        assert found["deedbox_messages_total", TOPIC, "", "", "tombstone"] == 1
        assert found["deedbox_messages_total", TOPIC, 'evil"\n/name', "1.0.0", "invalid"] == 1
        assert found["deedbox_faults_total", *about, "type"] == 1
        assert found["deedbox_faults_total", *about, "not-json"] == 1
        assert found["deedbox_notes_total", *about, "undeclared-property"] == 1
        assert (found["deedbox_guard_restarts_total",], found["deedbox_registry_up",]) == (0, 1)
        registry.switch.on = False
        send(broker, b"{}", headers=header("never/heard-of", "1.0.0"))
        guard.run_once(seconds=0)
        broker.down = True
        guard.run_once(seconds=0)
        found = samples(port)
        assert (found["deedbox_guard_restarts_total",], found["deedbox_registry_up",]) == (1, 0)
        with pytest.raises(PortTaken, match="another port"), metrics.served(port):
            pass
    with pytest.raises((OSError, HTTPError)):
        samples(port)
    guard.close()


class Spans:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracing = OpenTelemetry(self.provider)

    def named(self, name: str) -> Any:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


def test_a_trace_goes_from_who_sends_to_who_handles(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    spans, broker = Spans(), MemoryBroker()
    writing = Writing(registry.lookup(), "orders/order-placed", tracing=spans.tracing)
    with spans.provider.get_tracer("shop").start_as_current_span("checkout"):
        for value in ({"id": "a"}, {"id": "b"}):
            headers: list[tuple[str, bytes]] = []
            send(broker, writing.write(TOPIC, headers, value), headers=headers)
    handlers = Handlers()

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        spans.provider.get_tracer("billing").start_span("invoice").end()
        if message.value["id"] == "b":
            raise RuntimeError("the handler fails")

    consumer = ContractConsumer(
        broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()), tracing=spans.tracing
    )
    metrics = LiveMetrics()
    metrics.add_consumer(consumer, "billing")
    with pytest.raises(RuntimeError):
        consumer.run_once(seconds=0)
    (checkout,) = spans.named("checkout")
    sent, handled = spans.named(f"send {TOPIC}"), spans.named(f"process {TOPIC}")
    assert {span.context.trace_id for span in [*sent, *handled, *spans.named("invoice")]} == {checkout.context.trace_id}
    assert [span.parent.span_id for span in handled] == [span.context.span_id for span in sent]
    assert [span.parent.span_id for span in spans.named("invoice")] == [span.context.span_id for span in handled]
    assert (sent[0].kind, handled[0].kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert handled[1].status.status_code is StatusCode.ERROR
    assert handled[0].status.status_code is not StatusCode.ERROR
    assert [span.attributes.get("error.type") for span in handled] == [None, "RuntimeError"]
    about = handled[0].attributes
    assert (about["messaging.system"], about["messaging.destination.name"]) == ("kafka", TOPIC)
    assert (about["deedbox.contract"], about["deedbox.version"]) == ("orders/order-placed", "1.0.0")
    assert (about["messaging.kafka.offset"], about["messaging.consumer.group.name"]) == (0, "billing")
    outcomes = {s.labels["outcome"]: s.value for family in metrics.collect() for s in family.samples}
    assert outcomes["handled"] == 1


def test_a_trace_that_the_message_names_is_sent_and_what_made_it_is_linked_to_it(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    spans = Spans()
    writing = Writing(registry.lookup(), "orders/order-placed", tracing=spans.tracing, refuse=True)
    given = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    headers = [("traceparent", given), ("tracestate", b"shop=1"), ("deedbox-message-id", b"m-1")]
    writing.write(TOPIC, headers, {"id": "a"})
    assert [value for name, value in headers if name == "traceparent"] == [given]
    with pytest.raises(InvalidMessage):
        writing.write(TOPIC, [("traceparent", b"nonsense")], {"id": 1})
    first, second = spans.named(f"send {TOPIC}")
    (link,) = first.links
    assert (link.context.trace_id, link.context.span_id) == (0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7)
    assert first.attributes["messaging.message.id"] == "m-1"
    assert not second.links
    common: list[tuple[str, bytes]] = []
    for _ in range(2):
        writing.write(TOPIC, common, {"id": "a"})  # what is in the list the second time is no trace of the caller's
    assert not any(span.links for span in spans.named(f"send {TOPIC}")[2:])
    assert second.attributes["error.type"] == "deedbox.kafka.errors.InvalidMessage"


def test_the_state_of_a_trace_goes_with_it(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    spans, broker = Spans(), MemoryBroker()
    writing = Writing(registry.lookup(), "orders/order-placed", tracing=spans.tracing)
    given = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    send(broker, b'{"id":"a"}', headers=[*V1, ("traceparent", given), ("tracestate", b"shop=1")])
    handlers, sent = Handlers(), list[tuple[str, bytes]]()
    handlers.handles("order-placed", "1")(lambda _: writing.write(TOPIC, sent, {"id": "b"}))
    consumer = ContractConsumer(
        broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()), tracing=spans.tracing
    )
    consumer.run_once(seconds=0)
    assert dict(sent)["tracestate"] == b"shop=1"
    assert dict(sent)["traceparent"].startswith(given[:36])


def test_a_message_without_a_trace_is_handled_in_the_one_at_hand(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    spans, broker = Spans(), MemoryBroker()
    send(broker, b'{"id":"a"}')
    handlers = Handlers()
    handlers.handles("order-placed", "1")(lambda _: None)
    consumer = ContractConsumer(
        broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()), tracing=spans.tracing
    )
    with spans.provider.get_tracer("billing").start_as_current_span("work"):
        consumer.run_once(seconds=0)
    (work,), (handled,) = spans.named("work"), spans.named(f"process {TOPIC}")
    assert handled.parent.span_id == work.context.span_id


def test_a_broken_trace_is_no_hindrance(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    spans, broker, got = Spans(), MemoryBroker(), list[Message]()
    for trace in (b"\xff", b"00-0-0-0", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b""):
        send(broker, b'{"id":"a"}', headers=[*V1, ("traceparent", trace)])
    handlers = Handlers()
    handlers.handles("order-placed", "1")(got.append)
    consumer = ContractConsumer(
        broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()), tracing=spans.tracing
    )
    assert consumer.run_once(seconds=0) == 4
    assert len(got) == 4
    assert all(span.parent is None for span in spans.named(f"process {TOPIC}"))


def test_a_log_line_is_one_json_object(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    registry.publish("orders/order-placed", ORDER)
    try:
        raise ValueError("line\nbreak")
    except ValueError:
        record = logging.LogRecord("deedbox.guard", logging.ERROR, "", 0, "a %s", ("b\nc",), sys.exc_info())
    record.fields = {"channel": TOPIC}
    line = JsonLines().format(record)
    assert "\n" not in line
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("error", "deedbox.guard", "a b\nc")
    assert (said["channel"], "ValueError" in said["exception"]) == (TOPIC, True)
    assert said["at"].endswith("Z")
