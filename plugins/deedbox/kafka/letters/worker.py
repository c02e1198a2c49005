"""The process beside Kafka that the registry's dead-letter pages need: it reports letters, and carries out orders."""

from __future__ import annotations

import logging
import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TYPE_CHECKING

from deedbox.client import ClientError, is_unavailable
from deedbox.kafka.errors import BrokerUnavailable, LiveError, RegistryAway
from deedbox.kafka.letters.carrying_out import DRY_RUN, Carried, Carrier, Stopped
from deedbox.kafka.letters.reporting import LetterReporter

if TYPE_CHECKING:
    from deedbox.client import RegistryClient
    from deedbox.kafka.broker import Broker, TopicFacts

log = logging.getLogger("deedbox.dlq")

_LEAST, _MOST = 1.0, 60.0
"""Seconds between attempts while registry or broker is away."""


@dataclass(slots=True)
class Work:
    """What was done in a while."""

    letters: int = 0
    """Records of dead-letter topics that were told of."""
    trials: int = 0
    replays: int = 0
    failed: list[Carried] = field(default_factory=list)
    """Orders that ended with an error, which the registry has."""
    left: list[Carried] = field(default_factory=list)
    """Orders that are tried again later."""
    troubles: list[LiveError | ClientError] = field(default_factory=list)
    """Of single topics, each of which is tried again later."""

    def add(self, carried: Carried) -> None:
        """Counts what became of an order."""
        if carried.outcome == "left":
            self.left.append(carried)
        elif carried.outcome == "failed":
            self.failed.append(carried)
        elif carried.task == DRY_RUN:
            self.trials += 1
        else:
            self.replays += 1


def worker_name() -> str:
    """A name that no other process has, by which people find this one."""
    return f"{socket.gethostname()[:100]}/{os.getpid()}/{secrets.token_hex(4)}"


class LetterWorker:
    """Reports the letters of dead-letter topics, and carries out the orders about them. Any number may run at once.

    Args:
        broker: a filling of the port.
        client: of the registry.
        topics: the dead-letter topics; one that is not there yet is looked for again and again.
        worker: the name of this process, which no other one has.
        values: whether keys, values and reasons, which quote them, are told. They may hold personal data.
        lease_seconds: after which another worker may take over an order from this one where it died.
        per_second: messages sent again a second, at most; 0 for no limit.
        stopping: set where this is to stop: behind the batch in hand.
    """

    def __init__(
        self,
        broker: Broker,
        client: RegistryClient,
        topics: Sequence[str],
        worker: str,
        *,
        values: bool = False,
        lease_seconds: int = 60,
        per_second: float = 0.0,
        stopping: Event | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._broker, self._client, self._topics = broker, client, tuple(topics)
        self._stopping, self._clock = stopping or Event(), clock
        self._reporter = LetterReporter(broker, client, values=values, going=self._going)
        self._carrier = Carrier(
            broker, client, worker, values=values, lease_seconds=lease_seconds, per_second=per_second, going=self._going,
            sleep=self._sleep, clock=clock,
        )  # fmt: skip
        self._not_before: dict[str, float] = {}
        self._missing: set[str] = set()
        self._away = ""
        self._pause = 0.0

    def _going(self) -> None:
        if self._stopping.is_set():
            raise Stopped

    def _sleep(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def run(self, every: float) -> None:
        """Works until it is told to stop, looking for something to do every so many seconds.

        A registry or a broker that is away is asked again after a pause that grows up to a minute; that is said once.

        Raises:
            LiveError, ClientError: asking again would not help.
        """
        while not self._stopping.is_set():
            try:
                self.turn()
            except Stopped:
                return
            except (LiveError, ClientError) as error:
                if not _may_come_back(error):
                    raise
                self._absent(error)
                self._stopping.wait(self._pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            else:
                self._present()
                self._stopping.wait(every)

    def _absent(self, error: LiveError | ClientError) -> None:
        who = "the broker" if isinstance(error, BrokerUnavailable) else "the registry"
        if self._away != who:
            log.warning("%s is away, and asked again and again: %s", who, error)
        self._away = who
        self._pause = min(max(self._pause * 2, _LEAST), _MOST)
        self._reporter.forget()

    def _present(self) -> None:
        if self._away:
            log.warning("%s answers again", self._away)
        self._away, self._pause = "", 0.0

    def turn(self) -> Work:
        """Reports what came since, and carries out what there is to do.

        Raises:
            LiveError: the broker did not answer. ClientError: nor the registry, or it refuses to be asked.
            Stopped: it was told to stop.
        """
        work = Work()
        facts = self._broker.describe(self._topics)
        self._say_missing(facts)
        for topic in self._topics:
            if topic in facts and self._not_before.get(topic, 0.0) <= self._clock():
                self._report(topic, facts[topic], work)
        for cluster in {found.cluster for found in facts.values()}:
            # All of them at once: their states change while they are carried out.
            orders = list(self._client.replay_orders(cluster, ("asked", "confirmed")))
            for order in orders:
                self._going()
                if order.get("topic") in facts:
                    carried = self._carrier.carry_out(order)
                    if carried is not None:
                        work.add(carried)
        return work

    def _report(self, topic: str, facts: TopicFacts, work: Work) -> None:
        self._going()
        try:
            work.letters += self._reporter.report(topic, facts)
        except ClientError as error:
            if is_unavailable(error):
                raise
            # It would refuse the same again: the other topics and the orders go on meanwhile.
            self._put_off(topic, error, work)
        except LiveError as error:
            self._put_off(topic, error, work)

    def _put_off(self, topic: str, error: LiveError | ClientError, work: Work) -> None:
        log.error("%s: not reported, and tried again in a minute: %s", topic, error, extra={"fields": {"topic": topic}})
        self._not_before[topic] = self._clock() + _MOST
        self._reporter.forget()
        work.troubles.append(error)

    def _say_missing(self, facts: Mapping[str, TopicFacts]) -> None:
        missing = {topic for topic in self._topics if topic not in facts}
        for topic in sorted(missing - self._missing):
            log.warning("%s: there is no such topic yet", topic, extra={"fields": {"topic": topic}})
        self._missing = missing


def _may_come_back(error: LiveError | ClientError) -> bool:
    if isinstance(error, ClientError):
        return is_unavailable(error)
    return isinstance(error, BrokerUnavailable | RegistryAway)
