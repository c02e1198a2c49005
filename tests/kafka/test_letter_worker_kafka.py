"""`deedbox dlq work` as a user runs it: a registry over HTTP, a real Kafka, processes that are killed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from deedbox.cli.main import main
from deedbox.client import RegistryClient
from deedbox.kafka.confluent import ConfluentBroker
from deedbox.kafka.kafka_python import KafkaPythonBroker
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.dead_letters import Origin
from deedbox.kafka.letters.worker import LetterWorker
from deedbox.kafka.messages import Record
from deedbox.registry.serving import run_in_background

from .conftest import NOW, ORDER, Registry

WIDER = {**ORDER, "properties": {**ORDER["properties"], "total": {"type": ["integer", "string"]}}}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


class People:
    """Who publishes, and looks at the registry's dead letters of one topic."""

    def __init__(self, client: RegistryClient, topic: str) -> None:
        self.client, self.topic = client, topic

    def publish(self, schema: object, version: str) -> None:
        body = {"schema": json.dumps(schema), "role": "produces", "kind": "event", "version": version}
        self.client.publish(f"{self.topic}/order-placed", {**body, "channels": [self.topic]})

    def group(self) -> dict[str, Any]:
        (group,) = self.ask("GET", f"/dead-letters/groups?topic={self.topic}.dlt")["items"]
        return dict(group)

    def order(self) -> str:
        id, group = str(uuid4()), self.group()
        said = {name: group[name] for name in ("cluster", "topic", "fingerprint")}
        self.ask("POST", "/replay-orders", {"id": id, **said})
        return id

    def get(self, id: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/replay-orders/{id}"))

    def confirm(self, id: str) -> None:
        self.ask("POST", f"/replay-orders/{id}/confirmation", {"digest": self.get(id)["trial"]["digest"]})

    def ask(self, method: str, path: str, body: object = None) -> Any:
        return self.client._json(method, path, body=body)

    def wait(self, id: str, condition: Callable[[dict[str, Any]], bool], seconds: float = 60.0) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while not condition(found := self.get(id)):
            assert time.monotonic() < until, f"waited in vain: {found}"
            time.sleep(0.01)
        return found


@pytest.fixture
def people(url: str, topic: str) -> Iterator[People]:
    with RegistryClient(url, actor="ada") as client:
        yield People(client, topic)


def counts(result: dict[str, Any]) -> tuple[int, ...]:
    return tuple(result[name] for name in ("read", "replayed", "quarantined", "failing", "skipped"))


def send(bootstrap: str, records: list[Record]) -> None:
    producer = KafkaPythonBroker(bootstrap).producer()
    for r in records:
        producer.send(r.topic, r.key, r.value, r.headers, r.timestamp, r.partition)
    producer.flush()
    producer.close()


def test_from_a_bad_message_to_its_replay_by_order(
    url: str, bootstrap: str, topic: str, people: People, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEDBOX_URL", url)
    monkeypatch.setenv("DEEDBOX_ACTOR", "worker")
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    monkeypatch.setenv("DEEDBOX_KAFKA_CLIENT", "confluent-kafka")  # those that are killed below have the other

    def run(*arguments: str, code: int = 0) -> str:
        assert main(list(arguments)) == code, capsys.readouterr().err
        return capsys.readouterr().out

    work = ("dlq", "work", "--channel", topic, "--values", "--once")
    guard = ("guard", "--topic", topic, "--mode", "dead-letter", "--group", f"{topic}-g", "--once")
    people.publish(ORDER, "1.0.0")
    send(
        bootstrap,
        [
            Record(topic, 0, -1, b"k%d" % n, b'{"id":"%d","total":%s}' % (n, b'"many"' if n % 2 else b"1"), [], NOW)
            for n in range(6)
        ],
    )
    run(*guard)
    assert run(*work) == "3 dead letters reported, 0 dry runs, 0 replays\n"
    group = people.group()
    assert (group["count"], group["rule"], group["pointer"], group["origins"]) == (3, "type", "/total", [topic])
    assert group["samples"][0]["value"] == '{"id":"5","total":"many"}'
    order = people.order()
    assert run(*work) == "0 dead letters reported, 1 dry run, 0 replays\n"
    assert counts(people.get(order)["trial"]) == (3, 0, 0, 3, 0)
    people.ask("POST", f"/replay-orders/{order}/cancellation", {"reason": "nothing passes yet"})

    people.publish(WIDER, "2.0.0")
    order = people.order()
    run(*work)
    assert counts(people.get(order)["trial"]) == (3, 3, 0, 0, 0)
    people.confirm(order)
    assert run(*work) == "0 dead letters reported, 0 dry runs, 1 replay\n"
    outcome = people.get(order)["outcome"]
    assert (counts(outcome), outcome["by"], people.get(order)["state"]) == ((3, 3, 0, 0, 0), "worker", "done")
    assert run(*work) == "0 dead letters reported, 0 dry runs, 0 replays\n"
    assert run(*guard) == f"{topic}: {topic}/order-placed 2.0.0: 3 valid\n", "they are handled now"
    (recorded,) = people.ask("GET", f"/replays?topic={topic}.dlt")["items"]
    assert (recorded["name"], recorded["replayed"]) == (order, 3)
    logged = everything(bootstrap, f"{topic}.dlt.replays")
    assert (
        sum((r.value or b"").startswith(b"replay ") and f"by ada replay {order}".encode() in r.value for r in logged)
        == 3
    )


def everything(bootstrap: str, topic: str) -> list[Record]:
    """All committed records of a topic."""
    broker = KafkaPythonBroker(bootstrap)
    ends, found, until = broker.ends(topic), list[Record](), time.monotonic() + 30
    reader = broker.reader(topic)
    try:
        while any(reader.position(place) < end for place, end in ends.items()) and time.monotonic() < until:
            found += reader.poll(500, 0.2)
    finally:
        reader.close()
    return found


@contextmanager
def working(url: str, bootstrap: str, topic: str, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A worker as a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deedbox.cli.main", "dlq", "work", "--topics", f"{topic}.dlt", "--bootstrap", bootstrap,
         "--registry", url, "--every", "0.1", "--lease", "3", "--log-format", "json", *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=20)


def test_workers_that_are_killed_in_both_phases_and_one_that_falls_asleep(
    url: str, bootstrap: str, topic: str, people: People
) -> None:
    people.publish(ORDER, "1.0.0")
    count = 60
    letters = [
        Record(
            f"{topic}.dlt", 0, -1, None, b'{"id":"%d"}' % n,
            [("deedbox-rule", b"type"), *dead_letters.origin_headers(Origin(topic, 0, n, NOW))], NOW,
        )
        for n in range(count)
    ]  # fmt: skip
    send(bootstrap, [Record(topic, 0, -1, None, b'{"id":"first"}', [], NOW), *letters])
    with working(url, bootstrap, topic) as process:
        until = time.monotonic() + 60
        while not people.client.dead_letter_positions(
            cluster(bootstrap, topic), f"{topic}.dlt", topic_id(bootstrap, topic)
        ):
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.2)
        assert people.group()["count"] == count
        order = people.order()
        people.wait(order, lambda found: found["claim"] is not None)
        process.kill()  # with the dry run in hand
    killed_early = people.get(order)["state"] == "asked"
    with working(url, bootstrap, topic, "--rate", "10") as process:
        people.wait(order, lambda found: found["state"] == "tried")
        assert counts(people.get(order)["trial"]) == (count, count, 0, 0, 0)
        people.confirm(order)
        wait_sent(process, bootstrap, topic, 10)
        process.kill()  # with the replay in hand
        process.wait(20)
    halfway = sent(bootstrap, topic)
    assert people.get(order)["state"] == "confirmed"
    with working(url, bootstrap, topic, "--rate", "10") as asleep:
        wait_sent(asleep, bootstrap, topic, halfway + 10)
        asleep.send_signal(signal.SIGSTOP)
        before = sent(bootstrap, topic)
        with working(url, bootstrap, topic) as process:
            ended = people.wait(order, lambda found: found["outcome"] is not None)
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=30)
        asleep.send_signal(signal.SIGCONT)  # and it goes on to send, were it not fenced
        time.sleep(2)
        assert asleep.poll() is None, "it waits for other orders"
        asleep.send_signal(signal.SIGTERM)
        _, woken = asleep.communicate(timeout=60)
    assert (process.returncode, asleep.returncode) == (0, 0)
    assert 0 < halfway < before < count
    assert (ended["state"], counts(ended["outcome"])) == ("done", (count, count, 0, 0, 0))
    (left,) = [line for line in map(json.loads, woken.splitlines()) if line.get("task") == "replay"]
    assert (left["order"], left["level"]) == (order, "warning"), "whether Kafka or the registry told it first"
    replayed = [r.value for r in everything(bootstrap, topic)][1:]
    assert sorted(replayed) == sorted(letter.value for letter in letters), "each once"
    assert people.group()["count"] == count, "none was told of twice"
    lines = [json.loads(line) for line in said.splitlines()]
    (done,) = [line for line in lines if line.get("task") == "replay"]
    assert (done["order"], done["replayed"], done["level"], done["logger"]) == (order, count, "info", "deedbox.dlq")
    assert killed_early, "else the first kill came too late to show anything"


