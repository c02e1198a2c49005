"""Reading dead letters, asking whether they pass now, and sending them again: each once, however often it is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import orjson
from deedbox.checker import pointers
from deedbox.kafka.errors import (
    DeadLetterRefused,
    Fenced,
    InvalidDeadLetter,
    LiveError,
    MessageTooLarge,
    RegistryAway,
    ReplayOvertaken,
    ReplayRefused,
)
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.dead_letters import DeadLetter
from deedbox.kafka.letters.keeping import Keeping
from deedbox.kafka.letters.replay_log import QUARANTINE, REPLAY, Done, Letter, ReplayLog, identity
from deedbox.kafka.lookup import Channel
from deedbox.kafka.messages import Record
from deedbox.kafka.reading import stretches, whole
from deedbox.kafka.settling import Settler

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.inspection import Inspection
    from deedbox.kafka.lookup import Lookup

QUARANTINED = ".quarantine"
MAX_REPLAYS = 3
MOST_EXAMPLES = 10
_SENDABLE = ("valid", "tombstone")


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


def read_all(broker: Broker, topic: str, seconds: float = 30.0, *, unplaced: bool = False) -> Iterator[DeadLetter]:
    """The dead letters of a topic as it stands now, each origin's once.

    Args:
        broker: a filling of the port.
        topic: the dead-letter topic.
        seconds: how long the broker may say nothing before this gives up.
        unplaced: also records that do not say where they came from; see `dead_letters.unplaced`.

    Raises:
        BrokerUnavailable: it said nothing for so long, before the end.
    """
    seen: set[Letter] = set()
    for stretch in stretches(broker, topic, whole(broker.ends(topic)), seconds=seconds):
        for record in stretch.records:
            try:
                dead = dead_letters.read(record)
            except InvalidDeadLetter:
                if unplaced:
                    yield dead_letters.unplaced(record)
                continue
            if identity(dead) not in seen:
                seen.add(identity(dead))
                yield dead


def grouped(letters: Iterable[DeadLetter]) -> list[Group]:
    """Dead letters by fingerprint, the most frequent first."""
    groups: dict[str, Group] = {}
    for dead in letters:
        _count(groups, dead)
    return _sorted(groups)


def _sorted(groups: Mapping[str, Group]) -> list[Group]:
    return sorted(groups.values(), key=lambda g: (-g.count, g.fingerprint))


def _count(groups: dict[str, Group], dead: DeadLetter) -> Group:
    group = groups.get(dead.fingerprint)
    if group is None:
        group = Group(dead.fingerprint, dead.rule, dead.pointer, dead.contract, dead.reason)
        groups[dead.fingerprint] = group
    group.count += 1
    if dead.version:
        group.versions.add(dead.version)
    if dead.origin.topic:
        group.topics.add(dead.origin.topic)
    at = dead.origin.timestamp
    group.first = at if group.first < 0 else min(group.first, at)
    group.last = max(group.last, at)
    return group


def diagnose(letters: Iterable[DeadLetter], inspector: Inspector) -> list[Group]:
    """As `grouped`, and how many of each would pass now, as which version."""
    groups: dict[str, Group] = {}
    for dead in letters:  # each looked at once, and not kept: there may be millions
        group = _count(groups, dead)
        if not dead.origin.topic:
            continue
        found = judge_now(dead, inspector)
        if found.status in _SENDABLE:
            group.passing += 1
            if found.version is not None:
                group.passes_as.add(str(found.version))
    return _sorted(groups)


def judge_of(lookup: Lookup) -> Inspector:
    """Judges as a guard would: what it would put aside again does not pass."""
    return Inspector(lookup, closed=True)


def judge_now(dead: DeadLetter, inspector: Inspector) -> Inspection:
    """What a dead letter would be judged as, sent to its origin now.

    Raises:
        RegistryAway: it cannot be judged without the registry.
    """
    again = dead_letters.revived(dead)
    found = inspector.inspect(again.topic, again.headers, again.value)
    if found.status == "unjudged" and inspector.lookup.is_away:
        raise RegistryAway(f"the registry did not say what {dead.record.where} is: whether it passes now is not known")
    return found


class Obstacle(NamedTuple):
    """Why a dead letter cannot be sent: in short, and as people read it, which may quote the message."""

    short: str
    reason: str


class Example(NamedTuple):
    """A dead letter that would fail again: its place on the dead-letter topic, and why."""

    partition: int
    offset: int
    obstacle: Obstacle


@dataclass(slots=True)
class Replay:
    """What a replay did, or (dry) would do."""

    read: int = 0
    replayed: int = 0
    quarantined: int = 0
    failing: int = 0
    """Left where they are, because they would fail again."""
    skipped: int = 0
    """Not asked for, or done before."""
    replayed_before: int = 0
    quarantined_before: int = 0
    """Of the skipped: done by earlier runs of the same name."""
    examples: list[Example] = field(default_factory=list)
    """Of the failing, the first few."""
    ends: dict[int, int] = field(default_factory=dict)
    """By partition the offset up to which dead letters were looked at."""

    def add(self, step: Replay) -> None:
        """Adds what was done in one step."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(step, name))
        self.examples += step.examples[: MOST_EXAMPLES - len(self.examples)]


