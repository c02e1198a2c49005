"""A proposed schema against what really travels: the core over every client, `try` and `check --observed` as commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import deedbox.cli.brokers as brokers
import orjson
import pytest
from deedbox.checker import load_document
from deedbox.checker.json_schema.schema import Schema
from deedbox.cli.main import main
from deedbox.client import RegistryClient
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.judging.validation import CompiledSchema
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import Headers, Record
from deedbox.kafka.trying import Proposal, attempt, last_records, newly_declared, shared
from deedbox.registry.serving import run_in_background

from .conftest import NOW, ORDER, Registry, connected, header
from .letters import wait_for

STRICT: dict[str, Any] = {**ORDER, "required": ["id", "total"]}
NOTED: dict[str, Any] = {**ORDER, "properties": {**ORDER["properties"], "note": {"type": "string"}}}
V1 = header("orders/order-placed", "1.0.0")


@pytest.fixture(params=["memory", "kafka-python", "confluent"])
def broker(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        return MemoryBroker()
    bootstrap = str(request.getfixturevalue("bootstrap"))
    if request.param == "confluent":
        from deedbox.kafka.confluent import ConfluentBroker

        return ConfluentBroker(bootstrap)
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    return KafkaPythonBroker(bootstrap)


def send(broker: Any, topic: str, *values: Any, headers: Headers = V1, transactional: str | None = None) -> None:
    producer = broker.producer(transactional)
    if transactional:
        producer.begin()
    for n, value in enumerate(values):
        body = value if isinstance(value, bytes) else orjson.dumps(value)
        producer.send(topic, None, body, headers, NOW + n, 0)
    producer.commit() if transactional else producer.flush()
    producer.close()


def compiled(schema: Any) -> CompiledSchema:
    return CompiledSchema(json.dumps(schema))


def test_the_last_messages_are_read_and_no_more(broker: Any, topic: str) -> None:
    assert list(last_records(broker, topic, 5)) == []
    send(broker, topic, *({"id": str(n)} for n in range(20)))
    send(broker, topic, {"id": "end"}, transactional=f"{topic}-tx")
    found = [orjson.loads(r.value or b"")["id"] for batch in last_records(broker, topic, 6) for r in batch]
    assert sorted(found) == ["15", "16", "17", "18", "19", "end"], "the marker of the transaction is no message"
    assert broker.groups([topic]) == {topic: set()}


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_markers_of_transactions_take_no_place_of_messages(client: str, bootstrap: str, topic: str) -> None:
    broker = connected(client, bootstrap)
    producer = broker.producer(f"{topic}-tx")
    for n in range(24):
        producer.begin()
        producer.send(topic, None, b"%d" % n, [], NOW, 0)
        if n % 3 == 2:
            producer.abort()
        else:
            producer.commit()
    producer.begin()
    producer.send(topic, None, b"end", [], NOW, 0)
    producer.commit()
    producer.close()
    kept = [n for n in range(24) if n % 3 != 2]

    def values(count: int) -> list[bytes | None]:
        return [r.value for batch in last_records(broker, topic, count) for r in batch]

    wait_for(lambda: b"end" in values(1))
    for count, expected in ((10, kept[-9:]), (17, kept), (100, kept)):
        assert sorted(map(str, values(count))) == sorted(map(str, [*(b"%d" % n for n in expected), b"end"]))


def test_what_was_compacted_away_takes_no_place_either() -> None:
    """As a log of which every 100th message is left."""

    class Compacted(MemoryBroker):
        def reader(self, topic: str) -> Any:
            reader = super().reader(topic)
            poll = reader.poll
            reader.poll = lambda most, seconds: [r for r in poll(most, seconds) if not r.offset % 100]  # type: ignore[method-assign]
            return reader

    broker = Compacted()
    broker.append([Record("t", 0, -1, None, b"%d" % n, [], NOW) for n in range(10_001)])
    for count, oldest in ((1, 10_000), (5, 9_600), (70, 3_100), (5_000, 0)):
        found = sorted(r.offset for batch in last_records(broker, "t", count) for r in batch)
        assert found == list(range(oldest, 10_001, 100))


def test_what_would_fail_and_what_fails_already(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    good = [{"id": str(n), "total": n} for n in range(10)]
    send(broker, topic, *good, {"id": "x"}, {"id": "y"}, {"id": 3, "total": 1}, b"{")
    send(broker, topic, {"id": 7}, headers=header("orders/other", "1.0.0"))
    read: list[int] = []
    proposal = Proposal("billing/order-placed", None, compiled(STRICT), compiled(ORDER))
    trial = attempt(broker, Inspector(registry.lookup()), proposal, [topic], 100, read.append)
    assert (trial.read, sum(read), trial.judged) == (15, 15, 14)
    assert (trial.failing, trial.newly, trial.unreadable) == (3, 2, 1)
    worst = [(k.fault.rule, k.fault.pointer, k.count, k.new, [r.offset for r in k.samples]) for k in trial.worst]
    assert worst == [("required", "/total", 2, 2, [10, 11]), ("type", "/id", 1, 0, [12])]


def test_a_property_that_is_newly_declared_was_carried_or_not(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    registry.publish("orders/order-placed", ORDER, channels=[topic])
    send(broker, topic, *({"id": str(n)} for n in range(8)), {"id": "n", "note": 5})
    proposal = Proposal("orders/order-placed", None, compiled(NOTED), compiled(ORDER), closes=True)
    trial = attempt(broker, Inspector(registry.lookup()), proposal, [topic], 100)
    assert trial.undeclared == {"/note": 1}
    assert (trial.failing, trial.newly) == (1, 0), "by the old version it was undeclared, by the new one no string"
    proposal = Proposal("orders/order-placed", None, compiled(ORDER), None, closes=True)
    trial = attempt(broker, Inspector(registry.lookup()), proposal, [topic], 100)
    assert [(k.fault.rule, k.fault.pointer) for k in trial.worst] == [("undeclared-property", "/note")]


def test_a_registry_that_is_away_still_lets_messages_be_tried(registry: Registry, topic: str) -> None:
    broker = MemoryBroker()
    send(broker, topic, {"id": "a"}, {"id": "b", "total": 1}, headers=[])
    registry.switch.on = False
    proposal = Proposal("billing/order-placed", None, compiled(STRICT))
    trial = attempt(broker, Inspector(registry.lookup()), proposal, [topic], 100)
    assert (trial.judged, trial.failing) == (2, 1)


@pytest.mark.parametrize(
    ("logs", "count", "starts"),
    [
        ({0: (0, 100)}, 10, {0: 90}),
        ({0: (0, 100), 1: (0, 100)}, 10, {0: 95, 1: 95}),
        ({0: (0, 2), 1: (0, 100)}, 10, {0: 0, 1: 92}),
        ({0: (5, 7), 1: (0, 0)}, 10, {0: 5, 1: 0}),
        ({}, 10, {}),
    ],
)
def test_partitions_share_what_is_read(logs: dict[int, tuple[int, int]], count: int, starts: dict[int, int]) -> None:
    assert shared(logs, count) == starts


@pytest.mark.parametrize(
    ("old", "new", "pointers"),
    [
        (ORDER, NOTED, ("/note",)),
        (NOTED, ORDER, ()),
        ({}, ORDER, ()),
        ({"properties": {"a": {}}}, {"properties": {"a": {"properties": {"b": {}}}}}, ()),
        (
            {"properties": {"l": {"items": {"properties": {"x": {}}}}}},
            {"properties": {"l": {"items": {"properties": {"x": {}, "y": {}}}}}},
            ("/l/*/y",),
        ),
        (
            {"properties": {"t": {"$ref": "#"}, "a": {}}},
            {"properties": {"t": {"$ref": "#"}, "a": {}, "b": {}}},
            ("/b", "/t/b"),
        ),
    ],
)
def test_what_is_newly_declared(old: Any, new: Any, pointers: tuple[str, ...]) -> None:
    assert newly_declared(Schema(load_document(old)), Schema(load_document(new))) == pointers


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


@pytest.fixture
def project(url: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemoryBroker:
    """A consumer's project whose contract is published; twenty messages, two of them without a total."""
    broker = MemoryBroker()
    monkeypatch.setattr(brokers, "connect", lambda *_: broker)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEDBOX_URL", url)
    (tmp_path / "deedbox.toml").write_text(
        f'[deedbox]\nservice = "s-{topic}"\n[[contract]]\nname = "order-placed"\nfile = "c.json"\nrole = "consumes"\n'
        f'channels = ["{topic}"]\n'
    )
    with RegistryClient(url) as client:
        client.publish(
            f"s-{topic}/order-placed",
            {"schema": json.dumps(ORDER), "role": "consumes", "kind": "event", "channels": [topic]},
        )
    values = [{"id": str(n), **({} if n in (3, 4) else {"total": n})} for n in range(20)]
    broker.append([Record(topic, 0, -1, None, orjson.dumps(v), [], NOW) for v in values])
    return broker


