"""The consumer wrapper: nothing lost, nothing handled twice, in any order of arrival, whatever fails."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from deedbox.client import Problem
from deedbox.kafka.consuming import ContractConsumer, Order
from deedbox.kafka.errors import BrokerUnavailable, DeadLetterRefused, Fenced, InvalidMessage, LimitReached
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.limits import Breaker, Limits
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, TopicPartition
from deedbox.kafka.stores import HandledStore, MemoryStore, SqliteStore

from .conftest import ASYNCAPI, ORDER, Registry, header

TOPIC = "shop.orders"
V1 = header("orders/order-placed", "1.0.0")
EVENT = {
    "type": "object",
    "required": ["id", "at", "status"],
    "properties": {"id": {"type": "string"}, "at": {"type": "string"}, "status": {"type": "string"}},
}


def send(broker: MemoryBroker, value: Any, headers: Any = V1, identity: str | None = None, topic: str = TOPIC) -> None:
    body = value if isinstance(value, bytes | None) else orjson.dumps(value)
    named = [*headers, ("deedbox-message-id", identity.encode())] if identity else headers
    broker.append([Record(topic, 0, -1, b"key", body, named, 1_700_000_000_123)])


class Shop:
    """A consumer of orders, and what it handled."""

    def __init__(self, registry: Registry, broker: MemoryBroker, **options: Any) -> None:
        self.handled: list[Any] = []
        self.handlers = Handlers()
        self.fail_on: set[str] = set()

        @self.handlers.handles("order-placed", "1")
        def placed(message: Message) -> None:
            if message.value["id"] in self.fail_on:
                raise RuntimeError("the handler fails")
            self.handled.append(message.value["id"])

        self.inspector = Inspector(registry.lookup(), clock=registry.clock)
        self.consumer = ContractConsumer(broker, [TOPIC], "billing", self.handlers, self.inspector, **options)


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[HandledStore]:
    if request.param == "memory":
        yield MemoryStore()
        return
    made = SqliteStore(tmp_path / "handled.db")
    yield made
    made.close()


def offset(broker: MemoryBroker) -> int:
    return broker.committed("billing", TOPIC).get(TopicPartition(TOPIC, 0), 0)


def test_good_messages_are_handled_and_bad_ones_put_aside(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    for value in ({"id": "a"}, {"id": 7}, b"nope", None, {"id": "b"}):
        send(broker, value)
    shop = Shop(registry, broker)
    assert shop.consumer.run_once(seconds=0) == 5
    assert shop.handled == ["a", "b"]
    assert offset(broker) == 5
    letters = [dead_letters.read(r) for r in broker.records(f"{TOPIC}.dlt")]
    assert [(d.rule, d.pointer, str(d.origin)) for d in letters] == [
        ("type", "/id", f"{TOPIC}[0]@1"),
        ("not-json", "", f"{TOPIC}[0]@2"),
    ]
    first = letters[0].record
    assert (first.key, first.value, first.timestamp) == (b"key", b'{"id":7}', 1_700_000_000_123)
    assert list(first.headers)[:2] == V1


def test_the_policy_to_raise_leaves_the_bad_message_where_it_is(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    for value in ({"id": "a"}, {"id": 7}, {"id": "b"}):
        send(broker, value)
    shop = Shop(registry, broker, on_invalid="raise")
    for _ in range(2):
        with pytest.raises(InvalidMessage, match=r"shop.orders\[0\]@1: .*not of type"):
            shop.consumer.run_once(seconds=0)
        assert (shop.handled, offset(broker)) == (["a"], 1)


def test_a_large_batch_is_handled_to_its_last_message_and_to_the_one_that_fails(
    registry: Registry, broker: MemoryBroker
) -> None:
    registry.publish("orders/order-placed", ORDER)
    names = [f"m{n}" for n in range(237)]
    for n, name in enumerate(names):
        send(broker, {"id": 7} if n == 120 else {"id": name})
    shop = Shop(registry, broker)
    shop.fail_on = {"m180"}
    with pytest.raises(RuntimeError):
        shop.consumer.run_once(most=500, seconds=0)
    good = [name for name in names if name != "m120"]
    assert (shop.handled, offset(broker)) == (good[:179], 180)
    shop.fail_on = set()
    assert shop.consumer.run_once(most=500, seconds=0) == 57
    assert (shop.handled, offset(broker)) == (good, 237)
    assert [str(dead_letters.read(r).origin) for r in broker.records(f"{TOPIC}.dlt")] == [f"{TOPIC}[0]@120"]


def test_a_handler_that_fails_is_asked_again(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    for name in "abc":
        send(broker, {"id": name})
    shop = Shop(registry, broker)
    shop.fail_on = {"b"}
    with pytest.raises(RuntimeError):
        shop.consumer.run_once(seconds=0)
    assert offset(broker) == 1
    shop.fail_on = set()
    shop.consumer.run_once(seconds=0)
    assert (shop.handled, offset(broker)) == (["a", "b", "c"], 3)


def test_a_message_without_an_id_that_comes_again_from_its_place_is_a_duplicate(
    registry: Registry, broker: MemoryBroker, store: HandledStore
) -> None:
    registry.publish("orders/order-placed", ORDER)
    shop = Shop(registry, broker, store=store)
    for headers in (V1, [*V1, ("deedbox-message-id", b"")], V1):
        send(broker, {"id": "a"}, headers)
    port = shop.consumer._consumer
    commit = port.commit
    port.commit = raises(Fenced("another member has the partition"))  # type: ignore[method-assign]
    with pytest.raises(Fenced):
        shop.consumer.run_once(seconds=0)
    port.commit = commit  # type: ignore[method-assign]
    assert (shop.handled, offset(broker)) == (["a", "a", "a"], 0)
    assert shop.consumer.run_once(seconds=0) == 3
    assert (len(shop.handled), shop.consumer.counts.duplicates, offset(broker)) == (3, 3, 3)


class Interrupted(BaseException):
    """Such as KeyboardInterrupt, or the time-out of a library that no `except Exception` is to catch."""


def test_a_handler_that_is_interrupted_loses_nothing_for_who_goes_on(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    handled: list[str] = []
    interrupted: list[str] = []
    handlers = Handlers()

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        if message.value["id"] == "2" and not interrupted:
            interrupted.append("2")
            raise Interrupted
        handled.append(message.value["id"])

    consumer = ContractConsumer(broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()))
    for n in range(4):
        send(broker, {"id": str(n)})
    with pytest.raises(Interrupted):
        consumer.run_once(seconds=0)
    assert (handled, offset(broker)) == (["0", "1"], 2)
    assert consumer.run_once(seconds=0) == 2
    assert (handled, offset(broker)) == (["0", "1", "2", "3"], 4)


def test_an_interruption_is_not_hidden_by_a_broker_that_is_away(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    handlers = Handlers()

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        if message.value["id"] == "1":
            broker.refuse.add(f"{TOPIC}.dlt")
            raise Interrupted

    consumer = ContractConsumer(broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()))
    for value in ({"id": 7}, {"id": "1"}):
        send(broker, value)
    with pytest.raises(Interrupted):
        consumer.run_once(seconds=0)
    assert offset(broker) == 0
    broker.refuse.clear()
    with pytest.raises(Interrupted):
        consumer.run_once(seconds=0)


def raises(error: BaseException) -> Any:
    def call(*_: Any, **__: Any) -> Any:
        raise error

    return call


def test_a_registry_that_refuses_to_say_what_comes_loses_nothing(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    shop = Shop(registry, broker)
    send(broker, {"id": "a"})
    answered = registry.client.contracts
    registry.client.contracts = raises(Problem(403, {"title": "not you"}, url=""))  # type: ignore[method-assign]
    with pytest.raises(Problem, match="not you"):
        shop.consumer.run_once(seconds=0)
    registry.client.contracts = answered  # type: ignore[method-assign]
    assert shop.consumer.run_once(seconds=0) == 1
    assert (shop.handled, offset(broker)) == (["a"], 1)


@pytest.mark.parametrize("policy", ["dead-letter", "raise"])
def test_what_nothing_here_can_ever_judge_holds_up_nothing(
    registry: Registry, broker: MemoryBroker, policy: Any
) -> None:
    registry.publish("orders/order-placed", ORDER)
    registry.publish("orders/api", ASYNCAPI, format="asyncapi")
    shop = Shop(registry, broker, on_invalid=policy)
    send(broker, {"id": "a"}, headers=header("orders/api", "1.0.0"))
    send(broker, {"id": "b"})
    if policy == "raise":
        with pytest.raises(InvalidMessage, match="its format, asyncapi"):
            shop.consumer.run_once(seconds=0)
        assert offset(broker) == 0
        return
    assert shop.consumer.run_once(seconds=0) == 2
    (letter,) = broker.records(f"{TOPIC}.dlt")
    assert dict(letter.headers)["deedbox-rule"] == b"not-judged"
    assert (shop.handled, offset(broker)) == (["b"], 2)


def test_a_dead_letter_topic_that_refuses_loses_nothing_and_doubles_nothing(
    registry: Registry, broker: MemoryBroker, store: HandledStore
) -> None:
    registry.publish("orders/order-placed", ORDER)
    for n, value in enumerate(({"id": "a"}, {"id": 7}, {"id": "b"})):
        send(broker, value, identity=str(n))
    shop = Shop(registry, broker, store=store)
    broker.refuse.add(f"{TOPIC}.dlt")
    for _ in range(3):
        with pytest.raises(DeadLetterRefused, match=r"shop.orders.dlt"):
            shop.consumer.run_once(seconds=0)
        assert offset(broker) == 0
    broker.refuse.clear()
    shop.consumer.run_once(seconds=0)
    assert (shop.handled, offset(broker)) == (["a", "b"], 3)
    assert len(broker.records(f"{TOPIC}.dlt")) == 1


def test_when_everything_fails_it_stops(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    send(broker, {"id": "good"})
    for _ in range(50):
        send(broker, {"id": 7})
    shop = Shop(registry, broker, limits=Limits(consecutive=10))
    for _ in range(3):
        with pytest.raises(LimitReached, match="more than 10 messages in a row"):
            shop.consumer.run_once(seconds=0)
    assert len(broker.records(f"{TOPIC}.dlt")) == 10
    assert offset(broker) == 11


def test_the_ratio_stops_it_too(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    for n in range(100):
        send(broker, {"id": 7} if n % 3 else {"id": "a"})
    shop = Shop(registry, broker, limits=Limits(ratio=0.5, window=20))
    with pytest.raises(LimitReached, match="of the last 20 messages are invalid"):
        shop.consumer.run_once(seconds=0)
    assert 0 < len(broker.records(f"{TOPIC}.dlt")) < 20


def test_without_the_registry_an_unknown_message_waits(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    registry.switch.on = False
    send(broker, {"id": "a"})
    shop = Shop(registry, broker)
    for _ in range(3):
        assert shop.consumer.run_once(seconds=0) == 0
        registry.clock.now += 5
    assert (shop.handled, offset(broker)) == ([], 0)
    registry.switch.on = True
    registry.clock.now += 60
    assert shop.consumer.run_once(seconds=0) == 1
    assert shop.handled == ["a"]


def test_what_waits_for_the_registry_holds_up_its_partition_alone_and_is_not_read_in_haste(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    broker = MemoryBroker(partitions=2)
    shop = Shop(registry, broker)
    registry.publish("orders/order-placed", {**ORDER, "title": "anew"}, version="1.0.1")
    places = (TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1))
    broker.append([Record(TOPIC, 1, -1, b"k", b'{"id":"a"}', V1)])
    assert shop.consumer.run_once(seconds=0) == 1
    registry.switch.on = False
    unheard = header("orders/order-placed", "1.0.1")
    for identity, headers in ((b"b", V1), (b"c", unheard), (b"d", V1)):
        broker.append([Record(TOPIC, 0, -1, b"k", b'{"id":"%s"}' % identity, headers)])
    broker.append([Record(TOPIC, 1, -1, b"k", b'{"id":"e"}', V1)])
    assert shop.consumer.run_once(seconds=0) == 2
    assert sorted(shop.handled) == ["a", "b", "e"]
    assert [broker.committed("billing", TOPIC)[place] for place in places] == [1, 2]
    before = time.monotonic()
    assert shop.consumer.run_once(seconds=0.2) == 0
    assert time.monotonic() - before >= 0.2
    registry.switch.on = True
    registry.clock.now += 1_000
    assert shop.consumer.run_once(seconds=0) == 2
    assert shop.handled[-2:] == ["c", "d"]


@pytest.mark.parametrize("name", ["", "orders/order-placed"])
def test_a_handler_of_a_name_that_no_message_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="without its service"):
        Handlers().handles(name, "1")


@pytest.mark.parametrize("major", [1, "", "v1", "1.2", "1.0.0", "0", "0.4.2", "01"])
def test_a_handler_or_hook_of_what_is_no_major_is_refused(major: Any) -> None:
    with pytest.raises(ValueError, match="is no major: '2' stands for"):
        Handlers().handles("order-placed", major)
    with pytest.raises(ValueError, match="is no major"):
        Handlers().upgrades("order-placed", major, "9")


def test_a_second_hook_from_one_major_is_refused() -> None:
    handlers = Handlers()
    handlers.upgrades("order-placed", "0.4", "1")(dict)
    with pytest.raises(ValueError, match=r"order-placed 0\.4 has an upgrade already, to 1"):
        handlers.upgrades("order-placed", "0.4", "2")(dict)


def test_an_order_that_could_not_be_kept_is_refused(registry: Registry, broker: MemoryBroker) -> None:
    with pytest.raises(ValueError, match="an order needs a store"):
        Shop(registry, broker, order=Order("/id", "/at"))
    with pytest.raises(ValueError, match="starts with '/'"):
        Order("id", "/at")


async def awaited(_: Message) -> None: ...


def test_a_handler_that_nobody_would_await_is_refused(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    handlers = Handlers()
    with pytest.raises(TypeError, match="order-placed 1: a handler is a plain function"):
        handlers.handles("order-placed", "1")(awaited)
    made: list[Any] = []

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> Any:
        made.append(awaited(message))
        return made[-1]

    consumer = ContractConsumer(broker, [TOPIC], "billing", handlers, Inspector(registry.lookup()))
    send(broker, {"id": "a"})
    with pytest.raises(TypeError, match=r"orders/order-placed 1\.0\.0: a handler is a plain function"):
        consumer.run_once(seconds=0)
    assert offset(broker) == 0
    made[0].close()


@pytest.mark.parametrize("seed", range(6))
def test_a_shuffled_and_repeated_history_ends_the_same(
    registry: Registry, broker: MemoryBroker, store: HandledStore, seed: int
) -> None:
    registry.publish("orders/order-placed", EVENT)
    state: dict[str, str] = {}
    calls: list[str] = []
    handlers = Handlers()

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        state[message.value["id"]] = message.value["status"]
        calls.append(message.value["id"] + message.value["at"])

    history = [
        (f"{name}-{day}", {"id": name, "at": f"2026-01-0{day}T00:00:00Z", "status": f"{name} on day {day}"})
        for name in "abc"
        for day in range(1, 6)
    ]
    chance = random.Random(seed)
    arrivals = history + chance.choices(history, k=20)
    chance.shuffle(arrivals)
    for identity, value in arrivals:
        send(broker, value, identity=identity)
    inspector = Inspector(registry.lookup(), clock=registry.clock)
    order = Order("/id", "/at")
    # A process a batch, each with the same store: what is remembered outlives them.
    while offset(broker) < len(arrivals):
        consumer = ContractConsumer(broker, [TOPIC], "billing", handlers, inspector, store=store, order=order)
        consumer.run_once(most=chance.randint(1, 9), seconds=0)
        consumer.close()
    assert state == {name: f"{name} on day 5" for name in "abc"}
    assert len(calls) == len(set(calls)), "nothing is handled twice"


def test_stale_messages_are_handed_over_where_asked(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", EVENT)
    for day in (2, 1):
        send(broker, {"id": "a", "at": f"2026-01-0{day}", "status": "x"}, identity=str(day))
    shop = Shop(registry, broker, store=MemoryStore(), order=Order("/id", "/at", "hand-over"))
    shop.consumer.run_once(seconds=0)
    assert (shop.handled, shop.consumer.counts.stale) == (["a", "a"], 1)


@pytest.mark.parametrize(
    "times",
    [
        ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.25Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:01Z"],
        ["2026-01-01T10:00:00+02:00", "2026-01-01T09:00:00Z", "2026-01-01T08:30:00-01:00"],
        [-1, 0, 9, 10, 1_700_000_000_000],
    ],
    ids=["parts of seconds", "offsets", "numbers"],
)
def test_a_time_is_said_by_rfc_3339_or_by_a_number(
    registry: Registry, broker: MemoryBroker, store: HandledStore, times: list[Any]
) -> None:
    registry.publish("orders/order-placed", {**ORDER, "properties": {**ORDER["properties"], "at": {}}})
    newest = times[-1]
    for n, at in enumerate([newest, *times]):
        send(broker, {"id": "a", "at": at}, identity=str(n))
    shop = Shop(registry, broker, store=store, order=Order("/id", "/at"))
    shop.consumer.run_once(seconds=0)
    assert (len(shop.handled), shop.consumer.counts.stale) == (2, len(times) - 1)


@pytest.mark.parametrize("hooked", [False, True], ids=["by its constructor", "by a hook"])
def test_what_cannot_be_built_is_put_aside_and_holds_up_nothing(
    registry: Registry, broker: MemoryBroker, store: HandledStore, hooked: bool
) -> None:
    registry.publish("orders/order-placed", ORDER)
    for n, name in enumerate(("1", "two", "3")):
        send(broker, {"id": name}, identity=str(n))
    handlers, got = Handlers(), list[Any]()
    if hooked:
        handlers.handles("order-placed", "2")(lambda message: got.append(message.value))
        handlers.upgrades("order-placed", "1", "2")(lambda value: int(value["id"]))
    else:
        handlers.handles("order-placed", "1", build=lambda value: int(value["id"]))(lambda m: got.append(m.value))
    inspector = Inspector(registry.lookup(), clock=registry.clock)
    consumer = ContractConsumer(broker, [TOPIC], "billing", handlers, inspector, store=store)
    assert consumer.run_once(seconds=0) == 3
    assert got == [1, 3]
    (letter,) = map(dead_letters.read, broker.records(f"{TOPIC}.dlt"))
    assert (letter.rule, letter.origin.offset) == ("not-built", 1)
    assert "ValueError: invalid literal for int()" in letter.reason
    raising = ContractConsumer(broker, [TOPIC], "other", handlers, inspector, on_invalid="raise")
    with pytest.raises(InvalidMessage, match="not-built"):
        raising.run_once(seconds=0)


def test_members_of_a_group_do_not_fence_each_other_unless_they_share_a_name(registry: Registry) -> None:
    broker = MemoryBroker(partitions=2)
    registry.publish("orders/order-placed", ORDER)
    shops = [Shop(registry, broker), Shop(registry, broker)]
    for turn in range(3):
        for partition in range(2):
            broker.append([Record(TOPIC, partition, -1, None, b"no", V1, turn)])
        assert [shop.consumer.run_once(seconds=0) for shop in shops] == [1, 1]
    assert len(broker.records(f"{TOPIC}.dlt")) == 6


def test_a_batch_that_is_read_again_does_not_use_up_the_limit(registry: Registry, broker: MemoryBroker) -> None:
    registry.publish("orders/order-placed", ORDER)
    for _ in range(8):
        send(broker, {"id": 7})
    shop = Shop(registry, broker, limits=Limits(consecutive=10))
    broker.refuse = {f"{TOPIC}.dlt"}
    for _ in range(5):
        with pytest.raises(DeadLetterRefused):
            shop.consumer.run_once(seconds=0)
    broker.refuse = set()
    assert shop.consumer.run_once(seconds=0) == 8


@pytest.mark.parametrize("second_queue", [False, True], ids=["one queue", "a queue of its own"])
def test_two_majors(registry: Registry, broker: MemoryBroker, second_queue: bool) -> None:
    new = {
        **ORDER,
        "required": ["id", "currency"],
        "properties": {**ORDER["properties"], "currency": {"type": "string"}},
    }
    newest = {**new, "required": ["id", "currency", "total"]}
    topics = [TOPIC, f"{TOPIC}.v2"] if second_queue else [TOPIC]
    registry.publish("orders/order-placed", ORDER)
    registry.publish("orders/order-placed", new, version="2.0.0", channels=topics[-1:])
    registry.publish("orders/order-placed", newest, version="3.0.0", channels=topics[-1:])
    send(broker, {"id": "old"})
    send(broker, {"id": "new", "currency": "SEK"}, header("orders/order-placed", "2.0.0"), topic=topics[-1])
    send(broker, {"id": "x", "currency": "EUR", "total": 1}, header("orders/order-placed", "3.0.0"), topic=topics[-1])
    handlers, got = Handlers(), []

    @handlers.handles("order-placed", "2", build=lambda v: tuple(sorted(v.items())))
    def placed(message: Message) -> None:
        got.append((message.value, message.version.version))

    @handlers.upgrades("order-placed", "1", "2")
    def with_currency(value: dict[str, Any]) -> dict[str, Any]:
        return value | {"currency": "EUR"}

    consumer = ContractConsumer(broker, topics, "billing", handlers, Inspector(registry.lookup(), clock=registry.clock))
    assert consumer.run_once(seconds=0) == 3
    assert got == [((("currency", "EUR"), ("id", "old")), "1.0.0"), ((("currency", "SEK"), ("id", "new")), "2.0.0")]
    (letter,) = broker.records(f"{topics[-1]}.dlt")
    assert dead_letters.read(letter).rule == "unhandled-version"
    assert "nobody here handles order-placed 3" in dead_letters.read(letter).reason


def test_a_broker_that_is_down_is_said_to_be(registry: Registry, broker: MemoryBroker) -> None:
    shop = Shop(registry, broker)
    broker.down = True
    with pytest.raises(BrokerUnavailable):
        shop.consumer.run_once(seconds=0)


@pytest.mark.parametrize("seed", range(20))
def test_good_messages_noted_together_count_like_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    limits = Limits(ratio=0.5, window=chance.randint(1, 12), consecutive=chance.randint(1, 6))
    together, apart = Breaker(limits), Breaker(limits)
    for _ in range(60):
        good = chance.choice((0, 0, 1, 2, 5, 40))
        together.passed(TOPIC, good)
        for _ in range(good):
            apart.observe(TOPIC, False)
        outcomes = []
        for breaker in (together, apart):
            try:
                breaker.observe(TOPIC, True)
            except LimitReached as reached:
                outcomes.append(str(reached))
            else:
                outcomes.append("")
        assert outcomes[0] == outcomes[1]


def test_what_a_poll_had_at_hand_when_it_failed_is_read_again(
    registry: Registry, broker: MemoryBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.publish("orders/order-placed", ORDER)
    shop = Shop(registry, broker)
    for n in range(6):
        send(broker, {"id": f"{n}"})
    assert shop.consumer.run_once(most=2, seconds=0) == 2
    poll = shop.consumer._consumer.poll

    def failing(most: int, seconds: float) -> list[Record]:
        poll(most, seconds)  # the client stands behind them now, and nobody has them
        monkeypatch.undo()
        raise BrokerUnavailable("the connection broke")

    monkeypatch.setattr(shop.consumer._consumer, "poll", failing)
    with pytest.raises(BrokerUnavailable):
        shop.consumer.run_once(most=3, seconds=0)
    assert shop.consumer.run_once(seconds=0) == 4
    assert shop.handled == [f"{n}" for n in range(6)]
    assert offset(broker) == 6
