"""When to stop dead-lettering: if everything fails, it is the schema or its version that is wrong."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deedbox.kafka.errors import LimitReached

if TYPE_CHECKING:
    from deedbox.kafka.messages import Record


@dataclass(frozen=True, slots=True)
class Limits:
    """`ratio` of the last `window` messages of a topic, once there are that many; and `consecutive` ones in a row."""

    ratio: float = 0.5
    window: int = 200
    consecutive: int = 100


@dataclass(frozen=True, slots=True)
class Stop:
    """Where a guard stopped by its limits: the first message that was not dead-lettered, and the limits."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    limits: Limits

    def is_at(self, record: Record) -> bool:
        """Whether it is that message: also by its time, since a topic may have been made anew."""
        place = (self.topic, self.partition, self.offset, self.timestamp)
        return place == (record.topic, record.partition, record.offset, record.timestamp)

    def is_passed_by(self, record: Record) -> bool:
        """Whether it stands behind that message."""
        return (record.topic, record.partition) == (self.topic, self.partition) and record.offset > self.offset

    def holds(self, limits: Limits) -> bool:
        """Whether these limits are no laxer."""
        return limits.ratio <= self.limits.ratio and limits.consecutive <= self.limits.consecutive


@dataclass(slots=True)
class _Seen:
    recent: deque[bool] = field(default_factory=deque)
    bad: int = 0
    row: int = 0


@dataclass(slots=True)
class Breaker:
    """Watches one consumer's topics.

    What a batch added stays only once it is `settled`: one that was `undone` is read again, and would count twice.
    """

    limits: Limits = field(default_factory=Limits)
    _topics: dict[str, _Seen] = field(default_factory=dict)
    _before: dict[str, _Seen] = field(default_factory=dict)

    def passed(self, topic: str, count: int) -> None:
        """Takes note of so many good messages, one behind the other."""
        if not count:
            return
        seen = self._seen(topic)
        new = min(count, self.limits.window)
        for _ in range(len(seen.recent) + new - self.limits.window):
            seen.bad -= seen.recent.popleft()
        seen.recent.extend([False] * new)
        seen.row = 0

    def observe(self, topic: str, bad: bool) -> None:
        """Takes note of one message.

        Raises:
            LimitReached: this bad message must not go to the dead letters.
        """
        seen = self._seen(topic)
        seen.recent.append(bad)
        seen.bad += bad
        if len(seen.recent) > self.limits.window:
            seen.bad -= seen.recent.popleft()
        seen.row = seen.row + 1 if bad else 0
        if not bad:
            return
        if seen.row > self.limits.consecutive:
            raise LimitReached(topic, f"more than {self.limits.consecutive} messages in a row are invalid")
        if len(seen.recent) == self.limits.window and seen.bad > self.limits.ratio * self.limits.window:
            raise LimitReached(topic, f"{seen.bad} of the last {self.limits.window} messages are invalid")

    def settled(self) -> None:
        """What was noted since the last call is of messages that are not read again."""
        self._before.clear()

    def undone(self) -> None:
        """What was noted since then is of messages that are read again."""
        self._topics.update(self._before)
        self._before.clear()

    def _seen(self, topic: str) -> _Seen:
        seen = self._topics.get(topic)
        if seen is None:
            seen = self._topics[topic] = _Seen()
        if topic not in self._before:
            self._before[topic] = _Seen(seen.recent.copy(), seen.bad, seen.row)
        return seen
