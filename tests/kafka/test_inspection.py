"""Finding contract and version, judging, counting; with the registry there, away and back."""

from __future__ import annotations

import random
from typing import Any
from uuid import uuid4

import orjson
import pytest
from deedbox.kafka.counting import Cell, Counts
from deedbox.kafka.inspection import Inspection, Inspector
from deedbox.kafka.judging.validation import Fault
from deedbox.kafka.lookup import Unknown, Version
from deedbox.kafka.messages import Record

from .conftest import ORDER, Registry, header

TOPIC = "shop.orders"
GOOD = b'{"id":"a","total":3,"lines":[{"sku":"x"}]}'
BAD = b'{"id":1}'


def inspector(registry: Registry, **options: Any) -> Inspector:
    return Inspector(registry.lookup(), clock=registry.clock, **options)


def test_by_header_prefix_and_default(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    registry.publish("orders/order-placed", ORDER | {"title": "again"}, version="1.0.1")
    ids = {v["version"]: v["schema_id"] for v in registry.client.versions("orders/order-placed")}
    judge = inspector(registry)
    by_header = judge.inspect(TOPIC, header("orders/order-placed", "1.0.0"), GOOD)
    by_prefix = judge.inspect(TOPIC, (), b"\0" + ids["1.0.0"].to_bytes(4, "big") + GOOD)
    by_confluent = judge.inspect(TOPIC, [("__value_schema_id", b"\0" + ids["1.0.0"].to_bytes(4, "big"))], GOOD)
    default = judge.inspect(TOPIC, (), GOOD)
    by_name = judge.inspect(TOPIC, header("orders/order-placed"), GOOD)
    assert [str(i.version) for i in (by_header, by_prefix, by_confluent)] == ["orders/order-placed 1.0.0"] * 3
    assert [str(i.version) for i in (default, by_name)] == ["orders/order-placed 1.0.1"] * 2
    assert {i.status for i in (by_header, by_prefix, by_confluent, default, by_name)} == {"valid"}
    assert by_prefix.value == orjson.loads(GOOD)


MIXED = (
    GOOD,
    BAD,
    b"nope",
    b"",
    None,
    b'{"id":"a","note":1}',
    b"\0\0",
    b'{"id":"b"}',
    b'{"id":"' + b"x" * 9_000 + b'"}',
)
CLAIMS = (header("orders/order-placed", "1.0.0"), (), header("orders/order-placed", "9.9.9"), header("nobody/nothing"))


@pytest.mark.parametrize("values", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_a_batch_is_judged_like_its_messages_one_by_one(registry: Registry, seed: int, values: bool) -> None:
    registry.publish("orders/order-placed", ORDER)
    chance = random.Random(seed)
    records: list[Record] = []
    while len(records) < 300:
        topic, claim = chance.choice((TOPIC, "other")), chance.choice(CLAIMS)
        # Mostly good, in runs of one claim, as live traffic is.
        bodies = chance.choices(MIXED, [20, 1, 1, 1, 1, 1, 1, 20, 1], k=chance.randint(1, 20))
        records += [Record(topic, 0, len(records) + i, None, body, claim) for i, body in enumerate(bodies)]
    together, apart = Counts(), Counts()
    batch = inspector(registry, closed=True, counts=together)
    found = batch.inspect_all(records, values=values)
    single = inspector(registry, closed=True, counts=apart)
    expected = [single.inspect(r.topic, r.headers, r.value) for r in records]
    assert [str(f.version) for f in found] == [str(e.version) for e in expected]
    assert [f._replace(value=None, version=None) for f in found] == [
        e._replace(value=None, version=None) for e in expected
    ]
    assert together.read() == apart.read()
    for one, other in zip(found, expected, strict=True):
        assert one.value == (other.value if values or one.value is not None else None)
    assert {e.status for e in expected} == {"valid", "invalid", "tombstone"}


@pytest.mark.parametrize(
    ("headers", "value", "rule", "pointer"),
    [
        ((), b"", "empty", ""),
        ((), b"nope", "not-json", ""),
        ((), b'{"id":"a","total":NaN}', "not-json", ""),
        ((), b'{"id":"\xff"}', "not-json", ""),
        ((), b"[" * 5_000, "too-deep", ""),
        ((), b'"' + b"x" * (16 << 20) + b'"', "too-large", ""),
        ((), b"\x02{}", "wrong-magic", ""),
        ((), b"\x00\x00", "wrong-magic", ""),
        ((), b"\x00\x00\x00\x00\x63{}", "unknown-schema", ""),
        ((), b"\x01" + uuid4().bytes + b"{}", "unknown-schema", ""),
        ([("__value_schema_id", b"\x07abc")], GOOD, "wrong-magic", ""),
        (header("orders/order-placed", "9.9.9"), GOOD, "unknown-version", ""),
        (header("orders/order-placed", "no version"), GOOD, "unknown-version", ""),
        (header("../../x", "1.0.0"), GOOD, "unknown-version", ""),
        ([("deedbox-contract", b"\xff\xfe"), ("deedbox-version", b"\0")], GOOD, "unknown-version", ""),
        (header("nobody/nothing"), GOOD, "unknown-contract", ""),
        ((), BAD, "type", "/id"),
        ((), b"{}", "required", "/id"),
        ((), b'{"id":"a","lines":[{"sku":"x"},{"sku":2}]}', "type", "/lines/1/sku"),
    ],
)
def test_every_kind_of_bad_message(registry: Registry, headers: Any, value: bytes, rule: str, pointer: str) -> None:
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    for _ in range(2):  # once by the long way, once by what was kept of it
        found = judge.inspect(TOPIC, headers, value)
        assert found.status == "invalid"
        assert found.fault is not None
        assert (found.fault.rule, found.fault.pointer) == (rule, pointer)
        assert found.invalid(value).raw is value
        assert found.fault.reason


def test_a_null_value_is_a_tombstone(registry: Registry) -> None:
    assert inspector(registry).inspect(TOPIC, (), None).status == "tombstone"


def test_a_topic_with_two_producers_has_no_default(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    registry.publish("web/order-placed", ORDER)
    found = inspector(registry).inspect(TOPIC, (), GOOD)
    assert found.fault is not None
    assert found.fault.rule == "no-contract"
    assert "orders/order-placed, web/order-placed" in found.fault.reason


@pytest.mark.parametrize(
    "claim", [("a/" + "x" * 99_999, "1.0.0"), ("a/b", "1.0.0-" + "x" * 99_999), ("é/" + "é" * 199, "1")]
)
def test_a_claim_that_no_registry_could_be_asked_about_is_unknown_and_the_registry_is_not_away(
    registry: Registry, claim: tuple[str, str]
) -> None:
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    for headers in (header(*claim), header(claim[0])):
        found = judge.inspect(TOPIC, headers, b"{}")
        assert (found.status, found.fault is not None) == ("invalid", True)
        assert len(str(found.invalid(b""))) < 5_000
    assert not judge.lookup.is_away
    assert judge.inspect(TOPIC, header("orders/order-placed", "1.0.0"), b'{"id":"a"}').status == "valid"


def test_a_closed_content_model_refuses_on_either_side(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER, content_model="closed")
    found = inspector(registry).inspect(TOPIC, (), b'{"id":"a","lines":[{"sku":"b","z":1}]}')
    assert (found.status, found.fault) == (
        "invalid",
        Fault("undeclared-property", "/lines/0/z", "'z' is not declared by orders/order-placed 1.0.0"),
    )
    assert inspector(registry).inspect(TOPIC, (), b'{"id":"a","lines":[{"sku":"b"}]}').status == "valid"
    registry.publish("billing/order-placed", ORDER, role="consumes", content_model="closed", channels=["shop.billing"])
    registry.publish("sales/order-placed", {}, channels=["shop.sales"])
    lookup = registry.lookup()
    reader = lookup.latest("billing/order-placed")
    assert isinstance(reader, Version)
    found = Inspector(lookup, reader=reader).inspect("shop.sales", (), b'{"id":"a","z":1}')
    assert found.fault == Fault("undeclared-property", "/z", "'z' is not declared by billing/order-placed 1.0.0")


def test_the_closed_reading_is_reported_or_refused(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    value = b'{"id":"a","lines":[{"sku":"x","note":"y"}]}'
    reported = inspector(registry, closed=True).inspect(TOPIC, (), value)
    assert (reported.status, reported.undeclared) == ("valid", "/lines/0/note")
    refused = inspector(registry, closed=True, refuse_undeclared=True).inspect(TOPIC, (), value)
    assert refused.status == "invalid"
    assert refused.fault is not None
    assert (refused.fault.rule, refused.fault.pointer) == ("undeclared-property", "/lines/0/note")
    assert inspector(registry).inspect(TOPIC, (), value).undeclared is None


def test_an_open_contract_promises_nothing_of_other_names(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER, content_model="open")
    found = inspector(registry, closed=True, refuse_undeclared=True).inspect(TOPIC, (), b'{"id":"a","z":1}')
    assert (found.status, found.undeclared) == ("valid", None)


def test_a_reader_judges_by_its_own_contract(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    strict = ORDER | {"required": ["id", "total"]}
    registry.publish("billing/order-placed", strict, role="consumes", channels=["billing.orders"])
    lookup = registry.lookup()
    own = lookup.latest("billing/order-placed")
    assert isinstance(own, Version)
    judge = Inspector(lookup, reader=own, clock=registry.clock)
    found = judge.inspect(TOPIC, header("orders/order-placed", "1.0.0"), b'{"id":"a"}')
    assert found.fault is not None
    assert (found.fault.pointer, str(found.version)) == ("/total", "orders/order-placed 1.0.0")
    stranger = judge.inspect(TOPIC, header("orders/order-placed", "7.0.0"), GOOD)
    assert (stranger.status, stranger.notes) == ("valid", ("unknown-version",))


def test_a_retirement_and_a_foreign_channel_are_noted(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    claim = header("orders/order-placed", "1.0.0")
    assert judge.inspect(TOPIC, claim, GOOD).notes == ()
    assert judge.inspect("elsewhere", claim, GOOD).notes == ("undeclared-channel",)
    registry.client.retire("orders/order-placed", "1.0.0", "obsolete")
    assert judge.inspect(TOPIC, claim, GOOD).notes == ()
    registry.clock.now += 61
    assert judge.inspect(TOPIC, claim, GOOD).notes == ("retired-version",)


def test_an_hour_without_the_registry(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    assert judge.inspect(TOPIC, (), GOOD).status == "valid"
    registry.switch.on = False
    asked = len(registry.switch.asked)
    for _ in range(3600):
        registry.clock.now += 1
        assert judge.inspect(TOPIC, (), GOOD).status == "valid"
        assert judge.inspect(TOPIC, (), BAD).status == "invalid"
        never = judge.inspect(TOPIC, header("orders/order-placed", "1.1.0"), GOOD)
        assert (never.status, never.fault) == ("unjudged", None)
    assert len(registry.switch.asked) - asked < 150, "a registry that is away is left alone"
    registry.switch.on = True
    registry.publish("orders/order-placed", ORDER | {"title": "x"}, version="1.1.0")
    registry.clock.now += 61
    assert judge.inspect(TOPIC, header("orders/order-placed", "1.1.0"), GOOD).status == "valid"


def test_an_absent_version_is_not_asked_for_at_every_message(registry: Registry) -> None:
    lookup = registry.lookup()
    assert lookup.version("a/b", "1.0.0") is Unknown.ABSENT
    asked = len(registry.switch.asked)
    assert all(lookup.version("a/b", "1.0.0") is Unknown.ABSENT for _ in range(50))
    assert len(registry.switch.asked) == asked
    registry.clock.now += 61
    lookup.version("a/b", "1.0.0")
    assert len(registry.switch.asked) == asked + 1


def test_a_hostile_schema_is_judged_without_the_quick_validator(registry: Registry) -> None:
    chain = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(150)} | {"d150": {"type": "object"}}
    registry.publish("orders/order-placed", {"$ref": "#/$defs/d0", "$defs": chain})
    judge = inspector(registry)
    assert judge.inspect(TOPIC, (), b"{}").status == "valid"
    found = judge.inspect(TOPIC, (), b"[]")
    assert (found.status, found.fault and found.fault.rule) == ("invalid", "type")


def test_counting(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    counts = Counts()
    judge = inspector(registry, counts=counts, closed=True)
    values = [GOOD] * 5 + [BAD] * 2 + [b'{"id":"a","lines":[{"n":1}]}', None]
    found = judge.inspect_all([Record(TOPIC, 0, n, None, v) for n, v in enumerate(values)])
    assert [i.status for i in found] == ["valid"] * 5 + ["invalid"] * 2 + ["valid", "tombstone"]
    name = (TOPIC, "orders/order-placed", "1.0.0")
    cells = counts.take().cells
    assert cells[Cell(*name, "valid")] == 6
    assert cells[Cell(*name, "invalid")] == 2
    assert cells[Cell(*name, "fault", "type", "/id")] == 2
    assert cells[Cell(*name, "undeclared", "undeclared-property", "/lines/*/n")] == 1
    assert counts.take().cells == {}


def test_counting_is_bounded(registry: Registry) -> None:
    counts = Counts(most=10)
    for n in range(1_000):
        counts.add_all([(TOPIC, Inspection("invalid", None, None, claim=("a/b", str(n))))])
    tally = counts.read()
    assert len(tally.cells) <= 20
    assert sum(tally.cells.values()) == 1_000
    assert tally.crowded == 990


def test_claims_without_end_are_not_kept(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    import deedbox.kafka.inspection as module

    monkeypatch.setattr(module, "_MAX_ROUTES", 50)
    judge = inspector(registry)
    for n in range(200):
        judge.inspect(TOPIC, header("x/y", f"bad {n}"), GOOD)
    assert len(judge._routes) <= 50


NEWER = ORDER | {"properties": {**ORDER["properties"], "id": {}}}


@pytest.mark.parametrize("claim", [(), header("orders/order-placed"), header("orders/order-placed", "2.0.0")])
def test_a_message_is_refused_by_no_old_knowledge(registry: Registry, claim: list[tuple[str, bytes]]) -> None:
    """As where a version is published, and its messages, or dead letters that it lets through, are sent at once."""
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    assert judge.inspect(TOPIC, claim, BAD).status == "invalid"
    registry.publish("orders/order-placed", NEWER, version="2.0.0")
    registry.clock.now += 3
    batch = [Record(TOPIC, 0, i, None, body, claim) for i, body in enumerate((BAD, GOOD, BAD, b"nope"))]
    found = judge.inspect_all(batch)
    assert [f.status for f in found] == ["valid", "valid", "valid", "invalid"]
    assert {str(f.version) for f in found[::2]} == {"orders/order-placed 2.0.0"}
    assert judge.inspect(TOPIC, claim, BAD).status == "valid"


def test_bad_messages_ask_the_registry_now_and_then_and_never_where_they_say_their_version(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    judge.inspect(TOPIC, (), BAD)
    judge.inspect(TOPIC, header("orders/order-placed", "1.0.0"), BAD)
    before = len(registry.switch.asked)
    for _ in range(100):
        judge.inspect_all([Record(TOPIC, 0, i, None, BAD, ()) for i in range(10)])
        registry.clock.now += 0.1
    asked = len(registry.switch.asked) - before
    assert 1 <= asked <= 2 * 10  # in ten seconds, two requests a time
    for _ in range(100):
        judge.inspect(TOPIC, header("orders/order-placed", "1.0.0"), BAD)
        registry.clock.now += 0.1
    assert len(registry.switch.asked) - before == asked


def test_without_the_registry_a_bad_message_is_what_it_was(registry: Registry) -> None:
    registry.publish("orders/order-placed", ORDER)
    judge = inspector(registry)
    judge.inspect(TOPIC, (), BAD)
    registry.switch.on = False
    registry.clock.now += 10
    assert [judge.inspect(TOPIC, (), body).status for body in (BAD, GOOD, BAD)] == ["invalid", "valid", "invalid"]
