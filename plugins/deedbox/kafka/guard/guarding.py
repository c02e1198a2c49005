"""The guard: a consumer group of its own that judges all traffic of its topics, counts it, and by mode acts on it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from deedbox.client.mismatches import MISMATCHES
from deedbox.kafka.counting import Counts
from deedbox.kafka.errors import BrokerUnavailable, DeadLetterRefused, Fenced, LimitReached, LiveError, SpoolFailed
from deedbox.kafka.inspection import Inspection, Inspector
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.keeping import Keeping
from deedbox.kafka.limits import Breaker, Limits, Stop
from deedbox.kafka.messages import VERDICT, Record, TopicPartition, next_offsets, replaced
from deedbox.kafka.settling import Settler, rewind

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker, Consumer
    from deedbox.kafka.guard.observing import Batch, Observer
    from deedbox.kafka.guard.spool import Spool
    from deedbox.kafka.lookup import Lookup

Mode: TypeAlias = Literal["observe", "mark", "dead-letter"]
"""`observe` counts. `mark` also writes every message to `TOPIC.checked`, with its verdict in a header (a log cannot be
changed). `dead-letter` also writes the invalid ones to `TOPIC.dlt`. Both write in the transaction of their offsets."""

MODES: tuple[Mode, ...] = ("observe", "mark", "dead-letter")
CHECKED = ".checked"
_MOST_WARNINGS = 1_000
log = logging.getLogger("deedbox.guard")


@dataclass(slots=True)
class Samples:
    """A few messages of each kind of failure. Bounded."""

    each: int = 3
    kinds: int = 1_000
    found: dict[str, list[tuple[Record, Inspection]]] = field(default_factory=dict)

    def take(self, record: Record, inspection: Inspection) -> bool:
        """Keeps a failure, where there is room; says whether it is the first of its kind."""
        assert inspection.fault is not None
        key = inspection.fault.fingerprint(inspection.contract_name)
        if key not in self.found and len(self.found) >= self.kinds:
            return False
        kept = self.found.setdefault(key, [])
        if len(kept) < self.each:
            kept.append((record, inspection))
        return len(kept) == 1


class Guard:
    """One process of the guard.

    Args:
        broker: a filling of the port.
        lookup: the registry.
        topics: what to judge.
        modes: by topic; `observe` where none is named.
        group: the guard's own; its processes share the partitions.
        instance: of this process, stable over its restarts: a successor ends what it left open.
        observer: gathers what is seen for the registry; None where nobody is told.
        stops: where it is written down that a limit was reached, so that a guard which is started again and again does not
            put aside some more each time; None where nothing outlives the process.
        report_seconds: between two reports.
    """

    def __init__(
        self,
        broker: Broker,
        lookup: Lookup,
        topics: Sequence[str],
        *,
        modes: Mapping[str, Mode] | None = None,
        group: str = "deedbox-guard",
        instance: str = "0",
        limits: Limits | None = None,
        observer: Observer | None = None,
        stops: Spool | None = None,
        report_seconds: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker, self._topics, self._modes, self._group = broker, tuple(topics), dict(modes or {}), group
        self._acting = {topic for topic, mode in self._modes.items() if mode != "observe"}
        self.counts, self.samples = Counts(), Samples()
        self._inspector = Inspector(lookup, closed=True)
        self._letter_topics = {
            topic + dead_letters.SUFFIX for topic, mode in self._modes.items() if mode == "dead-letter"
        }
        self._keeping = Keeping(broker)
        self._settler = Settler(broker, f"{group}.{instance}")
        self._limits = limits or Limits()
        self._breaker = Breaker(self._limits)
        self._kept_stops = stops
        self._stops = stops.stops() if stops is not None else {}
        self._sleep, self._clock = sleep, clock
        self._observer, self._report_seconds = observer, report_seconds
        self._next_report = clock() + report_seconds
        self._recovered = observer is None
        self._generation: int | None = None
        self._warned: set[tuple[str, str, str, str]] = set()
        self._consumer: Consumer | None = None
        self._pause = 0.0
        self.restarts = 0
        """How often the broker, or another process, made it begin anew."""

    def run_once(self, most: int = 1_000, seconds: float = 1.0) -> int:
        """Judges the next batch, and commits it.

        Returns:
            How many messages were dealt with; 0 where there were none, or the broker was away (it waits a while then).

        Raises:
            LimitReached: what came before is settled; the topic is to be looked at.
        """
        try:
            if not self._recovered:
                self._recover()
            if self._consumer is None:
                self._consumer, self._generation = self._broker.consumer(self._topics, self._group), None
            dealt = self._batch(self._consumer, most, seconds)
            if self._observer is not None and self._clock() >= self._next_report:
                self.report()
        except (BrokerUnavailable, DeadLetterRefused, Fenced) as error:
            # Nothing of the batch was committed: whoever has its partitions now reads it again.
            log.warning("guard begins anew: %s", error)
            self._begin_anew()
            return 0
        self._pause = 0.0
        return dealt

    def _batch(self, consumer: Consumer, most: int, seconds: float) -> int:
        records = consumer.poll(most, seconds)
        self._follow(consumer)
        written: list[Record] = []
        limit: LimitReached | None = None
        dealt = len(records)
        counted = Counts()
        # Only the observer looks into valid messages, for obsolete fields.
        looks = self._observer is not None and self._observer.looks
        judged = self._inspector.inspect_all(records, counted, values=looks)
        acting = self._acting
        # Nearly all messages are valid, of topics that are only observed: nothing is done for each of those.
        special = [i for i, found in enumerate(judged) if found.status != "valid" or records[i].topic in acting]
        for i in special:
            try:
                written += self._act(records[i], judged[i])
            except LimitReached as reached:
                limit, dealt = reached, i
                rewind(consumer, records[dealt:])
                break
        done = next_offsets(records[:dealt])
        if dealt < len(records):
            counted = Counts()
            counted.add_all((r.topic, found) for r, found in zip(records[:dealt], judged[:dealt], strict=True))
        batch = self._begin(records[:dealt], judged[:dealt], counted)
        try:
            self._keeping.see_to(self._letter_topics.intersection(record.topic for record in written))
            self._settler.settle(consumer, done, written)
        except LiveError:
            self._breaker.undone()
            self._forget(batch)
            raise
        self._breaker.settled()
        if self._observer is not None and batch is not None:
            self._observer.confirm(batch)
        # Only now: a batch that did not settle is read, and counted, again.
        self.counts.add_tally(counted.read())
        self._warn(batch)
        self._sample([(records[i], judged[i]) for i in special if i < dealt])
        self._go_on(records[:dealt])
        if limit is not None:
            self._stop_at(records[dealt])
            raise limit
        return dealt

    def _stop_at(self, record: Record) -> None:
        stop = Stop(record.topic, record.partition, record.offset, record.timestamp, self._limits)
        self._stops[record.topic] = stop
        if self._kept_stops is not None:
            try:
                self._kept_stops.stopped(stop)
            except SpoolFailed as error:
                log.error("%s", error)

    def _go_on(self, records: Sequence[Record]) -> None:
        """Forgets stops at messages that were dealt with by now."""
        if not self._stops:
            return
        passed = {r.topic for r in records if (s := self._stops.get(r.topic)) and (s.is_at(r) or s.is_passed_by(r))}
        for topic in passed:
            del self._stops[topic]
            if self._kept_stops is not None:
                try:
                    self._kept_stops.went_on(topic)
                except SpoolFailed as error:
                    log.error("%s", error)

    def _warn(self, batch: Batch | None) -> None:
        """Says once of each kind of traffic that it is not as registered."""
        if batch is None:
            return
        for cell in batch.counts.read().cells:
            kind = (cell.channel, cell.rule, cell.contract, cell.version)
            if cell.rule in MISMATCHES and kind not in self._warned and len(self._warned) < _MOST_WARNINGS:
                self._warned.add(kind)
                about = f"{cell.contract} {cell.version}".strip()
                fields = {
                    "channel": cell.channel,
                    "contract": cell.contract,
                    "version": cell.version,
                    "rule": cell.rule,
                }
                said = MISMATCHES[cell.rule] + (about and f": {about}")
                log.warning("%s: %s (%s)", cell.channel, said, cell.rule, extra={"fields": fields})

    def _sample(self, judged: Sequence[tuple[Record, Inspection]]) -> None:
        """Keeps a few failures of each kind, and says the first one of each."""
        for record, found in judged:
            if found.status == "invalid" and self.samples.take(record, found):
                fault = found.invalid(None)
                fields = {
                    "channel": record.topic,
                    "partition": record.partition,
                    "offset": record.offset,
                    "contract": fault.contract,
                    "version": fault.version,
                    "rule": fault.rule,
                    "pointer": fault.pointer,
                    "fingerprint": fault.fingerprint,
                }
                # Not its reason, which may quote the message: logs go where messages must not.
                about = f"{fault.contract} {fault.version}".strip() or "no contract"
                said = f"{about}: {fault.rule} at {fault.pointer or 'the root'}"
                log.warning("%s is invalid, the first of its kind: %s", record.where, said, extra={"fields": fields})

    def _act(self, record: Record, found: Inspection) -> list[Record]:
        mode = self._modes.get(record.topic, "observe")
        bad = found.status == "invalid"
        if mode == "dead-letter":
            stop = self._stops.get(record.topic)
            if bad and stop is not None and stop.is_at(record) and stop.holds(self._limits):
                raise LimitReached(
                    record.topic, f"{record.where} is invalid still, at which the limit was reached before"
                )
            self._breaker.observe(record.topic, bad)
        if mode == "mark":
            headers = replaced(record.headers, [(VERDICT, found.status.encode())])
            to = record.topic + CHECKED
            return [Record(to, -1, -1, record.key, record.value, headers, record.timestamp)]
        if mode == "dead-letter" and bad:
            to = record.topic + dead_letters.SUFFIX
            return [dead_letters.letter(record, found.invalid(record.value), to, self._group)]
        return []

    def _recover(self) -> None:
        """Reports what a process of this name wrote down before it died."""
        assert self._observer is not None
        try:
            found = self._observer.recover(
                lambda topics: {
                    place: offset
                    for topic in topics
                    for place, offset in self._broker.committed(self._group, topic).items()
                }
            )
        except SpoolFailed as error:
            log.error("%s", error)
        else:
            if found:
                log.info("%d messages that this guard judged before it was stopped are reported now", found)
        self._recovered = True

    def _follow(self, consumer: Consumer) -> None:
        """Takes note of partitions that came or went."""
        if self._observer is None or consumer.generation() == self._generation:
            return
        generation, places = consumer.generation(), consumer.assignment()
        topics = sorted({place.topic for place in places})
        committed = {p: offset for topic in topics for p, offset in self._broker.committed(self._group, topic).items()}
        try:
            self._observer.assign(places, committed, self._broker.describe(topics) if topics else {})
        except SpoolFailed as error:
            self._disk_failed(error)
        self._generation = generation if places else None

    def _begin(self, records: Sequence[Record], judged: Sequence[Inspection], counts: Counts) -> Batch | None:
        if self._observer is None or not records:
            return None
        try:
            return self._observer.begin(records, judged, counts)
        except SpoolFailed as error:
            self._disk_failed(error)
            return None

    def _forget(self, batch: Batch | None) -> None:
        if self._observer is None or batch is None:
            return
        try:
            self._observer.forget(batch)
        except SpoolFailed as error:
            self._disk_failed(error)

    def _disk_failed(self, error: SpoolFailed) -> None:
        assert self._observer is not None
        log.error("%s", error)
        self._observer.reset()

    def report(self) -> int:
        """Puts what was seen since the last report where the registry is told from, and gives the number of reports.

        Raises:
            BrokerUnavailable: it did not say how far its logs go; what was seen is in the next report.
        """
        self._next_report = self._clock() + self._report_seconds
        if self._observer is None:
            return 0
        places = self._consumer.assignment() if self._consumer is not None else set()
        positions = {place: self._consumer.position(place) for place in places} if self._consumer is not None else {}
        topics = sorted({place.topic for place in places})
        facts = self._broker.describe(topics) if topics else {}
        try:
            groups = self._broker.groups(topics) if topics else {}
        except BrokerUnavailable as error:
            log.warning("consumer groups are not told: %s", error)  # a cluster may not let this client list them
            groups = {}
        try:
            return self._observer.report(facts, positions, groups)
        except SpoolFailed as error:
            self._disk_failed(error)
            return 0

    def _begin_anew(self) -> None:
        self.restarts += 1
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            try:
                consumer.close()
            except (BrokerUnavailable, Fenced) as error:
                log.debug("the old consumer did not close: %s", error)
        self._pause = min(max(self._pause * 2, 0.1), 10.0)
        self._sleep(self._pause)

    def reached(self, ends: Mapping[TopicPartition, int]) -> bool:
        """Whether it has partitions, and has read all of them up to these offsets."""
        if self._consumer is None:
            return False
        mine = self._consumer.assignment()
        return bool(mine) and all(self._consumer.position(p) >= ends.get(p, 0) for p in mine)

    def close(self) -> None:
        """Reports what was seen, and leaves the group. What was judged is committed already."""
        try:
            if self._consumer is not None:
                self.report()
        except (BrokerUnavailable, Fenced) as error:
            log.warning("the last report is made at the next start: %s", error)
        finally:
            self._settler.close()
            if self._consumer is not None:
                self._consumer.close()
