"""A proposed schema against the messages that really travel: how many would fail, which, and what they carry undeclared.

The proposal is judged beside the version that is published, so that what fails already is told from what would begin to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.obsolete import ITEMS
from deedbox.checker.pointers import join
from deedbox.kafka.judging.obsolete import carries, decoded, related
from deedbox.kafka.judging.validation import NOT_JUDGED, UNDECLARED, Fault
from deedbox.kafka.reading import stretches

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Schema
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.inspection import Inspection, Inspector
    from deedbox.kafka.judging.validation import CompiledSchema
    from deedbox.kafka.messages import Record

_SAMPLES = 3
_MOST_KINDS = 1_000
_MOST_PLACES = 10_000


@dataclass(slots=True)
class Kind:
    """Messages that fail in one way; a few of them."""

    fault: Fault
    count: int = 0
    new: int = 0
    """How many of them pass by the published version."""
    samples: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Trial:
    """What a proposal would do to the messages of some topics."""

    topics: tuple[str, ...]
    missing: tuple[str, ...] = ()
    """Those that are not there."""
    read: int = 0
    """Messages looked at, of all contracts."""
    judged: int = 0
    """Messages of this contract, which the counts below are about."""
    failing: int = 0
    newly: int = 0
    """Of the failing ones: those that pass by the published version. All of them where there is none."""
    unreadable: int = 0
    """Messages that are no JSON, or could not be judged; no part of `failing`."""
    undeclared: dict[str, int] = field(default_factory=dict)
    """By pointer of a property that the proposal declares and the published version does not: messages with it."""
    kinds: dict[str, Kind] = field(default_factory=dict)

    @property
    def worst(self) -> list[Kind]:
        """Kinds of failures, the most frequent first."""
        return sorted(self.kinds.values(), key=lambda kind: (-kind.count, kind.fault.pointer, kind.fault.rule))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A contract as somebody would like to publish it.

    Args:
        contract: `service/name`.
        of: the other side, where it is named.
        schema: of the proposal.
        published: of the version to compare with; None where there is none.
        closes: members that the proposal does not declare make a message fail, as for a writer's promise.
    """

    contract: str
    of: str | None
    schema: CompiledSchema
    published: CompiledSchema | None = None
    closes: bool = False

    def fault(self, value: Any) -> Fault | None:
        """What is wrong with a message by the proposal."""
        fault = None if self.schema.is_valid(value) else self.schema.fault(value)
        if fault is None and self.closes:
            pointer = self.schema.closed.refusal(value)
            if pointer is not None:
                return Fault(UNDECLARED, pointer, f"{pointer.rpartition('/')[2]!r} is not declared")
        return fault

    def passes_today(self, value: Any) -> bool:
        """Whether the published version lets a message pass."""
        if self.published is None:
            return True
        return self.published.is_valid(value) and not (self.closes and self.published.closed.refusal(value) is not None)


def attempt(
    broker: Broker,
    inspector: Inspector,
    proposal: Proposal,
    topics: Sequence[str],
    last: int,
    advance: Callable[[int], None] = lambda _: None,
) -> Trial:
    """Judges the last messages of topics by a proposal. Reads in no group and writes nothing.

    Args:
        broker: a filling of the port.
        inspector: says what messages were written as.
        proposal: what to judge by.
        topics: where.
        last: how many messages of each topic, shared among its partitions.
        advance: told how many messages were read.

    Raises:
        BrokerUnavailable: it said nothing before the end.
    """
    there = broker.describe(topics)
    trial = Trial(tuple(topics), tuple(topic for topic in topics if topic not in there))
    old = proposal.published.schema if proposal.published is not None else None
    new = newly_declared(old, proposal.schema.schema) if old is not None else ()
    tests = [(pointer, carries(pointer)) for pointer in new]
    trial.undeclared = dict.fromkeys(new, 0)
    for topic in topics:
        for records in last_records(broker, topic, last):
            for record, found in zip(records, inspector.inspect_all(records), strict=True):
                _judge(trial, proposal, tests, record, found)
            advance(len(records))
    return trial


