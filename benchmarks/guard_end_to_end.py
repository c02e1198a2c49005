"""`make bench-guard-kafka`: reading a topic of a real Kafka and only parsing it, beside guarding and handling it.

Both sides use the same client, in turns, each from the topic's beginning in a group of its own; the best of several
rounds counts. On a busy machine the ratio of processor time, that of the whole process with the client's own threads,
says more. Parsing is the client's own loop. The guard is `Guard` in mode observe, the consumer `ContractConsumer` with a handler that does
nothing, both with look-up, headers, counts and commits. Needs Java and Maven, or KAFKA_BOOTSTRAP_SERVERS.
"""

from __future__ import annotations

import argparse
import gc
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from deedbox.kafka.broker import Broker
from deedbox.kafka.confluent import ConfluentBroker
from deedbox.kafka.consuming import ContractConsumer
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.guard.observing import Observer
from deedbox.kafka.guard.spool import Spool
from deedbox.kafka.handlers import Handlers
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.judging.obsolete import Watch
from deedbox.kafka.lookup import Lookup

from benchmarks.a_kafka import a_kafka
from benchmarks.guard import Registry, cases

BATCH = 1_000


def fill(bootstrap: str, topic: str, body: bytes, count: int) -> None:
    """Writes the messages, as our own serializer would."""
    producer = ConfluentBroker(bootstrap).producer()
    for n in range(count):
        headers = [
            ("deedbox-contract", f"bench/{topic}".encode()), ("deedbox-version", b"1.0.0"),
            ("deedbox-message-id", b"%036d" % n), ("traceparent", b"00-%032d-%016d-01" % (n, n)),
        ]  # fmt: skip
        producer.send(topic, b"%d" % n, body, headers)
    producer.flush()
    producer.close()


Turn = Callable[[], int]
"""Deals with the next batch; how many messages that were."""


@contextmanager
def kafka_python_alone(bootstrap: str, topic: str) -> Iterator[Turn]:
    """kafka-python's own loop."""
    from kafka import KafkaConsumer

    client = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, group_id=uuid4().hex, auto_offset_reset="earliest", enable_auto_commit=False
    )

    def turn() -> int:
        done = 0
        for records in client.poll(timeout_ms=500, max_records=BATCH).values():
            for record in records:
                orjson.loads(record.value)
            done += len(records)
        if done:
            client.commit()
        return done

    yield turn
    client.close()


@contextmanager
def confluent_alone(bootstrap: str, topic: str) -> Iterator[Turn]:
    """confluent-kafka's own loop."""
    from confluent_kafka import Consumer

    client = Consumer(
        {
            "bootstrap.servers": bootstrap, "group.id": uuid4().hex, "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )  # fmt: skip
    client.subscribe([topic])

    def turn() -> int:
        messages = client.consume(BATCH, 0.5)
        for message in messages:
            orjson.loads(message.value())
        if messages:
            client.commit(asynchronous=False)
        return len(messages)

    yield turn
    client.close()


@contextmanager
def guarded(broker: Broker, lookup: Lookup, topic: str) -> Iterator[Turn]:
    """The guard, as `deedbox guard` runs it: what it sees is written down for the registry."""
    with tempfile.TemporaryDirectory() as folder, closing(Spool(Path(folder) / "spool.db")) as spool:
        observer = Observer(spool, "bench", lambda _: Watch(()))
        guard = Guard(broker, lookup, [topic], group=uuid4().hex, observer=observer)
        yield lambda: guard.run_once(BATCH, 0.5)
        assert {cell.kind for cell in guard.counts.read().cells} == {"valid"}
        guard.close()


@contextmanager
def handled(broker: Broker, lookup: Lookup, topic: str) -> Iterator[Turn]:
    """The consumer."""
    handlers = Handlers()
    handlers.handles(topic, "1")(lambda _: None)
    consumer = ContractConsumer(broker, [topic], uuid4().hex, handlers, Inspector(lookup))
    yield lambda: consumer.run_once(BATCH, 0.5)
    assert consumer.counts.dead_letters == 0
    consumer.close()


def rates(turn: Turn, count: int) -> tuple[float, float]:
    """Messages a second, and messages a second of this process's processor time, from the first batch's end to the last."""
    done = first = turn()
    while not first:
        done = first = turn()
    wall, busy = time.perf_counter(), time.process_time()
    while done < count:
        done += turn()
    return (done - first) / (time.perf_counter() - wall), (done - first) / (time.process_time() - busy)


def compare(bootstrap: str, name: str, count: int, rounds: int) -> None:
    """Prints a line a client."""
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    schema, value = cases()[name]
    topic = f"{name.replace(' ', '-')}-{uuid4().hex[:6]}"
    fill(bootstrap, topic, orjson.dumps(value), count)
    lookup = Lookup(Registry({topic: schema}))  # type: ignore[arg-type]
    clients: dict[str, tuple[Any, Broker]] = {
        "kafka-python": (kafka_python_alone, KafkaPythonBroker(bootstrap)),
        "confluent": (confluent_alone, ConfluentBroker(bootstrap)),
    }
    for client, (alone, broker) in clients.items():
        # The slower client reads fewer: what counts is the rate.
        some = count if client == "confluent" else count // 4
        best = [(0.0, 0.0)] * 3
        for _ in range(rounds):
            sides = (alone(bootstrap, topic), guarded(broker, lookup, topic), handled(broker, lookup, topic))
            for i, side in enumerate(sides):
                with side as turn:
                    wall, busy = rates(turn, some)
                best[i] = (max(best[i][0], wall), max(best[i][1], busy))
        (parsed, parsed_busy), *others = best
        line = f"{name:<12}{client:<14}{parsed:>10,.0f}"
        for wall, busy in others:
            line += f"{wall:>12,.0f}{wall / parsed:>7.2f}{busy / parsed_busy:>9.2f}"
        print(line, flush=True)


def main() -> None:
    """Runs all."""
    warnings.simplefilter("ignore", DeprecationWarning)
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=400_000, help="for each schema")
    options.add_argument("--rounds", type=int, default=4)
    given = options.parse_args()
    # As the guard does, and for both sides: what is loaded by now is not looked through again and again.
    gc.freeze()
    with a_kafka() as bootstrap:
        sides = "".join(f"{side:>12}{'ratio':>7}{'by CPU':>9}" for side in ("guard/s", "consumer/s"))
        print(f"{'schema':<12}{'client':<14}{'parsed/s':>10}{sides}")
        for name in cases():
            compare(bootstrap, name, given.messages, given.rounds)


if __name__ == "__main__":
    main()
