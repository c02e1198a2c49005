"""What a guard has seen: offsets without a gap, counts, and the last place of each obsolete field. Knows no client.

A *stretch* is one partition read on and on since some offset. It breaks where that cannot be said any more: another
member read in between, the topic was made anew, an offset or a leader epoch went back, or other fields are looked for.
What a batch adds is written down before its offsets are committed, and counts once they are: so no message is counted
twice or left out when the process dies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from deedbox.kafka.counting import Cell, Counts
from deedbox.kafka.guard.stretches import Mark, Part, Stretch, unknown
from deedbox.kafka.judging.obsolete import Watch, decoded
from deedbox.kafka.messages import TopicPartition

if TYPE_CHECKING:
    from deedbox.kafka.broker import TopicFacts
    from deedbox.kafka.guard.spool import Spool
    from deedbox.kafka.inspection import Inspection
    from deedbox.kafka.messages import Record

_TOPICS_A_REPORT = 100
_LIMITS = {"contract": 201, "version": 200, "rule": 100, "pointer": 500}
"""What the registry takes; claims of messages may be of any length."""
_NOTHING = Watch(())


@dataclass(slots=True)
class Batch:
    """What one batch adds. `number` is its line in the journal."""

    parts: dict[TopicPartition, Part]
    counts: Counts
    number: int = -1


class Observer:
    """Gathers what one guard sees, and makes reports of it.

    Args:
        spool: where it is kept until the registry has it.
        guard: how reports name it.
        watch: gives what is looked for on a topic; None while that cannot be said.
    """

    def __init__(
        self,
        spool: Spool,
        guard: str,
        watch: Callable[[str], Watch | None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._spool, self._guard, self._ask_watch, self._now = spool, guard, watch, now
        self._tool = f"deedbox {version('deedbox')}"
        self._stretches: dict[TopicPartition, Stretch] = {}
        self._facts: dict[str, TopicFacts] = {}
        self._watches: dict[str, Watch] = {}
        self._journaled: set[str] = set()
        """Topics whose id and watched fields stand in the journal."""
        self._counts = Counts()
        self._told_groups: dict[str, frozenset[str]] = {}
        self._since = now()

    def assign(
        self, places: Iterable[TopicPartition], committed: Mapping[TopicPartition, int], facts: Mapping[str, TopicFacts]
    ) -> None:
        """Takes up the partitions that this member has now.

        One that was read before goes on where nobody else read it since: its stretch ends at what is committed, or
        behind it where no message stands in between.
        """
        self.report(facts, {}, {})
        kept: dict[TopicPartition, Stretch] = {}
        for place in places:
            fact = self._facts.get(place.topic)
            if fact is None or place.partition not in fact.starts:
                continue
            known, start = self._stretches.get(place), committed.get(place, -1)
            if known is not None and known.topic_id == fact.topic_id and 0 <= start <= known.part.end:
                kept[place] = known
                continue
            start = max(start, fact.starts[place.partition])
            kept[place] = Stretch(Part(start, start), fact.topic_id, fact.epochs.get(place.partition, -1))
        self._stretches = kept
        for topic in {place.topic for place in kept} - self._watches.keys():
            self._watches[topic] = self._ask_watch(topic) or _NOTHING

    @property
    def looks(self) -> bool:
        """Whether it looks for fields in the messages of any topic."""
        return any(watch.fields for watch in self._watches.values())

    def begin(self, records: Sequence[Record], judged: Sequence[Inspection], counts: Counts | None = None) -> Batch:
        """Writes a batch down. Its records are of each partition in the order of their offsets.

        Args:
            records: of one poll.
            judged: what was found out about each.
            counts: of these and no others, where they were counted already.

        Raises:
            SpoolFailed: it could not be written.
        """
        parts: dict[TopicPartition, Part] = {}
        if counts is None:
            counts = Counts()
            counts.add_all((record.topic, found) for record, found in zip(records, judged, strict=True))
        for place, seen, found in _by_place(records, judged):
            stretch = self._stretches.get(place)
            if stretch is None:
                continue  # nothing is known of its topic: counted, and no evidence of anything
            first = seen[0].offset
            if stretch.part.end < 0:
                stretch.part = Part(first, first)
            elif first < stretch.part.end:
                self._break(place, first)
            parts[place] = self._part(self._stretches[place].part.end, seen, found, self._watches[place.topic])
        batch = Batch(parts, counts)
        if records:
            batch.number = self._spool.intend(self._line(batch))
        return batch

    def _part(self, start: int, records: Sequence[Record], judged: Sequence[Inspection], watch: Watch) -> Part:
        first, last = records[0].offset, records[-1].offset
        times = [record.timestamp for record in records if record.timestamp >= 0]
        part = Part(start, last + 1, len(records), min(times, default=-1), max(times, default=-1))
        if first > start or last - first + 1 > len(records):
            part.hole = start
        if not watch.fields:
            return part
        sightings = part.sightings
        writer, tests = None, watch.tests(None)
        for record, found in zip(records, judged, strict=True):
            if found.version is not writer:
                writer = found.version
                tests = watch.tests(writer)
            value = found.value
            if value is None:
                if not tests or found.status == "tombstone":
                    continue
                try:
                    value = decoded(record, found)
                except ValueError:
                    part.unreadable.add(1, record.offset, record.timestamp)
                    continue
            for each, test in tests:
                if test(value):
                    key = (*each, writer.contract if writer else "", writer.version if writer else "")
                    sightings.setdefault(key, Mark()).add(1, record.offset, record.timestamp)
        return part

    def confirm(self, batch: Batch) -> None:
        """Its offsets are committed."""
        for place, part in batch.parts.items():
            self._stretches[place].part.extend(part)
        self._counts.add_tally(batch.counts.read())

    def forget(self, batch: Batch) -> None:
        """Its offsets were not committed: whoever has its partitions reads it again.

        Raises:
            SpoolFailed: it is still written down.
        """
        if batch.number >= 0:
            self._spool.forget(batch.number)
            self._journaled.clear()

    def report(
        self,
        facts: Mapping[str, TopicFacts],
        positions: Mapping[TopicPartition, int],
        groups: Mapping[str, Iterable[str]],
    ) -> int:
        """Makes reports of what was seen since the last ones, and gives their number.

        Args:
            facts: of the topics, read just now.
            positions: what is read next of each partition; there is no message between its last one and that.
            groups: consumer groups by topic.

        Raises:
            SpoolFailed: nothing changed.
        """
        self._facts = {**self._facts, **facts}
        void = [place for place, stretch in self._stretches.items() if self._is_void(place, stretch, facts)]
        for place in void:
            # What was read does not stand in this log any more, or never did: no evidence of anything.
            fact = self._facts[place.topic]
            self._stretches[place] = Stretch(unknown(), fact.topic_id, fact.epochs.get(place.partition, -1))
        for place, stretch in self._stretches.items():
            fact = self._facts[place.topic]
            part = stretch.part
            if part.end < 0:
                continue
            part.end = max(part.end, positions.get(place, -1))
            stretch.epoch = max(stretch.epoch, fact.epochs.get(place.partition, -1))
            log_start = fact.starts.get(place.partition, 0)
            if part.hole is not None and part.hole < log_start <= part.end:
                part.forget_below(log_start)
        made = self._write(groups)
        self._look_for_other_fields()
        return made

    def _is_void(self, place: TopicPartition, stretch: Stretch, facts: Mapping[str, TopicFacts]) -> bool:
        fact = facts.get(place.topic)
        if fact is None:
            return False
        return (
            fact.topic_id != stretch.topic_id
            or fact.ends.get(place.partition, stretch.part.end) < stretch.part.end
            or fact.epochs.get(place.partition, stretch.epoch) < stretch.epoch
        )

    def _look_for_other_fields(self) -> None:
        for topic, before in list(self._watches.items()):
            watch = self._ask_watch(topic)
            if watch is None or watch.fields == before.fields:
                continue
            self._watches[topic] = watch
            for place, stretch in self._stretches.items():
                if place.topic == topic and stretch.part.end >= 0:
                    stretch.part, stretch.told = Part(stretch.part.end, stretch.part.end), -1

    def _break(self, place: TopicPartition, start: int) -> None:
        self._write({})
        self._stretches[place].part, self._stretches[place].told = Part(start, start), -1

    def _write(self, groups: Mapping[str, Iterable[str]]) -> int:
        """Reports of all that changed, in the place of the journal."""
        now = self._now()
        named = {topic: frozenset(names) for topic, names in groups.items()}
        # Groups come late, and a report that is made when partitions come or go knows none.
        news = {topic for topic, names in named.items() if names != self._told_groups.get(topic)}
        parts: dict[str, list[tuple[int, Stretch]]] = {}
        for place, stretch in self._stretches.items():
            changed = stretch.part.messages or stretch.part.end != stretch.told or place.topic in news
            if stretch.part.end >= 0 and changed:
                parts.setdefault(place.topic, []).append((place.partition, stretch))
        cells: dict[str, dict[Cell, int]] = {}
        for cell, count in self._counts.read().cells.items():
            cells.setdefault(cell.channel, {})[cell] = count
        reports = self._reports(
            {
                topic: self._topic(topic, parts.get(topic, ()), cells.get(topic, {}), named.get(topic, ()))
                for topic in sorted(parts.keys() | (cells.keys() & self._facts.keys()))
            },
            self._since,
            now,
        )
        self._spool.report(reports)
        self._counts.take()
        self._told_groups |= {topic: names for topic, names in named.items() if topic in parts}
        self._since = now
        self._journaled.clear()
        for stretches in parts.values():
            for _, stretch in stretches:
                stretch.told = stretch.part.end
                stretch.part.new_report()
        return len(reports)

    def _topic(
        self,
        topic: str,
        parts: Iterable[tuple[int, Stretch]],
        cells: Mapping[Cell, int],
        groups: Iterable[str],
    ) -> dict[str, Any]:
        fact = self._facts[topic]
        ranges = [
            stretch.part.as_report(partition, fact.starts.get(partition), stretch.epoch if stretch.epoch >= 0 else None)
            for partition, stretch in sorted(parts, key=lambda pair: pair[0])
        ]
        fields = self._watches.get(topic, _NOTHING).fields
        return _topic(topic, fact.topic_id, fields, cells, groups, ranges)

    def _reports(self, topics: Mapping[str, dict[str, Any]], since: datetime, until: datetime) -> list[dict[str, Any]]:
        clusters: dict[str, list[dict[str, Any]]] = {}
        for name, topic in topics.items():
            clusters.setdefault(self._facts[name].cluster, []).append(topic)
        return [
            {
                "id": str(uuid4()),
                "guard": self._guard,
                "tool": self._tool,
                "cluster": cluster,
                "since": since.isoformat(),
                "until": until.isoformat(),
                "topics": some[n : n + _TOPICS_A_REPORT],
            }
            for cluster, some in clusters.items()
            for n in range(0, len(some), _TOPICS_A_REPORT)
        ]

    def _line(self, batch: Batch) -> dict[str, Any]:
        line: dict[str, Any] = {
            "at": self._now().isoformat(),
            "parts": [[p.topic, p.partition, part.as_line()] for p, part in batch.parts.items()],
            "counts": [[*cell, count] for cell, count in batch.counts.read().cells.items()],
        }
        new = {place.topic for place in batch.parts} - self._journaled
        if new:
            self._journaled |= new
            line["topics"] = {
                topic: [self._facts[topic].cluster, self._facts[topic].topic_id, self._watches[topic].fields]
                for topic in new
            }
        return line

    def recover(self, committed: Callable[[set[str]], Mapping[TopicPartition, int]]) -> int:
        """Makes a report of what a process before this one wrote down and did not report; how many messages it has.

        Only of its last batch it is not known whether its offsets were committed.

        Args:
            committed: gives the group's offsets on some topics.

        Raises:
            SpoolFailed, BrokerUnavailable: nothing changed.
        """
        lines = [line for _, line in self._spool.journal()]
        if not lines:
            return 0
        last = {TopicPartition(t, p): part["to"] for t, p, part in lines[-1]["parts"]}
        if last:
            offsets = committed({place.topic for place in last})
            if any(offsets.get(place, -1) < end for place, end in last.items()):
                lines.pop()
        topics: dict[str, Any] = {}
        parts: dict[str, dict[int, Part]] = {}
        counts: dict[str, dict[Cell, int]] = {}
        for line in lines:
            topics.update(line.get("topics", {}))
            for topic, partition, held in line["parts"]:
                part = Part.from_line(held)
                known = parts.setdefault(topic, {}).get(partition)
                if known is None:
                    parts[topic][partition] = part
                else:
                    known.extend(part)
            for *cell, count in line["counts"]:
                key = Cell(*cell)
                cells = counts.setdefault(key.channel, {})
                cells[key] = cells.get(key, 0) + count
        times = [datetime.fromisoformat(line["at"]) for line in lines]
        by_cluster: dict[str, list[dict[str, Any]]] = {}
        for topic, held in parts.items():
            cluster, topic_id, fields = topics[topic]
            ranges = [part.as_report(partition, None, None) for partition, part in sorted(held.items())]
            by_cluster.setdefault(cluster, []).append(
                _topic(topic, topic_id, fields, counts.get(topic, {}), (), ranges)
            )
        self._spool.report(
            [
                {
                    "id": str(uuid4()),
                    "guard": self._guard,
                    "tool": self._tool,
                    "cluster": cluster,
                    "since": min(times).isoformat(),
                    "until": max(times).isoformat(),
                    "topics": found,
                }
                for cluster, found in by_cluster.items()
            ]
        )
        return sum(part.messages for held in parts.values() for part in held.values())

    def reset(self) -> None:
        """Gives up what is not on disk: the disk failed. Evidence begins anew with what is read next."""
        for stretch in self._stretches.values():
            stretch.part, stretch.told = unknown(), -1
        self._counts.take()
        self._journaled.clear()


def _by_place(
    records: Sequence[Record], judged: Sequence[Inspection]
) -> Iterator[tuple[TopicPartition, Sequence[Record], Sequence[Inspection]]]:
    """A batch by partition. A client gives it partition by partition: where it does, nothing is copied twice."""
    found: dict[TopicPartition, tuple[list[Record], list[Inspection]]] = {}
    start = 0
    topic, partition = (records[0].topic, records[0].partition) if records else ("", -1)
    for n, record in enumerate(records):
        if record.partition != partition or record.topic != topic:
            _take(found, records[start:n], judged[start:n])
            start, topic, partition = n, record.topic, record.partition
    if records:
        _take(found, records[start:], judged[start:])
    for place, (some, verdicts) in found.items():
        yield place, some, verdicts


def _take(
    found: dict[TopicPartition, tuple[list[Record], list[Inspection]]],
    records: Sequence[Record],
    judged: Sequence[Inspection],
) -> None:
    held = found.setdefault(records[0].place, ([], []))
    held[0].extend(records)
    held[1].extend(judged)


def _topic(
    topic: str,
    topic_id: str,
    fields: Iterable[Sequence[str]],
    cells: Mapping[Cell, int],
    groups: Iterable[str],
    ranges: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    return {
        "topic": topic,
        "topic_id": topic_id,
        "watched": [{"contract": contract, "pointer": pointer} for contract, pointer in fields],
        "counts": _cells(cells),
        "groups": sorted(set(groups))[:10_000],
        # Counts without a range: of partitions whose evidence is void.
        "partitions": list(ranges) or [Part(0, 0).as_report(0, None, None)],
    }


def _cells(cells: Mapping[Cell, int]) -> list[dict[str, Any]]:
    found: dict[tuple[str, ...], int] = {}
    for cell, count in cells.items():
        key = (
            _clipped(cell.contract, "contract"),
            _clipped(cell.version, "version"),
            cell.kind,
            _clipped(cell.rule, "rule"),
            _clipped(cell.pointer, "pointer"),
        )
        found[key] = found.get(key, 0) + count
    names = ("contract", "version", "kind", "rule", "pointer")
    return [{**dict(zip(names, key, strict=True)), "count": count} for key, count in sorted(found.items())]


def _clipped(text: str, what: str) -> str:
    return text.replace("\x00", "\ufffd")[: _LIMITS[what]]
