"""Dead letters read, grouped, judged anew and sent again, each once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from threading import Timer
from typing import Any

import orjson
import pytest
from deedbox.cli.letters import listing, outcome, outcome_object, shown, shown_object
from deedbox.kafka.errors import DeadLetterRefused, RegistryAway, ReplayOvertaken, ReplayRefused
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.replaying import Query, Replayer, diagnose, grouped, judge_of, parties, read_all
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, last
from deedbox.kafka.reading import stretches, whole

from .conftest import NOW, ORDER, Registry, connected, header
from .letters import wait_for

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
    return judge_of(registry.lookup())


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
    assert (again.read, again.replayed, again.replayed_before, again.failing) == (6, 0, 4, 2)
    foresaw = Replayer(broker, dlt, "after-2.0.0", judge(registry)).dry_run()
    assert (foresaw.replayed, foresaw.replayed_before, foresaw.skipped) == (0, 4, 4)
    other = Replayer(broker, dlt, "another-name", judge(registry)).dry_run()
    assert (other.replayed, other.replayed_before, other.skipped) == (0, 0, 4), "whoever sent them"
    assert Replayer(broker, dlt, "another-name", judge(registry), again=True).dry_run().replayed == 4
    why = [(e.partition, e.offset, e.obstacle.short, e.obstacle.reason.split(": ")[1]) for e in again.examples]
    assert why == [
        (0, 0, "type at /id", '0 is not of type "string" at /id (type)'),
        (0, 1, "type at /id", '1 is not of type "string" at /id (type)'),
    ]

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


class Cut(Exception):
    """The process ends here."""


def test_a_replay_that_is_cut_off_goes_on_and_sends_nothing_twice(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    widen(registry, topic)
    dlt = f"{topic}.dlt"

    def cut_behind(sent: int) -> Callable[[int], None]:
        def cut(_: int) -> None:
            if sum(broker.ends(topic).values()) - 10 == sent:
                raise Cut

        return cut

    for sent in (1, 2, 3):
        with pytest.raises(Cut):
            Replayer(broker, dlt, "r", judge(registry), advance=cut_behind(sent)).run(batch=1)
        broker.refuse = {topic}
        with pytest.raises(ReplayRefused, match=f"{dlt} again was refused: {topic} takes no messages"):
            Replayer(broker, dlt, "r", judge(registry)).run(batch=1)
        broker.refuse = set()
    last_run = Replayer(broker, dlt, "r", judge(registry)).run(batch=1)
    assert (last_run.read, last_run.replayed, last_run.replayed_before, last_run.failing) == (6, 1, 3, 2)
    assert len(broker.records(topic)) == 14


def test_of_two_replays_of_a_topic_the_first_is_fenced(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    seen: list[int] = []

    def overtake(count: int) -> None:
        if not seen:
            seen.append(Replayer(broker, f"{topic}.dlt", "another", None).run().replayed)

    with pytest.raises(ReplayOvertaken, match=f"another replay of {topic}.dlt has begun"):
        Replayer(broker, f"{topic}.dlt", "r", None, advance=overtake).run(batch=1)
    assert (seen, len(broker.records(topic))) == ([5], 16)


class _Interrupted:
    """A producer in whose n-th transaction, all of it written and not committed, something else happens."""

    def __init__(self, producer: Any, interrupt: Callable[[], None]) -> None:
        self._producer, self._interrupt = producer, interrupt

    def __getattr__(self, name: str) -> Any:
        return getattr(self._producer, name)

    def commit(self) -> None:
        self._producer.flush()
        self._interrupt()
        self._producer.commit()


@pytest.mark.parametrize(
    ("by_hand", "ordered"), [("kafka-python", "confluent-kafka"), ("confluent-kafka", "kafka-python")]
)
def test_by_hand_and_by_order_at_once_each_letter_is_sent_once(
    by_hand: str, ordered: str, bootstrap: str, topic: str
) -> None:
    first, second = connected(by_hand, bootstrap), connected(ordered, bootstrap)
    producer, dlt, kind = first.producer(), f"{topic}.dlt", "0123456789ab"
    producer.send(topic, None, b"before", [], NOW, 0)
    for n in range(6):
        origin = dead_letters.origin_headers(dead_letters.Origin(topic, 0, n, NOW))
        producer.send(dlt, None, str(n).encode(), [("deedbox-fingerprint", kind.encode()), *origin], NOW, 0)
    producer.flush()
    producer.close()
    commits: list[int] = []
    outcome: list[int] = []
    make = first.producer

    def interrupt() -> None:
        commits.append(1)
        if len(commits) == 4:  # its mark, two letters, and in the middle of the third
            outcome.append(Replayer(second, dlt, "order", None, query=Query(fingerprint=kind)).run(batch=1).replayed)

    first.producer = lambda id=None: _Interrupted(make(id), interrupt)  # type: ignore[method-assign, assignment, misc]
    hand = Replayer(first, dlt, "hand", None)
    with pytest.raises(ReplayOvertaken):
        hand.run(batch=1)
    assert (hand.done.replayed, outcome) == (2, [4])
    first.producer = make  # type: ignore[method-assign]
    assert Replayer(first, dlt, "hand", None).run().replayed == 0
    wait_for(lambda: len(sent(first, topic)) >= 7)  # behind the marker of the last transaction
    assert sent(first, topic) == [b"before", *(str(n).encode() for n in range(6))]


def sent(broker: Any, topic: str) -> list[bytes | None]:
    """The values on a topic of one partition, in their order."""
    return [r.value for stretch in stretches(broker, topic, whole(broker.ends(topic))) for r in stretch.records]


def test_what_a_stuck_transaction_hides_is_waited_for(bootstrap: str, topic: str) -> None:
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    broker = KafkaPythonBroker(bootstrap)
    dlt, log = f"{topic}.dlt", f"{topic}.dlt.replays"
    producer = broker.producer()
    for n in range(2):
        producer.send(topic, None, b"{}", [], NOW, 0)
        producer.send(dlt, None, b"{}", dead_letters.origin_headers(dead_letters.Origin(topic, 0, n, NOW)), NOW, 0)
    producer.flush()
    stuck, started = broker.producer(f"{topic}-stuck"), list[bool]()

    def disturb(_: int) -> None:
        if started:
            return
        started.append(True)
        stuck.begin()
        stuck.send(log, None, b"another replay, of other letters", [], NOW, 0)
        stuck._client.flush()  # type: ignore[attr-defined]

    # What is written of the second letter stands behind a transaction that is open, and so cannot be seen yet.
    assert Replayer(broker, dlt, "r", None, advance=disturb).run(batch=1).replayed == 2
    assert Replayer(broker, dlt, "r", None).dry_run().replayed_before == 1
    ending = Timer(3, stuck.abort)
    ending.start()
    again = Replayer(broker, dlt, "r", None).run()
    ending.join()
    assert (again.replayed, again.replayed_before) == (0, 2)
    for client in (producer, stuck):
        client.close()


def test_what_is_no_more_where_it_came_from_is_left(topic: str) -> None:
    broker = MemoryBroker()
    gone = dead_letters.origin_headers(dead_letters.Origin("no-such", 0, 0, NOW))
    fewer = dead_letters.origin_headers(dead_letters.Origin(topic, 7, 0, NOW))
    broker.places(topic)
    broker.append([Record(f"{topic}.dlt", 0, -1, None, b"{}", headers) for headers in (gone, fewer)])
    done = Replayer(broker, f"{topic}.dlt", "r", None).run()
    assert [e.obstacle.reason for e in done.examples] == [
        "it came from topic no-such, which is no more",
        f"it came from partition 7 of {topic}, which is no more",
    ]
    assert (done.failing, broker.records(topic), broker.ends("no-such")) == (2, [], {})


@pytest.mark.parametrize("filling", ["memory", "kafka-python", "confluent-kafka"])
def test_one_that_is_too_large_holds_up_no_other(filling: str, request: pytest.FixtureRequest, topic: str) -> None:
    broker: Any = MemoryBroker()
    if filling != "memory":
        from deedbox.kafka.confluent import ConfluentBroker
        from deedbox.kafka.kafka_python import KafkaPythonBroker

        server = request.getfixturevalue("kafka_server")
        server.limit_message_bytes(topic, 10_000)
        broker = {"kafka-python": KafkaPythonBroker, "confluent-kafka": ConfluentBroker}[filling](server.bootstrap)
    producer = broker.producer()
    producer.send(topic, None, b"{}", [], NOW, 0)
    for n, value in enumerate([b"a", b"b", b"c" * 20_000, b"d", b"e"]):
        origin = dead_letters.origin_headers(dead_letters.Origin(topic, 0, n, NOW))
        again = [("deedbox-replay-count", b"3")] if value == b"d" else []
        producer.send(f"{topic}.dlt", None, value, [*origin, *again], NOW, 0)
    producer.flush()
    producer.close()
    if filling == "memory":
        broker.most_bytes = 10_000
    done = Replayer(broker, f"{topic}.dlt", "r", None).run()
    assert (done.read, done.replayed, done.quarantined, done.failing) == (5, 3, 1, 1)
    assert [(e.offset, e.obstacle.short) for e in done.examples] == [(2, f"larger than {topic} takes")]
    again = Replayer(broker, f"{topic}.dlt", "r", None).run()
    assert (again.replayed, again.replayed_before, again.quarantined_before, again.failing) == (0, 3, 1, 1)


def test_no_further_than_was_looked_at(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    looked = Replayer(broker, f"{topic}.dlt", "r", None).dry_run()
    assert looked.ends == {0: 6}
    broker.append([Record(f"{topic}.dlt", 0, -1, None, b"{}", broker.records(f"{topic}.dlt")[0].headers)])
    assert Replayer(broker, f"{topic}.dlt", "r", None, ends={0: 4}).run().replayed == 4
    assert Replayer(broker, f"{topic}.dlt", "r", None, ends={}).run().read == 0, "partitions that came since"


def test_without_the_registry_nothing_is_said_to_fail(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    registry.switch.on = False
    for go in (False, True):
        replayer = Replayer(broker, f"{topic}.dlt", "r", judge(registry))
        with pytest.raises(RegistryAway):
            replayer.run() if go else replayer.dry_run()
    assert len(broker.records(topic)) == 10


def test_letters_of_spring_and_tombstones(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    broker.places(topic)
    spring = [
        ("kafka_dlt-exception-fqcn", b"org.springframework.kafka.listener.ListenerExecutionFailedException"),
        ("kafka_dlt-exception-cause-fqcn", b"java.lang.IllegalStateException"),
        ("kafka_dlt-exception-message", b"no such customer"),
        ("kafka_dlt-exception-stacktrace", b"at shop.Orders"),
        ("trace", b"t"),
    ]
    letters = [
        Record(
            f"{topic}.dlt", 0, -1, b"k", None,
            [*spring, *dead_letters.origin_headers(dead_letters.Origin(topic, 0, n, NOW))], NOW,
        )
        for n in range(2)
    ]  # fmt: skip
    broker.append(letters)
    (group,) = diagnose(read_all(broker, f"{topic}.dlt"), judge(registry))
    assert (group.rule, group.reason, group.count, group.passing) == (
        "java.lang.IllegalStateException", "no such customer", 2, 2,
    )  # fmt: skip
    query = Query(fingerprint=group.fingerprint)
    assert Replayer(broker, f"{topic}.dlt", "r", judge(registry), query=query).run().replayed == 2
    assert [list(r.headers) for r in broker.records(topic)] == [[("trace", b"t"), ("deedbox-replay-count", b"1")]] * 2


def test_letters_of_kafka_connect(topic: str) -> None:
    broker = MemoryBroker()
    broker.places(topic)
    said = {
        "topic": topic, "partition": "0", "offset": "41", "connector.name": "sink", "task.id": "0", "stage": "TASK_PUT",
        "class.name": "org.apache.kafka.connect.sink.SinkTask",
        "exception.class.name": "org.apache.kafka.connect.errors.DataException", "exception.message": "no such column",
        "exception.stacktrace": "at …",
    }  # fmt: skip
    headers = [(f"__connect.errors.{name}", text.encode()) for name, text in said.items()]
    far = b"9" * 19
    others = [[(name, odd if name.endswith("offset") else text) for name, text in headers] for odd in (b"-1", far)]
    others.append([(name, far if name.endswith("partition") else text) for name, text in headers])
    broker.append([Record(f"{topic}.dlt", 0, -1, b"k", b"{}", [*h, ("own", b"1")], NOW) for h in (headers, *others)])
    (dead,) = read_all(broker, f"{topic}.dlt")
    assert (dead.origin, dead.rule, dead.reason) == (
        dead_letters.Origin(topic, 0, 41, NOW), "org.apache.kafka.connect.errors.DataException", "no such column",
    )  # fmt: skip
    assert Replayer(broker, f"{topic}.dlt", "r", None).run().replayed == 1
    (sent,) = broker.records(topic)
    assert (sent.key, sent.value, list(sent.headers), sent.timestamp) == (
        b"k", b"{}", [("own", b"1"), ("deedbox-replay-count", b"1")], NOW,
    )  # fmt: skip


def test_what_a_guard_would_put_aside_again_does_not_pass(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic], content_model="closed")
    broker.append([Record(topic, 0, -1, None, b'{"id":"a","note":1}', header("orders/order-placed", "1.0.0"))])
    guard = Guard(broker, registry.lookup(), [topic], modes={topic: "dead-letter"}, group=f"{topic}-guard")
    guard.run_once(seconds=0)
    (group,) = diagnose(read_all(broker, f"{topic}.dlt"), judge(registry))
    assert (group.rule, group.count, group.passing) == ("undeclared-property", 1, 0)


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


def test_letters_of_others_that_do_not_say_where_they_came_from(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    dlt = f"{topic}.dlt"
    broker.append(
        [Record(dlt, 0, -1, b"\x01k", b"odd \xff", [("x-death", b"1"), ("none", None)], NOW + n) for n in range(3)]
    )
    (group,) = diagnose(read_all(broker, dlt, unplaced=True), judge(registry))
    assert (group.fingerprint, group.rule, group.count, group.passing) == (dead_letters.NO_ORIGIN, "no-origin", 3, 0)
    assert (group.topics, group.first, group.last) == (set(), NOW, NOW + 2)
    assert "can be looked at, and not be sent again" in listing([group], judged=True)
    dead = list(read_all(broker, dlt, unplaced=True))[1]
    assert shown(dead).splitlines()[0].startswith(f"{dlt}[0]@1, sent ")
    assert shown(dead).splitlines()[3:] == [
        "    key \\u0001k",
        "    header x-death: 1",
        "    header none: null",
        "    odd \\xff",
    ]
    said = shown_object(dead)
    assert (said["topic"], said["letter"]) == (None, {"topic": dlt, "partition": 0, "offset": 1})
    assert (said["key"], said["headers"]) == ("\x01k", [["x-death", "1"], ["none", None]])


def test_a_dry_run_says_why_the_first_few_would_fail(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    dry = Replayer(broker, f"{topic}.dlt", "r", judge(registry)).dry_run()
    lines = outcome(dry, f"{topic}.dlt", done=False).splitlines()
    assert lines[1] == f'    {topic}.dlt[0]@0: orders/order-placed 1.0.0: 0 is not of type "string" at /id (type)'
    assert (len(lines), len(outcome_object(dry, done=False)["examples"])) == (7, 6)
    many = replace(dry, failing=60)
    assert outcome(many, "t", done=True).splitlines()[-1] == "    and 54 more: dlq diagnose says of each kind why"


def test_a_letter_shows_the_headers_that_its_message_had(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    dead = next(iter(read_all(broker, f"{topic}.dlt")))
    assert ["trace", "t"] in shown_object(dead)["headers"]
    assert not any(name.startswith(("kafka_dlt", "deedbox-rule")) for name, _ in shown_object(dead)["headers"])


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
