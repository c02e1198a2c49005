"""Dead letters: what is written of a bad message, and what is read back of it.

Key, value and timestamp stay as they were, and so do the headers, behind which Deedbox's own and Spring Kafka's stand
(`DeadLetterPublishingRecoverer` of spring-kafka: the partition is a big-endian 32-bit integer, offset and timestamp are
64 bits, the topic is UTF-8), so that tools that people have know where it came from.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedbox.kafka.errors import InvalidDeadLetter
from deedbox.kafka.messages import TRACE, Record, last, replaced, text

if TYPE_CHECKING:
    from deedbox.kafka.inspection import Invalid

SUFFIX = ".dlt"
"""The dead-letter topic of a topic, where none is named."""

RULE, POINTER, FINGERPRINT, REASON = "deedbox-rule", "deedbox-pointer", "deedbox-fingerprint", "deedbox-reason"
FAILED_CONTRACT, FAILED_VERSION = "deedbox-failed-contract", "deedbox-failed-version"
"""What the message was judged as. `deedbox-contract` and `deedbox-version` stay what its producer wrote, or absent."""
REPLAYS, BY = "deedbox-replay-count", "deedbox-dead-lettered-by"
SPRING = "kafka_dlt-original-"
_ORIGIN = (f"{SPRING}topic", f"{SPRING}partition", f"{SPRING}offset", f"{SPRING}timestamp")
ADDED = frozenset({RULE, POINTER, FINGERPRINT, REASON, FAILED_CONTRACT, FAILED_VERSION, BY, *_ORIGIN})
"""The headers that replaying takes off again. The replay count stays, so that a message cannot go round for ever."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a dead letter came from. Two of the same origin are one."""

    topic: str
    partition: int
    offset: int
    timestamp: int

    def __str__(self) -> str:
        return f"{self.topic}[{self.partition}]@{self.offset}"


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as read back."""

    record: Record
    origin: Origin
    rule: str
    pointer: str
    fingerprint: str
    reason: str
    contract: str
    version: str
    replays: int
    trace: str


def letter(record: Record, invalid: Invalid, topic: str, by: str) -> Record:
    """The dead letter of a message.

    Args:
        record: the message as it was consumed.
        invalid: why it is one.
        topic: the dead-letter topic.
        by: who writes it, such as `guard` or a consumer's group.
    """
    added = [
        (FAILED_CONTRACT, invalid.contract.encode()),
        (FAILED_VERSION, invalid.version.encode()),
        (RULE, invalid.rule.encode()),
        (POINTER, invalid.pointer.encode()),
        (FINGERPRINT, invalid.fingerprint.encode()),
        (REASON, invalid.reason.encode("utf-8", "replace")),
        (REPLAYS, str(replays(record)).encode()),
        (BY, by.encode()),
        (f"{SPRING}topic", record.topic.encode()),
        (f"{SPRING}partition", struct.pack(">i", record.partition)),
        (f"{SPRING}offset", struct.pack(">q", record.offset)),
        (f"{SPRING}timestamp", struct.pack(">q", record.timestamp)),
    ]
    return Record(topic, -1, -1, record.key, record.value, replaced(record.headers, added), record.timestamp)


def replays(record: Record) -> int:
    """How often a message was replayed already."""
    said = text(record.headers, REPLAYS) or ""
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0


def origin(record: Record) -> Origin:
    """Where a dead letter came from, also one that Spring's recoverer wrote.

    Raises:
        InvalidDeadLetter: it does not say.
    """
    topic = text(record.headers, _ORIGIN[0])
    partition, offset = _number(record, _ORIGIN[1], ">i"), _number(record, _ORIGIN[2], ">q")
    if not topic or partition is None or offset is None:
        raise InvalidDeadLetter(f"{record.where} has no headers {SPRING}topic, -partition and -offset: no dead letter")
    timestamp = _number(record, _ORIGIN[3], ">q")
    return Origin(topic, partition, offset, timestamp if timestamp is not None else -1)


def read(record: Record) -> DeadLetter:
    """A dead letter from its record.

    Raises:
        InvalidDeadLetter: it does not say where it came from.
    """

    def said(name: str) -> str:
        return text(record.headers, name) or ""

    return DeadLetter(
        record,
        origin(record),
        said(RULE) or "unknown",
        said(POINTER),
        said(FINGERPRINT) or "unknown",
        said(REASON) or said("kafka_dlt-exception-message"),
        said(FAILED_CONTRACT),
        said(FAILED_VERSION),
        replays(record),
        said(TRACE),
    )


def revived(dead: DeadLetter) -> Record:
    """The message as it is sent to its origin again: as it was, with one more in its replay count."""
    kept = [(name, value) for name, value in dead.record.headers if name not in ADDED]
    headers = replaced(kept, [(REPLAYS, str(dead.replays + 1).encode())])
    record = dead.record
    return Record(
        dead.origin.topic, dead.origin.partition, -1, record.key, record.value, headers, dead.origin.timestamp
    )


def _number(record: Record, name: str, layout: str) -> int | None:
    value = last(record.headers, name)
    if value is None or len(value) != struct.calcsize(layout):
        return None
    return int(struct.unpack(layout, value)[0])
