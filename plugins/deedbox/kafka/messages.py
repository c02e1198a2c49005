"""Records as the room passes them around, and the names of headers. Knows no client."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeAlias

Headers: TypeAlias = Sequence[tuple[str, bytes | None]]
"""Record headers in their order. A name may stand twice; the last one counts, as in Kafka's own `lastHeader`."""

CONTRACT = "deedbox-contract"
VERSION = "deedbox-version"
MESSAGE_ID = "deedbox-message-id"
TRACE, TRACE_STATE = "traceparent", "tracestate"
"""W3C Trace Context, §3.2 and §3.3."""
CONFLUENT_ID = "__value_schema_id"
"""Confluent's header form of the schema id: 0x00 and the 4-byte id, or 0x01 and the 16-byte GUID."""
VERDICT = "deedbox-verdict"
"""Set in mode `mark`: `valid`, `invalid` or `unjudged`."""


class TopicPartition(NamedTuple):
    """One partition of a topic. A tuple: it is a key of dictionaries for every message."""

    topic: str
    partition: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]"


class Record(NamedTuple):
    """One message with its place in the log. `timestamp` is in milliseconds; it and `offset` are -1 where unknown.

    A tuple: one is made of every message, in half the time that a class with fields takes.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = -1

    @property
    def place(self) -> TopicPartition:
        """Its partition."""
        return TopicPartition(self.topic, self.partition)

    @property
    def where(self) -> str:
        """Its place as people write it: `topic[partition]@offset`."""
        return f"{self.topic}[{self.partition}]@{self.offset}"


def last(headers: Headers, name: str) -> bytes | None:
    """The value of the last header of a name, or None."""
    for found, value in reversed(headers):
        if found == name:
            return value
    return None


def text(headers: Headers, name: str) -> str | None:
    """The last header of a name as UTF-8 text; None where it is missing or is no such text."""
    value = last(headers, name)
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def replaced(headers: Headers, new: Iterable[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """The headers with those names set to the new values, at the end; None values are written empty.

    kafka-python refuses a header without a value, though the protocol has them.
    """
    added = list(new)
    names = {name for name, _ in added}
    return [(name, value if value is not None else b"") for name, value in headers if name not in names] + added


_TRACEPARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?", re.DOTALL
)


def is_traceparent(said: bytes | str | None) -> bool:
    """Whether a header's value is a `traceparent`: of version 00, or a later one, which may have more parts (§3.2.2.3).

    Text, too: confluent-kafka sends headers of either.
    """
    found = _TRACEPARENT.fullmatch(said.encode() if isinstance(said, str) else said) if said else None
    return found is not None and not (found["more"] and found[0].startswith(b"00"))


def new_traceparent() -> bytes:
    """A `traceparent` (W3C Trace Context, version 00) that begins a trace, not sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00".encode()


def next_offsets(records: Iterable[Record]) -> dict[TopicPartition, int]:
    """Of each partition the offset after its last record; the records of one stand in its order."""
    last_of = {(record.topic, record.partition): record.offset for record in records}
    return {TopicPartition(*place): offset + 1 for place, offset in last_of.items()}
