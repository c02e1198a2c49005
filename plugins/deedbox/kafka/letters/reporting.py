"""Reading dead-letter topics from where the registry stands, and telling it. The registry is the only memory there is."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from uuid import uuid4

from deedbox.client import Problem, UnexpectedReply
from deedbox.client.registry import positions
from deedbox.kafka.letters.reports import Letters
from deedbox.kafka.reading import stretches

if TYPE_CHECKING:
    from deedbox.client import RegistryClient
    from deedbox.kafka.broker import Broker, TopicFacts

log = logging.getLogger("deedbox.dlq")

_MOST_RECORDS = 500
_MOST_CHARACTERS = 500_000
"""Of keys and values, after which a report is sent. With what one poll brings it stays far below a server's limit."""
_POLL = 100


class LetterReporter:
    """Tells the registry what stands in dead-letter topics: each letter once, whoever else tells of them.

    A report names the offsets it is about, which must begin where the registry stands; where somebody else was quicker
    it says from where to go on. A process that dies loses nothing: what it had not told is read again.

    Args:
        broker: a filling of the port.
        client: of the registry.
        values: whether keys, values and reasons, which quote them, are told. They may hold personal data.
        going: called after each report; what it raises ends the reading behind it.
    """

    def __init__(
        self, broker: Broker, client: RegistryClient, *, values: bool = False, going: Callable[[], None] = lambda: None
    ) -> None:
        self._broker, self._client, self._values, self._going = broker, client, values, going
        self._stand: dict[tuple[str, str, str], dict[int, int]] = {}
        self._warned: set[tuple[str, str, str]] = set()

    def forget(self) -> None:
        """Asks the registry anew where it stands."""
        self._stand.clear()

    def report(self, topic: str, facts: TopicFacts) -> int:
        """Tells of what a topic holds and was not told yet; gives the number of records that were told of.

        Args:
            topic: the dead-letter topic.
            facts: how far its logs go: up to there it is read.

        Raises:
            BrokerUnavailable, ClientError: what was not told is read again. A `Problem` that is no unavailability is
            the registry's refusal of a report.
        """
        key = (facts.cluster, topic, facts.topic_id)
        told = 0
        while ranges := self._ranges(topic, facts):
            before = dict(self._stand[key])
            try:
                return told + self._read(topic, facts, ranges)
            except _Overtaken as overtaken:
                told += overtaken.told
                self._stand[key] = before | overtaken.positions
                if self._ranges(topic, facts) == ranges:
                    raise UnexpectedReply(
                        f"the registry takes no report of {topic} from where it says that it stands",
                        url=self._client.url,
                    ) from overtaken
                log.info("%s: another worker has reported some of it; going on from there", topic)
        return told

    def _ranges(self, topic: str, facts: TopicFacts) -> dict[int, tuple[int, int]]:
        """By partition the offsets that are to be told of; partitions without any are left out."""
        key = (facts.cluster, topic, facts.topic_id)
        if key not in self._stand:
            self._stand[key] = self._client.dead_letter_positions(*key)
        stand = self._stand[key]
        for n, end in facts.ends.items():
            if stand.get(n, 0) > end and key not in self._warned:
                self._warned.add(key)
                log.warning(
                    "%s: partition %d ends at %d, and was reported up to %d: letters were lost, or the topic was made anew "
                    "by a broker that does not say so. What comes is reported from there on",
                    topic, n, end, stand[n], extra={"fields": {"topic": topic, "partition": n}},
                )  # fmt: skip
        starts = {n: max(stand.get(n, 0), facts.starts[n]) for n in facts.ends}
        return {n: (start, facts.ends[n]) for n, start in starts.items() if start < facts.ends[n]}

    def _read(self, topic: str, facts: TopicFacts, ranges: Mapping[int, tuple[int, int]]) -> int:
        letters, told = Letters(values=self._values), 0
        begun = {n: start for n, (start, _) in ranges.items()}
        reached = dict(begun)
        for stretch in stretches(self._broker, topic, ranges, most=_POLL):
            letters.take(stretch.records)
            reached.update(stretch.reached)
            if letters.records >= _MOST_RECORDS or letters.characters >= _MOST_CHARACTERS:
                told += self._tell(topic, facts, letters, begun, reached, told)
                letters, begun = Letters(values=self._values), dict(reached)
                self._going()
        if reached != begun:
            told += self._tell(topic, facts, letters, begun, reached, told)
            self._going()
        return told

    def _tell(
        self,
        topic: str,
        facts: TopicFacts,
        letters: Letters,
        begun: Mapping[int, int],
        reached: Mapping[int, int],
        before: int,
    ) -> int:
        place = {"cluster": facts.cluster, "topic": topic, "topic_id": facts.topic_id}
        ranges = {n: (begun[n], end) for n, end in reached.items() if begun[n] < end}
        try:
            self._client.report_dead_letters(uuid4(), letters.report(place, ranges))
        except Problem as problem:
            if problem.status == 409 and problem.code == "offsets-taken":
                raise _Overtaken(before, problem) from problem
            raise
        self._stand[facts.cluster, topic, facts.topic_id].update({n: end for n, (_, end) in ranges.items()})
        log.info(
            "%s: reported %d dead letters", topic, letters.records,
            extra={"fields": {"topic": topic, "letters": letters.records}},
        )  # fmt: skip
        return letters.records


class _Overtaken(Exception):
    """Another worker told of some of the offsets before this one."""

    def __init__(self, told: int, problem: Problem) -> None:
        super().__init__(str(problem))
        self.told = told
        try:
            self.positions = positions(problem.fields["positions"])
        except (LookupError, TypeError, ValueError):
            self.positions = {}
