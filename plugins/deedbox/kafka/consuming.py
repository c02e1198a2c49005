"""A consumer that does it right: judged after `poll`, committed after handling, the bad put aside and none lost."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from uuid import uuid4

from deedbox.checker import pointers
from deedbox.kafka.errors import InvalidMessage
from deedbox.kafka.handlers import Handlers, Unhandled
from deedbox.kafka.inspection import Inspection, Inspector, Invalid
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.keeping import Keeping
from deedbox.kafka.limits import Breaker, Limits
from deedbox.kafka.messages import MESSAGE_ID, Record, next_offsets, text
from deedbox.kafka.occurrence import sortable
from deedbox.kafka.settling import Settler, rewind

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.lookup import Version
    from deedbox.kafka.messages import TopicPartition
    from deedbox.kafka.stores import HandledStore
    from deedbox.kafka.tracing import Tracing

Policy: TypeAlias = Literal["dead-letter", "raise"]

_AT_ONCE = 50
"""Messages that are judged before they are handled."""


@dataclass(frozen=True, slots=True)
class Order:
    """How messages say what they are about and when it happened: pointers into the value.

    `occurred_at` leads to a time by RFC 3339, a number, or other text that sorts by itself: see `occurrence.sortable`.
    What is staler than what was handled of its key is handed over all the same, or skipped.

    Raises:
        ValueError: what is no JSON pointer.
    """

    key: str
    occurred_at: str
    stale: Literal["hand-over", "skip"] = "skip"

    def __post_init__(self) -> None:
        for pointer in (self.key, self.occurred_at):
            pointers.split(pointer)


@dataclass(slots=True)
class Handled:
    """What became of messages so far."""

    handled: int = 0
    duplicates: int = 0
    stale: int = 0
    tombstones: int = 0
    dead_letters: int = 0


class ContractConsumer:
    """Reads topics in a group and hands valid messages to handlers.

    Args:
        broker: a filling of the port.
        topics: what to read.
        group: as whom.
        handlers: who handles what.
        inspector: how messages are judged.
        on_invalid: a bad message, or one that nobody handles, goes to the dead letters, or raises `InvalidMessage`.
        store: what was handled, against duplicates and staleness; None keeps no memory.
        order: see `Order`; needs a store.
        dead_letter_topic: by topic; `TOPIC.dlt` where None.
        instance: of this process and no other of the group, the same after a restart: a successor ends at once what
            it left open. A new one each time where None: then the broker ends that, after half a minute.
        tracing: a span for each message that is handled; none where None.

    Raises:
        ValueError: an order without a store. BrokerUnavailable: it did not answer.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        group: str,
        handlers: Handlers,
        inspector: Inspector,
        *,
        on_invalid: Policy = "dead-letter",
        store: HandledStore | None = None,
        order: Order | None = None,
        dead_letter_topic: Callable[[str], str] | None = None,
        limits: Limits | None = None,
        instance: str | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        if order is not None and store is None:
            raise ValueError(
                "an order needs a store, which remembers what was handled: give one, such as MemoryStore()"
            )
        self._tracing = tracing
        self._handlers, self._inspector, self._policy = handlers, inspector, on_invalid
        self._store, self._order, self._group = store, order, group
        self._letters_to = dead_letter_topic or (lambda topic: topic + dead_letters.SUFFIX)
        self._keeping = Keeping(broker)
        self._breaker = Breaker(limits or Limits())
        self._settler = Settler(broker, f"deedbox-consumer.{group}.{instance or uuid4().hex}")
        self._broker, self._topics = broker, tuple(topics)
        self._consumer = broker.consumer(topics, group)
        self._astray = False
        """Whether the client may stand behind records that nobody was given."""
        self.counts = Handled()

    def run_once(self, most: int = 500, seconds: float = 1.0) -> int:
        """Handles the next batch, and commits what was handled.

        Returns:
            How many messages were dealt with. One that cannot be judged yet (the registry is away and never said what it
            is) is not passed over: it and what follows in its partition is read again next time. Where there is nothing
            else, `seconds` pass before this returns.

        Raises:
            InvalidMessage: by policy. DeadLetterRefused, LimitReached, Fenced, BrokerUnavailable: see there.
            BaseException: whatever a handler raised.

        After any of them the consumer stands before the first message that was not dealt with, and what was before it is
        committed.
        """
        records = self._poll(most, seconds)
        letters: list[Record] = []
        good: dict[str, int] = {}
        left: list[Record] = []
        waiting: set[TopicPartition] = set()
        reached = 0
        trouble: BaseException | None = None
        try:
            for record, found in self._judged(records):
                if (found.status == "unjudged" and found.fault is None) or (waiting and record.place in waiting):
                    waiting.add(record.place)
                    left.append(record)
                else:
                    topic = record.topic
                    invalid = self._deal(record, found)
                    if invalid is None:
                        good[topic] = good.get(topic, 0) + 1
                    else:
                        self._breaker.passed(topic, good.pop(topic, 0))
                        self._breaker.observe(topic, True)
                        letters.append(self._put_aside(record, invalid))
                reached += 1
        except BaseException as error:  # noqa: BLE001 - raised below, when what went before is committed
            trouble = error
            left += records[reached:]
        for topic, count in good.items():
            self._breaker.passed(topic, count)
        done = _without(records, left)
        try:
            rewind(self._consumer, left)
            self._keeping.see_to(letter.topic for letter in letters)
            self._settler.settle(self._consumer, next_offsets(done), letters)
        except BaseException:
            self._breaker.undone()
            rewind(self._consumer, records)
            if trouble is not None and not isinstance(trouble, Exception):
                raise trouble from None  # who ends the process must not be kept from it by a broker that is away
            raise
        self._breaker.settled()
        self.counts.dead_letters += len(letters)
        if trouble is not None:
            raise trouble
        if waiting and not done:
            time.sleep(seconds)  # else it would be read and rewound as fast as the broker gives it
        return len(done)

    def _poll(self, most: int, seconds: float) -> list[Record]:
        """The next records. What the client had at hand when it raised is read again, since it will not give it twice."""
        if self._astray:
            committed: dict[TopicPartition, int] = {}
            for topic in self._topics:
                committed |= self._broker.committed(self._group, topic)
            for place in self._consumer.assignment():
                self._consumer.seek(place, committed.get(place, 0))
            self._astray = False
        try:
            return self._consumer.poll(most, seconds)
        except BaseException:
            self._astray = True
            raise

    def _judged(self, records: Sequence[Record]) -> Iterator[tuple[Record, Inspection]]:
        """Some at a time: a whole batch of decoded bodies would be out of the processor's cache before it is handled."""
        for start in range(0, len(records), _AT_ONCE):
            some = records[start : start + _AT_ONCE]
            yield from zip(some, self._inspector.inspect_all(some), strict=True)

    def _deal(self, record: Record, found: Inspection) -> Invalid | None:
        """Deals with one message; gives why it must be put aside, where it must."""
        if found.status == "tombstone":
            self.counts.tombstones += 1
            return None
        version = found.version or self._inspector.reader
        if found.status != "valid" or version is None:
            return found.invalid(record.value)
        try:
            if self._store is None:
                self._hand_over(record, version, found.value)
            elif not self._handle_once(self._store, record, version, found.value):
                return None
        except Unhandled as error:
            return Invalid(str(error), "", record.value, error.rule, version.contract, version.version)
        self.counts.handled += 1
        return None

    def _handle_once(self, store: HandledStore, record: Record, version: Version, value: Any) -> bool:
        """Whether the message was handled, and not skipped for what is known of it."""
        key, when = self._place_in_order(record, value)
        # One that has no id can still come again from its place, where a process died before it committed. The timestamp
        # tells it from what stands there once the topic was made anew.
        identity = text(record.headers, MESSAGE_ID) or f"{record.where}#{record.timestamp}"
        with store.handling(identity, key, when) as known:
            if known.standing == "duplicate":
                self.counts.duplicates += 1
                return False
            if known.standing == "stale":
                self.counts.stale += 1
                if self._order is None or self._order.stale == "skip":
                    return False
            self._hand_over(record, version, value, known.session)
        return True

    def _hand_over(self, record: Record, version: Version, value: Any, session: Any = None) -> None:
        if self._tracing is None:
            self._handlers.handle(record, version, value, session)
            return
        with self._tracing.handling(record, version, self._group):
            self._handlers.handle(record, version, value, session)

    def _place_in_order(self, record: Record, value: Any) -> tuple[str | None, str | None]:
        if self._order is None:
            return None, None
        try:
            key, when = pointers.get(value, self._order.key), pointers.get(value, self._order.occurred_at)
        except LookupError:
            return None, None  # a message that does not say is handled in the order of its coming
        return f"{record.topic}\x00{key}", sortable(when)

    def _put_aside(self, record: Record, invalid: Invalid) -> Record:
        if self._policy == "raise":
            raise InvalidMessage(invalid, record.where)
        return dead_letters.letter(record, invalid, self._letters_to(record.topic), self._group)

    def close(self) -> None:
        """Leaves the group."""
        self._settler.close()
        self._consumer.close()


def _without(records: Sequence[Record], left: Sequence[Record]) -> Sequence[Record]:
    if not left:
        return records
    gone = {(record.topic, record.partition, record.offset) for record in left}
    return [record for record in records if (record.topic, record.partition, record.offset) not in gone]
