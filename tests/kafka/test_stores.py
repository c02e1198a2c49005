"""What was handled, remembered: the same in memory, in SQLite and in SQL; and effects that happen once whatever dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import orjson
import pytest
from deedbox.kafka import sql_store
from deedbox.kafka.consuming import ContractConsumer, Order
from deedbox.kafka.errors import BrokerUnavailable, StoreUnavailable
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record, TopicPartition
from deedbox.kafka.sql_store import SqlStore
from deedbox.kafka.stores import HandledStore, MemoryStore, SqliteStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine, event, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

from .conftest import Registry, header

TOPIC = "shop.orders"
V1 = header("orders/order-placed", "1.0.0")
EVENT = {
    "type": "object",
    "required": ["id", "at", "status"],
    "properties": {"id": {"type": "string"}, "at": {"type": "string"}, "status": {"type": "string"}},
}
KINDS = ["memory", "sqlite", "sql on sqlite"]
POSTGRES = [
    pytest.param("sql on postgresql", marks=pytest.mark.postgres),
    pytest.param("sql by savepoints", marks=pytest.mark.postgres),
]


def engine_at(url: str) -> Any:
    return create_engine(url.replace("postgresql://", "postgresql+psycopg://"))


@pytest.fixture(params=[*KINDS, *POSTGRES])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HandledStore]:
    if request.param == "memory":
        yield MemoryStore()
    elif request.param == "sqlite":
        made = SqliteStore(tmp_path / "handled.db")
        yield made
        made.close()
    else:
        if request.param == "sql by savepoints":  # as on any database whose "on conflict" is not known here
            monkeypatch.setattr(sql_store, "_WITH_ON_CONFLICT", {})
        url = f"sqlite:///{tmp_path}/sql.db" if "sqlite" in request.param else request.getfixturevalue("postgres")()
        engine = engine_at(url)
        yield SqlStore(engine, "billing")
        engine.dispose()


def standing(store: HandledStore, *message: str | None) -> str:
    with store.handling(*message) as known:  # type: ignore[arg-type]
        return known.standing


def test_what_is_remembered(store: HandledStore) -> None:
    assert standing(store, "m1", "key", "2026-01-02") == "new"
    assert standing(store, "m1", "key", "2026-01-03") == "duplicate"
    assert standing(store, "m2", "key", "2026-01-01") == "stale"
    assert standing(store, "m2", "key", "2026-01-01") == "duplicate"
    assert standing(store, "m3", "key", "2026-01-02") == "new", "not staler than what was handled"
    assert standing(store, "m4", "other", "2026-01-01") == "new"
    assert standing(store, None, "key", "2026-01-01") == "stale"
    assert standing(store, None, None, None) == "new"
    assert standing(store, "å" * 5_000 + "\0", None, None) == "new"
    assert standing(store, "å" * 5_000 + "\0", None, None) == "duplicate"


def test_what_failed_was_not_handled(store: HandledStore) -> None:
    with pytest.raises(RuntimeError), store.handling("m1", "key", "2026-01-02"):
        raise RuntimeError
    assert standing(store, "m1", "key", "2026-01-01") == "new"


def test_it_forgets_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_store, "_SWEEP_SECONDS", 0.0)
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    engine = create_engine(f"sqlite:///{tmp_path}/sql.db")
    store = SqlStore(engine, "billing", keep_days=10, clock=lambda: now[0])
    other = SqlStore(engine, "other", keep_days=1_000, clock=lambda: now[0])
    assert {standing(s, "m1", "key", "2026") for s in (store, other)} == {"new"}
    now[0] += timedelta(days=9)
    assert standing(store, "m1", "key", "2026") == "duplicate"
    now[0] += timedelta(days=2)
    assert standing(store, "m2", None, None) == "new"
    with engine.connect() as connection:
        assert connection.execute(select(sql_store.IDS.c.consumer_group)).scalars().all().count("billing") == 1
        assert connection.execute(select(sql_store.NEWEST.c.consumer_group)).scalars().all() == ["other"]
    assert standing(other, "m1", None, None) == "duplicate"
    engine.dispose()


def test_another_process_may_make_each_table_a_moment_before(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/sql.db"
    engine, other = create_engine(url), create_engine(url)
    made: list[str] = []

    def first(_: Any, __: Any, statement: str, *___: Any) -> None:
        if statement.strip().startswith("CREATE TABLE") and statement not in made:
            made.append(statement)
            with other.begin() as connection:
                connection.exec_driver_sql(statement)

    event.listen(engine, "before_cursor_execute", first)
    store = SqlStore(engine, "billing")
    assert len(made) == len(sql_store.METADATA.tables)
    with store.handling("a", None, None) as known:
        assert known.standing == "new"
    engine.dispose()
    other.dispose()


def test_a_database_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path}/sql.db")
    store = SqlStore(engine, "billing")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE deedbox_handled"))
    with pytest.raises(StoreUnavailable, match="deedbox_handled"):
        standing(store, "m1", None, None)
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("savepoints", [False, True])
def test_two_processes_with_one_message(
    postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch, savepoints: bool
) -> None:
    if savepoints:
        monkeypatch.setattr(sql_store, "_WITH_ON_CONFLICT", {})
    engine = engine_at(postgres())
    stores = [SqlStore(engine, "billing"), SqlStore(engine, "billing")]
    for n in range(20):
        barrier, found = Barrier(2), list[str]()

        def handle(store: SqlStore, n: int = n, barrier: Barrier = barrier, found: list[str] = found) -> None:
            barrier.wait(30)
            found.append(standing(store, f"m{n}", f"k{n}", "2026"))

        threads = [Thread(target=handle, args=(store,)) for store in stores]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(found) == ["duplicate", "new"]
    engine.dispose()


class Life:
    """A group's processes one after the other, each with what the store and the broker kept."""

    def __init__(self, registry: Registry, broker: MemoryBroker, handlers: Handlers, store: HandledStore) -> None:
        self.broker, self.handlers, self.store = broker, handlers, store
        self.inspector = Inspector(registry.lookup(), clock=registry.clock)

    def run(self, most: int, *, dies: bool) -> None:
        """One process: handles a batch, and dies before its offsets are committed, or not."""
        consumer = ContractConsumer(
            self.broker, [TOPIC], "billing", self.handlers, self.inspector, store=self.store, order=Order("/id", "/at")
        )

        def die(offsets: Any) -> None:
            raise BrokerUnavailable("it dies")

        if dies:
            consumer._consumer.commit = die  # type: ignore[method-assign]
        try:
            with suppress(*[BrokerUnavailable] * dies):
                consumer.run_once(most=most, seconds=0)
        finally:
            consumer.close()

    def at_end(self) -> bool:
        place = TopicPartition(TOPIC, 0)
        return self.broker.committed("billing", TOPIC).get(place, 0) == self.broker.ends(TOPIC)[place]


