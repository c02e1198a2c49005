"""Positions by kafka-python: a group that it cannot describe (one of KIP-848 it shows as dead) or a share group blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from deedbox.checker.drain.evidence import NO_EPOCH, Committed, Group, GroupKind
from deedbox.kafka import tls
from deedbox.kafka.drain.positions import EndNow, TopicNow, topic_now
from deedbox.kafka.kafka_python import translated
from deedbox.kafka.messages import TopicPartition

from kafka import IsolationLevel, KafkaAdminClient
from kafka import TopicPartition as Place
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec

_KINDS: dict[str, GroupKind] = {"classic": "classic", "consumer": "consumer", "share": "share"}


class KafkaPythonPositions:
    """See `Positions`.

    Args:
        bootstrap: addresses, `host:port` separated by commas.
        config: further settings of kafka-python, such as those of TLS and SASL.
    """

    def __init__(self, bootstrap: str, **config: Any) -> None:
        with translated():
            settings = tls.handshaken({"bootstrap_servers": bootstrap.split(","), **config})
            self._admin = KafkaAdminClient(**settings)

    def cluster_id(self) -> str:
        """See `Positions.cluster_id`."""
        with translated():
            return str(self._admin.describe_cluster().get("cluster_id") or "")

    def topics(self, names: Sequence[str]) -> list[TopicNow]:
        """See `Positions.topics`."""
        with translated():
            there = set(self._admin.list_topics())
            known = {t["name"]: t for t in self._admin.describe_topics([n for n in names if n in there])}
            resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in known]
            configs = self._admin.describe_configs(resources, config_filter="all")["topic"] if resources else {}
        found = []
        for name in names:
            if name not in known:
                found.append(TopicNow(name, "", 0))
                continue
            topic, config = known[name], configs[name]
            settings = _value(config, "cleanup.policy", "delete"), _value(config, "retention.ms", "-1")
            found.append(topic_now(name, str(topic["topic_id"] or ""), len(topic["partitions"]), *settings))
        return found

    def groups(self, topics: Sequence[str]) -> list[Group]:
        """See `Positions.groups`."""
        wanted = set(topics)
        with translated():
            listed = {g["group_id"]: g for g in self._admin.list_groups() if g["protocol_type"] != "connect"}
            known = [n for n, g in listed.items() if g["group_type"] in ("classic", "consumer")]
            about = self._admin.describe_groups(known) if known else {}
            offsets = self._admin.list_group_offsets(known) if known else {}
        found = []
        for name, group in listed.items():
            kind = _KINDS.get(group["group_type"], "unknown")
            held = offsets.get(name, {})
            committed = tuple(
                Committed(p.topic, p.partition, o.offset)
                for p, o in held.items()
                if p.topic in wanted and o.offset >= 0
            )
            described = about.get(name)
            if described is None or described["error"]:
                found.append(Group(name, kind, "Dead", 0, committed, f"kafka-python cannot read a {kind} group"))
                continue
            # Without a word about what members read, a group with members counts as reading everything.
            members = len(described["members"])
            if committed or members:
                found.append(Group(name, kind, described["group_state"], members, committed))
        return found

    def ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, EndNow]:
        """See `Positions.ends`."""
        if not places:
            return {}
        wanted = [Place(p.topic, p.partition) for p in places]
        with translated():
            starts = self._list(wanted, OffsetSpec.EARLIEST, IsolationLevel.READ_UNCOMMITTED)
            stable = self._list(wanted, OffsetSpec.LATEST, IsolationLevel.READ_COMMITTED)
            highs = self._list(wanted, OffsetSpec.LATEST, IsolationLevel.READ_UNCOMMITTED)
        return {
            TopicPartition(p.topic, p.partition): EndNow(
                starts[p].offset, stable[p].offset, highs[p].offset, _epoch(highs[p].leader_epoch)
            )
            for p in wanted
            if p in starts and p in stable and p in highs
        }

    def _list(self, places: Sequence[Place], spec: OffsetSpec, level: IsolationLevel) -> Mapping[Place, Any]:
        found: Mapping[Place, Any] = self._admin.list_partition_offsets(dict.fromkeys(places, spec), level)
        return found


def _value(config: Mapping[str, Any], name: str, otherwise: str) -> str:
    entry = config.get(name, otherwise)
    return str(entry["value"] if isinstance(entry, Mapping) else entry)


def _epoch(epoch: int | None) -> int:
    return NO_EPOCH if epoch is None else epoch