_COUNTS = ("read", "replayed", "quarantined", "failing", "skipped", "replayed_before", "quarantined_before")


class _Sending(NamedTuple):
    """A letter that is to be sent: as what it is counted, and what is written for it."""

    letter: Record
    action: Literal["replayed", "quarantined"]
    written: list[Record]


@dataclass(slots=True)
class _Pass:
    """One pass over the dead letters: what was done before it, and what it met."""

    done: Done
    seen: set[Letter] = field(default_factory=set)
    partitions: dict[str, frozenset[int]] = field(default_factory=dict)
    """Of the topics that letters came from."""


class Replayer:
    """Sends the dead letters of a topic to their origins.

    What it did is written to `TOPIC.replays`, in the transaction that does it, and read back at the start: a letter that
    was sent is left out, wherever the run that sent it was cut off. Of two at once about one topic the first is fenced.
    A message that was replayed `most` times goes to `TOPIC.quarantine`.

    Args:
        broker: a filling of the port.
        topic: the dead-letter topic.
        name: of this replay.
        inspector: judges whether a message passes now; None sends them regardless.
        query: which.
        most: replays a message gets.
        per_second: messages sent a second, at most; 0 for no limit.
        by: who asks for it, for the log.
        again: also sends what was sent under other names.
        ends: by partition the offsets up to which letters are looked at, at most; None for all that there are.
        advance: told after each step how many dead letters were dealt with; what it raises ends the run behind it.

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
        again: bool = False,
        ends: Mapping[int, int] | None = None,
        advance: Callable[[int], None] = lambda _: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._broker, self._topic, self._inspector = broker, topic, inspector
        self._query, self._most, self._rate = query or Query(), most, per_second
        self._again, self._ends, self._sleep, self._advance = again, ends, sleep, advance
        about = f"by {by or 'unknown'} replay {name} ({self._query})"
        self._log = ReplayLog(broker, topic, name, about, self._query.fingerprint)
        self._keeping = Keeping(broker)
        # One for all that send letters of a topic: a second one would not see what the first is about to write.
        self._id = f"deedbox-replay.{topic}"
        self.done = Replay()

    def dry_run(self, batch: int = 500) -> Replay:
        """What `run` would do to all that is there, apart from what was done before. Writes nothing.

        Raises:
            BrokerUnavailable, RegistryAway: it cannot be told now.
        """
        outcome, met = Replay(), _Pass(self._log.read())
        for step, _ in self._steps(met, outcome, batch):
            outcome.add(step)
            self._advance(step.read)
        return outcome

    def run(self, batch: int = 100) -> Replay:
        """Sends what is there now.

        Raises:
            ReplayRefused, ReplayOvertaken, BrokerUnavailable, RegistryAway: what was counted is sent, and nothing else.
        """
        outcome = self.done = Replay()
        settler = Settler(self._broker, self._id)
        if self._rate:
            batch = max(1, min(batch, int(self._rate)))  # so that no pause is much longer than a second
        try:
            met = _Pass(self._log.begin(settler))
            for step, written in self._steps(met, outcome, batch):
                self._send(settler, step, written, outcome)
                if self._rate and step.replayed:
                    self._sleep(step.replayed / self._rate)
                self._advance(step.read)
        except DeadLetterRefused as error:
            raise ReplayRefused(self._topic, str(error.__cause__ or error)) from error
        except Fenced as error:
            raise ReplayOvertaken(self._topic) from error
        finally:
            settler.close()
        return outcome

    def so_far(self) -> Replay:
        """`done`, with all that was sent under this name, also where the last run was cut off before it met that."""
        done = self.done
        try:
            actions = list(self._log.read().here.values())
        except LiveError:
            return done
        replayed = max(actions.count(REPLAY) - done.replayed, done.replayed_before)
        quarantined = max(actions.count(QUARANTINE) - done.quarantined, done.quarantined_before)
        skipped = done.skipped + replayed - done.replayed_before + quarantined - done.quarantined_before
        return replace(done, replayed_before=replayed, quarantined_before=quarantined, skipped=skipped)

    def _send(self, settler: Settler, step: Replay, sendings: list[_Sending], outcome: Replay) -> None:
        """Writes what a step wants written, in one transaction; each letter in one of its own where one is too large."""
        if step.quarantined:
            self._keeping.see_to([self._topic + QUARANTINED])
        try:
            settler.write([record for sending in sendings for record in sending.written])
        except DeadLetterRefused as error:
            if not isinstance(error.__cause__, MessageTooLarge):
                raise
            for sending in sendings:
                setattr(step, sending.action, getattr(step, sending.action) - 1)
            outcome.add(step)
            for sending in sendings:
                outcome.add(self._send_alone(settler, sending))
        else:
            outcome.add(step)

    def _send_alone(self, settler: Settler, sending: _Sending) -> Replay:
        done = Replay()
        try:
            settler.write(sending.written)
        except DeadLetterRefused as error:
            if not isinstance(error.__cause__, MessageTooLarge):
                raise
            to = sending.written[0].topic
            _fail(
                sending.letter, Obstacle(f"larger than {to} takes", f"{to} does not take it: {error.__cause__}"), done
            )
        else:
            setattr(done, sending.action, 1)
        return done

    def _steps(self, met: _Pass, outcome: Replay, batch: int) -> Iterator[tuple[Replay, list[_Sending]]]:
        """In turns, what becomes of some dead letters, and what is to be written for it."""
        ranges = whole(self._broker.ends(self._topic))
        if self._ends is not None:  # a partition that is not named has come since
            ranges = {n: (start, min(end, self._ends.get(n, 0))) for n, (start, end) in ranges.items()}
        outcome.ends = {n: end for n, (_, end) in ranges.items()}
        for stretch in stretches(self._broker, self._topic, ranges, most=batch):
            step = Replay(read=len(stretch.records))
            dealt = [self._deal(record, met, step) for record in stretch.records]
            yield step, [sending for sending in dealt if sending is not None]

    def _deal(self, record: Record, met: _Pass, step: Replay) -> _Sending | None:
        """Counts what becomes of one record of the topic, and gives what is to be written for it."""
        try:
            dead = dead_letters.read(record)
        except InvalidDeadLetter as error:
            if self._query.fingerprint == dead_letters.NO_ORIGIN:
                _fail(record, Obstacle("it does not say where it came from", str(error)), step)
            else:
                step.skipped += 1
            return None
        letter = identity(dead)
        if not self._query.matches(dead) or letter in met.seen:
            step.skipped += 1
            return None
        met.seen.add(letter)
        if self._was_done(letter, met.done, step):
            step.skipped += 1
            return None
        if dead.replays >= self._most:
            step.quarantined += 1
            to = self._topic + QUARANTINED
            aside = Record(to, -1, -1, record.key, record.value, record.headers, record.timestamp)
            return _Sending(record, "quarantined", [aside, self._log.note(QUARANTINE, dead)])
        obstacle = self._obstacle(dead, met)
        if obstacle is not None:
            _fail(record, obstacle, step)
            return None
        step.replayed += 1
        return _Sending(record, "replayed", [dead_letters.revived(dead), self._log.note(REPLAY, dead)])

    def _was_done(self, letter: Letter, done: Done, step: Replay) -> bool:
        action = done.here.get(letter)
        step.replayed_before += action == REPLAY
        step.quarantined_before += action == QUARANTINE
        return action is not None or (not self._again and letter in done.elsewhere)

    def _obstacle(self, dead: DeadLetter, met: _Pass) -> Obstacle | None:
        """Why a letter cannot be sent now; None where it can."""
        topic, partition = dead.origin.topic, dead.origin.partition
        if topic not in met.partitions:
            met.partitions[topic] = frozenset(place.partition for place in self._broker.ends(topic))
        if partition not in met.partitions[topic]:
            gone = f"partition {partition} of {topic}" if met.partitions[topic] else f"topic {topic}"
            said = f"it came from {gone}, which is no more"
            return Obstacle(said, said)
        if self._inspector is None:
            return None
        found = judge_now(dead, self._inspector)
        if found.status in _SENDABLE:
            return None
        invalid = found.invalid(None)
        return Obstacle(f"{invalid.rule} at {invalid.pointer or 'the root'}", str(invalid))


def _fail(record: Record, obstacle: Obstacle, step: Replay) -> None:
    step.failing += 1
    if len(step.examples) < MOST_EXAMPLES:
        step.examples.append(Example(record.partition, record.offset, obstacle))
