"""How a worker carries out orders: whatever dies, wakes up late or refuses, each letter is sent once."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from deedbox.client import UnexpectedReply
from deedbox.kafka.errors import BrokerUnavailable, RegistryAway
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.carrying_out import ATTEMPTS, Carrier, Stopped
from deedbox.kafka.letters.dead_letters import Origin
from deedbox.kafka.letters.replaying import Replayer
from deedbox.kafka.letters.worker import LetterWorker, worker_name
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record

from .conftest import NOW, Clock, Registry
from .letters import DLT, ORIGIN, Ordering, Shaped, letter, wait_for, worker
from .test_replaying import guarded, widen


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

    monkeypatch.setattr("deedbox.kafka.letters.replaying.judge_now", broken)
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
    broker.begun = {0: 2}  # behind the mark of its beginning, and what it says of the letter
    assert Replayer(broker, DLT, "r", None).dry_run().replayed == 1, "it does not know better"
    assert f"{DLT}.replays has dropped what it held first" in caplog.text


def test_names_are_not_given_twice() -> None:
    assert len({worker_name() for _ in range(100)}) == 100
