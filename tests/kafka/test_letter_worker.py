"""The worker beside Kafka: what it tells the registry of dead letters, and how it carries out orders."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from deedbox.client import Problem, UnexpectedReply
from deedbox.kafka import dead_letters
from deedbox.kafka.broker import TopicFacts
from deedbox.kafka.carrying_out import ATTEMPTS, Carrier, Stopped
from deedbox.kafka.dead_letters import Origin
from deedbox.kafka.errors import BrokerUnavailable, RegistryAway
from deedbox.kafka.letter_reporting import LetterReporter
from deedbox.kafka.letter_worker import LetterWorker, worker_name
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record
from deedbox.kafka.replaying import Replayer

from .conftest import NOW, Clock, Registry
from .test_replaying import guarded, widen

DLT = "shop.orders.dlt"
ORIGIN = "shop.orders"


def letter(n: int, *, value: bytes | None = b'{"id":1}', key: bytes | None = b"k", **said: str | bytes) -> Record:
    """A dead letter of ours, the n-th of its origin; further headers with `_` for `-`."""
    headers = {"deedbox-rule": b"type", "deedbox-pointer": b"/id", "deedbox-fingerprint": b"0123456789ab"}
    headers |= {f"deedbox-{k.replace('_', '-')}": v if isinstance(v, bytes) else v.encode() for k, v in said.items()}
    origin = dead_letters.origin_headers(Origin(ORIGIN, 0, n, NOW + n))
    return Record(DLT, 0, -1, key, value, [*headers.items(), *origin], NOW + n)


def groups(registry: Registry) -> list[dict[str, Any]]:
    found = registry.client._json("GET", f"/dead-letters/groups?topic={DLT}")["items"]
    return sorted(found, key=lambda group: str(group["rule"]))


def stand(registry: Registry, topic_id: str = "") -> dict[int, int]:
    return registry.client.dead_letter_positions("memory", DLT, topic_id)


def worker(registry: Registry, broker: MemoryBroker, **options: Any) -> LetterWorker:
    return LetterWorker(broker, registry.client, [DLT], worker_name(), **options)


class Ordering:
    """People at the registry's pages."""

    def __init__(self, registry: Registry, topic: str, cluster: str = "memory") -> None:
        self._client, self._topic, self._cluster = registry.client, topic, cluster

    def order(self, fingerprint: str) -> str:
        id = str(uuid4())
        body = {"id": id, "cluster": self._cluster, "topic": self._topic, "fingerprint": fingerprint}
        self._client._json("POST", "/replay-orders", body=body)
        return id

    def confirm(self, id: str) -> None:
        digest = self.get(id)["trial"]["digest"]
        self._client._json("POST", f"/replay-orders/{id}/confirmation", body={"digest": digest})

    def cancel(self, id: str) -> None:
        self._client._json("POST", f"/replay-orders/{id}/cancellation", body={"reason": "no"})

    def get(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self._client._json("GET", f"/replay-orders/{id}")
        return found


# --- reporting


def test_each_letter_is_told_of_once_whoever_tells(registry: Registry) -> None:
    broker = MemoryBroker()
    broker.append([letter(n) for n in range(5)])
    first = worker(registry, broker)
    assert (first.turn().letters, first.turn().letters, stand(registry)) == (5, 0, {0: 5})
    broker.append([letter(5, replay_count="1"), letter(6, rule="enum", fingerprint="ba9876543210")])
    assert (worker(registry, broker).turn().letters, first.turn().letters) == (2, 0)
    enum, type_ = groups(registry)
    assert (type_["count"], type_["replayed"], type_["first_at"], type_["last_at"]) == (6, 1, NOW, NOW + 5)
    assert [(s["offset"], s["origin_offset"], s["at"]) for s in type_["samples"]] == [
        (5, 5, NOW + 5), (4, 4, NOW + 4), (3, 3, NOW + 3),
    ]  # fmt: skip
    assert (enum["count"], enum["origins"]) == (1, [ORIGIN])


def test_what_a_message_holds_is_told_only_where_it_is_wanted(registry: Registry) -> None:
    broker = MemoryBroker()
    broker.append([letter(0, reason='"ada@example.com" is not of type "integer"')])
    assert worker(registry, broker).turn().letters == 1
    (group,) = groups(registry)
    assert "ada" not in repr(group)
    assert (group["reason"], group["samples"][0]["key"], group["samples"][0]["value"]) == ("", None, None)
    broker.append([letter(1, value=b'{"id":"ada"}', reason='"ada" is wrong')])
    assert worker(registry, broker, values=True).turn().letters == 1
    (group,) = groups(registry)
    newest = group["samples"][0]
    assert (group["reason"], newest["key"], newest["value"], newest["truncated"]) == (
        '"ada" is wrong', "k", '{"id":"ada"}', False,
    )  # fmt: skip


def test_letters_of_every_kind_are_taken(registry: Registry) -> None:
    broker = MemoryBroker()
    spring = [
        ("kafka_dlt-exception-fqcn", b"com.example.Broken"),
        *dead_letters.origin_headers(Origin(ORIGIN, 3, 99, -1)),
    ]
    whoever = [("deedbox-rule", b"\xff\xfe"), ("kafka_dlt-original-topic", b"../etc"), ("x", b"\0" * 100)]
    negative = dead_letters.origin_headers(Origin(ORIGIN, -7, -1, -9))
    far = dead_letters.origin_headers(Origin(ORIGIN, 0, 2**62, 2**63 - 1))
    broker.append(
        [
            Record(DLT, 0, -1, None, b"{}", spring, NOW),
            Record(DLT, 0, -1, b"\xff", None, whoever, NOW),
            Record(DLT, 0, -1, None, b"", negative, -1),
            Record(DLT, 0, -1, b"\0", b'a\0b\xff{"\xf0\x9f\x98\x80"}', far, NOW),
            letter(4, value="😀".encode() * 2_000_000, key=b"k" * 9_000, contract="c" * 9_000),
            letter(5, value=None, failed_contract="a\0b" * 300, failed_version="\0" * 300, rule="r" * 300,
                   pointer="/é" * 900, reason="\0" * 9_000, fingerprint="no fingerprint \0"),
            letter(6, value=b"\xed\xa0\x80" * 3_000),
        ]
    )  # fmt: skip
    assert worker(registry, broker, values=True).turn().letters == 7
    told = groups(registry)
    assert sum(group["count"] for group in told) == 7
    by_offset = {sample["offset"]: (group, sample) for group in told for sample in group["samples"]}
    assert sorted(by_offset) == list(range(7))
    group, sample = by_offset[0]
    assert (group["rule"], sample["origin_partition"], sample["origin_offset"], sample["at"]) == (
        "com.example.Broken", 3, 99, NOW,
    )  # fmt: skip
    for offset in (1, 2):
        group, sample = by_offset[offset]
        assert (group["rule"], group["fingerprint"], group["origins"]) == ("no-origin", dead_letters.NO_ORIGIN, [])
        assert (sample["origin_partition"], sample["origin_offset"]) == (None, None)
    assert (by_offset[1][1]["key"], by_offset[1][1]["value"]) == ("\\xff", None)
    assert (by_offset[3][1]["key"], by_offset[3][1]["value"]) == ("\\x00", 'a\\x00b\\xff{"😀"}')
    assert by_offset[3][1]["at"] is None
    group, sample = by_offset[4]
    assert (sample["value"], len(sample["key"]), sample["truncated"]) == ("😀" * 4_096, 4_096, True)
    group, sample = by_offset[5]
    assert (len(group["contract"]), len(group["pointer"]), len(group["reason"])) == (201, 500, 1_000)
    assert by_offset[6][1]["truncated"]


def test_another_worker_was_quicker(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    broker = MemoryBroker()
    broker.append([letter(n) for n in range(3)])
    slow, quick = worker(registry, broker), worker(registry, broker)
    assert slow.turn().letters == 3
    broker.append([letter(n) for n in range(3, 5)])
    assert quick.turn().letters == 2
    broker.append([letter(n) for n in range(5, 9)])
    with caplog.at_level(logging.INFO, "deedbox.dlq"):
        assert slow.turn().letters == 4, "it thought that it stands at 3"
    assert "another worker has reported some of it" in caplog.text
    assert (groups(registry)[0]["count"], stand(registry)) == (9, {0: 9})


def test_a_registry_that_contradicts_itself_is_not_asked_for_ever(registry: Registry) -> None:
    broker, asked = MemoryBroker(), []
    broker.append([letter(0)])

    class Stubborn:
        url = "http://stubborn.example"

        def dead_letter_positions(self, *_: str) -> dict[int, int]:
            return {}

        def report_dead_letters(self, id: Any, report: Any) -> Any:
            asked.append(report["ranges"])
            raise Problem(409, {"code": "offsets-taken", "positions": [{"partition": 0, "next": 0}]}, url=self.url)

    reporter = LetterReporter(broker, Stubborn())  # type: ignore[arg-type]
    with pytest.raises(UnexpectedReply, match=f"takes no report of {DLT}"):
        reporter.report(DLT, broker.describe([DLT])[DLT])
    assert asked == [[{"partition": 0, "start": 0, "end": 1}]]


class Shaped(MemoryBroker):
    """Whose logs begin where a test says."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: dict[int, int] = {}

    def describe(self, topics: Any) -> dict[str, TopicFacts]:
        return {
            topic: TopicFacts(f.cluster, f.topic_id, {n: self.begun.get(n, 0) for n in f.ends}, f.ends, f.epochs)
            for topic, f in super().describe(topics).items()
        }


def test_topics_that_come_grow_forget_and_are_made_anew(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    broker = Shaped()
    telling = worker(registry, broker)
    assert telling.turn().letters == 0
    assert telling.turn().letters == 0
    assert caplog.text.count(f"{DLT}: there is no such topic yet") == 1
    broker.append([letter(n) for n in range(4)])
    assert telling.turn().letters == 4
    broker.append([letter(n) for n in range(4, 8)])
    broker.begun = {0: 6}  # two of them were dropped before anybody read them
    assert (telling.turn().letters, stand(registry), groups(registry)[0]["count"]) == (2, {0: 8}, 6)
    broker._partitions = 2
    broker.places(DLT)
    broker.append([letter(8)._replace(partition=1), letter(9)])
    assert (telling.turn().letters, stand(registry)) == (2, {0: 9, 1: 1})
    broker.logs.clear()
    broker.begun = {}
    broker.topic_ids[DLT] = "another"
    broker.append([letter(0), letter(1)])
    assert (telling.turn().letters, stand(registry, "another"), stand(registry)) == (2, {0: 2}, {0: 9, 1: 1})
    assert groups(registry)[0]["count"] == 2, "what there is now"
    broker.logs.clear()
    broker.append([letter(0)])  # by a broker that does not say that it is another topic
    assert telling.turn().letters == 0
    assert telling.turn().letters == 0
    assert caplog.text.count("partition 0 ends at 1, and was reported up to 2") == 1


def test_a_registry_that_is_away_is_waited_for_and_nothing_is_lost(
    registry: Registry, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, stopping = MemoryBroker(), Event()
    monkeypatch.setattr("deedbox.kafka.letter_worker._LEAST", 0.05)
    monkeypatch.setattr("deedbox.kafka.letter_worker._MOST", 0.2)
    broker.append([letter(n) for n in range(3)])
    registry.switch.on = False
    thread = Thread(target=worker(registry, broker, stopping=stopping).run, args=(0.05,))
    thread.start()
    try:
        time.sleep(1.5)
        assert 4 <= len(registry.switch.asked) <= 40, "it asks again, and not all the time"
        broker.down = True
        registry.switch.on = True
        time.sleep(0.5)
        broker.down = False
        wait_for(lambda: stand(registry) == {0: 3})
        broker.append([letter(3)])
        wait_for(lambda: stand(registry) == {0: 4})
    finally:
        stopping.set()
        thread.join(10)
    assert groups(registry)[0]["count"] == 4
    assert caplog.text.count("the registry is away") == 1
    assert caplog.text.count("the broker is away") == 1
    assert caplog.text.count("the broker answers again") == 1


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def test_what_is_refused_of_one_topic_holds_up_nothing_else(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broker, clock = MemoryBroker(), Clock()
    broker.append([letter(0), letter(0)._replace(topic="other.dlt")])
    telling = LetterWorker(broker, registry.client, ["other.dlt", DLT], "w", clock=clock)
    send = registry.client.report_dead_letters

    def refuse(id: Any, report: Any) -> Any:
        if report["topic"] == "other.dlt":
            raise Problem(422, {"code": "invalid"}, url="")
        return send(id, report)

    monkeypatch.setattr(registry.client, "report_dead_letters", refuse)
    done = telling.turn()
    assert (done.letters, [type(trouble) for trouble in done.troubles]) == (1, [Problem])
    assert "other.dlt: not reported, and tried again in a minute" in caplog.text
    assert telling.turn().troubles == [], "not at once"
    monkeypatch.setattr(registry.client, "report_dead_letters", send)
    clock.now += 61
    assert telling.turn().letters == 1


def test_a_registry_that_does_not_know_orders_ends_it(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = MemoryBroker()
    broker.append([letter(0)])

    def unknown(*_: Any) -> Any:
        raise Problem(404, {"code": "not-found", "detail": "there is no such address"}, url="")

    monkeypatch.setattr(registry.client, "replay_orders", unknown)
    with pytest.raises(Problem, match="there is no such address"):
        worker(registry, broker).run(0.1)


def test_it_stops_behind_the_report_in_hand(registry: Registry) -> None:
    broker, stopping = MemoryBroker(), Event()
    broker.append([letter(n) for n in range(1_200)])
    telling = worker(registry, broker, stopping=stopping)
    send = registry.client.report_dead_letters

    def and_stop(id: Any, report: Any) -> Any:
        stopping.set()
        return send(id, report)

    registry.client.report_dead_letters = and_stop  # type: ignore[method-assign]
    with pytest.raises(Stopped):
        telling.turn()
    assert stand(registry) == {0: 500}
    del registry.client.report_dead_letters
    assert (worker(registry, broker).turn().letters, groups(registry)[0]["count"]) == (700, 1_200)


# --- carrying out orders


@pytest.fixture
def broker(registry: Registry, topic: str) -> MemoryBroker:
    """Six dead letters, of which four pass by the version that was published behind them."""
    broker = MemoryBroker()
    guarded(registry, broker, topic)
    widen(registry, topic)
    return broker


@pytest.fixture
def people(registry: Registry, topic: str) -> Ordering:
    return Ordering(registry, f"{topic}.dlt")


@pytest.fixture
def at_work(registry: Registry, broker: MemoryBroker, topic: str) -> Callable[..., LetterWorker]:
    def make(name: str = "", **options: Any) -> LetterWorker:
        return LetterWorker(broker, registry.client, [f"{topic}.dlt"], name or worker_name(), **options)

    return make


def fingerprints(registry: Registry, topic: str) -> tuple[str, str]:
    """Of those that fail by their id, and by their total."""
    found = registry.client._json("GET", f"/dead-letters/groups?topic={topic}.dlt")["items"]
    by_pointer = {group["pointer"]: group["fingerprint"] for group in found}
    return by_pointer["/id"], by_pointer["/total"]


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result[name] for name in ("read", "replayed", "quarantined", "failing", "skipped"))


def test_an_order_from_its_dry_run_to_its_end(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    one = at_work("one")
    assert one.turn().letters == 6
    by_id, by_total = fingerprints(registry, topic)
    order = people.order(by_total)
    done = one.turn()
    assert (done.trials, done.replays, len(broker.records(topic))) == (1, 0, 10)
    asked = people.get(order)
    assert (asked["state"], counts(asked["trial"]), asked["trial"]["worker"]) == ("tried", (6, 4, 0, 0, 2), "one")
    assert asked["trial"]["ends"] == [{"partition": 0, "end": 6}]
    assert one.turn().replays == 0, "nobody has confirmed it"
    # Another one of the kind comes after the dry run was looked at: it is not sent.
    broker.append([broker.records(f"{topic}.dlt")[4]._replace(headers=headers_of(broker, topic, 4, offset=77))])
    people.confirm(order)
    assert at_work("two").turn().replays == 1
    ended = people.get(order)
    assert (ended["state"], counts(ended["outcome"]), ended["outcome"]["worker"]) == ("done", (6, 4, 0, 0, 2), "two")
    assert [r.value for r in broker.records(topic)[10:]] == [r.value for r in broker.records(topic)[6:10]]
    (run,) = registry.client._json("GET", f"/replays?topic={topic}.dlt")["items"]
    assert (run["name"], run["replayed"]) == (order, 4)
    # Ordered again, what was sent is left out, and the one that came since is sent.
    again = people.order(by_total)
    assert one.turn().trials == 1
    assert counts(people.get(again)["trial"]) == (7, 1, 0, 0, 6)
    # Of the others nothing passes: said with the place, and with the reason where values may be told.
    other = people.order(by_id)
    assert at_work(values=True).turn().trials == 1
    trial = people.get(other)["trial"]
    assert counts(trial) == (7, 0, 0, 2, 5)
    assert trial["examples"][0] == {
        "partition": 0,
        "offset": 0,
        "reason": 'orders/order-placed 2.0.0: 0 is not of type "string" at /id (type)',
    }


def headers_of(broker: MemoryBroker, topic: str, n: int, *, offset: int) -> list[tuple[str, bytes]]:
    """Of a dead letter, as of another origin."""
    kept = [(k, v or b"") for k, v in broker.records(f"{topic}.dlt")[n].headers if "original" not in k]
    return [*kept, *dead_letters.origin_headers(Origin(topic, 0, offset, NOW))]


def test_letters_that_say_no_origin_are_not_sent(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    broker.append([Record(f"{topic}.dlt", 0, -1, None, b"{}", [], NOW)])
    working = at_work()
    working.turn()
    order = people.order(dead_letters.NO_ORIGIN)
    working.turn()
    trial = people.get(order)["trial"]
    assert (counts(trial), trial["examples"]) == (
        (7, 0, 0, 1, 6), [{"partition": 0, "offset": 6, "reason": "it does not say where it came from"}],
    )  # fmt: skip


class Killed(BaseException):
    """The process is gone: nothing behind this runs in it, as far as a test can say so."""


def test_a_worker_that_dies_in_a_replay_is_followed_by_one_that_ends_it(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    order = confirmed(registry, people, at_work, topic)
    dying = at_work("dying", lease_seconds=1, per_second=1)  # so that each is a batch of its own
    dying._carrier._sleep = die_behind(2)
    with pytest.raises(Killed):
        dying.turn()
    assert len(broker.records(topic)) == 12
    heir = at_work("heir", lease_seconds=1)
    assert heir.turn().replays == 0, "the lease still runs"
    time.sleep(1.1)
    assert heir.turn().replays == 1
    ended = people.get(order)
    assert (ended["state"], counts(ended["outcome"]), ended["outcome"]["worker"]) == ("done", (6, 4, 0, 0, 2), "heir")
    assert len(broker.records(topic)) == 14
    assert len({r.value for r in broker.records(topic)[10:]}) == 4


def confirmed(registry: Registry, people: Ordering, at_work: Callable[..., LetterWorker], topic: str) -> str:
    """An order for those that fail by their total, tried and confirmed."""
    at_work().turn()
    order = people.order(fingerprints(registry, topic)[1])
    assert at_work().turn().trials == 1
    people.confirm(order)
    return order


def die_behind(batches: int) -> Callable[[float], None]:
    left = [batches]

    def sleep(_: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise Killed

    return sleep


def test_a_worker_that_is_stopped_gives_its_order_back(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    order = confirmed(registry, people, at_work, topic)
    stopping = Event()
    stopped = at_work("stopped", lease_seconds=600, per_second=1, stopping=stopping)
    stopped._carrier._sleep = lambda _: stopping.set()
    with pytest.raises(Stopped):
        stopped.turn()
    assert (len(broker.records(topic)), people.get(order)["state"]) == (11, "confirmed")
    wait_for(lambda: at_work().turn().replays == 1, 5)
    assert counts(people.get(order)["outcome"]) == (6, 4, 0, 0, 2)
    assert len(broker.records(topic)) == 14


def test_two_at_once_send_nothing_twice(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    order = confirmed(registry, people, at_work, topic)
    slow, quick = at_work("slow", lease_seconds=1, per_second=1), at_work("quick")
    seen: list[int] = []

    def overslept(_: float) -> None:
        if not seen:
            time.sleep(1.1)
            seen.append(quick.turn().replays)

    slow._carrier._sleep = overslept
    done = slow.turn()
    assert (seen, done.replays, [c.outcome for c in done.left]) == ([1], 0, ["left"])
    assert (people.get(order)["state"], counts(people.get(order)["outcome"])) == ("done", (6, 4, 0, 0, 2))
    assert len(broker.records(topic)) == 14


def test_the_lease_is_kept_for_as_long_as_it_takes(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    confirmed(registry, people, at_work, topic)
    clock = Clock()
    working = at_work("slow", lease_seconds=30, per_second=1, clock=clock)

    def slowly(_: float) -> None:
        clock.now += 8

    working._carrier._sleep = slowly
    registry.switch.asked.clear()
    assert working.turn().replays == 1
    # Taken once, and kept at the first letter behind each 10 seconds: at 16 and at 32.
    assert sum(asked.endswith("/claims") for asked in registry.switch.asked) == 3


def test_an_order_that_is_cancelled_meanwhile_is_left(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    at_work().turn()
    order = people.order(fingerprints(registry, topic)[1])
    clock = Clock()
    working = at_work(clock=clock)
    going = working._carrier._going

    def cancelled() -> None:
        going()
        clock.now += 60
        people.cancel(order)

    working._carrier._going = cancelled
    done = working.turn()
    assert (done.trials, [c.outcome for c in done.left]) == (0, ["left"])
    assert (people.get(order)["state"], people.get(order)["trial"]) == ("cancelled", None)


def test_what_the_broker_refuses_again_and_again_fails_with_the_reason(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    order = confirmed(registry, people, at_work, topic)
    clock = Clock()
    working = at_work(per_second=1, clock=clock)

    def refuse(_: float) -> None:
        broker.refuse = {topic}

    working._carrier._sleep = refuse  # the first is sent
    for attempt in range(1, ATTEMPTS):
        (left,) = working.turn().left
        assert f"{topic} takes no messages" in left.error
        assert working.turn().left == [], "not at once"
        clock.now += 2**attempt
    (failed,) = working.turn().failed
    ended = people.get(order)
    assert (ended["state"], counts(ended["outcome"])[1]) == ("failed", 1)
    assert ended["outcome"]["error"] == failed.error
    assert f"sending dead letters of {topic}.dlt again was refused: {topic} takes no messages" in failed.error
    broker.refuse = set()
    again = people.order(fingerprints(registry, topic)[1])
    working.turn()
    assert counts(people.get(again)["trial"]) == (6, 3, 0, 0, 3), "what was sent before it failed is not sent again"


def test_a_broker_or_registry_away_in_the_middle_is_tried_again(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    order = confirmed(registry, people, at_work, topic)
    working = at_work("away")
    inspect = registry.client.contracts

    def away(**_: Any) -> Any:
        registry.switch.on = False
        return inspect(channel=topic)

    registry.client.contracts = away  # type: ignore[method-assign]
    with pytest.raises(RegistryAway):
        working.turn()
    del registry.client.contracts
    registry.switch.on = True
    broker.down = True
    with pytest.raises(BrokerUnavailable):
        working.turn()
    broker.down = False
    assert working.turn().replays == 1, "it has the lease still"
    assert counts(people.get(order)["outcome"]) == (6, 4, 0, 0, 2)


def test_a_fault_of_its_own_ends_one_order_and_not_the_worker(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    at_work().turn()
    order = people.order(fingerprints(registry, topic)[1])

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("what nobody thought of")

    monkeypatch.setattr("deedbox.kafka.replaying.judge_now", broken)
    (failed,) = at_work().turn().failed
    assert failed.error == "a fault in deedbox itself: ZeroDivisionError: what nobody thought of"
    assert people.get(order)["state"] == "failed"


def test_orders_of_other_topics_are_for_others(
    registry: Registry, broker: MemoryBroker, people: Ordering, at_work: Callable[..., LetterWorker], topic: str
) -> None:
    at_work().turn()
    order = people.order(fingerprints(registry, topic)[1])
    broker.append([letter(0)])
    assert worker(registry, broker).turn().trials == 0
    assert people.get(order)["state"] == "asked"


def test_an_order_that_is_none(registry: Registry) -> None:
    class Odd:
        url = "http://odd.example"

        def claim_order(self, *_: Any) -> Any:
            return {"order": {"id": 1, "topic": "t", "by": "ada"}, "task": "replay"}

    carrier = Carrier(MemoryBroker(), Odd(), "w")  # type: ignore[arg-type]
    with pytest.raises(UnexpectedReply, match="cannot read"):
        carrier.carry_out({"id": "1"})


def test_a_log_of_replays_that_has_forgotten_something_is_said(caplog: pytest.LogCaptureFixture) -> None:
    broker = Shaped()
    broker.places(ORIGIN)
    broker.append([letter(0)])
    assert Replayer(broker, DLT, "r", None).run().replayed == 1
    assert "has dropped" not in caplog.text
    broker.begun = {0: 1}
    assert Replayer(broker, DLT, "r", None).dry_run().replayed == 1, "it does not know better"
    assert f"{DLT}.replays has dropped what it held first" in caplog.text


def test_names_are_not_given_twice() -> None:
    assert len({worker_name() for _ in range(100)}) == 100
