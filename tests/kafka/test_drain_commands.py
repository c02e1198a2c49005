"""`deedbox drain` and `deedbox obsolete` as a user runs them: a registry over HTTP, a real Kafka, the gate at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka import TopicPartition as Place
from confluent_kafka.admin import AdminClient, NewTopic
from deedbox.cli.main import main
from deedbox.client import Problem, RegistryClient
from deedbox.registry.serving import run_in_background

NEW: dict[str, Any] = {"type": "object", "properties": {"id": {"type": "string"}}}
MARKED: dict[str, Any] = {
    "type": "object",
    "properties": {**NEW["properties"], "coupon": {"type": "string", "deprecated": True}},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


class Shop:
    """A topic with one producer and one consumer, and the commands."""

    def __init__(self, url: str, bootstrap: str, topic: str, run: Callable[..., tuple[int, str, str]]) -> None:
        self.bootstrap, self.topic, self.run = bootstrap, topic, run
        self.client = RegistryClient(url)
        self.orders, self.billing = f"{topic}-orders/order-placed", f"{topic}-billing/order-placed"
        self.field = f"{self.billing}#/coupon"
        self.admin = AdminClient({"bootstrap.servers": bootstrap})
        for answer in self.admin.create_topics([NewTopic(topic, 2)]).values():
            answer.result(30)

    def publish(self, contract: str, version: str, schema: Any, role: str) -> Any:
        body = {
            "schema": json.dumps(schema),
            "role": role,
            "kind": "event",
            "channels": [self.topic],
            "version": version,
        }
        groups = [f"{self.topic}.billing"] if role == "consumes" else []
        return self.client.publish(contract, {**body, "groups": groups})

    def send(self, *values: bytes) -> None:
        producer = Producer({"bootstrap.servers": self.bootstrap})
        for n, value in enumerate(values):
            producer.produce(self.topic, value, partition=n % 2)
        assert producer.flush(30) == 0

    def consume(self, count: int) -> None:
        settings = {"bootstrap.servers": self.bootstrap, "group.id": f"{self.topic}.billing"}
        client = Consumer({**settings, "auto.offset.reset": "earliest", "enable.auto.commit": False})
        client.subscribe([self.topic])
        read, deadline = 0, time.monotonic() + 60
        while read < count:
            assert time.monotonic() < deadline
            read += len(client.consume(count - read, 1.0))
        client.commit(asynchronous=False)
        client.close()

    def delete_before(self, offset: int) -> None:
        for answer in self.admin.delete_records([Place(self.topic, n, offset) for n in (0, 1)]).values():
            answer.result(30)


@pytest.fixture
def shop(
    url: str, bootstrap: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Shop]:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEDBOX_URL", url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    shop = Shop(url, bootstrap, topic, run)
    shop.publish(shop.orders, "1.0.0", MARKED, "produces")
    shop.publish(shop.billing, "1.0.0", MARKED, "consumes")
    assert run("drain", "policy", topic, "--grace", "0", "--overdue", "0")[0] == 0
    yield shop
    shop.client.close()


def test_from_the_mark_to_the_drop(shop: Shop, tmp_path: Path) -> None:
    shop.send(b'{"id":"1"}', b'{"id":"2","coupon":"x"}', b'{"id":"3"}', b'{"id":"4"}')
    code, out, _ = shop.run("drain", shop.field)
    assert code == 0
    assert out.startswith(f"{shop.field}  marked as of ")
    assert f"{shop.orders} 1.0.0 declares the field and is not retired (producers-retired)" in out

    shop.publish(shop.orders, "2.0.0", NEW, "produces")
    shop.client.retire(shop.orders, "1.0.0", "over")
    shop.consume(4)
    code, out, err = shop.run("drain", "scan", shop.field)
    assert code == 0, err
    code, out, _ = shop.run("drain", shop.field)
    assert f"{shop.field}  consumed as of " in out
    assert "note: by offsets only" in out
    assert (
        f"not gone: {shop.topic}[1]: its log begins at 0; the field may be in what is below 1 (log-start-past)" in out
    )

    with pytest.raises(Problem) as refused:
        shop.publish(shop.billing, "2.0.0", NEW, "consumes")
    assert f"{shop.topic}[1]: its log begins at 0" in str(refused.value)

    shop.delete_before(1)
    code, out, _ = shop.run("drain", shop.field, "--json")
    (shown,) = json.loads(out)
    assert (shown["state"], shown["claim"]["gone"]) == ("gone", True)
    published = shop.publish(shop.billing, "2.0.0", NEW, "consumes")
    assert [drain["evidence"] for drain in published["check"]["drains"]] == [shown["evidence"]]
    # A process of its own: it compares in a child, and this one's threads do not live through a fork.
    command = [sys.executable, "-m", "deedbox.cli.main", "changelog", "1.0.0", "2.0.0", "--contract", shop.billing]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "drained \\(gone\\) as of 20" in told.stdout
    code, out, err = shop.run("package", shop.billing, "--out", str(tmp_path))
    assert code == 0, err
    wheel = next(tmp_path.glob("*_v2-2.0.0-*.whl"))
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        assert "Removed in 2.0.0" in archive.read(metadata).decode()


def test_what_a_guard_saw_is_enough_where_it_saw_all(shop: Shop) -> None:
    shop.send(b'{"id":"1"}', b'{"id":"2","coupon":"x"}', b'{"id":"3"}', b'{"id":"4"}')
    code, _, err = shop.run("guard", "--topic", shop.topic, "--group", f"{shop.topic}.guard", "--once")
    assert code == 0, err
    shop.publish(shop.orders, "2.0.0", NEW, "produces")
    shop.client.retire(shop.orders, "1.0.0", "over")
    shop.consume(4)
    for _ in range(2):
        code, out, err = shop.run("drain", shop.field)
    assert code == 0, err
    assert f"{shop.field}  consumed as of " in out, out
    assert "the field may be in what is below 1 (log-start-past)" in out


def test_a_waiver_unblocks(shop: Shop) -> None:
    shop.publish(shop.orders, "2.0.0", NEW, "produces")
    shop.client.retire(shop.orders, "1.0.0", "over")
    for _ in range(2):
        code, out, _ = shop.run("drain", shop.field)
    assert code == 0
    assert "blocked" in out
    assert f"reads as {shop.topic}.billing, which has no offsets on the broker (consumers-known)" in out
    code, out, err = shop.run("drain", "waive", shop.field, f"{shop.topic}.billing", "--reason", "was never run")
    assert code == 0, err
    assert f"{shop.field}  gone as of " in shop.run("drain", shop.field)[1]


def test_obsolete_lists_and_reminds(shop: Shop) -> None:
    code, out, _ = shop.run("obsolete")
    assert code == 0
    assert f"marked    {shop.field}  marked in 1.0.0 on " in out
    code, out, _ = shop.run("obsolete", "--overdue", "--json")
    assert code == 1
    assert {f"{f['contract']}#{f['pointer']}" for f in json.loads(out)} >= {shop.field}


def test_what_is_no_field_is_said(shop: Shop) -> None:
    code, _, err = shop.run("drain", "coupon")
    assert code == 2
    assert "write CONTRACT#POINTER" in err
    code, _, err = shop.run("drain", f"{shop.billing}#/id")
    assert code == 2
    assert f"it marks: {shop.field}" in err


def test_a_broker_that_is_away_is_no_verdict(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deedbox.kafka.drain.confluent_positions._SECONDS", 2.0)
    code, _, err = shop.run("drain", shop.field, "--bootstrap", "127.0.0.1:1")
    assert code == 3
    assert "error:" in err
