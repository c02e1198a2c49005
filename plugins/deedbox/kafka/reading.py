"""Reading a part of a topic's log in no group: from given offsets up to given ends, and not past them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from deedbox.kafka.errors import BrokerUnavailable

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker, Consumer
    from deedbox.kafka.messages import Record, TopicPartition

_POLL = 0.2


class Stretch(NamedTuple):
    """What one turn of reading gave: records within the ranges, and by partition the offset up to which all is read."""

    records: list[Record]
    reached: Mapping[int, int]


def stretches(
    broker: Broker, topic: str, ranges: Mapping[int, tuple[int, int]], *, most: int = 500, seconds: float = 30.0
) -> Iterator[Stretch]:
    """Reads ranges of offsets of a topic's partitions, in turns.

    Args:
        broker: a filling of the port.
        topic: which.
        ranges: by partition the first offset (0 for wherever its log begins), and the one behind the last. Other
            partitions are left out.
        most: records a turn.
        seconds: how long the broker may say nothing before this gives up.

    Raises:
        BrokerUnavailable: it said nothing for so long, before the end, or has no such partition any more.
    """
    left = {n: end for n, (start, end) in ranges.items() if start < end}
    if not left:
        return
    reader = broker.reader(topic)
    try:
        places = _placed(reader, topic, ranges)
        until = time.monotonic() + seconds
        while left:
            polled = reader.poll(most, _POLL)
            records = [r for r in polled if r.partition in ranges and _within(ranges[r.partition], r.offset)]
            # By position and not by the last record: a log may end in markers of transactions, which are no messages.
            reached = {n: min(reader.position(places[n]), end) for n, end in left.items()}
            left = {n: end for n, end in left.items() if reached[n] < end}
            if records or len(left) < len(reached):
                yield Stretch(records, reached)
            if polled or len(left) < len(reached):
                until = time.monotonic() + seconds
            elif time.monotonic() > until:
                raise BrokerUnavailable(f"{topic}: nothing came for {seconds:.0f} seconds, before its end")
    finally:
        reader.close()


def _placed(reader: Consumer, topic: str, ranges: Mapping[int, tuple[int, int]]) -> dict[int, TopicPartition]:
    """The partitions of a reader, which now stands at the first offsets; at the end where nothing is to be read."""
    places = {place.partition: place for place in reader.assignment()}
    gone = sorted(ranges.keys() - places.keys())
    if gone:
        raise BrokerUnavailable(f"{topic}: the broker does not know its partition {gone[0]} any more")
    for n, (start, end) in ranges.items():
        if start or start >= end:  # at 0 it begins where the log does, which may be later
            reader.seek(places[n], start if start < end else end)
    return places


def _within(offsets: tuple[int, int], offset: int) -> bool:
    return offsets[0] <= offset < offsets[1]


def whole(ends: Mapping[TopicPartition, int]) -> dict[int, tuple[int, int]]:
    """The ranges of a topic from its beginning to its ends, as `Broker.ends` gives them."""
    return {place.partition: (0, end) for place, end in ends.items()}
