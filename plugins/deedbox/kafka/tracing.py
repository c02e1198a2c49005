"""Spans of what is sent and handled, linked through the headers `traceparent` and `tracestate` (W3C Trace Context)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from deedbox.kafka.messages import MESSAGE_ID, TRACE, TRACE_STATE, Headers, Record, last

if TYPE_CHECKING:
    from deedbox.kafka.lookup import Version
    from opentelemetry.context import Context
    from opentelemetry.trace import TracerProvider


class Tracing(Protocol):
    """What the serializers and the consumer need of a tracer."""

    def sending(
        self, topic: str, version: Version, headers: Headers
    ) -> AbstractContextManager[Sequence[tuple[str, bytes]]]:
        """Surrounds the making of a message, and gives the headers that lead on its trace; none where there is none.

        Where `headers`, its own, name a trace already, that one is sent, and the span says that it belongs to it.
        """
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
        from opentelemetry import context, trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace, self._current, self._nothing = trace, context.get_current, context.Context()
        self._tracer = trace.get_tracer("deedbox.kafka", tracer_provider=provider)
        self._propagator = TraceContextTextMapPropagator()

    @contextmanager
    def sending(self, topic: str, version: Version, headers: Headers) -> Iterator[Sequence[tuple[str, bytes]]]:
        """See `Tracing.sending`."""
        attributes = {**_about(topic, version), "messaging.operation.name": "send", "messaging.operation.type": "send"}
        identity = _text(headers, MESSAGE_ID)
        if identity:
            attributes["messaging.message.id"] = identity
        given = self._trace.get_current_span(self._led_on(headers, self._nothing)).get_span_context()
        links = [self._trace.Link(given)] if given.is_valid else []
        with self._spanned(f"send {topic}", kind=self._trace.SpanKind.PRODUCER, attributes=attributes, links=links):
            carrier: dict[str, str] = {}
            self._propagator.inject(carrier)
            yield [(name, said.encode()) for name, said in carrier.items()]

    @contextmanager
    def handling(self, record: Record, version: Version, group: str) -> Iterator[None]:
        """See `Tracing.handling`."""
        attributes: dict[str, Any] = {
            **_about(record.topic, version),
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.consumer.group.name": group,
            "messaging.destination.partition.id": str(record.partition),
            "messaging.kafka.offset": record.offset,
        }
        identity = _text(record.headers, MESSAGE_ID)
        if identity is not None:
            attributes["messaging.message.id"] = identity
        context = self._led_on(record.headers, self._current())
        kind = self._trace.SpanKind.CONSUMER
        with self._spanned(f"process {record.topic}", kind=kind, attributes=attributes, context=context):
            yield

    @contextmanager
    def _spanned(self, name: str, **options: Any) -> Iterator[None]:
        """A span around the block; of an error that leaves it, its class is told as `error.type`."""
        with self._tracer.start_as_current_span(name, **options) as span:
            try:
                yield
            except BaseException as error:
                kind = type(error)
                name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
                span.set_attribute("error.type", name)
                raise

    def _led_on(self, headers: Headers, context: Context) -> Context:
        """A context with the span that the headers name; as it is where they name none, or a broken one."""
        said = {name: _text(headers, name) for name in (TRACE, TRACE_STATE)}
        return self._propagator.extract({name: value for name, value in said.items() if value is not None}, context)


def _text(headers: Headers, name: str) -> str | None:
    """The last header of a name as text, which confluent-kafka also sends as such."""
    value: bytes | str | None = last(headers, name)
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _about(topic: str, version: Version) -> dict[str, str]:
    return {
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "deedbox.contract": version.contract,
        "deedbox.version": version.version,
    }
