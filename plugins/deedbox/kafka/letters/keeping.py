"""Topics that must not forget: dead letters, those in quarantine, and what was sent of them again.

Dead letters keep the time at which the message was first sent, so that a retention that is usual for a topic drops one
of an old message as soon as it arrives. What is dropped of `TOPIC.replays` would be sent twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from deedbox.kafka.errors import NotPermitted

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker

log = logging.getLogger("deedbox.dlq")

KEEPS: Mapping[str, str] = {"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1"}
"""The settings of a topic that drops nothing (Kafka's topic configs)."""


class Keeping:
    """Makes such topics where there are none, and says which of those that there are drop messages. Once a topic.

    Args:
        broker: a filling of the port.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._seen: set[str] = set()

    def see_to(self, topics: Iterable[str]) -> None:
        """Called before something is written to topics.

        Raises:
            BrokerUnavailable: it did not answer.
        """
        for topic in sorted(set(topics) - self._seen):
            try:
                self._see_to(topic)
            except NotPermitted as error:
                # Whether it can be written to is for the writing to say.
                log.warning("%s: not known whether it drops messages: %s. Give it %s", topic, error, _said(KEEPS))
            self._seen.add(topic)

    def _see_to(self, topic: str) -> None:
        found = self._broker.settings(topic)
        if not found:
            self._broker.create(topic, KEEPS)
            log.info("%s: made, to drop nothing (%s)", topic, _said(KEEPS))
            return
        dropping = {name: found[name] for name, keeps in KEEPS.items() if found.get(name, keeps) != keeps}
        if found.get("cleanup.policy") == "compact":
            dropping = {"cleanup.policy": "compact"}  # with which the others mean nothing
        if dropping:
            log.warning(
                "%s drops messages: it has %s. Give it %s",
                topic, _said(dropping), _said({name: KEEPS[name] for name in dropping}),
                extra={"fields": {"topic": topic, **dropping}},
            )  # fmt: skip


def _said(settings: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())
