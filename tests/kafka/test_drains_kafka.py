"""Claims about a real Kafka: for each condition something that makes it false, and the claim is withheld."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer, ShareConsumer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from deedbox.checker.drain.claiming import Claim, claim
from deedbox.checker.drain.evidence import Consumer as Reader
from deedbox.checker.drain.evidence import End, Evidence, Policy, Span
from deedbox.checker.drain.evidence import Producer as Writer
from deedbox.kafka.confluent import ConfluentBroker
from deedbox.kafka.drain.carrying import carrying
from deedbox.kafka.drain.confluent_positions import ConfluentPositions
from deedbox.kafka.drain.kafka_python_positions import KafkaPythonPositions
from deedbox.kafka.drain.positions import Positions
from deedbox.kafka.drain.reading import SCAN_GROUP, read
from deedbox.kafka.drain.scanning import Scan
from deedbox.kafka.messages import TopicPartition

WITH, WITHOUT = b'{"id": "1", "coupon": "x"}', b'{"id": "1"}'
CONTRACT = "orders/order-placed"
AT_ONCE = Policy(0)


def _clock() -> int:
    return int(time.time() * 1000)


class Field:
    """One topic with its copies, and what is known of the field on it so far."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self.bootstrap, self.topic, self.dlt = bootstrap, topic, f"{topic}.dlt"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        self.positions: Positions = ConfluentPositions(bootstrap)
        self.spans: dict[tuple[str, int], list[Span]] = {}
        self.ends: dict[tuple[str, int], list[End]] = {}
        self.groups: tuple[str, ...] = ()
        self.retired_at = _clock() - 60_000
        self.create(topic)

    def create(self, topic: str, **config: str) -> None:
        _done(self.admin.create_topics([NewTopic(topic, 1, 1, config=config)]))

    def send(self, *values: bytes | None, topic: str = "", partition: int = 0, key: bytes = b"k") -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for value in values:
            producer.produce(topic or self.topic, value, key=key, partition=partition)
        assert producer.flush(30) == 0

    @contextmanager
    def member(self, group: str, protocol: str = "classic", **config: Any) -> Iterator[Consumer]:
        settings = {"bootstrap.servers": self.bootstrap, "group.id": group, "group.protocol": protocol}
        client = Consumer({**settings, "auto.offset.reset": "earliest", "enable.auto.commit": False, **config})
        client.subscribe([self.topic])
        try:
            yield client
        finally:
            client.close()

    def consume(self, group: str, count: int, protocol: str = "classic") -> None:
        """Reads so many messages and commits."""
        with self.member(group, protocol) as client:
            messages: list[Any] = []
            deadline = time.monotonic() + 60
            while len(messages) < count:
                assert time.monotonic() < deadline
                messages += client.consume(count - len(messages), 1.0)
            client.commit(asynchronous=False)
        self.groups = tuple(dict.fromkeys((*self.groups, group)))

    def end(self) -> int:
        """The offset behind the last message that no open transaction holds back."""
        return ConfluentBroker(self.bootstrap).ends(self.topic)[TopicPartition(self.topic, 0)]

    def delete_before(self, offset: int, topic: str = "") -> None:
        _done(self.admin.delete_records([Place(topic or self.topic, 0, offset)]))

    def scan(self, *topics: str) -> None:
        test = carrying("/coupon", {CONTRACT})
        scan = Scan(self.bootstrap, self.positions, topics or [self.topic], test, SCAN_GROUP + uuid4().hex, _clock)
        for _ in scan.run():
            pass
        for key, spans in scan.spans.items():
            self.spans.setdefault(key, []).extend(spans)

    def claim(self, *, attempts: int = 1, policy: Policy = AT_ONCE, tool: Positions | None = None) -> Claim:
        before = read(self.positions, [self.topic], [self.dlt], _clock, attempts=1)
        for key, end in before.ends.items():
            self.ends.setdefault(key, []).append(end)
        time.sleep(0.002)
        found = read(tool or self.positions, [self.topic], [self.dlt], _clock, attempts=attempts)
        parts = found.partitions(self.ends, self.spans)
        return claim(
            Evidence(
                CONTRACT, "/coupon", found.cluster_id, "test", found.started_at, found.groups_at, found.ends_at,
                found.finished_at, found.topics, parts, found.groups,
                (Writer(CONTRACT, "1.0.0", self.retired_at),),
                (Reader("billing/order-placed", self.groups, (self.topic,)),),
                policy=policy, marked_at=1, stopped_at=2,
            )
        )  # fmt: skip


def _done(asked: dict[Any, Any]) -> None:
    for answer in asked.values():
        answer.result(30)


def _why(made: Claim) -> set[str]:
    return {reason.condition for reason in made.reasons}


@pytest.fixture
def field(bootstrap: str, topic: str) -> Field:
    return Field(bootstrap, topic)


@pytest.fixture
def drained(field: Field) -> Field:
    """The field stands at offset 1 of 4; one group has read everything, and all of it was scanned."""
    field.send(WITHOUT, WITH, WITHOUT, WITHOUT)
    field.consume(f"{field.topic}.billing", 4)
    field.scan()
    return field


