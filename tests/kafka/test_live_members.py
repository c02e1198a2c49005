"""Members of one group on a real Kafka, alive at once: they come, go and fall over in the middle of a shuffled history."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any
from uuid import UUID

import pytest
from deedbox.kafka.broker import Broker
from deedbox.kafka.consuming import ContractConsumer, Order
from deedbox.kafka.errors import LiveError
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.letters.replaying import read_all
from deedbox.kafka.messages import MESSAGE_ID, TopicPartition
from deedbox.kafka.sql_store import SqlStore
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import sessionmaker

from .conftest import NOW, Registry, connected

CONTRACT = "orders/order-placed"
SCHEMA = {
    "type": "object",
    "required": ["id", "step", "at"],
    "properties": {"id": {"type": "string"}, "step": {"type": "integer"}, "at": {"type": "string"}},
}
PARTITIONS, KEYS, STEPS = 4, 12, 8


class Falls(Exception):
    """What a handler raises."""


def send_history(broker: Broker, topic: str, chance: random.Random) -> int:
    """Every step of every key, some of them twice, in any order, with invalid ones in between; how many of those."""
    steps = [(f"k{key}", step, UUID(int=key * 100 + step)) for key in range(KEYS) for step in range(STEPS)]
    history = steps + chance.sample(steps, len(steps) // 2)
    chance.shuffle(history)
    producer, bad = broker.producer(), 0
    for n, (key, step, identity) in enumerate(history):
        value = {"id": key, "step": step, "at": f"2026-01-01T00:00:0{step}Z"}
        headers = [(MESSAGE_ID, str(identity).encode())]
        producer.send(topic, key.encode(), json.dumps(value).encode(), headers, NOW)
        if n % 15 == 0:
            producer.send(topic, key.encode(), b'{"id": 7}', [], NOW)
            bad += 1
    producer.flush()
    producer.close()
    return bad


class Crowd:
    """Two members, each of which begins anew every few seconds, so that partitions move all the time."""

    def __init__(self, client: str, bootstrap: str, topic: str, engine: Engine, inspector: Inspector) -> None:
        self.client, self.bootstrap, self.topic = client, bootstrap, topic
        self.engine, self.inspector = engine, inspector
        self.stopping, self._lock, self._calls = Event(), Lock(), 0
        self.unexpected: list[Exception] = []
        self.lives = self.falls = 0

    @property
    def group(self) -> str:
        return f"{self.topic}-group"

    def handle(self, message: Message) -> None:
        """Writes what happened, and falls over now and then behind its write."""
        session, value = message.session, message.value
        identity = dict(message.record.headers)[MESSAGE_ID].decode()  # type: ignore[union-attr]
        session.execute(
            text("INSERT INTO effects VALUES (:m, :i, :s)"), {"m": identity, "i": value["id"], "s": value["step"]}
        )
        update = text("INSERT INTO state VALUES (:i, :s) ON CONFLICT (id) DO UPDATE SET step = :s")
        session.execute(update, {"i": value["id"], "s": value["step"]})
        with self._lock:
            self._calls += 1
            falls = self._calls % 17 == 0
            self.falls += falls
        if falls:
            raise Falls

    def member(self, number: int) -> None:
        handlers = Handlers()
        handlers.handles("order-placed", "1")(self.handle)
        store = SqlStore(sessionmaker(self.engine), self.group)
        try:
            while not self.stopping.is_set():
                consumer = ContractConsumer(
                    connected(self.client, self.bootstrap), [self.topic], self.group, handlers, self.inspector,
                    store=store, order=Order("/id", "/at"), instance=str(number),
                )  # fmt: skip
                self.lives += 1
                until = time.monotonic() + 1.5 + number
                try:
                    while time.monotonic() < until and not self.stopping.is_set():
                        try:
                            consumer.run_once(7, 0.2)
                        except (Falls, LiveError):
                            continue
                finally:
                    consumer.close()
        except Exception as error:  # noqa: BLE001 - raised in the test's own thread
            self.unexpected.append(error)

    def run(self, broker: Broker, seconds: float) -> None:
        threads = [Thread(target=self.member, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        until = time.monotonic() + seconds
        ends = broker.ends(self.topic)
        while time.monotonic() < until and not self.unexpected:
            reached = broker.committed(self.group, self.topic)
            # Until each has lived twice: partitions are to move while there is something to read.
            if self.lives >= 4 and all(reached.get(place, 0) >= end for place, end in ends.items()):
                break
            time.sleep(0.2)
        self.stopping.set()
        for thread in threads:
            thread.join(60)
        reached = broker.committed(self.group, self.topic)
        assert {place: reached.get(place, 0) for place in ends} == ends


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_members_that_come_go_and_fall_over_end_where_one_alone_would(
    client: str, registry: Registry, bootstrap: str, topic: str, tmp_path: Path
) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    admin.close()
    registry.publish(CONTRACT, SCHEMA, channels=[topic])
    broker = connected(client, bootstrap)
    bad = send_history(broker, topic, random.Random(11))
    assert set(broker.ends(topic)) == {TopicPartition(topic, n) for n in range(PARTITIONS)}
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db", connect_args={"timeout": 30})
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE effects (message TEXT, id TEXT, step INTEGER)"))
        connection.execute(text("CREATE TABLE state (id TEXT PRIMARY KEY, step INTEGER)"))
    crowd = Crowd(client, bootstrap, topic, engine, Inspector(registry.lookup()))
    crowd.run(broker, 60)
    assert not crowd.unexpected
    assert crowd.falls > 0
    with engine.connect() as connection:
        effects: list[Any] = list(connection.execute(text("SELECT message, id, step FROM effects")))
        state = {row.id: row.step for row in connection.execute(text("SELECT id, step FROM state"))}
    engine.dispose()
    assert state == {f"k{key}": STEPS - 1 for key in range(KEYS)}
    assert len({row.message for row in effects}) == len(effects), "no effect stands twice"
    letters = [str(dead.origin) for dead in read_all(broker, f"{topic}.dlt")]
    assert len(letters) == len(set(letters)) == bad
