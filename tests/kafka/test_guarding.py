"""The guard in its modes, against memory and a real Kafka, with what fails around it."""

from __future__ import annotations

import struct
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson
import pytest
from deedbox.kafka.counting import Cell
from deedbox.kafka.errors import LimitReached
from deedbox.kafka.guard.guarding import MODES, Guard, Mode
from deedbox.kafka.guard.spool import Spool
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.limits import Limits
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, TopicPartition, last

from .conftest import NOW, ORDER, Registry, header

V1 = header("orders/order-placed", "1.0.0")


def fill(broker: Any, topic: str, good: int, bad: int) -> None:
    producer = broker.producer()
    for n in range(good + bad):
        value = {"id": str(n)} if n % ((good + bad) // max(bad, 1)) else {"id": n}
        producer.send(topic, str(n).encode(), orjson.dumps(value), V1, NOW + n, 0)
    producer.flush()
    producer.close()


def settle(guard: Guard, count: int, seconds: float = 20.0) -> int:
    done = 0
    until = time.monotonic() + seconds
    while done < count and time.monotonic() < until:
        done += guard.run_once(most=7, seconds=0.3)
    return done


@pytest.fixture(params=["memory", "kafka-python"])
def broker(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryBroker()
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    return KafkaPythonBroker(request.getfixturevalue("bootstrap"))


def read_all(broker: Any, topic: str, count: int) -> list[Record]:
    reader = broker.reader(topic)
    found: list[Record] = []
    until = time.monotonic() + 10
    while len(found) < count and time.monotonic() < until:
        found += reader.poll(100, 0.3)
    found += reader.poll(100, 0.3)
    reader.close()
    return found


def test_dead_letters_say_where_they_came_from_as_spring_does(registry: Registry, broker: Any, topic: str) -> None:
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 15, 5)
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, group=f"{topic}-guard")
    assert settle(guard, 20) == 20
    guard.close()
    letters = read_all(broker, f"{topic}.dlt", 5)
    assert [last(r.headers, "kafka_dlt-original-offset") for r in letters] == [
        struct.pack(">q", n) for n in range(0, 20, 4)
    ]
    assert {last(r.headers, "kafka_dlt-original-partition") for r in letters} == {b"\0\0\0\0"}
    assert last(letters[0].headers, "kafka_dlt-original-timestamp") == NOW.to_bytes(8, "big")
    read = dead_letters.read(letters[1])
    assert (read.rule, read.pointer, read.contract, read.version) == ("type", "/id", "orders/order-placed", "1.0.0")
    assert (letters[1].value, letters[1].key) == (b'{"id":4}', b"4")
    cells = guard.counts.read().cells
    assert cells[Cell(topic, "orders/order-placed", "1.0.0", "valid")] == 15
    assert cells[Cell(topic, "orders/order-placed", "1.0.0", "invalid")] == 5
    assert sum(len(kept) for kept in guard.samples.found.values()) == 3


def test_a_guard_that_dies_mid_batch_leaves_one_dead_letter_a_message(
    registry: Registry, broker: Any, topic: str
) -> None:
    """As kill -9 does: its transaction is left open, its member never leaves; the successor has its instance name."""
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 15, 5)
    options: dict[str, Any] = {"modes": {topic: "dead-letter"}, "group": f"{topic}-guard"}
    dying = Guard(broker, registry.lookup(), [topic], **options)
    assert settle(dying, 7) == 7
    producer = dying._settler._producer
    assert producer is not None
    producer.begin()
    producer.send(f"{topic}.dlt", None, b"half a batch", [])
    if not isinstance(broker, MemoryBroker):
        producer.flush()
    heir = Guard(broker, registry.lookup(), [topic], **options)
    heir._settler._producer = broker.producer(f"{topic}-guard.0")
    assert dying._consumer is not None
    dying._consumer.close()
    assert settle(heir, 13) == 13
    heir.close()
    producer.close()
    letters = [dead_letters.origin(r).offset for r in read_all(broker, f"{topic}.dlt", 5)]
    assert sorted(letters) == [0, 4, 8, 12, 16]


def test_marking_writes_every_message_with_its_verdict(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 3, 1)
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "mark"})
    settle(guard, 4)
    verdicts = [last(r.headers, "deedbox-verdict") for r in broker.records(f"{topic}.checked")]
    assert verdicts == [b"invalid", b"valid", b"valid", b"valid"]


