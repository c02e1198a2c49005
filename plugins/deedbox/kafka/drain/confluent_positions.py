"""Positions by confluent-kafka: it tells topic ids and leader epochs, and reads groups of KIP-848; share groups block."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    ConsumerGroupType,
    IsolationLevel,
    KafkaError,
    KafkaException,
    TopicCollection,
)
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    ConfigResource,
    DescribeClusterResult,
    OffsetSpec,
)
from deedbox.checker.drain.evidence import NO_EPOCH, Committed, Group, GroupKind
from deedbox.kafka.drain.positions import EndNow, TopicNow, topic_now
from deedbox.kafka.librdkafka import Connecting, log, topic_uuid, translated
from deedbox.kafka.messages import TopicPartition

_SECONDS = 30.0
_KINDS: dict[Any, GroupKind] = {ConsumerGroupType.CLASSIC: "classic", ConsumerGroupType.CONSUMER: "consumer"}
_GONE = (KafkaError.GROUP_ID_NOT_FOUND,)
_NO_TOPIC = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_AT_ONCE = 50
"""Groups that are asked for at once: librdkafka takes one a call, and a broker's queue is finite."""


class ConfluentPositions:
    """See `Positions`.

    Args:
        bootstrap: addresses, `host:port` separated by commas.
        config: further settings of librdkafka, such as those of TLS and SASL.
    """

    def __init__(self, bootstrap: str, *, config: Mapping[str, Any] | None = None) -> None:
        self._connecting = Connecting()
        settings: dict[str, Any] = {"bootstrap.servers": bootstrap, "logger": log, **(config or {})}
        settings["error_cb"] = self._connecting.note
        self._admin = AdminClient(settings)

    def cluster_id(self) -> str:
        """See `Positions.cluster_id`."""
        with self._connecting.explained(lambda: self._admin):
            return str(self._connecting.ask(self._admin, self._cluster, _SECONDS).cluster_id or "")

    def _cluster(self, seconds: float) -> DescribeClusterResult:
        found: DescribeClusterResult = self._admin.describe_cluster(request_timeout=seconds).result(seconds)
        return found

    def topics(self, names: Sequence[str]) -> list[TopicNow]:
        """See `Positions.topics`."""
        if not names:
            return []
        with translated():
            asked = self._admin.describe_topics(TopicCollection(list(names)), request_timeout=_SECONDS)
            known = {
                name: found for name, answer in asked.items() if (found := _or_none(answer, _NO_TOPIC)) is not None
            }
            resources = [ConfigResource(ConfigResource.Type.TOPIC, name) for name in known]
            configs = {
                resource.name: answer.result(_SECONDS)
                for resource, answer in (self._admin.describe_configs(resources) if resources else {}).items()
            }
        found = []
        for name in names:
            if name not in known:
                found.append(TopicNow(name, "", 0))
                continue
            topic, config = known[name], configs[name]
            settings = config["cleanup.policy"].value, config["retention.ms"].value
            found.append(topic_now(name, topic_uuid(topic.topic_id), len(topic.partitions), *settings))
        return found

    def groups(self, topics: Sequence[str]) -> list[Group]:
        """See `Positions.groups`."""
        wanted = set(topics)
        with translated():
            # All of them, whatever their protocol: one that this client has no words for must not be passed over.
            every = self._every_group()
            listed = self._admin.list_consumer_groups(request_timeout=_SECONDS).result(_SECONDS)
            kinds = {group.group_id: _KINDS.get(group.type, "unknown") for group in listed.valid}
            names = [name for name, kind in kinds.items() if kind != "unknown"]
            offsets = self._offsets(names)
            described = self._described(names)
        found = [
            group
            for name in names
            if name in offsets
            and (group := _group(name, kinds[name], offsets[name], described.get(name), wanted)) is not None
        ]
        strange = sorted((every.keys() | kinds.keys()) - set(names))
        return found + [_strange(name, every.get(name, "")) for name in strange if every.get(name) != "connect"]

    def ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, EndNow]:
        """See `Positions.ends`."""
        if not places:
            return {}
        with translated():
            starts = self._list(places, OffsetSpec.earliest(), IsolationLevel.READ_UNCOMMITTED)  # type: ignore[no-untyped-call]
            stable = self._list(places, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)  # type: ignore[no-untyped-call]
            # The high watermark last: what it covers was there when the stable offset was read, or came since.
            highs = self._list(places, OffsetSpec.latest(), IsolationLevel.READ_UNCOMMITTED)  # type: ignore[no-untyped-call]
        return {
            place: EndNow(
                starts[place].offset,
                stable[place].offset,
                highs[place].offset,
                NO_EPOCH if highs[place].leader_epoch is None else highs[place].leader_epoch,
            )
            for place in places
            if place in starts and place in stable and place in highs
        }

    def _every_group(self) -> dict[str, str]:
        """Protocol type by group. The call that is not deprecated leaves out what is no consumer group: share groups."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            found = self._admin.list_groups(timeout=_SECONDS)
        return {str(group.id): str(group.protocol_type) for group in found}

    def _list(self, places: Sequence[TopicPartition], spec: Any, level: Any) -> dict[TopicPartition, Any]:
        asked = self._admin.list_offsets(
            {Place(p.topic, p.partition): spec for p in places}, isolation_level=level, request_timeout=_SECONDS
        )
        return {
            TopicPartition(p.topic, p.partition): found
            for p, answer in asked.items()
            if (found := _or_none(answer, _NO_TOPIC)) is not None
        }

    def _offsets(self, names: Sequence[str]) -> dict[str, list[Any]]:
        def ask(name: str) -> Any:
            request = [ConsumerGroupTopicPartitions(name)]
            return self._admin.list_consumer_group_offsets(request, request_timeout=_SECONDS)[name]

        return {
            name: found.topic_partitions
            for name, answer in _in_batches(names, ask)
            if (found := _or_none(answer, _GONE)) is not None
        }

    def _described(self, names: Sequence[str]) -> dict[str, Any]:
        if not names:
            return {}
        asked = self._admin.describe_consumer_groups(list(names), request_timeout=_SECONDS)
        return {n: found for n, answer in asked.items() if (found := _or_none(answer, _GONE)) is not None}


def _in_batches(names: Sequence[str], ask: Callable[[str], Any]) -> Iterator[tuple[str, Any]]:
    for start in range(0, len(names), _AT_ONCE):
        yield from [(name, ask(name)) for name in names[start : start + _AT_ONCE]]


def _or_none(answer: Any, codes: Sequence[int]) -> Any:
    try:
        return answer.result(_SECONDS)
    except KafkaException as error:
        if error.args[0].code() in codes:
            return None
        raise


def _group(name: str, kind: GroupKind, offsets: Sequence[Any], about: Any, wanted: set[str]) -> Group | None:
    committed = tuple(Committed(p.topic, p.partition, p.offset) for p in offsets if p.topic in wanted and p.offset >= 0)
    if about is None:
        return Group(name, kind, "", 0, committed, "it could not be described") if committed else None
    reading = any(
        place.topic in wanted
        for member in about.members
        if member.assignment
        for place in member.assignment.topic_partitions
    )
    if not committed and not reading:
        return None
    members = len(about.members)
    trouble = "its state is not known to this client" if about.state is ConsumerGroupState.UNKNOWN else ""
    return Group(name, kind, about.state.name.capitalize(), members, committed, trouble)


def _strange(name: str, protocol: str) -> Group:
    what = f"of the protocol {protocol!r}" if protocol else "of a kind that it has no word for, such as share groups"
    return Group(name, "unknown", "Unknown", 0, (), f"this client reads no offsets of groups {what}, nor their topics")
