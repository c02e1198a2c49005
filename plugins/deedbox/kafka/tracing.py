"""Spans of what is sent and handled, linked through the header `traceparent` (W3C Trace Context)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from deedbox.kafka.messages import MESSAGE_ID, TRACE, Record, text

if TYPE_CHECKING:
    from deedbox.kafka.lookup import Version
    from opentelemetry.trace import TracerProvider


class Tracing(Protocol):
    """What the serializers and the consumer need of a tracer."""

    def sending(self, topic: str, version: Version) -> AbstractContextManager[bytes | None]:
        """Surrounds the making of a message, and gives the `traceparent` to send with it; None where there is none."""
        ...

    def handling(self, record: Record, version: Version, group: str) -> AbstractContextManager[None]:
        """Surrounds the handling of a message; its parent is the span that the message names."""
        ...


class OpenTelemetry:
    """See `Tracing`. Needs `opentelemetry-api`; names and attributes are those of its semantic conventions for Kafka.

    Args:
        provider: where spans go; the global one where None.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._kinds = trace.SpanKind
        self._tracer = trace.get_tracer("deedbox.kafka", tracer_provider=provider)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def sending(self, topic: str, version: Version) -> Iterator[bytes | None]:
        """See `Tracing.sending`."""
        attributes = {**_about(topic, version), "messaging.operation.name": "send", "messaging.operation.type": "send"}
        with self._tracer.start_as_current_span(
            f"send {topic}", kind=self._kinds.PRODUCER, attributes=attributes, record_exception=True
        ):
            carrier: dict[str, str] = {}
            self._propagator.inject(carrier)
            said = carrier.get(TRACE)
            yield said.encode() if said is not None else None

    @contextmanager
    def handling(self, record: Record, version: Version, group: str) -> Iterator[None]:
        """See `Tracing.handling`."""
        said = text(record.headers, TRACE)
        parent = self._propagator.extract({TRACE: said}) if said is not None else None
        attributes: dict[str, Any] = {
            **_about(record.topic, version),
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        identity = text(record.headers, MESSAGE_ID)
        if identity is not None:
            attributes["messaging.message.id"] = identity
        with self._tracer.start_as_current_span(
            f"process {record.topic}", context=parent, kind=self._kinds.CONSUMER, attributes=attributes
        ):
            yield


def _about(topic: str, version: Version) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "deedbox.contract": version.contract,
        "deedbox.version": version.version,
    }
