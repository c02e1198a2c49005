"""The conditions of a claim: each one stands here once, with why it is needed and what meets it.

`docs/drain.md` lists them from this table, and a test deletes each in turn: a wrong claim must come of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeAlias

from deedbox.checker.drain.evidence import NO_EPOCH
from deedbox.checker.drain.view import Place, View

Goal: TypeAlias = Literal["consumed", "gone"]
BOTH: tuple[Goal, ...] = ("consumed", "gone")


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a condition does not hold. `waits`: time alone may mend it. `offset` is where it stands, `needed` where it
    must come to."""

    message: str
    waits: bool = False
    topic: str = ""
    partition: int | None = None
    group: str = ""
    offset: int | None = None
    needed: int | None = None
    blocks: tuple[Goal, ...] | None = None
    """What it withholds here, where that is less than the condition's own."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: what must hold for which claims, why the claim would be wrong without it, and what meets it."""

    id: str
    sentence: str
    why: str
    unblocks: str
    blocks: tuple[Goal, ...]
    check: Callable[[View], Iterator[Hit]]


def _producers_retired(view: View) -> Iterator[Hit]:
    for producer in view.evidence.producers:
        if producer.retired_at is None:
            yield Hit(f"{producer.contract} {producer.version} declares the field and is not retired", waits=True)


