"""Dead letters and offsets in one transaction: a bad message has one dead letter, however often a process dies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from deedbox.kafka.errors import BrokerUnavailable, DeadLetterRefused, Fenced, LiveError

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker, Consumer, Producer
    from deedbox.kafka.messages import Record, TopicPartition


class Settler:
    """Ends batches: what is to be written and the offsets that say so, all of it or nothing.

    Args:
        broker: where to.
        transactional_id: of this process and no other; a successor with the same one fences it.
    """

    def __init__(self, broker: Broker, transactional_id: str) -> None:
        self._broker, self._id = broker, transactional_id
        self._producer: Producer | None = None

    def settle(self, consumer: Consumer, offsets: Mapping[TopicPartition, int], records: Sequence[Record]) -> None:
        """Writes records and commits offsets.

        Raises:
            DeadLetterRefused: nothing was written or committed.
            Fenced: likewise; another member has the partitions now.
        """
        if not records:
            if offsets:
                consumer.commit(offsets)
            return
        self._transact(records, offsets, consumer)

    def open(self) -> None:
        """Ends, now and not with the first records, what a predecessor with the same id had begun.

        Raises:
            BrokerUnavailable: it did not answer.
        """
        if self._producer is None:
            self._producer = self._broker.producer(self._id)

    def write(self, records: Sequence[Record]) -> None:
        """Writes records, all or none.

        Raises:
            DeadLetterRefused, Fenced: as `settle`.
        """
        if records:
            self._transact(records, {}, None)

    def _transact(
        self, records: Sequence[Record], offsets: Mapping[TopicPartition, int], consumer: Consumer | None
    ) -> None:
        self.open()
        assert self._producer is not None
        try:
            self._producer.begin()
            for record in records:
                place = record.partition if record.partition >= 0 else None
                self._producer.send(record.topic, record.key, record.value, record.headers, record.timestamp, place)
            if consumer is not None:
                self._producer.send_offsets(offsets, consumer.group_metadata())
            self._producer.commit()
        except LiveError as error:
            fenced = self._discard()
            if fenced is not None and not isinstance(error, Fenced):
                # What failed first may say less: a client reports what it can of one that was replaced.
                raise fenced from error
            if isinstance(error, BrokerUnavailable):
                raise DeadLetterRefused(records[0].topic, str(error)) from error
            raise
        except BaseException:  # such as an interruption: what comes next must not find a transaction that is half done
            self._discard()
            raise

    def _discard(self) -> Fenced | None:
        """Gives up a producer whose transaction failed: what state it is in depends on the client.

        Gives what it says, where it was replaced.
        """
        producer, self._producer = self._producer, None
        fenced: Fenced | None = None
        if producer is not None:
            for ending in (producer.abort, producer.close):
                try:
                    ending()
                except Fenced as error:
                    fenced = error
                except LiveError:
                    continue  # the broker aborts it when its time is over
        return fenced

    def close(self) -> None:
        """Closes the producer."""
        if self._producer is not None:
            self._producer.close()
            self._producer = None


def rewind(consumer: Consumer, records: Iterable[Record]) -> None:
    """Reads again from the first of these records on, in each of their partitions."""
    first: dict[TopicPartition, int] = {}
    for record in records:
        first.setdefault(record.place, record.offset)
    for place, offset in first.items():
        consumer.seek(place, offset)