def test_try_says_how_many_would_fail_with_three_of_them(
    project: MemoryBroker, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.json").write_text(json.dumps(STRICT))
    assert main(["try", "order-placed"]) == 1
    out = capsys.readouterr().out
    assert f"2 of 20 messages on {topic} would fail, none of them fails today" in out
    assert f"2 × required at /total" in out and f'{topic}[0]@3: {{"id":"3"}}' in out  # noqa: F541, PT018
    assert main(["try", f"s-{topic}/order-placed", "--last", "5", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["read"], said["failing"], said["kinds"]) == (5, 0, [])
    (tmp_path / "other.yaml").write_text(
        "type: object\nrequired: [id]\nproperties:\n  id: {type: string}\n  total: {type: integer}\n  note: {$ref: n.json}\n"
    )
    (tmp_path / "n.json").write_text('{"type": "string"}')
    assert main(["try", "order-placed", "--file", "other.yaml"]) == 0, "YAML, of two files"
    assert "0 of 20 messages carried /note undeclared" in capsys.readouterr().out
    assert main(["try", "order-placed", "--file", "other.yaml", "--topics", "nowhere,nor-there"]) == 3
    said = capsys.readouterr().out
    assert (
        "no message of it was found on nowhere, nor-there; there is no topic nowhere or nor-there on this cluster"
        in said
    )
    assert "assumed: no message carried /note undeclared, for none was seen" in said
    project.append([Record(topic, 0, -1, b"k", None, header("orders/order-placed", "1.0.0"), NOW)])
    assert main(["try", "order-placed", "--file", "other.yaml", "--last", "3", "--topics", f"{topic},nowhere"]) == 0
    said = capsys.readouterr().out
    assert "0 of 2 messages on " in said
    assert "; 1 more were read, of other contracts or without a value; there is no topic nowhere" in said


def test_check_observed_heeds_what_travels(
    project: MemoryBroker, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.json").write_text(json.dumps({**NOTED, "required": ["id"]}))
    assert main(["check", "--observed"]) == 0
    out = capsys.readouterr().out
    assert f"observed: 0 of 20 messages on {topic} would fail" in out
    assert "observed: 0 of 20 messages carried /note undeclared" in out
    project.append([Record(topic, 0, -1, None, b'{"id":"x","note":7}', [], NOW)])
    assert main(["check", "--observed", "--format", "json"]) == 1, "additive by proof, and yet one that travels fails"
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert (result["verdict"], result["allowed"]) == ("additive", False)
    assert [r["code"] for r in result["refusals"]] == ["observed-failing"]
    assert (result["observed"]["newly_failing"], result["observed"]["undeclared"]) == (
        1,
        [{"pointer": "/note", "count": 1}],
    )
    assert main(["check"]) == 0
    project.logs.clear()
    capsys.readouterr()
    assert main(["check", "--observed"]) == 0
    assert "observed: assumed that writers send only what they declare" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("try", "nobody"), 2, "give the schema with --file"),
        (("try", "a/b", "--file", "none.json"), 2, "give --topics"),
        (("try", "a/b", "--file", "none.json", "--topics", "t"), 2, "none.json"),
        (("try", "order-placed", "--topics", "empty"), 3, ""),
    ],
)
def test_what_cannot_be_tried_says_why(
    project: MemoryBroker, arguments: tuple[str, ...], code: int, words: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "c.json").write_text(json.dumps(ORDER))
    assert main(list(arguments)) == code
    assert words in capsys.readouterr().err


