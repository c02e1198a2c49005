"""Dead letters: what is written of a bad message, and what is read back of it.

Key, value and timestamp stay as they were, and so do the headers, behind which Deedbox's own and Spring Kafka's stand
(`DeadLetterPublishingRecoverer` of spring-kafka: the partition is a big-endian 32-bit integer, offset and timestamp are
64 bits, the topic is UTF-8), so that tools that people have know where it came from. Letters that Spring wrote, or Kafka
Connect (`errors.deadletterqueue.context.headers.enable`, KIP-298: all of it is text), are read as well.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from hashlib import sha256
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
SPRING = "kafka_dlt-"
"""What the names of Spring's headers begin with."""
_ORIGIN = (f"{SPRING}original-topic", f"{SPRING}original-partition", f"{SPRING}original-offset")
_TIMESTAMP = f"{SPRING}original-timestamp"
CONNECT = "__connect.errors."
"""What the names of Kafka Connect's headers begin with."""
_EXCEPTIONS = (f"{SPRING}exception-cause-fqcn", f"{SPRING}exception-fqcn", f"{CONNECT}exception.class.name")
"""The class of what went wrong there; with Spring that of its cause says more, for the other is a wrapper's."""
_MESSAGES = (REASON, f"{SPRING}exception-message", f"{CONNECT}exception.message")
ADDED = frozenset({RULE, POINTER, FINGERPRINT, REASON, FAILED_CONTRACT, FAILED_VERSION, BY})
"""The headers that replaying takes off again, as it does Spring's and Connect's. The replay count stays, so that a message cannot go
round for ever."""
_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}")
_FINGERPRINT = re.compile(r"[0-9a-f]{8,64}")
NO_ORIGIN = sha256(b"no-origin").hexdigest()[:12]
"""The fingerprint under which records are counted that do not say where they came from."""
UNPLACED = "no-origin"
"""Their rule."""
_UNPLACED_REASON = "it does not say where it came from: it can be looked at, and not be sent again"


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

    @property
    def own_headers(self) -> list[tuple[str, bytes | None]]:
        """The message's headers without those of its being put aside."""
        kept = self.record.headers
        return [pair for pair in kept if pair[0] not in ADDED and not pair[0].startswith((SPRING, CONNECT))]


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
        *origin_headers(Origin(record.topic, record.partition, record.offset, record.timestamp)),
    ]
    return Record(topic, -1, -1, record.key, record.value, replaced(record.headers, added), record.timestamp)


def origin_headers(origin: Origin) -> list[tuple[str, bytes]]:
    """The headers that say where a dead letter came from; `origin` reads them."""
    values = (
        origin.topic.encode(),
        struct.pack(">i", origin.partition),
        struct.pack(">q", origin.offset),
        struct.pack(">q", origin.timestamp),
    )
    return list(zip((*_ORIGIN, _TIMESTAMP), values, strict=True))


def replays(record: Record) -> int:
    """How often a message was replayed already."""
    return _decimal(record, REPLAYS, 31) or 0


def origin(record: Record) -> Origin:
    """Where a dead letter came from, also one that Spring's recoverer wrote, or Kafka Connect.

    Raises:
        InvalidDeadLetter: it does not say.
    """
    topic = text(record.headers, _ORIGIN[0]) or ""
    partition, offset = _number(record, _ORIGIN[1], ">i"), _number(record, _ORIGIN[2], ">q")
    timestamp = _number(record, _TIMESTAMP, ">q")
    if not topic:
        topic = text(record.headers, f"{CONNECT}topic") or ""
        partition, offset = _decimal(record, f"{CONNECT}partition", 31), _decimal(record, f"{CONNECT}offset", 63)
        timestamp = record.timestamp  # which Connect keeps
    if not _NAME.fullmatch(topic) or partition is None or partition < 0 or offset is None or offset < 0:
        names = ", ".join(_ORIGIN)
        raise InvalidDeadLetter(
            f"{record.where} does not say by the headers {names} where it came from: no dead letter"
        )
    return Origin(topic, partition, offset, timestamp if timestamp is not None else -1)


def read(record: Record) -> DeadLetter:
    """A dead letter from its record, also one that Spring's recoverer wrote, or Kafka Connect.

    Its rule is then the class of the exception. Where no fingerprint is said, or none that is one, it is made of what
    is: of the origin's topic, contract, rule and pointer.

    Raises:
        InvalidDeadLetter: it does not say where it came from.
    """

    def said(name: str) -> str:
        return text(record.headers, name) or ""

    came = origin(record)
    rule = next(filter(None, map(said, (RULE, *_EXCEPTIONS))), "unknown")
    pointer, contract, fingerprint = said(POINTER), said(FAILED_CONTRACT), said(FINGERPRINT)
    if not _FINGERPRINT.fullmatch(fingerprint):
        fingerprint = sha256("\x00".join((came.topic, contract, rule, pointer)).encode()).hexdigest()[:12]
    return DeadLetter(
        record,
        came,
        rule,
        pointer,
        fingerprint,
        next(filter(None, map(said, _MESSAGES)), ""),
        contract,
        said(FAILED_VERSION),
        replays(record),
        said(TRACE),
    )


def unplaced(record: Record) -> DeadLetter:
    """A record of a dead-letter topic that does not say where it came from: its origin is its own place, of no topic."""
    origin = Origin("", record.partition, record.offset, record.timestamp)
    return DeadLetter(record, origin, UNPLACED, "", NO_ORIGIN, _UNPLACED_REASON, "", "", 0, "")


def revived(dead: DeadLetter) -> Record:
    """The message as it is sent to its origin again: as it was, with one more in its replay count."""
    headers = replaced(dead.own_headers, [(REPLAYS, str(dead.replays + 1).encode())])
    record = dead.record
    return Record(
        dead.origin.topic, dead.origin.partition, -1, record.key, record.value, headers, dead.origin.timestamp
    )


def _number(record: Record, name: str, layout: str) -> int | None:
    value = last(record.headers, name)
    if value is None or len(value) != struct.calcsize(layout):
        return None
    return int(struct.unpack(layout, value)[0])


def _decimal(record: Record, name: str, bits: int) -> int | None:
    """A header that is a number in text, below 2 to the power of `bits`."""
    said = text(record.headers, name) or ""
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 20 else 1 << 63
    return number if number < 1 << bits else None