def sent(bootstrap: str, topic: str) -> int:
    """How many messages stand behind the first."""
    return len(everything(bootstrap, topic)) - 1


def wait_sent(process: subprocess.Popen[str], bootstrap: str, topic: str, count: int) -> None:
    until = time.monotonic() + 60
    while sent(bootstrap, topic) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until
        time.sleep(0.1)


def cluster(bootstrap: str, topic: str) -> str:
    return KafkaPythonBroker(bootstrap).describe([f"{topic}.dlt"])[f"{topic}.dlt"].cluster


def topic_id(bootstrap: str, topic: str) -> str:
    return KafkaPythonBroker(bootstrap).describe([f"{topic}.dlt"])[f"{topic}.dlt"].topic_id


@pytest.mark.parametrize("filling", [KafkaPythonBroker, ConfluentBroker])
def test_logs_that_forget_and_topics_that_are_made_anew(
    filling: type[KafkaPythonBroker] | type[ConfluentBroker], registry: Registry, bootstrap: str, topic: str
) -> None:
    from kafka import KafkaAdminClient
    from kafka import TopicPartition as Place

    broker, dlt = filling(bootstrap), f"{topic}.dlt"
    telling = LetterWorker(broker, registry.client, [dlt], "w")

    def letters(count: int) -> None:
        """In a transaction each, as guards write them: with a marker behind it."""
        producer = broker.producer(f"{dlt}-writer")
        for n in range(count):
            producer.begin()
            producer.send(dlt, None, b"{}", dead_letters.origin_headers(Origin(topic, 0, n, NOW)), NOW, 0)
            producer.commit()
        producer.begin()
        producer.send(dlt, None, b"never to be seen", [], NOW, 0)
        producer.abort()
        producer.close()

    def told() -> tuple[int, dict[int, int], int]:
        facts = broker.describe([dlt])[dlt]
        (group,) = registry.client._json("GET", f"/dead-letters/groups?topic={dlt}")["items"]
        return group["count"], registry.client.dead_letter_positions(facts.cluster, dlt, facts.topic_id), facts.ends[0]

    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        assert telling.turn().letters == 0
        letters(3)
        assert telling.turn().letters == 3
        count, stand, end = told()
        assert (count, stand) == (3, {0: end}), "past what is no message"
        assert end > 5
        letters(3)
        admin.delete_records({Place(dlt, 0): end + 2})  # the first of them, and its marker
        assert telling.turn().letters == 2
        count, stand, end = told()
        assert (count, stand) == (5, {0: end})
        admin.delete_topics([dlt])
        until = time.monotonic() + 30
        while broker.describe([dlt]) and time.monotonic() < until:
            time.sleep(0.2)
        assert telling.turn().letters == 0
        letters(1)
        assert telling.turn().letters == 1
        count, stand, end = told()
        assert (count, stand) == (1, {0: end})
    finally:
        admin.close()


def test_once_says_what_went_wrong_by_its_exit_code(
    url: str, bootstrap: str, topic: str, people: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    common = ["dlq", "work", "--once", "--bootstrap", bootstrap]
    assert main([*common, "--registry", url]) == 2
    assert "no topic: give --topics" in capsys.readouterr().err
    assert main([*common, "--registry", url, "--channel", topic]) == 2
    assert "no contract in the registry names it" in capsys.readouterr().err
    assert main([*common, "--registry", url, "--topics", f"{topic}.dlt"]) == 0
    assert f"{topic}.dlt: there is no such topic yet" in capsys.readouterr().err
    send(bootstrap, [Record(f"{topic}.dlt", 0, -1, None, b"{}", [], NOW)])
    assert main([*common, "--registry", "http://127.0.0.1:9", "--topics", f"{topic}.dlt"]) == 3
    assert "the registry did not answer" in capsys.readouterr().err
