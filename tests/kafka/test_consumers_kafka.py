"""The consumer wrapper over either client, on a real Kafka: interrupted, and too slow for its group."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from deedbox.kafka.broker import Broker
from deedbox.kafka.confluent import ConfluentBroker, ConfluentProducer
from deedbox.kafka.consuming import ContractConsumer
from deedbox.kafka.errors import BrokerUnavailable, Fenced
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.kafka_python import KafkaPythonProducer
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, TopicPartition
from deedbox.kafka.reading import stretches, whole
from deedbox.kafka.stores import MemoryStore
from kafka import KafkaAdminClient, KafkaConsumer

from .conftest import NOW, ORDER, Registry, connected, header

CLIENTS = ("kafka-python", "confluent-kafka")
PRODUCERS = {"kafka-python": KafkaPythonProducer, "confluent-kafka": ConfluentProducer}
SECONDS = 60.0


def send(broker: Broker, topic: str, *bodies: bytes) -> None:
    producer = broker.producer()
    for n, body in enumerate(bodies):
        headers = [*header("orders/order-placed", "1.0.0"), ("deedbox-message-id", str(n).encode())]
        producer.send(topic, b"k", body, headers, NOW)
    producer.flush()
    producer.close()


def run(consumer: ContractConsumer, done: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < until
        consumer.run_once()


def letters(broker: Broker, topic: str) -> int:
    ends = broker.ends(f"{topic}.dlt")
    return sum(len(stretch.records) for stretch in stretches(broker, f"{topic}.dlt", whole(ends)))


def wait_until_deserted(bootstrap: str, group: str) -> None:
    """Until Kafka has put the only member out of its group."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    until = time.monotonic() + SECONDS
    while admin.describe_groups([group])[group]["members"]:
        assert time.monotonic() < until
        time.sleep(0.2)
    admin.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_an_interruption_within_a_transaction_leaves_none_behind(
    registry: Registry, bootstrap: str, topic: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    broker, handled = connected(client, bootstrap), list[str]()
    send(broker, topic, b'{"id":7}', b'{"id":"a"}')
    handlers = Handlers()
    handlers.handles("order-placed", "1")(lambda message: handled.append(message.value["id"]))
    consumer = ContractConsumer(broker, [topic], f"{topic}-g", handlers, Inspector(registry.lookup()))

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(PRODUCERS[client], "send_offsets", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(consumer, lambda: False)
    assert broker.committed(f"{topic}-g", topic) == {}
    run(consumer, lambda: broker.committed(f"{topic}-g", topic) == {TopicPartition(topic, 0): 2})
    assert (set(handled), letters(broker, topic)) == ({"a"}, 1)
    consumer.close()


@pytest.mark.parametrize("client", [*CLIENTS, "memory"])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), BrokerUnavailable("in the middle of a batch")])
def test_what_a_client_had_read_when_it_failed_is_read_again(
    registry: Registry, request: pytest.FixtureRequest, topic: str, client: str, error: BaseException
) -> None:
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    memory = client == "memory"
    broker = MemoryBroker() if memory else connected(client, request.getfixturevalue("bootstrap"))
    handled: list[str] = []
    send(broker, topic, b'{"id":"a"}')
    handlers = Handlers()
    handlers.handles("order-placed", "1")(lambda message: handled.append(message.value["id"]))
    consumer = ContractConsumer(broker, [topic], f"{topic}-g", handlers, Inspector(registry.lookup()))
    run(consumer, lambda: handled == ["a"])
    send(broker, topic, *(b'{"id":"%d"}' % n for n in range(3)))
    port = consumer._consumer
    read = port.poll

    def poll(most: int, seconds: float) -> list[Record]:
        if read(most, seconds):
            raise error
        return []

    port.poll = poll  # type: ignore[method-assign]
    with pytest.raises(type(error)):
        run(consumer, lambda: False)
    port.poll = read  # type: ignore[method-assign]
    run(consumer, lambda: len(handled) == 4)
    assert handled == ["a", "0", "1", "2"]
    consumer.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_who_handles_longer_than_the_group_waits_is_told_and_goes_on_where_it_was(
    registry: Registry, bootstrap: str, topic: str, client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # kafka-python takes such a setting for consumers alone, and the port gives its settings to all clients.
    short = {"max_poll_interval_ms": 2_000, "session_timeout_ms": 6_000}
    monkeypatch.setattr(KafkaConsumer, "DEFAULT_CONFIG", {**KafkaConsumer.DEFAULT_CONFIG, **short})
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    broker, handled, troubles = connected(client, bootstrap), list[str](), list[Exception]()
    if client == "confluent-kafka":
        broker = ConfluentBroker(bootstrap, config={"max.poll.interval.ms": 6_000, "session.timeout.ms": 6_000})
    send(broker, topic, *(b'{"id":"%d"}' % n for n in range(4)))
    handlers = Handlers()
    group = f"{topic}-g"

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        handled.append(message.value["id"])
        if len(handled) == 2:
            wait_until_deserted(bootstrap, group)

    store = MemoryStore()
    consumer = ContractConsumer(broker, [topic], group, handlers, Inspector(registry.lookup()), store=store)
    until = time.monotonic() + SECONDS
    while broker.committed(group, topic) != {TopicPartition(topic, 0): 4} and time.monotonic() < until:
        try:
            consumer.run_once()
        except (Fenced, BrokerUnavailable) as error:
            troubles.append(error)
    assert isinstance(troubles[0], Fenced)
    assert handled == ["0", "1", "2", "3"]
    assert consumer.counts.duplicates == 4
    consumer.close()