def _meanwhile(field: Field, before: str, happens: Callable[[], None]) -> Positions:
    """Positions of the cluster, where something happens once before the second call of a method."""
    inner, calls = field.positions, iter([None, happens])

    class Between:
        def __getattr__(self, name: str) -> Any:
            def call(*args: Any) -> Any:
                if name == before and (now := next(calls, None)) is not None:
                    now()
                return getattr(inner, name)(*args)

            return call

    return Between()  # type: ignore[return-value]


def test_consumed_then_gone(drained: Field) -> None:
    made = drained.claim()
    assert (made.state, made.consumed, made.gone) == ("consumed", True, False)
    assert [(r.condition, r.topic, r.partition, r.offset, r.needed) for r in made.against("gone")] == [
        ("log-start-past", drained.topic, 0, 0, 2)
    ]
    drained.delete_before(2)
    made = drained.claim()
    assert (made.state, made.gone, made.reasons) == ("gone", True, ())


def test_a_group_that_lags_is_named_with_its_offset(drained: Field) -> None:
    slow = f"{drained.topic}.slow"
    drained.consume(slow, 1)
    made = drained.claim()
    assert made.state == "blocked", "an empty group with lag does not go away by waiting"
    behind = next(r for r in made.reasons if r.condition == "offsets-past")
    assert (behind.group, behind.topic, behind.partition, behind.offset, behind.needed) == (
        slow,
        drained.topic,
        0,
        1,
        2,
    )


def test_a_partition_that_comes_in_the_middle(drained: Field) -> None:
    def add() -> None:
        _done(drained.admin.create_partitions([NewPartitions(drained.topic, 2)]))
        _until(lambda: drained.positions.topics([drained.topic])[0].partitions == 2)
        drained.send(WITH, partition=1)

    assert "topic-unchanged" in _why(drained.claim(tool=_meanwhile(drained, "topics", add)))
    made = drained.claim(attempts=3)
    assert "topic-unchanged" not in _why(made)
    assert not made.consumed, "nobody has read the new partition"


def test_a_topic_made_anew(drained: Field) -> None:
    _done(drained.admin.delete_topics([drained.topic]))
    _until(lambda: drained.positions.topics([drained.topic])[0].partitions == 0)
    drained.create(drained.topic)
    drained.send(WITHOUT, WITHOUT, WITHOUT, WITH)
    made = drained.claim()
    assert {"no-gap", "observed-to-end"} <= _why(made), "what was observed is of the old topic"
    assert not made.consumed


def test_a_consumer_whose_group_never_committed(drained: Field) -> None:
    drained.groups += ("never",)
    assert _why(drained.claim()) == {"consumers-known", "log-start-past"}


def test_a_group_without_an_offset_in_one_partition(drained: Field) -> None:
    _done(drained.admin.create_partitions([NewPartitions(drained.topic, 2)]))
    _until(lambda: drained.positions.topics([drained.topic])[0].partitions == 2)
    drained.send(WITH, partition=1)
    drained.scan()
    assert "committed-known" in _why(drained.claim())


def test_a_group_that_expired(drained: Field) -> None:
    assert drained.claim().consumed
    _done(drained.admin.delete_consumer_groups([drained.groups[0]]))
    made = drained.claim()
    assert "consumers-known" in _why(made)
    assert not made.consumed


def test_offsets_that_were_reset(drained: Field) -> None:
    assert drained.claim().consumed
    back = ConsumerGroupTopicPartitions(drained.groups[0], [Place(drained.topic, 0, 0)])
    _done(drained.admin.alter_consumer_group_offsets([back]))
    assert "offsets-past" in _why(drained.claim())


def test_offsets_that_are_reset_while_they_are_read(drained: Field) -> None:
    back = ConsumerGroupTopicPartitions(drained.groups[0], [Place(drained.topic, 0, 0)])
    tool = _meanwhile(drained, "groups", lambda: _done(drained.admin.alter_consumer_group_offsets([back])))
    assert "offsets-past" in _why(drained.claim(tool=tool))


@contextmanager
def _transaction(field: Field, *values: bytes) -> Iterator[Producer]:
    producer = Producer({"bootstrap.servers": field.bootstrap, "transactional.id": field.topic})
    producer.init_transactions(60)
    producer.begin_transaction()
    for value in values:
        producer.produce(field.topic, value, partition=0)
    assert producer.flush(30) == 0
    yield producer


def test_an_aborted_message_is_in_the_log_all_the_same(drained: Field) -> None:
    with _transaction(drained, WITH) as producer:
        producer.abort_transaction(30)
    # The broker answers before it has written the marker that ends the transaction.
    deadline = time.monotonic() + 30
    while drained.end() != 6:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    drained.scan()
    drained.delete_before(2)
    made = drained.claim()
    assert made.against("gone")[0].needed == 5, "who reads uncommitted messages gets it"


def test_an_open_transaction(drained: Field) -> None:
    with _transaction(drained, WITH) as producer:
        drained.scan()
        made = drained.claim()
        assert "transactions" in _why(made)
        assert made.state == "blocked"
        producer.commit_transaction(30)