HISTORY = [
    (f"{name}-{day}", {"id": name, "at": f"2026-01-0{day}T00:00:00Z", "status": f"{name} on day {day}"})
    for name in "abc"
    for day in range(1, 5)
]


def send(broker: MemoryBroker, arrivals: list[tuple[str, dict[str, str]]]) -> None:
    broker.append(
        [
            Record(TOPIC, 0, -1, b"key", orjson.dumps(value), [*V1, ("deedbox-message-id", identity.encode())])
            for identity, value in arrivals
        ]
    )


ARRIVALS = st.tuples(st.permutations(HISTORY), st.lists(st.sampled_from(HISTORY), max_size=12)).flatmap(
    lambda pair: st.permutations([*pair[0], *pair[1]])
)
LIVES = st.lists(st.tuples(st.integers(1, 9), st.booleans()), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ARRIVALS, LIVES)
def test_any_order_any_repetition_any_death_ends_the_same(
    registry: Registry, arrivals: list[Any], lives: list[tuple[int, bool]]
) -> None:
    if registry.client.contract("orders/order-placed") is None:
        registry.publish("orders/order-placed", EVENT)
    state: dict[str, str] = {}
    calls: list[str] = []
    handlers = Handlers()

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        state[message.value["id"]] = message.value["status"]
        calls.append(message.value["id"] + message.value["at"])

    broker = MemoryBroker()
    send(broker, arrivals)
    life = Life(registry, broker, handlers, MemoryStore())
    for most, dies in [*lives, (100, False)]:
        if not life.at_end():
            life.run(most, dies=dies)
    assert life.at_end()
    assert state == {name: f"{name} on day 4" for name in "abc"}
    assert len(calls) == len(set(calls)), "nothing is handled twice"


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_an_effect_in_the_handlers_session_happens_once(
    registry: Registry, kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    registry.publish("orders/order-placed", EVENT)
    engine = engine_at(f"sqlite:///{tmp_path}/shop.db" if kind == "sqlite" else request.getfixturevalue("postgres")())
    if kind == "sqlite":
        # pysqlite begins a transaction late by itself; SQLAlchemy's documentation says to do so.
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE account (id VARCHAR(9) PRIMARY KEY, events INTEGER NOT NULL)"))
        for name in "abc":
            connection.execute(text("INSERT INTO account VALUES (:id, 0)"), {"id": name})
    handlers, failures = Handlers(), iter([False, True, False, False, True] + [False] * 100)

    @handlers.handles("order-placed", "1")
    def placed(message: Message) -> None:
        count = text("UPDATE account SET events = events + 1 WHERE id = :id")
        message.session.execute(count, {"id": message.value["id"]})
        if next(failures):
            raise RuntimeError("after its write")

    broker = MemoryBroker()
    send(broker, [*HISTORY, *HISTORY])
    life = Life(registry, broker, handlers, SqlStore(sessionmaker(engine), "billing"))
    for most, dies in [(2, False), (4, True), (3, False), (9, True), (5, True)]:
        try:
            life.run(most, dies=dies)
        except RuntimeError:
            continue
    while not life.at_end():
        life.run(100, dies=False)
    with engine.connect() as connection:
        counted = {row.id: row.events for row in connection.execute(text("SELECT id, events FROM account"))}
    assert counted == dict.fromkeys("abc", 4)
    engine.dispose()


class Base(DeclarativeBase): ...


class Invoice(Base):
    __tablename__ = "invoice"
    number: Mapped[str] = mapped_column(primary_key=True)


def test_what_the_handler_leaves_for_the_end_and_cannot_be_kept_is_its_own_error(tmp_path: Path) -> None:
    engine = engine_at(f"sqlite:///{tmp_path}/shop.db")
    Base.metadata.create_all(engine)
    kept = SqlStore(engine, "billing")
    for identity, fails in (("m-1", False), ("m-2", True)):
        with pytest.raises(IntegrityError) if fails else nullcontext(), kept.handling(identity, None, None) as known:
            known.session.add(Invoice(number="1"))  # written when the session is, after the block
    assert standing(kept, "m-1", None, None) == "duplicate"
    assert standing(kept, "m-2", None, None) == "new"
    engine.dispose()
