"""`deedbox guard` and `deedbox dlq` as a user runs them: a registry over HTTP, a real Kafka."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from deedbox.cli.main import main
from deedbox.client import RegistryClient
from deedbox.kafka.kafka_python import KafkaPythonBroker
from deedbox.kafka.memory import MemoryBroker
from deedbox.kafka.messages import TopicPartition
from deedbox.registry.serving import run_in_background

from .conftest import NOW, ORDER


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with run_in_background(f"sqlite:///{tmp_path_factory.mktemp('registry')}/d.db") as server:
        yield server.url


def publish(url: str, topic: str, schema: object, version: str) -> None:
    body = {"schema": json.dumps(schema), "role": "produces", "kind": "event", "channels": [topic], "version": version}
    with RegistryClient(url) as client:
        client.publish(f"{topic}/order-placed", body)


@pytest.mark.parametrize("client", ["kafka-python", "confluent-kafka"])
def test_from_a_bad_message_to_its_replay(
    client: str, url: str, bootstrap: str, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DEEDBOX_URL", url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", bootstrap)
    monkeypatch.setenv("DEEDBOX_KAFKA_CLIENT", client)
    publish(url, topic, ORDER, "1.0.0")
    producer = KafkaPythonBroker(bootstrap).producer()
    for value in (b'{"id":"a"}', b'{"id":"b","total":"many"}', b'{"id":"c","note":1}'):
        producer.send(topic, None, value, [], NOW)
    producer.flush()
    producer.close()

    def run(*arguments: str) -> str:
        assert main(list(arguments)) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    seen = run("guard", "--topic", topic, "--mode", "dead-letter", "--group", f"{topic}-g", "--once")
    assert f"{topic}: {topic}/order-placed 1.0.0: 2 valid\n" in seen
    assert "1 fault type at /total\n" in seen
    assert "1 undeclared undeclared-property at /note\n" in seen
    with RegistryClient(url) as client:
        (channel,) = client.observed_channels(topic)
    assert {(c["kind"], c["rule"]): c["count"] for c in channel["counts"]} == {
        ("valid", ""): 2, ("invalid", ""): 1, ("fault", "type"): 1, ("undeclared", "undeclared-property"): 1,
    }  # fmt: skip
    listed = run("dlq", "list", f"{topic}.dlt")
    fingerprint = listed.split()[0]
    assert f"1 × type at /total: {topic}/order-placed 1.0.0" in listed
    assert '{"id":"b","total":"many"}' in run("dlq", "show", f"{topic}.dlt", fingerprint)
    assert "0 of 1 pass now" in run("dlq", "diagnose", f"{topic}.dlt")
    wider = {**ORDER, "properties": {**ORDER["properties"], "total": {"type": ["integer", "string"]}}}
    publish(url, topic, wider, "2.0.0")
    told = run("dlq", "diagnose", f"{topic}.dlt")
    assert f"1 of 1 pass now, as {topic}/order-placed 2.0.0" in told
    assert f"{topic}: sent by {topic}/order-placed; read by nobody that is registered" in told
    (group,) = json.loads(run("dlq", "diagnose", f"{topic}.dlt", "--format", "json"))
    assert (group["passing"], group["parties"][topic]["producers"]) == (1, [f"{topic}/order-placed"])
    (shown,) = json.loads(run("dlq", "show", f"{topic}.dlt", fingerprint, "--format", "json"))
    assert (shown["offset"], shown["value"]) == (1, '{"id":"b","total":"many"}')
    assert "0 would be sent" in run("dlq", "replay", f"{topic}.dlt", "--name", "x", "--where", "/id=zz")
    assert "of 1 dead letters 1 would be sent" in run("dlq", "replay", f"{topic}.dlt", "--name", "x")
    assert "of 1 dead letters 1 sent" in run("dlq", "replay", f"{topic}.dlt", "--name", "x", "--go")
    again = run("dlq", "replay", f"{topic}.dlt", "--name", "x", "--go")
    assert "of 1 dead letters 0 sent, 0 put in quarantine, 0 would fail again, 1 not asked for or done before" in again
    with RegistryClient(url) as client:
        audit = client._json("GET", f"/replays?topic={topic}.dlt")["items"]
    assert [(entry["name"], entry["read"], entry["replayed"]) for entry in audit] == [("x", 1, 1)]
    again = run("guard", "--topic", topic, "--mode", "dead-letter", "--group", f"{topic}-g", "--once")
    assert again == f"{topic}: {topic}/order-placed 2.0.0: 1 valid\n"


def test_a_broker_that_is_away_is_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import deedbox.cli.brokers as brokers

    # In memory: kafka-python leaves sockets open behind a constructor that failed.
    down = MemoryBroker()
    down.down = True
    monkeypatch.setattr(brokers, "connect", lambda *_: down)
    assert main(["dlq", "list", "nowhere.dlt"]) == 3
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--mode", "shout"), "'shout' is none of observe, mark, dead-letter"),
        (("--mode", "b=observe"), "'b' is none of the topics a"),
        (("--spool", "/no/such/folder/s.db"), "the guard's file /no/such/folder/s.db cannot be used"),
    ],
)
def test_wrong_modes_are_2(
    arguments: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["guard", "--topic", "a", *arguments]) == 2
    assert words in capsys.readouterr().err


def test_metrics_at_a_taken_port_are_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["guard", "--topic", "a", "--metrics-port", str(port)]) == 2
    assert f"metrics cannot be served at 127.0.0.1:{port}" in capsys.readouterr().err


def test_a_guard_that_is_told_to_end_commits_reports_and_says_what_it_saw(
    url: str, bootstrap: str, topic: str, tmp_path: Path
) -> None:
    publish(url, topic, ORDER, "1.0.0")
    broker = KafkaPythonBroker(bootstrap)
    producer = broker.producer()
    for n in range(30):
        producer.send(topic, None, b'{"id":"%d"}' % n, [], NOW, 0)
    producer.flush()
    producer.close()
    guard = subprocess.Popen(
        [sys.executable, "-m", "deedbox.cli.main", "guard", "--channel", topic, "--group", f"{topic}-g",
         "--bootstrap", bootstrap, "--registry", url],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 90
        place = TopicPartition(topic, 0)
        while broker.committed(f"{topic}-g", topic).get(place, 0) < 30 and time.monotonic() < until:
            assert guard.poll() is None, guard.communicate()[1]
            time.sleep(0.2)
        guard.send_signal(signal.SIGTERM)
        out, err = guard.communicate(timeout=60)
    finally:
        guard.kill()
        guard.wait()
    assert guard.returncode == 0, err
    assert f"INFO guard {topic}-g/0 judges {topic} (observe)\n" in err
    assert out == f"{topic}: {topic}/order-placed 1.0.0: 30 valid\n"
    with RegistryClient(url) as client:
        (channel,) = client.observed_channels(topic)
        reports = client._json("GET", f"/observations?channel={topic}")["items"]
    assert sum(seen["messages"] for seen in reports) == 30
    assert (min(seen["from"] for seen in reports), max(seen["to"] for seen in reports)) == (0, 30)
    assert [g["group"] for g in channel["groups"]] == [f"{topic}-g"], err
    assert (tmp_path / f"deedbox-guard-{topic}-g-0.db").exists()


def test_a_channel_that_no_contract_names_is_2(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["guard", "--channel", "shop.typo", "--registry", url, "--bootstrap", "127.0.0.1:1"]) == 2
    assert "no contract in the registry names it" in capsys.readouterr().err