def test_a_compacted_topic_is_proved_by_a_look_at_all_of_it_alone(bootstrap: str, topic: str) -> None:
    field = Field(bootstrap, f"{topic}-c")
    config = {
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.01",
        "segment.ms": "100",
        "delete.retention.ms": "0",
    }
    _done(field.admin.delete_topics([field.topic]))
    _until(lambda: field.positions.topics([field.topic])[0].partitions == 0)
    field.create(field.topic, **config)
    field.send(WITH, WITHOUT)
    field.consume(f"{field.topic}.billing", 2)
    field.scan()
    made = field.claim()
    assert "compaction" in {r.condition for r in made.against("consumed")} & {r.condition for r in made.against("gone")}

    def compacted() -> bool:
        field.send(WITHOUT)
        field.spans.clear()
        field.scan()
        return all(span.seen is None for spans in field.spans.values() for span in spans)

    _until(compacted, 60, 1.0)
    made = field.claim()
    assert made.gone
    assert not made.against("gone")


def test_groups_of_kip_848(drained: Field) -> None:
    group = f"{drained.topic}.new"
    drained.consume(group, 1, "consumer")
    made = drained.claim()
    behind = next(r for r in made.reasons if r.condition == "offsets-past")
    assert (behind.group, behind.offset) == (group, 1)
    old = KafkaPythonPositions(drained.bootstrap)
    made = drained.claim(tool=old)
    assert any(r.condition == "groups-readable" and r.group == group for r in made.reasons)


def test_share_groups_block_until_they_are_waived(drained: Field) -> None:
    group = f"{drained.topic}.share"
    client = ShareConsumer({"bootstrap.servers": drained.bootstrap, "group.id": group})
    client.subscribe([drained.topic])
    try:
        _until(lambda: client.poll(0.5) is not None and group in {g.name for g in drained.positions.groups([])})
        for tool in (drained.positions, KafkaPythonPositions(drained.bootstrap)):
            hit = next(r for r in drained.claim(tool=tool).reasons if r.group == group)
            assert (hit.condition, hit.blocks) == ("groups-readable", ("consumed", "gone"))
    finally:
        client.close()
    # It stays on the broker, and would stand in the way of every other test.
    _done(drained.admin.delete_consumer_groups([group]))


def test_both_clients_read_the_same(drained: Field) -> None:
    old, new = KafkaPythonPositions(drained.bootstrap), drained.positions
    names = [drained.topic, drained.dlt]
    places = [TopicPartition(drained.topic, 0)]
    assert old.cluster_id() == new.cluster_id()
    assert old.topics(names) == new.topics(names)
    assert old.ends(places) == new.ends(places)

    def mine(positions: Positions) -> list[Any]:
        return [g for g in positions.groups(names) if g.name.startswith(drained.topic)]

    assert mine(old) == mine(new)


def test_a_guard_that_missed_a_range(drained: Field) -> None:
    key = (drained.topic, 0)
    (span,) = drained.spans[key]
    drained.spans[key] = [
        Span(0, 1, span.topic_id, span.epoch, span.began, span.ended),
        Span(3, 4, span.topic_id, span.epoch, span.began, span.ended),
    ]
    made = drained.claim()
    assert made.against("gone")[0].needed == 3, "what nobody looked at counts as carrying the field"


def test_a_dead_letter_that_is_replayed(drained: Field) -> None:
    drained.create(drained.dlt)
    drained.send(WITH, topic=drained.dlt)
    drained.delete_before(2)
    drained.scan(drained.dlt)
    made = drained.claim()
    assert {r.condition for r in made.against("consumed")} == {"copies"}
    drained.send(WITH)
    drained.delete_before(1, drained.dlt)
    drained.scan(drained.topic, drained.dlt)
    made = drained.claim()
    assert not made.consumed, "it is a new message with the old field"
    assert "offsets-past" in _why(made)


def test_producers_that_are_not_done(drained: Field) -> None:
    assert "quiet" in _why(drained.claim(policy=Policy(60_000_000)))
    drained.retired_at = _clock()
    assert "grace" in _why(drained.claim(policy=Policy(60_000)))


def test_a_scan_goes_on_where_it_stopped(drained: Field) -> None:
    group = SCAN_GROUP + uuid4().hex
    looked: list[bytes | None] = []

    def scan(stop: bool) -> Scan:
        def test(_: str, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> bool:
            looked.append(value)
            return value == WITH

        made = Scan(drained.bootstrap, drained.positions, [drained.topic], test, group, _clock)
        steps = made.run()
        for step in steps:
            if stop and step.done:
                steps.close()
                made.close()
                break
        return made

    scan(stop=True)
    first = len(looked)
    assert first
    drained.send(WITHOUT, WITHOUT)
    made = scan(stop=False)
    assert len(looked) == 6, "no record is looked at twice"
    (span,) = made.spans[drained.topic, 0]
    assert (span.start, span.end, span.seen) == (0, 6, 1)


def _until(holds: Callable[[], bool], seconds: float = 30, pause: float = 0.1) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(pause)
