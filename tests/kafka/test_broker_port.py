"""What every filling of the broker port does alike: memory, and kafka-python and confluent-kafka against a real Kafka."""

from __future__ import annotations

import time
from typing import Any

import pytest
from deedbox.kafka.broker import Broker, Consumer
from deedbox.kafka.errors import Fenced, LiveError
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, TopicPartition

from .conftest import NOW, connected


@pytest.fixture(params=["memory", "kafka-python", "confluent-kafka"])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "memory":
        return MemoryBroker()
    bootstrap = request.getfixturevalue("bootstrap")
    if request.param == "kafka-python":
        from deedbox.kafka.kafka_python import KafkaPythonBroker

        return KafkaPythonBroker(bootstrap)
    from deedbox.kafka.confluent import ConfluentBroker

    return ConfluentBroker(bootstrap)


def drained(consumer: Consumer, count: int, seconds: float = 15.0) -> list[Record]:
    found: list[Record] = []
    until = time.monotonic() + seconds
    while len(found) < count and time.monotonic() < until:
        found += consumer.poll(100, 0.2)
    return found


def produce(broker: Broker, topic: str, *values: bytes) -> None:
    producer = broker.producer()
    for value in values:
        producer.send(topic, b"k", value, [("h", b"1"), ("h", b"2")], NOW)
    producer.flush()
    producer.close()


def test_records_arrive_whole_and_a_group_goes_on_where_it_committed(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"a", b"b", b"c")
    first = broker.consumer([topic], f"{topic}-group")
    records = drained(first, 3)
    assert [r.value for r in records] == [b"a", b"b", b"c"]
    assert (records[0].key, list(records[0].headers)) == (b"k", [("h", b"1"), ("h", b"2")])
    assert (records[0].timestamp, records[1].offset) == (NOW, 1)
    place = TopicPartition(topic, 0)
    assert first.assignment() == {place}
    first.commit({place: 2})
    first.close()
    assert broker.committed(f"{topic}-group", topic) == {place: 2}
    second = broker.consumer([topic], f"{topic}-group")
    assert [r.value for r in drained(second, 1)] == [b"c"]
    second.seek(place, 0)
    assert [r.value for r in drained(second, 3)] == [b"a", b"b", b"c"]
    second.close()
    reader = broker.reader(topic)
    assert len(drained(reader, 3)) == 3
    reader.close()


def test_a_transaction_is_all_or_nothing(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"in")
    consumer = broker.consumer([topic], f"{topic}-group")
    (record,) = drained(consumer, 1)
    producer = broker.producer(f"{topic}-tx")
    for value, ending in ((b"aborted", producer.abort), (b"kept", producer.commit)):
        producer.begin()
        producer.send(f"{topic}.out", None, value, [])
        producer.send_offsets({record.place: record.offset + 1}, consumer.group_metadata())
        ending()
    reader = broker.reader(f"{topic}.out")
    assert [r.value for r in drained(reader, 1)] == [b"kept"]
    assert drained(reader, 1, 0.5) == []
    assert broker.committed(f"{topic}-group", topic) == {record.place: 1}
    for closing in (reader, producer, consumer):
        closing.close()


def test_a_producer_that_was_replaced_is_fenced(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"in")
    old = broker.producer(f"{topic}-tx")
    old.begin()
    old.send(f"{topic}.out", None, b"old", [])
    new = broker.producer(f"{topic}-tx")
    new.begin()
    new.send(f"{topic}.out", None, b"new", [])
    with pytest.raises(LiveError):
        old.commit()
    new.commit()
    reader = broker.reader(f"{topic}.out")
    assert [r.value for r in drained(reader, 1)] == [b"new"]
    assert drained(reader, 1, 0.5) == []
    for closing in (reader, new, old):
        closing.close()


def test_a_member_that_left_commits_no_more(broker: Broker, topic: str) -> None:
    produce(broker, topic, b"in")
    gone = broker.consumer([topic], f"{topic}-group")
    (record,) = drained(gone, 1)
    stale: Any = gone.group_metadata()
    gone.close()
    heir = broker.consumer([topic], f"{topic}-group")
    drained(heir, 1)
    producer = broker.producer(f"{topic}-tx")
    producer.begin()
    producer.send(f"{topic}.out", None, b"late", [])

    def finish() -> None:
        # Memory finds out at the commit, Kafka when it is told the offsets.
        producer.send_offsets({record.place: 1}, stale)
        producer.commit()

    with pytest.raises(Fenced):
        finish()
    assert broker.committed(f"{topic}-group", topic) == {}
    producer.close()
    heir.close()


def test_its_position_comes_to_the_end_past_what_is_no_message(broker: Broker, topic: str) -> None:
    consumer = broker.consumer([topic], f"{topic}-group")
    producer = broker.producer(f"{topic}-tx")
    for value in (b"a", b"b"):
        producer.begin()
        producer.send(topic, None, value, [])
        producer.commit()
    assert len(drained(consumer, 2)) == 2
    place = TopicPartition(topic, 0)
    end = broker.ends(topic)[place]
    until = time.monotonic() + 30
    while consumer.position(place) < end and time.monotonic() < until:
        assert consumer.poll(10, 0.2) == []
    assert consumer.position(place) == end
    consumer.seek(place, 0)
    assert consumer.position(place) == 0
    assert [r.value for r in drained(consumer, 2)] == [b"a", b"b"]
    for closing in (producer, consumer):
        closing.close()


def test_who_reads_makes_no_topic(bootstrap: str, topic: str) -> None:
    # Whoever makes it says how many partitions it has.
    for client in ("kafka-python", "confluent-kafka"):
        broker = connected(client, bootstrap)
        consumer, until = broker.consumer([topic], f"{topic}-{client}"), time.monotonic() + 4
        while time.monotonic() < until:
            assert consumer.poll(10, 0.2) == []
        assert broker.describe([topic]) == {}, client
        produce(broker, topic, b"a")
        assert [r.value for r in drained(consumer, 1, 30)] == [b"a"]
        consumer.close()
        topic += "-b"


def test_a_member_with_short_polls_gets_what_came_after_it_joined(broker: Broker, topic: str) -> None:
    # Each poll ends while the group is being joined anew; kafka-python's answer to that then lies there unread.
    consumer, until = broker.consumer([topic], f"{topic}-g"), time.monotonic() + 5
    while time.monotonic() < until:
        assert consumer.poll(10, 0.002) == []
    produce(broker, topic, b"a")
    until = time.monotonic() + 60
    while not (found := consumer.poll(10, 0.002)):
        assert time.monotonic() < until, consumer.assignment()
    assert [r.value for r in found] == [b"a"]
    consumer.close()


def test_a_topic_that_is_not_there_has_no_end(broker: Broker, topic: str) -> None:
    assert broker.ends(topic) == {}
    produce(broker, topic, b"a", b"b")
    assert broker.ends(topic) == {TopicPartition(topic, 0): 2}
