"""What every filling says of topics, groups and generations; and a guard on a real Kafka that tells the registry."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from deedbox.kafka.broker import Broker
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.guard.observing import Observer
from deedbox.kafka.guard.reporting import Reporter
from deedbox.kafka.guard.spool import Spool
from deedbox.kafka.judging.obsolete import watch_of
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import TopicPartition

from .conftest import NOW, ORDER, Registry, header

MARKED: dict[str, Any] = {
    **ORDER,
    "properties": {**ORDER["properties"], "note": {"type": "string", "deprecated": True}},
}


@pytest.fixture(params=["memory", "kafka-python", "confluent"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "memory":
        return MemoryBroker()
    bootstrap = str(request.getfixturevalue("bootstrap"))
    if request.param == "confluent":
        from deedbox.kafka.confluent import ConfluentBroker

        return ConfluentBroker(bootstrap)
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    return KafkaPythonBroker(bootstrap)


def produce(broker: Broker, topic: str, *values: bytes, transactional: str | None = None) -> None:
    producer = broker.producer(transactional)
    if transactional:
        producer.begin()
    for value in values:
        producer.send(topic, None, value, header("orders/order-placed", "1.0.0"), NOW, 0)
    producer.commit() if transactional else producer.flush()
    producer.close()


def test_topics_as_they_stand(broker: Broker, topic: str) -> None:
    assert broker.describe([topic]) == {}
    produce(broker, topic, b"a", b"b", b"c")
    facts = broker.describe([topic, f"{topic}.none"])
    assert set(facts) == {topic}
    fact = facts[topic]
    assert fact.cluster
    assert (dict(fact.starts), dict(fact.ends), dict(fact.epochs)) == ({0: 0}, {0: 3}, {0: 0})
    if not isinstance(broker, MemoryBroker):
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", fact.topic_id)


def test_groups_with_offsets_and_their_generations(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"a")
    assert broker.groups([topic]) == {topic: set()}
    member = broker.consumer([topic], f"{topic}-g")
    until = time.monotonic() + 30
    while not (records := member.poll(10, 0.3)) and time.monotonic() < until:
        pass
    assert records
    generation = member.generation()
    assert member.generation() == generation
    member.commit({TopicPartition(topic, 0): 1})
    assert broker.groups([topic]) == {topic: {f"{topic}-g"}}
    other = broker.consumer([topic], f"{topic}-g")
    until = time.monotonic() + 30
    while member.generation() == generation and time.monotonic() < until:
        member.poll(1, 0.1)
        other.poll(1, 0.1)
    assert member.generation() != generation
    other.close()
    member.close()


def test_a_member_that_waits_for_others_can_be_closed(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"a")
    member = broker.consumer([topic], f"{topic}-g")
    until = time.monotonic() + 60
    while not member.poll(10, 0.3):
        assert time.monotonic() < until
    other = broker.consumer([topic], f"{topic}-g")
    other.poll(1, 2.0)  # it asks to join, which is answered once `member` has joined anew: it is not polled
    began = time.monotonic()
    other.close()
    assert time.monotonic() - began < 20
    member.close()


def test_a_guard_tells_the_registry_past_markers_of_transactions(
    registry: Registry, broker: Broker, topic: str, tmp_path: Path
) -> None:
    registry.publish("orders/order-placed", MARKED, channels=[topic])
    produce(broker, topic, b'{"id":"a"}', b'{"id":"b","note":"x"}', transactional=f"{topic}-tx")
    produce(broker, topic, b'{"id":"c"}', transactional=f"{topic}-tx")
    end = broker.describe([topic])[topic].ends[0]
    for n in range(2):  # a second guard goes on where the first one stopped, with no hole between
        lookup = registry.lookup()
        spool = Spool(tmp_path / f"{n}.db")
        observer = Observer(spool, "g/0", lambda name, lookup=lookup: watch_of(lookup, name))  # type: ignore[misc]
        guard = Guard(broker, lookup, [topic], group=f"{topic}-g", observer=observer)
        want, until = (3, 1)[n], time.monotonic() + 30
        done = 0
        while (done < want or not guard.reached({TopicPartition(topic, 0): end})) and time.monotonic() < until:
            done += guard.run_once(100, 0.3)
        assert done == want
        guard.close()
        assert Reporter(spool, registry.client).send_all()
        spool.close()
        if n == 0:
            produce(broker, topic, b'{"id":"d"}')
            end = broker.describe([topic])[topic].ends[0]
    (covered,) = registry.client.observed_coverage("orders/order-placed", "/note")
    assert covered["ranges"] == [[0, end]]
    assert [s["offset"] for s in covered["last_seen"]] == [1]
    assert covered["topic_id"] == broker.describe([topic])[topic].topic_id
    (channel,) = registry.client.observed_channels(topic)
    assert [g["group"] for g in channel["groups"]] == [f"{topic}-g"]


def test_a_record_with_neither_key_nor_value_can_be_sent(broker: Broker, topic: str) -> None:
    producer = broker.producer()
    producer.send(topic, None, None, [], NOW, 0)
    producer.flush()
    producer.close()
    assert broker.describe([topic])[topic].ends == {0: 1}
