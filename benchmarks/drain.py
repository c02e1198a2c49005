"""`make bench-drain`: what a drain costs, beside what it adds to.

A reading of 1,000 partitions and 100 groups, with the claim made of it; a scan of history beside plain consumption of
the same topic by the same client; the test for one obsolete field beside the validation that goes before it.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from pathlib import Path
from uuid import uuid4

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewTopic
from deedbox.checker.drain.claiming import claim
from deedbox.checker.drain.evidence import Consumer as Reader
from deedbox.checker.drain.evidence import Evidence, Policy
from deedbox.checker.drain.evidence import Producer as Writer
from deedbox.kafka.drain.carrying import carrying
from deedbox.kafka.drain.confluent_positions import ConfluentPositions
from deedbox.kafka.drain.reading import SCAN_GROUP, read
from deedbox.kafka.drain.scanning import Scan

from benchmarks.a_kafka import a_kafka

PARTITIONS, GROUPS = 1_000, 100


def clock() -> int:
    return int(time.time() * 1000)


def resident_mb() -> float:
    """Resident memory now, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def reading(bootstrap: str) -> str:
    """Seconds and memory of one reading and its claim."""
    admin, topic = AdminClient({"bootstrap.servers": bootstrap}), f"wide-{uuid4().hex[:8]}"
    admin.create_topics([NewTopic(topic, PARTITIONS)])[topic].result(60)
    groups = [f"{topic}.{n}" for n in range(GROUPS)]
    # Offsets that are behind: every group then stands in the claim's way, which is its longest answer.
    producer = Producer({"bootstrap.servers": bootstrap})
    for n in range(PARTITIONS):
        producer.produce(topic, b'{"coupon":"x"}', partition=n)
        producer.poll(0)
    producer.flush(120)
    for group in groups:
        places = [Place(topic, n, 0) for n in range(PARTITIONS)]
        (asked,) = admin.alter_consumer_group_offsets([ConsumerGroupTopicPartitions(group, places)]).values()
        asked.result(60)
    positions = ConfluentPositions(bootstrap)
    positions.topics([topic])
    before, started = resident_mb(), time.perf_counter()
    found = read(positions, [topic], [], clock)
    took_reading = time.perf_counter() - started
    made = claim(
        Evidence(
            "orders/order-placed", "/coupon", found.cluster_id, "bench", found.started_at, found.groups_at, found.ends_at,
            found.finished_at, found.topics, found.partitions(), found.groups,
            (Writer("orders/order-placed", "1.0.0", 0),), (Reader("billing/order-placed", tuple(groups), (topic,)),),
            policy=Policy(0), marked_at=0,
        )
    )  # fmt: skip
    took = time.perf_counter() - started
    offsets = sum(len(group.committed) for group in found.groups)
    assert offsets >= PARTITIONS * GROUPS, offsets
    used = max(0.0, resident_mb() - before)
    admin.delete_topics([topic])[topic].result(60)
    return (
        f"| reading {PARTITIONS:,} partitions × {GROUPS} groups ({offsets:,} offsets, twice) and the claim "
        f"({len(made.reasons)} reasons) | {took:.1f} s, {took_reading:.1f} s of it reading; {used:.0f} MB more, "
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000:.0f} MB at most in all |"
    )


def scanning(bootstrap: str, count: int) -> str:
    """Messages a second of a scan and of plain consumption, by turns."""
    admin, topic = AdminClient({"bootstrap.servers": bootstrap}), f"long-{uuid4().hex[:8]}"
    admin.create_topics([NewTopic(topic, 4)])[topic].result(60)
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20})
    body = json.dumps({"id": "order-1", "lines": [{"sku": f"sku-{n}", "count": n} for n in range(6)]}).encode()
    for n in range(count):
        while True:
            try:
                producer.produce(topic, body, partition=n % 4)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush(120)
    positions = ConfluentPositions(bootstrap)
    plain: list[float] = []
    scans: list[float] = []
    for _ in range(3):
        plain.append(_consumed(bootstrap, topic, count))
        test = carrying("/coupon", {"orders/order-placed"})
        scan = Scan(bootstrap, positions, [topic], test, SCAN_GROUP + uuid4().hex, clock)
        started = time.perf_counter()
        done = 0
        first = 0.0
        for step in scan.run():
            first = first or (time.perf_counter() if step.done else 0.0)
            done = step.done
        assert done == count
        scans.append(count / (time.perf_counter() - min(first or started, started + 3600)))
    admin.delete_topics([topic])[topic].result(60)
    return (
        f"| a scan of {count:,} messages of {len(body)} B | {max(scans):,.0f} messages/s, plain consumption "
        f"{max(plain):,.0f} (ratio {max(scans) / max(plain):.2f}; best of 3 each, from the first batch on) |"
    )


def _consumed(bootstrap: str, topic: str, count: int) -> float:
    client = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    client.subscribe([topic])
    got, first = 0, 0.0
    while got < count:
        got += len(client.consume(10_000, 1.0))
        first = first or (time.perf_counter() if got else 0.0)
    taken = time.perf_counter() - first
    client.close()
    return count / taken


def pointer_test(rounds: int) -> str:
    """What looking for one obsolete field adds to judging a message of the nested schema."""
    import orjson
    from deedbox.kafka.judging.obsolete import carries
    from deedbox.kafka.judging.validation import CompiledSchema

    from benchmarks.guard import cases

    schema, value = cases()["60 nested"]
    group = next(iter(value))
    is_valid, test = CompiledSchema(json.dumps(schema)).is_valid, carries(f"/{group}/coupon")
    body = orjson.dumps(value)

    def seconds_of(with_test: bool) -> float:
        """CPU time of a round: others on the machine do not count."""
        started = time.process_time()
        for _ in range(rounds):
            decoded = orjson.loads(body)
            is_valid(decoded)
            if with_test:
                test(decoded)
        return time.process_time() - started

    pairs = [(seconds_of(False), seconds_of(True)) for _ in range(15)]
    cost = sorted(tested / plain - 1 for plain, tested in pairs)[7]
    return f"| looking for one field in a message of {len(body)} B, beside parsing and validating it (CPU time, median of 15) | {cost:+.1%} time |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=20_000)
    asked = parser.parse_args()
    print("| what | cost |\n|---|---|")
    with a_kafka() as bootstrap:
        print(reading(bootstrap), flush=True)
        print(scanning(bootstrap, asked.messages), flush=True)
    print(pointer_test(asked.rounds), flush=True)


if __name__ == "__main__":
    main()
