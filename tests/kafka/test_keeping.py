"""Topics that must not forget: how they are made, and what is said of those that do."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from deedbox.kafka.broker import Broker
from deedbox.kafka.errors import NotPermitted
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.letters.keeping import KEEPS, Keeping
from deedbox.kafka.letters.replaying import Replayer, read_all
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import TopicPartition

from .conftest import NOW, ORDER, Registry, connected, header
from .letters import wait_for

CLIENTS = ["kafka-python", "confluent-kafka"]
YEAR = 365 * 24 * 3600 * 1000


@pytest.fixture(params=["memory", *CLIENTS])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "memory":
        return MemoryBroker()
    return connected(request.param, request.getfixturevalue("bootstrap"))


def kept(broker: Broker, topic: str) -> dict[str, str]:
    found = broker.settings(topic)
    return {name: found[name] for name in KEEPS}


def test_one_that_is_not_there_is_made_to_drop_nothing(broker: Broker, topic: str) -> None:
    assert broker.settings(topic) == {}
    Keeping(broker).see_to([topic])
    assert kept(broker, topic) == KEEPS
    assert broker.ends(topic) == {TopicPartition(topic, 0): 0}


def test_one_that_is_there_stays_as_it_is_and_is_told_of_once(
    broker: Broker, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker.create(topic, {"retention.ms": "604800000"})
    broker.create(topic, KEEPS)
    broker.create(f"{topic}.c", {"cleanup.policy": "compact", "retention.ms": "1"})
    keeping = Keeping(broker)
    for _ in range(2):
        keeping.see_to([topic, f"{topic}.c"])
    assert kept(broker, topic)["retention.ms"] == "604800000"
    told = [r.getMessage() for r in caplog.records if r.name == "deedbox.dlq" and r.levelno >= logging.WARNING]
    assert told == [
        f"{topic} drops messages: it has retention.ms=604800000. Give it retention.ms=-1",
        f"{topic}.c drops messages: it has cleanup.policy=compact. Give it cleanup.policy=delete",
    ]


@pytest.mark.parametrize("client", CLIENTS)
def test_what_the_cluster_refuses_is_told_apart_from_its_silence(client: str, bootstrap: str, topic: str) -> None:
    broker = connected(client, bootstrap)
    with pytest.raises(NotPermitted, match=r"retention\.ms: Not a number") as caught:
        broker.create(topic, {"retention.ms": "a week"})
    assert len(str(caught.value)) < 200
    assert broker.settings(topic) == {}


def test_where_it_may_not_be_known_the_writing_goes_on(topic: str, caplog: pytest.LogCaptureFixture) -> None:
    class Closed(MemoryBroker):
        def settings(self, topic: str) -> dict[str, str]:
            raise NotPermitted("TopicAuthorizationFailedError: its settings are not told")

    keeping = Keeping(Closed())
    for _ in range(2):
        keeping.see_to([topic])
    (told,) = caplog.records
    assert f"{topic}: not known whether it drops messages: TopicAuthorizationFailed" in told.getMessage()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_dead_letter_of_an_old_message_is_kept(client: str, registry: Registry, bootstrap: str, topic: str) -> None:
    broker: Any = connected(client, bootstrap)
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    broker.create(topic, KEEPS)
    producer = broker.producer()
    again = [*header("orders/order-placed", "1.0.0"), ("deedbox-replay-count", b"3")]
    producer.send(topic, None, b'{"id":1}', again, NOW - YEAR, 0)
    producer.flush()
    producer.close()
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, group=f"{topic}-g")
    until = time.monotonic() + 30
    while not guard.run_once(seconds=0.3) and time.monotonic() < until:
        pass
    guard.close()
    assert kept(broker, f"{topic}.dlt") == KEEPS
    wait_for(lambda: any(read_all(broker, f"{topic}.dlt")))  # behind the marker that ends its transaction
    (dead,) = read_all(broker, f"{topic}.dlt")
    assert dead.record.timestamp == NOW - YEAR
    assert Replayer(broker, f"{topic}.dlt", "r", None).run().quarantined == 1
    assert kept(broker, f"{topic}.dlt.replays") == kept(broker, f"{topic}.dlt.quarantine") == KEEPS


def test_no_topic_is_made_before_there_is_a_letter(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    producer = broker.producer()
    producer.send(topic, None, b'{"id":"a"}', header("orders/order-placed", "1.0.0"), NOW, 0)
    producer.flush()
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, group=f"{topic}-g")
    assert guard.run_once(seconds=0) == 1
    assert Replayer(broker, f"{topic}.dlt", "r", None).dry_run().read == 0
    assert {place.topic for place in broker.logs} == {topic}