def _grace(view: View) -> Iterator[Hit]:
    since = view.silent_since
    if since is not None and view.evidence.ends_at < since:
        seconds = -(-(since - view.evidence.ends_at) // 1000)
        yield Hit(f"the last version was retired less than the grace period ago: {seconds} s more", waits=True)


def _quiet(view: View) -> Iterator[Hit]:
    # One window for all partitions: a writer may go from one to another.
    grace, times = view.evidence.policy.grace_ms, view.common_times
    highs = [(place, {end.at: view.limit(end) for end in place.ends}) for place in view.main]
    last = next((at for at in reversed(times) if all(high[at] <= place.top for place, high in highs)), None)
    done = {end.at: end.done for place in view.main[:1] for end in place.ends}
    first = next((at for at in reversed(times) if last is not None and done[at] <= last - grace), None)
    if first is None:
        yield Hit("no two readings, a grace period apart, were both observed up to their ends", waits=True)
        return
    for place, high in highs:
        if high[first] < place.cutoff:
            message = "in the last grace period that was observed, the field was seen, or not everything was looked at"
            yield _at(place, message, waits=True, offset=high[first], needed=place.cutoff)


def _no_gap(view: View) -> Iterator[Hit]:
    for place in view.places:
        if not place.looked_at and place.now.log_start < place.now.high:
            yield _at(place, f"nobody has looked at its records {place.now.log_start} to {place.now.high}")


def _observed_to_end(view: View) -> Iterator[Hit]:
    for place in view.places:
        end = view.settled(place)
        if end is None and view.silent_since is not None and view.silent_since <= view.evidence.ends_at:
            yield _at(place, "its end was not read since the last writer stopped", waits=True)
        elif end is not None and place.top < end.stable:
            yield _at(place, "its end is not observed yet", waits=True, offset=place.top, needed=end.stable)


def _transactions(view: View) -> Iterator[Hit]:
    for place in view.places:
        end = view.settled(place)
        if place.now.stable < min(place.cutoff, place.now.high):
            yield _at(place, "a transaction is open below the cut-off", offset=place.now.stable, needed=place.cutoff)
        elif end is not None and end.stable < end.high and place.top < end.high:
            yield _at(place, "a transaction was open at its end", offset=end.stable, needed=end.high)


def _topic_unchanged(view: View) -> Iterator[Hit]:
    numbers: dict[str, set[int]] = {name: set() for name in view.topics}
    for partition in view.evidence.partitions:
        numbers.setdefault(partition.topic, set()).add(partition.number)
    for topic in view.topics.values():
        if not topic.exists:
            if not topic.copy:
                yield Hit(f"there is no topic {topic.name} on this cluster", topic=topic.name)
        elif topic.first_id != topic.id:
            yield Hit(f"{topic.name} was deleted and made anew while it was read", True, topic.name)
        elif topic.first_partitions != topic.partitions or numbers[topic.name] != set(range(topic.partitions)):
            known = len(numbers[topic.name])
            yield Hit(f"{topic.name} has {topic.partitions} partitions now; {known} were read", True, topic.name)


def _same_topic(view: View) -> Iterator[Hit]:
    for topic in view.topics.values():
        if topic.exists and not topic.id:
            yield Hit(f"this client does not tell the id of {topic.name}", topic=topic.name)


def _log_unmoved(view: View) -> Iterator[Hit]:
    for place in view.places:
        if place.now.epoch == NO_EPOCH:
            yield _at(place, "this client does not tell the leader epoch")
            continue
        starts = [e.log_start for e in place.ends]
        highs = [e.high for e in place.ends]
        for name, values in (("start", starts), ("end", highs)):
            if any(before > after for before, after in pairwise(values)):
                yield _at(place, f"the {name} of its log went back")


def _consumers_known(view: View) -> Iterator[Hit]:
    visible = {group.name for group in view.evidence.groups}
    for consumer in view.evidence.consumers:
        if view.waived(consumer.contract):
            continue
        if not consumer.groups:
            yield Hit(f"{consumer.contract} names no consumer group")
        for group in consumer.groups:
            if group not in visible and not view.waived(group):
                yield Hit(f"{consumer.contract} reads as {group}, which has no offsets on the broker", group=group)


def _groups_readable(view: View) -> Iterator[Hit]:
    for group in view.groups:
        if group.trouble:
            yield Hit(f"group {group.name} ({group.kind}, {group.state}): {group.trouble}", group=group.name)


def _committed_known(view: View) -> Iterator[Hit]:
    for group in view.groups:
        places = [] if group.trouble else [place for place, offset in view.lags(group) if offset is None]
        for worst, count in _worst(places):
            yield Hit(
                f"group {group.name} has no offset in {worst.name}{_more(count)}, though records are there that may "
                "carry the field",
                False, worst.partition.topic, worst.partition.number, group.name, None, worst.cutoff,
            )  # fmt: skip


def _offsets_past(view: View) -> Iterator[Hit]:
    for group in view.groups:
        if group.trouble:
            continue
        behind = {place.key: (place, offset) for place, offset in view.lags(group) if offset is not None}
        for worst, count in _worst([place for place, _ in behind.values()]):
            offset = behind[worst.key][1]
            idle = group.members == 0
            yield Hit(
                f"group {group.name}{' has no members and' if idle else ''} stands at {offset} in {worst.name}"
                f"{_more(count)}; the field may be in what is below {worst.cutoff}",
                not idle, worst.partition.topic, worst.partition.number, group.name, offset, worst.cutoff,
            )  # fmt: skip


def _offsets_within_log(view: View) -> Iterator[Hit]:
    for group in view.groups:
        for place, committed in view.beyond(group):
            yield _at(
                place, f"group {group.name} stands at {committed.offset}, behind the log's end: it will begin anew",
                group=group.name, offset=committed.offset, needed=place.now.high,
            )  # fmt: skip


def _compaction(view: View) -> Iterator[Hit]:
    for topic in view.topics.values():
        if topic.compacted and not topic.copy:
            message = f"{topic.name} is compacted: who reads it anew at each start goes by no offset"
            yield Hit(message, topic=topic.name, blocks=("consumed",))
    until = view.evidence.ends_at - view.evidence.policy.grace_ms
    for place in view.places:
        if place.topic.compacted and place.now.log_start < place.now.high:
            goals = BOTH if place.topic.copy else ("gone",)
            if place.rescanned is None:
                yield _at(place, "it is compacted, and no look at all of it was without the field", blocks=goals)
            elif place.rescanned > until:
                yield _at(place, "it is compacted, and was looked at less than a grace period ago", True, blocks=goals)


def _copies(view: View) -> Iterator[Hit]:
    known = {topic.name for topic in view.topics.values()}
    for name in view.evidence.policy.copies:
        if name not in known:
            yield Hit(f"the copy {name} was not read", topic=name)
    for worst, count in _worst([place for place in view.copies if place.now.log_start < place.cutoff]):
        yield _at(worst, f"a copy may still hold the field{_more(count)}", needed=worst.cutoff, waits=True)


def _log_start_past(view: View) -> Iterator[Hit]:
    places = [place for place in view.main if place.now.log_start < place.cutoff]
    for worst, count in _worst(places):
        yield _at(
            worst, f"its log begins at {worst.now.log_start}{_more(count)}; the field may be in what is below {worst.cutoff}",
            waits=True, offset=worst.now.log_start, needed=worst.cutoff,
        )  # fmt: skip


def _settled_start(view: View) -> Iterator[Hit]:
    for place in view.places:
        if place.now.log_start >= place.cutoff and not view.is_gone(place):
            goals = BOTH if place.topic.copy else ("gone",)
            yield _at(place, "its log start passed the field less than a grace period ago", True, blocks=goals)


def _at(
    place: Place,
    message: str,
    waits: bool = False,
    *,
    group: str = "",
    offset: int | None = None,
    needed: int | None = None,
    blocks: tuple[Goal, ...] | None = None,
) -> Hit:
    return Hit(
        f"{place.name}: {message}", waits, place.partition.topic, place.partition.number, group,
        place.now.log_start if offset is None else offset, needed, blocks,
    )  # fmt: skip


def _worst(places: Iterable[Place]) -> Iterator[tuple[Place, int]]:
    """Of each topic the partition with the most in the way, and how many there are."""
    by_topic: dict[str, list[Place]] = {}
    for place in places:
        by_topic.setdefault(place.partition.topic, []).append(place)
    for found in by_topic.values():
        yield max(found, key=lambda p: (p.cutoff - p.now.log_start, -p.partition.number)), len(found)


def _more(count: int) -> str:
    return f" (and {count - 1} more partitions behind)" if count > 1 else ""


CONDITIONS: tuple[Condition, ...] = (
    Condition(
        "producers-retired",
        "Every published `produces` version that declares the field is retired.",
        "A version that is not retired may be written at any time, by design: the next message with the field may come "
        "a moment after the claim.",
        "retire the version (on its page, or by `POST …/versions/{version}/retirement`) once its producer runs a version without "
        "the field",
        BOTH,
        _producers_retired,
    ),
    Condition(
        "grace",
        "The ends of the logs were read at least a grace period after the last retirement.",
        "Serializers refuse a retired version only once they have heard of it, and a client sends what it has buffered: "
        "an end read before that has messages with the field behind it.",
        "wait, and read again",
        BOTH,
        _grace,
    ),
    Condition(
        "quiet",
        "Between two readings of the ends, a grace period apart, every record was observed and none carried the field.",
        "A writer that does not go through the serializers retires nothing. It is only found by its messages: one that "
        "is still at it is taken to write at least once in a grace period. Timestamps of messages do not count, since "
        "their clocks may be wrong.",
        "find the producer that still sends it; otherwise wait a grace period, with the guard running, and read again",
        BOTH,
        _quiet,
    ),
    Condition(
        "no-gap",
        "What was not observed without a gap up to the end counts as carrying the field.",
        "A record nobody looked at may carry it: the last one *seen* says nothing about those in the gap.",
        "run `deedbox drain scan`, or wait until the gap, too, has passed",
        BOTH,
        _no_gap,
    ),
    Condition(
        "observed-to-end",
        "Each partition was observed up to an end that was read after the last writer had stopped.",
        "Behind the last observed record others may stand that were written while the field still was.",
        "let the guard catch up, or run `deedbox drain scan`",
        BOTH,
        _observed_to_end,
    ),
    Condition(
        "transactions",
        "No transaction is open below the cut-off, nor was at the end that was observed (LSO = high watermark).",
        "Who reads committed messages has not seen those of an open transaction. Once it ends, consumers get them.",
        "wait for it to end; a hanging one is found and aborted with Kafka's `kafka-transactions.sh find-hanging`",
        BOTH,
        _transactions,
    ),
    Condition(
        "topic-unchanged",
        "Id and number of partitions of every topic are the same before and after everything else was read.",
        "A partition that came in the middle was not looked at, and may hold the field already.",
        "read again",
        BOTH,
        _topic_unchanged,
    ),
    Condition(
        "same-topic",
        "Observations and readings count only for the topic with the id they were made of.",
        "A topic that was deleted and made anew begins at offset 0 again: what was observed of the old one is about "
        "other records.",
        "use a client that tells topic ids (confluent-kafka), and run `deedbox drain scan`",
        BOTH,
        _same_topic,
    ),
    Condition(
        "log-unmoved",
        "Observations and readings count only under the leader epoch they were made in; neither end of a log went back.",
        "A leader that was elected uncleanly has cut the log off and writes other records at offsets that were observed.",
        "run `deedbox drain scan` under the new leader",
        BOTH,
        _log_unmoved,
    ),
    Condition(
        "consumers-known",
        "Every registered consumer of the channels has its groups on the broker, or is waived in writing.",
        "A consumer whose group never committed, or has expired, begins where its own settings say: at the log's start, "
        "perhaps.",
        "name its groups (`groups` in deedbox.toml), let it read and commit once, or waive it in writing",
        BOTH,
        _consumers_known,
    ),
    Condition(
        "groups-readable",
        "Kind, members and offsets of every group could be read.",
        "A client that does not know a kind of group shows it as dead, and none of its offsets: what it has yet to read "
        "is not known.",
        "read with confluent-kafka, which knows groups of KIP-848; waive a share group in writing once it is empty",
        BOTH,
        _groups_readable,
    ),
    Condition(
        "committed-known",
        "A group has an offset in every partition that may hold the field.",
        "Without one it begins where its own settings say.",
        "let it read and commit, or waive it in writing",
        ("consumed",),
        _committed_known,
    ),
    Condition(
        "offsets-past",
        "Every group's committed offset is past the cut-off in every partition, also of a group without members.",
        "It goes on from there, whenever it comes back.",
        "let it read on; delete a group that nobody needs, or waive it in writing",
        ("consumed",),
        _offsets_past,
    ),
    Condition(
        "offsets-within-log",
        "No committed offset is behind the end of its log.",
        "A group that stands where no log is any more is sent back, to the log's start, perhaps.",
        "let it read and commit, or reset its offsets",
        ("consumed",),
        _offsets_within_log,
    ),
    Condition(
        "compaction",
        "A compacted topic is proved by no offset and by no retention: only by a look at all of it that found the field "
        "nowhere, a grace period ago.",
        "It is read as a table: from its start, at every start, whatever was committed. A key's last record stays for "
        "ever, and each replica compacts for itself: what the leader no longer has, its successor may.",
        "write its keys anew without the field, wait for compaction, and run `deedbox drain scan`",
        BOTH,
        _compaction,
    ),
    Condition(
        "copies",
        "No dead-letter, retry or mirror topic holds the field any more.",
        "A copy comes back: a dead letter that is replayed is a new message with the old field.",
        "replay or delete them, and wait for their retention; or take the topic off the policy's list",
        BOTH,
        _copies,
    ),
    Condition(
        "log-start-past",
        "The start of every partition's log is past the cut-off.",
        "While the log holds a record, a new or rewound consumer gets it.",
        "wait for the topic's retention",
        ("gone",),
        _log_start_past,
    ),
    Condition(
        "settled-start",
        "The start of the log was past the cut-off a grace period ago already.",
        "A consumer may have fetched a record before it went, and handle it after; and a replica that becomes leader "
        "may not have deleted it yet.",
        "wait, and read again",
        ("gone",),
        _settled_start,
    ),
)  # fmt: skip