def _judge(
    trial: Trial,
    proposal: Proposal,
    tests: Sequence[tuple[str, Callable[[Any], bool]]],
    record: Record,
    found: Inspection,
) -> None:
    trial.read += 1
    if found.status == "tombstone" or not _concerns(proposal, found):
        return
    trial.judged += 1
    try:
        value = decoded(record, found)
    except ValueError:
        trial.unreadable += 1
        return
    for pointer, test in tests:
        if test(value):
            trial.undeclared[pointer] += 1
    fault = proposal.fault(value)
    if fault is None:
        return
    if fault.rule == NOT_JUDGED:
        trial.unreadable += 1
        return
    new = proposal.passes_today(value)
    trial.failing += 1
    trial.newly += new
    key = fault.fingerprint(proposal.contract)
    kind = trial.kinds.get(key)
    if kind is None:
        if len(trial.kinds) >= _MOST_KINDS:
            return
        kind = trial.kinds[key] = Kind(fault)
    kind.count += 1
    kind.new += new
    if len(kind.samples) < _SAMPLES:
        kind.samples.append(record)


def _concerns(proposal: Proposal, found: Inspection) -> bool:
    """Whether a message is one of the contract's: written as it, or as the other end of a link, or nobody knows as what."""
    if found.version is not None:
        return related(proposal.contract, proposal.of, found.version.contract, found.version.of)
    name = found.contract_name
    return not name or related(proposal.contract, proposal.of, name, None)


def last_records(broker: Broker, topic: str, count: int, seconds: float = 30.0) -> Iterator[list[Record]]:
    """The last records of a topic as it stands now, in batches; at most `count`, shared among its partitions.

    Offsets are no count of them: what was compacted away and the markers of transactions have some too. So where fewer
    were found than were to be, it goes further back.

    Raises:
        BrokerUnavailable: nothing came for so long, before the end.
    """
    facts = broker.describe([topic]).get(topic)
    if facts is None:
        return
    starts = shared({n: (facts.starts[n], end) for n, end in facts.ends.items()}, count)
    ranges = {n: (start, facts.ends[n]) for n, start in starts.items()}
    missing = {n: end - start for n, (start, end) in ranges.items()}
    for stretch in stretches(broker, topic, ranges, seconds=seconds):
        if stretch.records:
            for record in stretch.records:
                missing[record.partition] -= 1
            yield stretch.records
    while ranges := _further_back(ranges, missing, facts.starts):
        newest: dict[int, deque[Record]] = {n: deque(maxlen=missing[n]) for n in ranges}
        for stretch in stretches(broker, topic, ranges, seconds=seconds):
            for record in stretch.records:
                newest[record.partition].append(record)
        for n, records in newest.items():
            missing[n] -= len(records)
            if records:
                yield list(records)


def _further_back(
    ranges: Mapping[int, tuple[int, int]], missing: Mapping[int, int], first: Mapping[int, int]
) -> dict[int, tuple[int, int]]:
    """What to read next of the partitions that gave too little: twice as much as before, in front of it."""
    return {
        n: (max(first[n], start - 2 * max(end - start, missing[n])), start)
        for n, (start, end) in ranges.items()
        if missing[n] > 0 and start > first[n]
    }


def shared(logs: Mapping[int, tuple[int, int]], count: int) -> dict[int, int]:
    """Where to begin in each partition, so that as many are read of each; what a short one has not, others give.

    Args:
        logs: first offset and end of each partition.
        count: of all together.
    """
    starts: dict[int, int] = {}
    rest, left = count, len(logs)
    for n, (start, end) in sorted(logs.items(), key=lambda item: item[1][1] - item[1][0]):
        take = min(end - start, -(-rest // left))
        starts[n] = end - take
        rest, left = rest - take, left - 1
    return starts


def newly_declared(old: Schema, new: Schema) -> tuple[str, ...]:
    """Properties that one schema names and the other does not, as pointers into a message with `*` for items, sorted.

    A place that the old schema leaves open is passed over: there nothing was undeclared. Recursive places are walked once.
    """
    found: set[str] = set()
    seen: set[Any] = set()
    pending = [("", Location([old.node]), Location([new.node]))]
    while pending and len(seen) < _MOST_PLACES:
        pointer, before, after = pending.pop()
        key = (before.nodes, after.nodes)
        if key in seen or not before.nodes or not after.nodes:
            continue
        seen.add(key)
        if not before.free_form:
            for name in after.names - {ITEMS}:
                if before.declares(name):
                    pending.append((join(pointer, name), before.member(name), after.member(name)))
                else:
                    found.add(join(pointer, name))
        for i in range(max(before.item_boundary, after.item_boundary) + 1):
            pending.append((f"{pointer}/{ITEMS}", before.item(i), after.item(i)))
    return tuple(sorted(found))
