"""`deedbox guard` by somebody who has just installed it: what it says of a registry, a broker, a topic that is not there."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click
import pytest
from deedbox.cli.brokers import client_settings
from deedbox.cli.exits import Exit
from deedbox.cli.main import main
from deedbox.kafka.errors import IllegalTopic
from deedbox.kafka.guard.spool import Spool
from deedbox.kafka.kafka_python import KafkaPythonBroker
from deedbox.kafka.lookup import Unknown

from .conftest import NOW, Registry, connected

CLIENTS = ("kafka-python", "confluent-kafka")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("client", CLIENTS)
def test_topics_that_are_not_there_are_3(
    client: str, bootstrap: str, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    guard = ("guard", "--topics", f"{topic}-a,{topic}-b", "--once", "--registry", NOWHERE, "--client", client)
    assert main([*guard, "--bootstrap", bootstrap]) == Exit.UNKNOWN
    assert f"there is no topic {topic}-a or {topic}-b on this cluster" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["list"], ["diagnose"], ["replay", "--name", "x"]])
def test_a_dead_letter_topic_that_is_not_there_is_3(
    command: list[str], bootstrap: str, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name, *options = command
    assert main(["dlq", name, f"{topic}-x.dlt", *options, "--bootstrap", bootstrap, "--client", "confluent-kafka"]) == 3
    assert f"there is no topic {topic}-x.dlt on this cluster" in capsys.readouterr().err


def test_one_topic_that_is_not_there_is_said_and_the_others_are_judged(
    bootstrap: str, topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    producer = KafkaPythonBroker(bootstrap).producer()
    producer.send(topic, None, b"{}", [], NOW)
    producer.flush()
    producer.close()
    guard = ("guard", "--topics", f"{topic},{topic}-b", "--once", "--registry", NOWHERE, "--group", f"{topic}-g")
    assert main([*guard, "--bootstrap", bootstrap, "--log-format", "json"]) == Exit.FINE
    captured = capsys.readouterr()
    said = [json.loads(line)["message"] for line in captured.err.splitlines()]
    assert f"{topic}-b: there is no such topic; it is judged as soon as there is" in said
    (away,) = [line for line in said if line.startswith("the registry did not answer")]
    assert NOWHERE in away
    assert captured.out == f"{topic}: no contract: 1 unjudged\n"


@pytest.mark.parametrize("name", ["shop orders", "shop.*", "^shop", "ä", "..", "x" * 250])
@pytest.mark.parametrize("command", [["guard", "--topics"], ["dlq", "work", "--topics"], ["dlq", "list"]])
def test_a_name_that_no_topic_can_have_is_2(command: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, name, "--bootstrap", "127.0.0.1:9"]) == Exit.WRONG
    error = capsys.readouterr().err
    assert f"{name!r} is no topic" in error
    assert "no patterns" in error


@pytest.mark.parametrize("client", CLIENTS)
def test_nor_does_a_client_take_one(client: str, bootstrap: str) -> None:
    with pytest.raises(IllegalTopic, match=r"letters|illegal"):
        connected(client, bootstrap).consumer(["shop orders"], "g").poll(1, 5)


@pytest.mark.parametrize("address", ["kafka:abc", "kafka:0", "kafka:99999", "a:1,,b:2", "PLAINTEXT://kafka:9092"])
@pytest.mark.parametrize("client", CLIENTS)
def test_an_address_that_is_none_is_2(client: str, address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guard", "--topics", "a", "--bootstrap", address, "--client", client]) == Exit.WRONG
    assert "is no HOST:PORT, such as kafka.example:9092" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["kafka", "kafka-0.kafka:9092, kafka-1.kafka:9092", "[::1]:9092", "127.0.0.1:1"])
def test_addresses_that_are_some(address: str) -> None:
    with click.Context(click.Command("guard")):
        assert client_settings(address)[0] == address


def test_a_group_of_any_name_has_a_file(capsys: pytest.CaptureFixture[str], bootstrap: str, topic: str) -> None:
    guard = ("guard", "--topics", topic, "--once", "--registry", NOWHERE, "--bootstrap", bootstrap)
    assert main([*guard, "--group", "team/guard"]) == Exit.UNKNOWN, "there is no such topic"
    assert Path("deedbox-guard-team%2Fguard-0.db").exists()


def test_a_registry_that_goes_and_comes_is_said_once_each(registry: Registry, caplog: pytest.LogCaptureFixture) -> None:
    lookup = registry.lookup(fresh_seconds=10)
    lookup.channel("a")
    registry.switch.on = False
    with caplog.at_level(logging.WARNING, "deedbox.kafka.lookup"):
        for _ in range(3):
            registry.clock.now += 100
            lookup.channel("a")
        registry.switch.on = True
        registry.clock.now += 100
        lookup.channel("a")
    away, back = caplog.messages
    assert "the registry did not answer" in away
    assert back == "the registry answers again"


def test_a_registry_of_another_release_is_taken_for_one_that_is_away(
    registry: Registry, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry.client, "publication", lambda *_: {"contract": "orders/order-placed"})
    lookup = registry.lookup()
    assert lookup.version("orders/order-placed", "1.0.0") is Unknown.AWAY
    assert "are it and this client of one release?" in caplog.messages[0]


def test_a_second_guard_of_the_same_name_is_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spool = Spool(tmp_path / "deedbox-guard-deedbox-guard-0.db")
    try:
        assert main(["guard", "--topics", "a", "--registry", NOWHERE]) == Exit.WRONG
    finally:
        spool.close()
    error = capsys.readouterr().err
    assert "deedbox-guard-deedbox-guard-0.db cannot be used: another process has it" in error
    assert "--instance" in error
    assert "judged all the same" not in error
