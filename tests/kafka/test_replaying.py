"""Dead letters read, grouped, judged anew and sent again, each once."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from deedbox.kafka.errors import DeadLetterRefused
from deedbox.kafka.guarding import Guard
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, last
from deedbox.kafka.replaying import Query, Replayer, diagnose, grouped, parties, read_all

from .conftest import NOW, ORDER, Registry, header

WIDER: dict[str, Any] = {
    **ORDER,
    "properties": {**ORDER["properties"], "total": {"type": ["integer", "string"]}},
}


@pytest.fixture(params=["memory", "kafka-python"])
def broker(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryBroker()
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    return KafkaPythonBroker(request.getfixturevalue("bootstrap"))


def guarded(registry: Registry, broker: Any, topic: str) -> None:
    """Ten messages that say no version; four fail by their total, two by their id."""
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    producer = broker.producer()
    for n in range(10):
        value: dict[str, Any] = {"id": n if n < 2 else str(n)}
        if n >= 6:
            value["total"] = "many"
        producer.send(topic, None, orjson.dumps(value), [("trace", b"t")], NOW + n, 0)
    producer.flush()
    producer.close()
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, group=f"{topic}-guard")
    done, until = 0, time.monotonic() + 20
    while done < 10 and time.monotonic() < until:
        done += guard.run_once(seconds=0.3)
    guard.close()


def widen(registry: Registry, topic: str) -> None:
    """What the producer should have said from the start; accepted as the break that it is."""
    registry.publish("orders/order-placed", WIDER, channels=[topic], version="2.0.0")
    registry.clock.now += 100


def judge(registry: Registry) -> Inspector:
    return Inspector(registry.lookup(), clock=registry.clock)


def test_the_whole_story(registry: Registry, broker: Any, topic: str) -> None:
    guarded(registry, broker, topic)
    dlt = f"{topic}.dlt"
    groups = grouped(read_all(broker, dlt))
    assert [(g.rule, g.pointer, g.count, g.topics) for g in groups] == [
        ("type", "/total", 4, {topic}),
        ("type", "/id", 2, {topic}),
    ]
    assert [g.passing for g in diagnose(read_all(broker, dlt), judge(registry))] == [0, 0]
    widen(registry, topic)
    told = diagnose(read_all(broker, dlt), judge(registry))
    assert [(g.passing, g.passes_as) for g in told] == [(4, {"orders/order-placed 2.0.0"}), (0, set())]

    replayer = Replayer(broker, dlt, "after-2.0.0", judge(registry), by="ada")
    dry = replayer.dry_run()
    assert (dry.replayed, dry.failing) == (4, 2)
    assert sum(broker.ends(topic).values()) == 10
    wet = replayer.run()
    assert (wet.read, wet.replayed, wet.failing, wet.quarantined) == (6, 4, 2, 0)
    again = Replayer(broker, dlt, "after-2.0.0", judge(registry), by="ada").run()
    assert (again.read, again.replayed) == (0, 0)

    reader = broker.reader(topic)
    found: list[Record] = []
    until = time.monotonic() + 10
    while len(found) < 14 and time.monotonic() < until:
        found += reader.poll(100, 0.3)
    reader.close()
    replayed = found[10:]
    assert [r.value for r in replayed] == [r.value for r in found[6:10]]
    assert [list(r.headers) for r in replayed] == [[("trace", b"t"), ("deedbox-replay-count", b"1")]] * 4
    assert [r.timestamp for r in replayed] == [NOW + n for n in range(6, 10)]
    assert sum(broker.ends(f"{dlt}.replays").values()) >= 4


def test_a_replay_that_is_cut_off_goes_on_and_sends_nothing_twice(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    widen(registry, topic)
    dlt = f"{topic}.dlt"
    for turn in range(12):
        broker.refuse = {topic} if turn % 2 else set()
        replayer = Replayer(broker, dlt, "r", judge(registry))
        if turn % 2 == 0:
            consumer_batch = replayer.run(batch=1, seconds=0.0)
            assert consumer_batch.read == 0, "no time, nothing done"
        elif sum(broker.committed("deedbox-replay." + dlt + ".r", dlt).values()) < 3:
            with pytest.raises(DeadLetterRefused):
                replayer.run(batch=1)
    broker.refuse = set()
    Replayer(broker, dlt, "r", judge(registry)).run(batch=1)
    assert len(broker.records(topic)) == 14


def test_only_what_is_asked_for(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    dlt = f"{topic}.dlt"
    by_id = grouped(read_all(broker, dlt))[1].fingerprint
    assert Replayer(broker, dlt, "a", None, query=Query(fingerprint=by_id)).dry_run().replayed == 2
    assert Replayer(broker, dlt, "b", None, query=Query(since=NOW + 8)).dry_run().replayed == 2
    assert Replayer(broker, dlt, "c", None, query=Query(until=NOW + 1)).dry_run().replayed == 1
    assert Replayer(broker, dlt, "d", None, query=Query(contract="a/b")).dry_run().replayed == 0
    assert Replayer(broker, dlt, "e", None, query=Query(where=(("/id", "7"),))).dry_run().replayed == 1
    assert Replayer(broker, dlt, "f", None, query=Query(where=(("/none", 1),))).dry_run().replayed == 0
    assert str(Query(since=3, where=(("/id", "7"),))) == 'since=3 /id="7"'


def test_a_message_that_fails_again_and_again_is_quarantined(registry: Registry, topic: str) -> None:
    broker, pauses = MemoryBroker(), []
    guarded(registry, broker, topic)
    dlt = f"{topic}.dlt"
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, group=f"{topic}-guard")
    for turn in range(5):
        Replayer(broker, dlt, f"turn-{turn}", None, most=2, per_second=100, sleep=pauses.append).run()
        guard.run_once(seconds=0)
    held = broker.records(f"{dlt}.quarantine")
    assert {last(r.headers, "deedbox-replay-count") for r in held} == {b"2"}
    assert len({r.value for r in held}) == 6 == len({r.value for r in broker.records(dlt)})
    assert max(int(last(r.headers, "deedbox-replay-count") or b"0") for r in broker.records(topic)) == 2
    assert pauses[0] == 0.06


def test_header_names_are_not_taken_for_dead_letters(topic: str) -> None:
    broker = MemoryBroker()
    broker.append([Record(f"{topic}.dlt", 0, -1, None, b"{}", header("a/b", "1.0.0"))])
    assert list(read_all(broker, f"{topic}.dlt")) == []


def test_who_sends_and_reads_what_it_came_from(registry: Registry, topic: str) -> None:
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    registry.publish("billing/order-placed", ORDER, role="consumes", channels=[topic])
    who = parties(registry.lookup(), topic)
    assert who is not None
    assert (who.producers, who.consumers) == (("orders/order-placed",), ("billing/order-placed",))
    registry.switch.on = False
    assert parties(registry.lookup(), topic) is None


def test_what_was_sent_before_it_failed_is_said(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    seen: list[int] = []

    def advance(count: int) -> None:
        seen.append(count)
        if len(seen) == 2:
            broker.refuse = {topic}

    replayer = Replayer(broker, f"{topic}.dlt", "r", None, advance=advance)
    with pytest.raises(DeadLetterRefused):
        replayer.run(batch=1)
    assert (replayer.done.read, replayer.done.replayed, seen) == (2, 2, [1, 1])
    assert len(broker.records(topic)) == 12