def test_observing_writes_nothing(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 3, 1)
    guard = Guard(broker, registry.lookup(), [topic])
    assert settle(guard, 4) == 4
    assert {p.topic for p in broker.logs} == {topic}


def test_it_gets_over_a_broker_that_is_away_and_a_dead_letter_topic_that_refuses(
    registry: Registry, topic: str
) -> None:
    broker, pauses = MemoryBroker(), []
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 30, 10)
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, sleep=pauses.append)
    done = 0
    for turn in range(200):
        broker.down = turn % 5 == 1
        broker.refuse = {f"{topic}.dlt"} if turn % 3 == 1 else set()
        done += guard.run_once(most=7, seconds=0)
    assert done == 40
    assert guard.restarts > 3
    assert max(pauses) <= 10.0
    assert len({dead_letters.origin(r).offset for r in broker.records(f"{topic}.dlt")}) == 10
    assert len(broker.records(f"{topic}.dlt")) == 10
    assert sum(n for cell, n in guard.counts.read().cells.items() if cell.kind in ("valid", "invalid")) == 40


def test_a_dead_letter_topic_that_refuses_does_not_use_up_the_limit(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 0, 60)
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, sleep=lambda _: None)
    broker.refuse = {f"{topic}.dlt"}
    assert [guard.run_once(seconds=0) for _ in range(5)] == [0] * 5
    broker.refuse = set()
    assert guard.run_once(seconds=0) == 60
    (kept,) = guard.samples.found.values()
    assert [record.offset for record, _ in kept] == [0, 1, 2], "no failure stands twice among the samples"


@pytest.mark.parametrize("mode", MODES)
def test_the_first_failure_of_each_kind_is_said_without_what_it_holds(
    registry: Registry, topic: str, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    for value in (b'{"id": 1234567}', b'{"id": 7654321}', b"nonsense"):
        broker.append([Record(topic, 0, -1, None, value, [], NOW)])
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: mode})
    assert guard.run_once(seconds=0) == 3
    assert [text for text in caplog.messages if "first of its kind" in text] == [
        f"{topic}[0]@0 is invalid, the first of its kind: orders/order-placed 1.0.0: type at /id",
        f"{topic}[0]@2 is invalid, the first of its kind: orders/order-placed 1.0.0: not-json at the root",
    ]
    assert "1234567" not in caplog.text


def test_the_limit_stops_it_before_the_topic_is_poured_out(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    fill(broker, topic, 0, 50)
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, limits=Limits(consecutive=10))
    with pytest.raises(LimitReached):
        settle(guard, 50)
    assert len(broker.records(f"{topic}.dlt")) == 10


WIDER = {**ORDER, "properties": {**ORDER["properties"], "id": {"type": ["integer", "string"]}}}


@pytest.mark.parametrize("way", ["published", "higher limits", "gone"])
def test_started_again_and_again_it_puts_no_more_aside_until_something_changed(
    registry: Registry, topic: str, tmp_path: Path, way: str
) -> None:
    """As a supervisor does that starts what ends with 1."""
    broker, dlt = MemoryBroker(), f"{topic}.dlt"
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    for n in range(50):
        broker.append([Record(topic, 0, -1, None, b'{"id":%d}' % n, [], NOW + n)])

    def started(consecutive: int = 10) -> int:
        with closing(Spool(tmp_path / "guard.db")) as spool:
            limits = Limits(consecutive=consecutive)
            guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, limits=limits, stops=spool)
            try:
                return settle(guard, 50, 0.5)
            finally:
                guard.close()

    with pytest.raises(LimitReached, match="more than 10 messages in a row"):
        started()
    for _ in range(3):
        with pytest.raises(LimitReached, match=rf"{topic}\[0\]@10 is invalid still"):
            started()
    assert len(broker.records(dlt)) == 10
    if way == "published":
        registry.publish("orders/order-placed", WIDER, channels=[topic], version="2.0.0")
        assert (started(), len(broker.records(dlt))) == (40, 10)
    elif way == "higher limits":
        assert (started(100), len(broker.records(dlt))) == (40, 50)
    else:  # the topic was made anew, and has another message at the offset
        broker.logs[TopicPartition(topic, 0)] = [r._replace(timestamp=NOW + 99) for r in broker.records(topic)]
        with pytest.raises(LimitReached, match="more than 10 messages in a row"):
            started()
        assert len(broker.records(dlt)) == 20
    if way != "gone":
        with closing(Spool(tmp_path / "guard.db")) as spool:
            assert spool.stops() == {}
