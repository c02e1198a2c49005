"""Reading dead letters, asking whether they pass now, and sending them again: each once, however often it is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from deedbox.checker import pointers
from deedbox.kafka import dead_letters
from deedbox.kafka.dead_letters import DeadLetter
from deedbox.kafka.errors import BrokerUnavailable, InvalidDeadLetter
from deedbox.kafka.lookup import Channel
from deedbox.kafka.messages import Record, TopicPartition
from deedbox.kafka.settling import Settler

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker, Consumer
    from deedbox.kafka.inspection import Inspection, Inspector
    from deedbox.kafka.lookup import Lookup

QUARANTINE = ".quarantine"
AUDIT = ".replays"
MAX_REPLAYS = 3


@dataclass(frozen=True, slots=True)
class Query:
    """Which dead letters; all conditions hold. Times are milliseconds, of when the message was first sent.

    `where` are JSON pointers into the message, each with the value that must stand there.
    """

    fingerprint: str | None = None
    contract: str | None = None
    since: int | None = None
    until: int | None = None
    where: tuple[tuple[str, Any], ...] = ()

    def matches(self, dead: DeadLetter) -> bool:
        """Whether it asks for this one."""
        return (
            self.fingerprint in (None, dead.fingerprint)
            and self.contract in (None, dead.contract)
            and (self.since is None or dead.origin.timestamp >= self.since)
            and (self.until is None or dead.origin.timestamp < self.until)
            and (not self.where or _holds(self.where, dead.record.value))
        )

    def __str__(self) -> str:
        said = {"fingerprint": self.fingerprint, "contract": self.contract, "since": self.since, "until": self.until}
        words = [f"{name}={value}" for name, value in said.items() if value is not None]
        words += [f"{pointer}={orjson.dumps(value).decode()}" for pointer, value in self.where]
        return " ".join(words) or "all"


def _holds(where: Iterable[tuple[str, Any]], body: bytes | None) -> bool:
    try:
        value = orjson.loads(body or b"")
        return all(pointers.get(value, pointer) == wanted for pointer, wanted in where)
    except (ValueError, LookupError):
        return False


@dataclass(frozen=True, slots=True)
class Parties:
    """Who is registered on a channel: contracts that produce on it, and contracts that consume from it.

    None where the registry is away.
    """

    producers: tuple[str, ...]
    consumers: tuple[str, ...]


def parties(lookup: Lookup, topic: str) -> Parties | None:
    """Who sends and who reads what a dead letter came from."""
    channel = lookup.channel(topic)
    if not isinstance(channel, Channel):
        return None
    names = {role: {v.contract for v in channel.versions if v.role == role} for role in ("produces", "consumes")}
    return Parties(tuple(sorted(names["produces"])), tuple(sorted(names["consumes"])))


@dataclass(slots=True)
class Group:
    """Dead letters of one fingerprint."""

    fingerprint: str
    rule: str
    pointer: str
    contract: str
    reason: str
    count: int = 0
    versions: set[str] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)
    first: int = -1
    last: int = -1
    passing: int = 0
    """How many pass now; counted by `diagnose`."""
    passes_as: set[str] = field(default_factory=set)


def read_all(broker: Broker, topic: str, seconds: float = 30.0) -> Iterator[DeadLetter]:
    """The dead letters of a topic as it stands now, each origin's once. What is no dead letter is left out.

    Args:
        broker: a filling of the port.
        topic: the dead-letter topic.
        seconds: how long the broker may say nothing before this gives up.

    Raises:
        BrokerUnavailable: it said nothing for so long, before the end.
    """
    seen: set[tuple[str, int, int, int]] = set()
    for record in _records(broker, topic, seconds):
        try:
            dead = dead_letters.read(record)
        except InvalidDeadLetter:
            continue
        # The replay count too: a message that was replayed and failed again is another one.
        origin = (dead.origin.topic, dead.origin.partition, dead.origin.offset, dead.replays)
        if origin not in seen:
            seen.add(origin)
            yield dead


def _records(broker: Broker, topic: str, seconds: float) -> Iterator[Record]:
    left = {place: end for place, end in broker.ends(topic).items() if end > 0}
    if not left:
        return
    reader = broker.reader(topic)
    try:
        until = time.monotonic() + seconds
        while left:
            records = reader.poll(500, 0.2)
            for record in records:
                if record.offset < left.get(record.place, 0):  # the rest came since
                    yield record
            # By position and not by the last record: a log may end in markers of transactions, which are no messages.
            reached = [place for place, end in left.items() if reader.position(place) >= end]
            for place in reached:
                del left[place]
            if records or reached:
                until = time.monotonic() + seconds
            elif time.monotonic() > until:
                raise BrokerUnavailable(f"{topic}: nothing came for {seconds:.0f} seconds, before its end")
    finally:
        reader.close()


def grouped(letters: Iterable[DeadLetter]) -> list[Group]:
    """Dead letters by fingerprint, the most frequent first."""
    groups: dict[str, Group] = {}
    for dead in letters:
        group = groups.get(dead.fingerprint)
        if group is None:
            group = Group(dead.fingerprint, dead.rule, dead.pointer, dead.contract, dead.reason)
            groups[dead.fingerprint] = group
        _count(group, dead)
    return sorted(groups.values(), key=lambda g: (-g.count, g.fingerprint))


def _count(group: Group, dead: DeadLetter) -> None:
    group.count += 1
    if dead.version:
        group.versions.add(dead.version)
    group.topics.add(dead.origin.topic)
    at = dead.origin.timestamp
    group.first = at if group.first < 0 else min(group.first, at)
    group.last = max(group.last, at)


def diagnose(letters: Iterable[DeadLetter], inspector: Inspector) -> list[Group]:
    """As `grouped`, and how many of each would pass now, as which version."""
    kept = list(letters)
    groups = {group.fingerprint: group for group in grouped(kept)}
    for dead in kept:
        found = judge_now(dead, inspector)
        if found.status == "valid":
            group = groups[dead.fingerprint]
            group.passing += 1
            if found.version is not None:
                group.passes_as.add(str(found.version))
    return list(groups.values())


def judge_now(dead: DeadLetter, inspector: Inspector) -> Inspection:
    """What a dead letter would be judged as, sent to its origin now."""
    again = dead_letters.revived(dead)
    return inspector.inspect(again.topic, again.headers, again.value)


@dataclass(slots=True)
class Replay:
    """What a replay did, or (dry) would do."""

    read: int = 0
    replayed: int = 0
    quarantined: int = 0
    failing: int = 0
    """Left where they are, because they would fail again."""
    skipped: int = 0
    """Not asked for, or done by an earlier run of the same replay."""


class Replayer:
    """Sends the dead letters of a topic to their origins.

    A replay has a name: its consumer group, whose offsets are committed with what it sends, in one transaction. Run
    again under the same name it goes on where it stopped; each dead letter is sent once. What it did is written to
    `TOPIC.replays` in the same transaction; a message that was replayed `most` times goes to `TOPIC.quarantine`.

    Args:
        broker: a filling of the port.
        topic: the dead-letter topic.
        name: of this replay.
        inspector: judges whether a message passes now; None sends them regardless.
        query: which.
        most: replays a message gets.
        per_second: messages sent a second, at most; 0 for no limit.
        by: who asks for it, for the audit.
        advance: told how many dead letters were dealt with.

    `done` is what `run` has done so far, also where it raised.
    """

    def __init__(
        self,
        broker: Broker,
        topic: str,
        name: str,
        inspector: Inspector | None,
        *,
        query: Query | None = None,
        most: int = MAX_REPLAYS,
        per_second: float = 0.0,
        by: str = "",
        advance: Callable[[int], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._broker, self._topic, self._name, self._inspector = broker, topic, name, inspector
        self._query, self._most, self._rate, self._by = query or Query(), most, per_second, by
        self._sleep, self._advance = sleep, advance
        self.done = Replay()

    def dry_run(self) -> Replay:
        """What `run` would do to all that is there, apart from what it did before. Writes nothing."""
        outcome = Replay()
        done = self._broker.committed(self._group, self._topic)
        for dead in read_all(self._broker, self._topic):
            outcome.read += 1
            if dead.record.offset < done.get(dead.record.place, 0):
                outcome.skipped += 1
            else:
                self._decide(dead, outcome)
        return outcome

    @property
    def _group(self) -> str:
        return f"deedbox-replay.{self._topic}.{self._name}"

    def run(self, batch: int = 100, seconds: float = 30.0) -> Replay:
        """Sends what is there now.

        Raises:
            DeadLetterRefused, Fenced, BrokerUnavailable: what was counted is sent, and nothing else.
        """
        outcome = self.done = Replay()
        ends = self._broker.ends(self._topic)
        consumer = self._broker.consumer([self._topic], self._group)
        settler = Settler(self._broker, self._group)
        try:
            quiet = time.monotonic()
            while time.monotonic() - quiet < seconds:
                records = [r for r in consumer.poll(batch, 0.5) if r.offset < ends.get(r.place, 0)]
                if not records:
                    if _at_end(consumer, ends):
                        break
                    continue
                quiet = time.monotonic()
                step = Replay(read=len(records))
                sent = [again for record in records for again in self._dealt(record, step)]
                offsets: dict[TopicPartition, int] = {r.place: r.offset + 1 for r in records}
                settler.settle(consumer, offsets, sent)
                for name in ("read", "replayed", "quarantined", "failing", "skipped"):
                    setattr(outcome, name, getattr(outcome, name) + getattr(step, name))
                self._advance(len(records))
                if self._rate and step.replayed:
                    self._sleep(step.replayed / self._rate)
        finally:
            settler.close()
            consumer.close()
        return outcome

    def _dealt(self, record: Record, outcome: Replay) -> list[Record]:
        try:
            dead = dead_letters.read(record)
        except InvalidDeadLetter:
            outcome.skipped += 1
            return []
        action = self._decide(dead, outcome)
        if action == "skip":
            return []
        again = dead_letters.revived(dead)
        if action == "quarantine":
            again = Record(self._topic + QUARANTINE, -1, -1, record.key, record.value, record.headers, record.timestamp)
        note = f"{action} {dead.origin} by {self._by or 'unknown'} replay {self._name} ({self._query})"
        audit = Record(self._topic + AUDIT, -1, -1, dead.fingerprint.encode(), note.encode(), ())
        return [again, audit]

    def _decide(self, dead: DeadLetter, outcome: Replay) -> str:
        if not self._query.matches(dead):
            outcome.skipped += 1
            return "skip"
        if dead.replays >= self._most:
            outcome.quarantined += 1
            return "quarantine"
        if self._inspector is not None and judge_now(dead, self._inspector).status != "valid":
            outcome.failing += 1
            return "skip"
        outcome.replayed += 1
        return "replay"


def _at_end(consumer: Consumer, ends: dict[TopicPartition, int]) -> bool:
    mine = consumer.assignment()
    return all(place in mine and consumer.position(place) >= end for place, end in ends.items())