ASYNCAPI = {
    "asyncapi": "3.0.0",
    "info": {"title": "t", "version": "1"},
    "channels": {"c": {"address": "c", "messages": {"m": {"payload": {"type": "object"}}}}},
}
OPENAPI = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}}


def test_a_document_of_another_format_is_not_taken_for_a_schema(
    project: MemoryBroker, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for document, name in ((ASYNCAPI, "asyncapi"), (OPENAPI, "openapi")):
        (tmp_path / "c.json").write_text(json.dumps(document))
        assert main(["try", "order-placed"]) == 2
        assert f"messages are tried by JSON Schema only, and c.json is {name}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("document", "line", "said"),
    [
        (
            ASYNCAPI,
            'role = "produces"\nchannels = ["c"]',
            "observed: no message was looked at, for its messages are described by asyncapi",
        ),
        (ORDER, 'role = "consumes"', "observed: no message was looked at, for it names no channel"),
        (OPENAPI, 'role = "provides"', None),
    ],
)
def test_check_observed_says_where_nothing_can_be_looked_at(
    document: Any, line: str, said: str | None, project: MemoryBroker, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "d.json").write_text(json.dumps(document))
    (tmp_path / "deedbox.toml").write_text(
        f'[deedbox]\nservice = "new"\n[[contract]]\nname = "d-{len(str(said))}"\nfile = "d.json"\n{line}\n'
    )
    assert main(["check", "--observed"]) == 0
    out = capsys.readouterr().out
    assert said in out if said else "observed" not in out


def test_a_broker_that_is_away_is_3(project: MemoryBroker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.json").write_text(json.dumps(ORDER))
    project.down = True
    assert main(["try", "order-placed"]) == 3
    assert main(["check", "--observed"]) == 3
    assert "down" in capsys.readouterr().err
