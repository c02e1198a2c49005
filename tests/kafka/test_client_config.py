"""A file of client settings: what it may say, what becomes of it for each client, and a Kafka that wants a password."""

from __future__ import annotations

from pathlib import Path

import pytest
from deedbox.cli.exits import Exit
from deedbox.cli.main import main
from deedbox.kafka import confluent
from deedbox.kafka.broker import Broker
from deedbox.kafka.client_config import BOOTSTRAP, read
from deedbox.kafka.errors import BrokerUnavailable, ClientConfigInvalid
from deedbox.kafka.kafka_python import KafkaPythonBroker

from .conftest import NOW
from .kafka_server import PASSWORD, USER, KafkaServer

CLIENTS = ("kafka-python", "confluent-kafka")


def written(folder: Path, *lines: str) -> Path:
    path = folder / "client.properties"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


SASL = ("security.protocol=SASL_PLAINTEXT", "sasl.mechanisms=PLAIN", f"sasl.username={USER}", "sasl.password=a=b#c ")


def test_one_file_is_for_either_client(tmp_path: Path) -> None:
    found = read(written(tmp_path, "# ours", "", "bootstrap.servers = a:1,b:2", "client.id= x", *SASL))
    assert found.bootstrap == "a:1,b:2"
    assert found.for_kafka_python() == {
        "client_id": "x",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": USER,
        "sasl_plain_password": "a=b#c",
    }
    assert found.for_confluent() == {name: value for name, value in found.values.items() if name != BOOTSTRAP}
    assert "a=b#c" not in repr(found)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["security.protocol"], ":1: a line is name=value"),
        (["", "group.id=x"], ":2: group.id: Deedbox sets this itself"),
        (["sasl.jaas.config=Secret"], ":1: sasl.jaas.config: a setting of the Java client"),
        (["ssl.truststore.location=/x"], ":1: ssl.truststore.location: a setting of the Java client"),
        (["security.protocol=TLS"], ":1: security.protocol: one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL"),
        (["sasl.password=Secret"], ":1: sasl.password: security.protocol is PLAINTEXT, which uses none"),
        (["client.id=a", "client.id=b"], ":2: client.id stands in line 1 already"),
    ],
)
def test_what_no_client_can_use_is_said_with_its_line_and_without_its_value(
    lines: list[str], said: str, tmp_path: Path
) -> None:
    path = written(tmp_path, *lines)
    with pytest.raises(ClientConfigInvalid) as refused:
        read(path)
    assert f"{path}{said}" in str(refused.value)
    assert "Secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("lines", "client", "said"),
    [
        (["fetch.max.bytes=1"], "kafka-python", ":1: fetch.max.bytes: kafka-python is given client.id, "),
        (["nonsense=1"], "confluent-kafka", ':1: nonsense: No such configuration property: "nonsense"'),
        (["retry.backoff.ms=soon"], "kafka-python", ":1: retry.backoff.ms: its value cannot be read"),
        (["retry.backoff.ms=soon"], "confluent-kafka", ":1: retry.backoff.ms: Invalid value"),
        (
            ["security.protocol=ssl", "ssl.ca.location=/nowhere"],
            "kafka-python",
            ":2: ssl.ca.location: it cannot be used",
        ),
        (["security.protocol=ssl", "ssl.ca.location=/nowhere"], "confluent-kafka", "ssl.ca.location failed"),
        ([*SASL[:3]], "kafka-python", ": sasl.password: PLAIN needs it"),
        ([*SASL[:3]], "confluent-kafka", "sasl.username and sasl.password must be set"),
        ([SASL[0], "sasl.mechanism=OAUTHBEARER"], "kafka-python", ":2: sasl.mechanism: kafka-python is given one of "),
        ([SASL[0]], "kafka-python", ": sasl.mechanism: kafka-python is given one of "),
    ],
)
def test_what_one_client_cannot_use_ends_the_command(
    lines: list[str], client: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, *lines)
    assert main(["dlq", "list", "x.dlt", "--client", client, "--client-config", str(path)]) == Exit.WRONG
    error = capsys.readouterr().err
    assert str(path) in error
    assert said in error


def test_a_file_that_is_not_there_ends_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drain", "--client-config", str(tmp_path / "none")]) == Exit.WRONG
    assert "none: No such file or directory" in capsys.readouterr().err


@pytest.fixture
def by_password(kafka_server: KafkaServer, topic: str) -> KafkaServer:
    producer = KafkaPythonBroker(kafka_server.bootstrap).producer()
    producer.send(topic, None, b"{}", [("kafka_dlt-original-topic", b"x")], NOW)
    producer.flush()
    producer.close()
    return kafka_server


@pytest.mark.parametrize("client", CLIENTS)
def test_a_kafka_that_wants_a_password(
    client: str, by_password: KafkaServer, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)  # which would go before the file
    path = written(tmp_path, f"bootstrap.servers={by_password.sasl_bootstrap}", *SASL[:3], f"sasl.password={PASSWORD}")
    guard = ("guard", "--topic", topic, "--once", "--spool", str(tmp_path / "spool"), "--group", f"{topic}-g")
    registry = ("--registry", "http://127.0.0.1:9")
    assert main([*guard, *registry, "--client", client, "--client-config", str(path)]) == Exit.FINE
    captured = capsys.readouterr()
    assert f"{topic}: no contract: 1 unjudged\n" in captured.out
    assert PASSWORD not in captured.out + captured.err


@pytest.mark.parametrize("client", CLIENTS)
def test_a_cluster_that_lets_nobody_in_is_said_to_and_the_password_is_not(
    client: str, by_password: KafkaServer, topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = read(written(tmp_path, *SASL[:3], "sasl.password=Secret"))
    broker: Broker
    if client == "kafka-python":
        broker = KafkaPythonBroker(
            by_password.sasl_bootstrap, bootstrap_timeout_ms=2_000, **settings.for_kafka_python()
        )
    else:
        monkeypatch.setattr(confluent, "_SECONDS", 2.0)
        broker = confluent.ConfluentBroker(by_password.sasl_bootstrap, config=settings.for_confluent())
    with pytest.raises(BrokerUnavailable) as refused:
        broker.consumer([topic], f"{topic}-g")
    words = {"kafka-python": "user and password, may be wrong", "confluent-kafka": "Invalid username or password"}
    assert words[client] in str(refused.value)
    assert "Secret" not in str(refused.value)
