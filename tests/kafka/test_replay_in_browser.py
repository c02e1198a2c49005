"""The whole way of a bad message, each part the real one: Kafka, the guard and `dlq work` as processes, a browser."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from deedbox.client import RegistryClient
from deedbox.kafka.consuming import ContractConsumer
from deedbox.kafka.handlers import Handlers, Message
from deedbox.kafka.inspection import Inspector
from deedbox.kafka.kafka_python import KafkaPythonBroker
from deedbox.kafka.lookup import Lookup, connect
from deedbox.registry.serving import run_in_background
from kafka import KafkaConsumer, TopicPartition

from tests.chromium import Visit

from .conftest import NOW, ORDER
from .test_letter_worker_kafka import everything

WIDER = {**ORDER, "properties": {**ORDER["properties"], "total": {"type": ["integer", "string"]}}}
GOOD, BAD = b'{"id":"a","total":1}', b'{"id":"b","total":"many"}'


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with run_in_background(f"sqlite:///{tmp_path}/d.db") as server:
        yield server.url


@contextmanager
def running(folder: Path, *command: str) -> Iterator[None]:
    """A command of deedbox as a process of its own, which must not end by itself."""
    said = folder / f"{command[0]}.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "deedbox.cli.main", *command],
            cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
        assert process.poll() is None, said.read_text()
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def produce(bootstrap: str, topic: str, value: bytes) -> None:
    producer = KafkaPythonBroker(bootstrap).producer()
    producer.send(topic, b"key", value, [], NOW)
    producer.flush()
    producer.close()


def publish(url: str, topic: str, schema: Any, version: str) -> None:
    body = {"schema": json.dumps(schema), "role": "produces", "kind": "event", "channels": [topic], "version": version}
    with RegistryClient(url) as client:
        client.publish(f"{topic}/order-placed", body)


def until(condition: Callable[[], bool], act: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        act()


def test_a_bad_message_is_seen_and_sent_again_by_people_and_consumed(
    browser: Any, url: str, bootstrap: str, topic: str, tmp_path: Path
) -> None:
    publish(url, topic, ORDER, "1.0.0")
    produce(bootstrap, topic, GOOD)
    common = ("--bootstrap", bootstrap, "--registry", url)
    handlers, handled = Handlers(), list[tuple[str, bytes | None, int]]()

    @handlers.handles("order-placed", "1")
    @handlers.handles("order-placed", "2")
    def take(message: Message) -> None:
        replays = int(dict(message.record.headers).get("deedbox-replay-count") or 0)
        handled.append((message.version.version, message.record.value, replays))

    with ExitStack() as stack:
        guard = ("guard", "--topics", topic, "--mode", "dead-letter", "--group", f"{topic}-guard")
        stack.enter_context(running(tmp_path, *guard, *common))
        stack.enter_context(running(tmp_path, "dlq", "work", "--topics", f"{topic}.dlt", "--every", "0.2", *common))
        client = stack.enter_context(connect(url))
        inspector = Inspector(Lookup(client))
        consumer = ContractConsumer(KafkaPythonBroker(bootstrap), [topic], f"{topic}-billing", handlers, inspector)
        stack.callback(consumer.close)
        until(lambda: len(handled) == 1, lambda: consumer.run_once(seconds=0.2))

        produce(bootstrap, topic, BAD)  # the guard puts a copy of it aside, the worker tells of it
        tab = Visit(browser, url)
        tab.page.set_default_timeout(60_000)  # five processes share what machine there is
        stack.callback(tab.close)
        tab.open("/dead-letters")
        kind = tab.page.locator("#groups tr", has_text=topic).get_by_role("link", name="type")
        tab.until_there(kind, 200)
        tab.follow(kind)
        assert tab.page.get_by_role("heading", level=1).inner_text() == "1 dead letter: /total type"

        publish(url, topic, WIDER, "2.0.0")
        tab.follow(tab.page.get_by_role("button", name="Dry run"))
        send = tab.page.get_by_role("button", name="Send 1 again")
        send.wait_for()
        time.sleep(1.1)  # for a second the guard may believe what it heard before that version was there
        assert "1 letter would go back to where it came from" in tab.page.locator("#order").inner_text()
        send.click()
        tab.page.get_by_text("Done by").wait_for()
        assert "1 letter went back to where it came from" in tab.page.locator("#order").inner_text()

        until(lambda: len(handled) == 3, lambda: consumer.run_once(seconds=0.2))
        reader = KafkaConsumer(bootstrap_servers=bootstrap, group_id=f"{topic}-guard", enable_auto_commit=False)
        stack.callback(reader.close)
        until(lambda: (reader.committed(TopicPartition(topic, 0)) or 0) >= 3, lambda: time.sleep(0.2))
    assert handled == [("1.0.0", GOOD, 0), ("2.0.0", BAD, 0), ("2.0.0", BAD, 1)]
    # The guard has judged the replay too: it is no dead letter again.
    assert [record.value for record in everything(bootstrap, f"{topic}.dlt")] == [BAD]
