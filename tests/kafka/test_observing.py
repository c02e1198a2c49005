"""What a guard says that it saw: ranges, counts and obsolete fields, against memory; with what fails around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from deedbox.checker import load_document
from deedbox.checker.json_schema.obsolete import obsolete_pointers
from deedbox.checker.json_schema.schema import Schema
from deedbox.kafka.errors import Fenced, SpoolFailed
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.guard.observing import Observer
from deedbox.kafka.guard.reporting import Reporter
from deedbox.kafka.guard.spool import Spool
from deedbox.kafka.judging.obsolete import carries, watch_of
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Record

from .conftest import NOW, ORDER, Registry, header

OLD = {"type": "string", "deprecated": True}
MARKED: dict[str, Any] = {**ORDER, "properties": {**ORDER["properties"], "note": OLD}}
V1 = header("orders/order-placed", "1.0.0")
NOTE = {"contract": "orders/order-placed", "pointer": "/note"}


class Watched:
    """A guard with all that it needs, whose process can die and come back."""

    def __init__(self, registry: Registry, broker: MemoryBroker, topic: str, file: Path | str) -> None:
        self.registry, self.broker, self.topic, self.file = registry, broker, topic, file
        self.clock = registry.clock
        self.start()

    def start(self) -> None:
        lookup = self.registry.lookup()
        self.spool = Spool(self.file)
        self.observer = Observer(self.spool, "g/0", lambda topic: watch_of(lookup, topic))
        self.guard = Guard(
            self.broker, lookup, [self.topic], group="g", observer=self.observer, sleep=lambda _: None, clock=self.clock
        )
        self.reporter = Reporter(self.spool, self.registry.client)

    def die(self) -> None:
        """As kill -9: nothing is said to anybody; the member is gone and the file is as it is."""
        self.spool.close()
        if self.guard._consumer is not None:
            self.guard._consumer.close()

    def read(self, most: int = 1_000) -> int:
        return self.guard.run_once(most, 0)

    def tell(self) -> list[dict[str, Any]]:
        """Reports, sends, and gives what the registry has."""
        self.guard.report()
        assert self.reporter.send_all()
        return ranges(self.registry)


def ranges(registry: Registry) -> list[dict[str, Any]]:
    return list(registry.client._json("GET", "/observations", params={"limit": "1000"})["items"])


def counted(registry: Registry, kind: str) -> int:
    cells = registry.client.observed_counts("orders/order-placed")
    return sum(cell["count"] for cell in cells if cell["kind"] == kind)


def coverage(registry: Registry) -> list[dict[str, Any]]:
    return registry.client.observed_coverage(**NOTE)


def send(broker: MemoryBroker, topic: str, *values: Any, headers: Any = V1) -> None:
    broker.append(
        [
            Record(topic, 0, -1, None, v if isinstance(v, bytes) else orjson.dumps(v), headers, NOW + n)
            for n, v in enumerate(values)
        ]
    )


@pytest.fixture
def watched(registry: Registry, topic: str, tmp_path: Path) -> Watched:
    registry.publish("orders/order-placed", MARKED, channels=[topic])
    return Watched(registry, MemoryBroker(), topic, tmp_path / "spool.db")


def test_a_report_says_what_was_read_and_where_a_field_was_seen_last(watched: Watched) -> None:
    topic, registry = watched.topic, watched.registry
    send(watched.broker, topic, {"id": "a"}, {"id": "b", "note": "x"}, {"id": 3, "note": "y"}, {"id": "d"}, b"{")
    assert watched.read() == 5
    (seen,) = watched.tell()
    assert (seen["topic"], seen["from"], seen["to"], seen["messages"]) == (topic, 0, 5, 5)
    assert (seen["cluster"], seen["leader_epoch"], seen["log_start"]) == ("memory", 0, 0)
    assert (seen["first_at"], seen["last_at"]) == (NOW, NOW + 4)
    assert seen["watched"] == [NOTE]
    (sighting,) = seen["sightings"]
    assert (sighting["count"], sighting["last_offset"], sighting["last_at"]) == (2, 2, NOW + 2)
    assert sighting["writer_version"] == "1.0.0"
    assert seen["unreadable"] == {"count": 1, "last_offset": 4, "last_at": NOW + 4}
    assert (counted(registry, "valid"), counted(registry, "invalid")) == (3, 2)
    (channel,) = registry.client.observed_channels(topic)
    assert [g["group"] for g in channel["groups"]] == ["g"]


def test_the_next_report_reaches_back_to_where_reading_began(watched: Watched) -> None:
    send(watched.broker, watched.topic, {"id": "a", "note": "x"}, {"id": "b"})
    watched.read()
    watched.tell()
    send(watched.broker, watched.topic, {"id": "c"})
    watched.read()
    newest = watched.tell()[-1]
    assert (newest["from"], newest["to"], newest["messages"]) == (0, 3, 1)
    assert newest["sightings"][0]["last_offset"] == 0
    assert counted(watched.registry, "valid") == 3
    before = len(ranges(watched.registry))
    watched.tell()
    assert len(ranges(watched.registry)) == before, "where nothing happened there is nothing to say"


def test_groups_that_were_not_known_at_first_are_told_later(watched: Watched) -> None:
    send(watched.broker, watched.topic, {"id": "a"})
    watched.read()
    watched.observer.report({}, {}, {})
    assert watched.tell()[-1]["to"] == 1
    (channel,) = watched.registry.client.observed_channels(watched.topic)
    assert [g["group"] for g in channel["groups"]] == ["g"]
    assert counted(watched.registry, "valid") == 1


def test_reports_come_by_the_clock(watched: Watched) -> None:
    send(watched.broker, watched.topic, {"id": "a"})
    watched.read()
    assert watched.spool.waiting() == 0
    watched.clock.now += 61
    watched.read()
    assert watched.spool.waiting() == 1


def test_the_registry_away_for_an_hour_loses_nothing_and_holds_up_nobody(watched: Watched) -> None:
    watched.read()
    watched.registry.switch.on = False
    for n in range(60):
        send(watched.broker, watched.topic, {"id": str(n), **({"note": "x"} if n == 7 else {})})
        assert watched.read() == 1
        watched.clock.now += 61
        assert not watched.reporter.send_all() or watched.spool.waiting() == 0
    watched.registry.switch.on = True
    watched.tell()
    assert watched.spool.waiting() == 0
    assert counted(watched.registry, "valid") == 60
    (covered,) = coverage(watched.registry)
    assert covered["ranges"] == [[0, 60]]
    assert [s["offset"] for s in covered["last_seen"]] == [7]


def test_a_full_spool_drops_the_oldest_and_says_so(watched: Watched) -> None:
    watched.spool._max_bytes = 4_000
    for n in range(30):
        send(watched.broker, watched.topic, {"id": str(n)})
        watched.read()
        watched.guard.report()
    assert watched.spool.waiting() < 10
    first = watched.spool.oldest()
    assert first is not None
    lost = first.report["lost"]
    assert lost["reports"] == lost["messages"] > 0
    sent = []
    watched.registry.client.observe = lambda report: sent.append(report) or {}  # type: ignore[method-assign,func-returns-value]
    watched.reporter.send_all()
    assert sum(r["lost"]["messages"] for r in sent) + len(sent) == 30, "every message is reported or said to be lost"
    assert sent[-1]["topics"][0]["partitions"][0]["from"] == 0, "ranges reach back: the evidence is whole"


@pytest.mark.parametrize("committed", [False, True])
def test_a_guard_killed_between_writing_down_and_reporting_counts_each_message_once(
    watched: Watched, committed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(watched.broker, watched.topic, *({"id": str(n)} for n in range(10)))
    watched.read(4)
    settler = watched.guard._settler
    settle = settler.settle

    def dies(*arguments: Any) -> None:
        if committed:
            settle(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(settler, "settle", dies)
    with pytest.raises(KeyboardInterrupt):
        watched.read(4)
    watched.die()
    watched.start()
    while watched.read(4):
        pass
    watched.tell()
    assert counted(watched.registry, "valid") == 10
    (covered,) = coverage(watched.registry)
    assert covered["ranges"] == [[0, 10]]


def test_what_was_not_committed_is_not_counted(watched: Watched) -> None:
    send(watched.broker, watched.topic, *({"id": str(n), "note": "x"} for n in range(5)))
    assert watched.guard._consumer is None
    watched.read(1)
    settler = watched.guard._settler

    def fenced(*_: Any) -> None:
        raise Fenced("taken over")

    settle, settler.settle = settler.settle, fenced  # type: ignore[method-assign]
    assert watched.read(4) == 0
    settler.settle = settle  # type: ignore[method-assign]
    while watched.read(2):
        pass
    newest = watched.tell()[-1]
    assert counted(watched.registry, "valid") == 5
    assert newest["sightings"][0]["count"] == 5
    assert (newest["from"], newest["to"]) == (0, 5), "nobody else read it meanwhile: one stretch"


def test_what_another_member_read_is_a_gap_until_it_says_so_itself(
    watched: Watched, registry: Registry, tmp_path: Path
) -> None:
    send(watched.broker, watched.topic, *({"id": str(n)} for n in range(4)))
    watched.read()
    watched.guard._begin_anew()
    other = Watched(registry, watched.broker, watched.topic, tmp_path / "other.db")
    send(watched.broker, watched.topic, *({"id": str(n)} for n in range(3)))
    other.read()
    other.guard._begin_anew()
    send(watched.broker, watched.topic, {"id": "z"})
    watched.read()
    watched.tell()
    assert coverage(registry)[0]["ranges"] == [[0, 4], [7, 8]]
    other.tell()
    assert coverage(registry)[0]["ranges"] == [[0, 8]]


def test_a_field_marked_later_is_looked_for_from_then_on(registry: Registry, topic: str, tmp_path: Path) -> None:
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    watched = Watched(registry, MemoryBroker(), topic, tmp_path / "spool.db")
    send(watched.broker, topic, {"id": "a", "note": "x"})
    watched.read()
    assert watched.tell()[-1]["watched"] == []
    registry.publish("orders/order-placed", MARKED, channels=[topic], version="1.1.0")
    watched.clock.now += 61
    watched.read()
    send(watched.broker, topic, {"id": "b", "note": "x"}, {"id": "c"})
    watched.read()
    watched.tell()
    (covered,) = coverage(registry)
    assert covered["ranges"] == [[1, 3]], "the first message was not looked into for it"
    assert [s["offset"] for s in covered["last_seen"]] == [1]


def test_a_topic_made_anew_voids_what_was_seen_of_the_one_before(watched: Watched) -> None:
    send(watched.broker, watched.topic, {"id": "a"}, {"id": "b"})
    watched.broker.topic_ids[watched.topic] = "11111111-0000-4000-8000-000000000000"
    watched.read()
    watched.broker.topic_ids[watched.topic] = "22222222-0000-4000-8000-000000000000"
    watched.tell()
    assert [c["ranges"] for c in coverage(watched.registry)] == [[[0, 0]]]
    assert counted(watched.registry, "valid") == 2


def test_an_offset_that_went_back_begins_a_new_stretch(watched: Watched) -> None:
    send(watched.broker, watched.topic, *({"id": str(n)} for n in range(6)))
    watched.read()
    assert watched.guard._consumer is not None
    (place,) = watched.guard._consumer.assignment()
    watched.guard._consumer.seek(place, 2)
    watched.read()
    said = watched.tell()
    assert [(r["from"], r["to"], r["messages"]) for r in said] == [(0, 6, 6), (2, 6, 4)]


def test_a_disk_that_fails_stops_no_guard(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    send(watched.broker, watched.topic, {"id": "a"}, {"id": "b"})

    def full(*_: Any) -> int:
        raise SpoolFailed("spool.db", "disk full")

    with monkeypatch.context() as patch:
        patch.setattr(watched.spool, "intend", full)
        assert watched.read() == 2
    send(watched.broker, watched.topic, {"id": "c"})
    assert watched.read() == 1
    watched.tell()
    assert coverage(watched.registry)[0]["ranges"][-1][1] == 3
    assert [0, 3] not in coverage(watched.registry)[0]["ranges"], "what was not written down is no evidence"


def test_two_processes_cannot_share_a_file(tmp_path: Path) -> None:
    first = Spool(tmp_path / "s.db")
    first.report([])
    with pytest.raises(SpoolFailed, match=r"s\.db"):
        Spool(tmp_path / "s.db")
    first.close()


def test_a_report_that_is_refused_holds_up_no_other(watched: Watched) -> None:
    bad = {"id": "no uuid", "topics": [{"partitions": [{"messages": 7}]}]}
    watched.spool.report([bad])
    send(watched.broker, watched.topic, {"id": "a"})
    watched.read()
    watched.tell()
    assert watched.reporter.refused == 1
    assert counted(watched.registry, "valid") == 1
    send(watched.broker, watched.topic, {"id": "b"})
    watched.read()
    watched.guard.report()
    waiting = watched.spool.oldest()
    assert waiting is not None
    assert waiting.report["lost"] == {"reports": 1, "messages": 7}


def test_hostile_claims_find_room_in_a_report(watched: Watched) -> None:
    claims = [
        header("x" * 5_000 + "/y", "1" * 3_000),
        header("\x00/\x00", "\x00"),
        [("deedbox-contract", b"\xff\xfe"), ("deedbox-version", b"\xff")],
    ]
    for claim in claims:
        send(watched.broker, watched.topic, {"id": "a"}, headers=claim)
    watched.read()
    watched.tell()
    assert (watched.reporter.sent, watched.reporter.refused) == (1, 0)


def test_traffic_that_is_not_as_registered_is_said(
    watched: Watched, registry: Registry, topic: str, caplog: pytest.LogCaptureFixture
) -> None:
    registry.publish("billing/order-placed", ORDER, role="consumes", channels=[topic])
    registry.publish("orders/other", ORDER, channels=["elsewhere"])
    registry.publish("orders/gone", ORDER, channels=[topic])
    registry.client.retire("orders/gone", "1.0.0", "no longer")
    for claim in (
        header("orders/order-placed", "9.9.9"),
        header("no/body", None),
        header("billing/order-placed", "1.0.0"),
        header("orders/other", "1.0.0"),
        header("orders/gone", "1.0.0"),
        [("__value_schema_id", b"\x00\x00\x00\xff\xff")],
    ):
        send(watched.broker, topic, {"id": "a"}, headers=claim)
    watched.read()
    watched.tell()
    (channel,) = registry.client.observed_channels(topic)
    assert {m["rule"] for m in channel["mismatches"]} == {
        "unknown-version",
        "unknown-contract",
        "undeclared-producer",
        "undeclared-channel",
        "retired-version",
        "unknown-schema",
    }
    assert "messages are written as a version that is retired: orders/gone 1.0.0" in caplog.text


FIELDS: list[tuple[Any, tuple[str, ...]]] = [
    ({"properties": {"a": OLD, "b": {"type": "string"}}}, ("/a",)),
    ({"properties": {"a": {"properties": {"b/c": OLD}}}}, ("/a/b~1c",)),
    ({"properties": {"lines": {"items": {"properties": {"sku": OLD}}}}}, ("/lines/*/sku",)),
    ({"allOf": [{"properties": {"a": OLD}}, {"properties": {"a": True}}]}, ("/a",)),
    ({"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": OLD}}, ("/a",)),
    ({"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"a": {"$ref": "#/definitions/x", "deprecated": True}},
      "definitions": {"x": {}}}, ("/a",)),
    ({"properties": {"old": OLD, "next": {"$ref": "#"}}}, ()),
    ({"properties": {"a": OLD, "tree": {"$ref": "#/$defs/t"}},
      "$defs": {"t": {"properties": {"gone": OLD, "below": {"items": {"$ref": "#/$defs/t"}}}}}}, ("/a",)),
    ({"properties": {"*": OLD}}, ()),
    ({"additionalProperties": OLD}, ()),
    (True, ()),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "pointers"), FIELDS)
def test_which_fields_are_obsolete(schema: Any, pointers: tuple[str, ...]) -> None:
    assert obsolete_pointers(Schema(load_document(schema))) == pointers


@pytest.mark.parametrize(
    ("pointer", "value", "there"),
    [
        ("/a", {"a": None}, True),
        ("/a", {"b": 1}, False),
        ("/a", [1], False),
        ("/a/b", {"a": {"b": 0}}, True),
        ("/a/b", {"a": 3}, False),
        ("/l/*/s", {"l": [{}, {"s": 1}]}, True),
        ("/l/*/s", {"l": [{}, 2]}, False),
        ("/l/*/s", {"l": {"0": {"s": 1}}}, False),
        ("/a~1b", {"a/b": 1}, True),
    ],
)
def test_whether_a_message_carries_a_field(pointer: str, value: Any, there: bool) -> None:
    assert carries(pointer)(value) is there
