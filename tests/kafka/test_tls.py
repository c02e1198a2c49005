"""TLS with either client against a Kafka that has it: what gets in, and what is said of what does not."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import pytest
import trustme
from deedbox.cli.exits import Exit
from deedbox.cli.main import main
from deedbox.kafka import confluent, librdkafka, tls
from deedbox.kafka.client_config import read
from deedbox.kafka.drain import confluent_positions
from deedbox.kafka.drain.confluent_positions import ConfluentPositions
from deedbox.kafka.drain.kafka_python_positions import KafkaPythonPositions
from deedbox.kafka.drain.positions import Positions
from deedbox.kafka.errors import BrokerUnavailable
from deedbox.kafka.kafka_python import KafkaPythonBroker

from .conftest import NOW
from .kafka_server import PASSWORD, USER, KafkaServer

CLIENTS = ("kafka-python", "confluent-kafka")
Lines = Callable[[KafkaServer], list[str]]


def over_tls(server: KafkaServer) -> list[str]:
    return [f"bootstrap.servers={server.tls_bootstrap}", "security.protocol=SSL", f"ssl.ca.location={server.ca}"]


def without_certificate(server: KafkaServer) -> list[str]:
    lines = over_tls(server)
    return [f"bootstrap.servers={server.mutual_tls_bootstrap}", *lines[1:]]


def with_certificate(server: KafkaServer) -> list[str]:
    own = [f"ssl.certificate.location={server.client_certificate}", f"ssl.key.location={server.client_key}"]
    return [*without_certificate(server), *own]


def with_password(server: KafkaServer) -> list[str]:
    sasl = ["security.protocol=SASL_SSL", "sasl.mechanism=PLAIN", f"sasl.username={USER}", f"sasl.password={PASSWORD}"]
    return [f"bootstrap.servers={server.sasl_tls_bootstrap}", *sasl, f"ssl.ca.location={server.ca}"]


@pytest.fixture
def carried(kafka_server: KafkaServer, topic: str) -> KafkaServer:
    producer = KafkaPythonBroker(kafka_server.bootstrap).producer()
    producer.send(topic, None, b"{}", [], NOW)
    producer.flush()
    producer.close()
    return kafka_server


def guard(folder: Path, topic: str, client: str, lines: list[str]) -> int:
    path = folder / "client.properties"
    path.write_text("".join(f"{line}\n" for line in lines))
    spool = ("--spool", str(folder / "spool"), "--group", f"{topic}-g", "--registry", "http://127.0.0.1:9")
    return main(["guard", "--topic", topic, "--once", *spool, "--client", client, "--client-config", str(path)])


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("lines", [over_tls, with_certificate, with_password])
def test_a_guard_reads_over_tls(
    client: str, lines: Lines, carried: KafkaServer, topic: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guard(tmp_path, topic, client, lines(carried)) == Exit.FINE
    assert f"{topic}: no contract: 1 unjudged\n" in capsys.readouterr().out


def stranger(server: KafkaServer, folder: Path) -> Lines:
    """An authority that did not sign the broker's certificate."""
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    return lambda _: [*over_tls(server)[:2], f"ssl.ca.location={folder / 'other.pem'}"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (None, {CLIENTS[0]: "certificate is not trusted: unable to", CLIENTS[1]: "ssl.ca.location is correctly"}),
        (without_certificate, {CLIENTS[0]: "the broker refuses it (", CLIENTS[1]: "tls alert"}),
    ],
    ids=["another authority", "no certificate"],
)
def test_who_is_not_let_in_is_told_why_and_soon(
    client: str,
    lines: Lines | None,
    said: dict[str, str],
    kafka_server: KafkaServer,
    topic: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Far longer than it may take, so that only what is told soon can pass.
    monkeypatch.setattr(confluent, "_SECONDS", 600.0)
    monkeypatch.setattr(librdkafka, "REFUSED_SECONDS", 0.5)
    before = time.monotonic()
    assert guard(tmp_path, topic, client, (lines or stranger(kafka_server, tmp_path))(kafka_server)) == Exit.UNKNOWN
    assert time.monotonic() - before < 120
    (error,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error: "))
    assert said[client] in error


def positions(client: str, server: KafkaServer, authority: Path) -> Positions:
    path = authority.parent / "drain.properties"
    path.write_text(f"security.protocol=SSL\nssl.ca.location={authority}\n")
    if client == "kafka-python":
        return KafkaPythonPositions(server.tls_bootstrap, **read(path).for_kafka_python())
    return ConfluentPositions(server.tls_bootstrap, config=read(path).for_confluent())


@pytest.mark.parametrize("client", CLIENTS)
def test_what_drains_read_they_read_over_tls_or_say_why_not(
    client: str, kafka_server: KafkaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confluent_positions, "_SECONDS", 600.0)
    monkeypatch.setattr(librdkafka, "REFUSED_SECONDS", 0.5)
    assert len(positions(client, kafka_server, kafka_server.ca).cluster_id()) == 22
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    with pytest.raises(BrokerUnavailable, match=r"certificate is not trusted|certificate verify failed"):
        positions(client, kafka_server, tmp_path / "other.pem").cluster_id()


def test_a_port_without_tls_is_said_to_be(kafka_server: KafkaServer, topic: str, tmp_path: Path) -> None:
    made = tls.context({"ssl_cafile": kafka_server.ca})
    with pytest.raises(BrokerUnavailable, match=r"no TLS connection: .* Look at security\.protocol"):
        tls.check([kafka_server.bootstrap], made)


def test_one_address_that_lets_us_in_is_enough(kafka_server: KafkaServer) -> None:
    made = tls.context({"ssl_cafile": kafka_server.ca})
    tls.check([kafka_server.mutual_tls_bootstrap, kafka_server.tls_bootstrap], made)
    with pytest.raises(BrokerUnavailable, match=f"{kafka_server.mutual_tls_bootstrap}: .*ssl.key.location"):
        tls.check(["127.0.0.1:1", kafka_server.mutual_tls_bootstrap, "nonsense"], made)


def test_another_name_than_the_certificates_is_refused(kafka_server: KafkaServer) -> None:
    port = kafka_server.tls_bootstrap.rpartition(":")[2]
    with pytest.raises(BrokerUnavailable, match=r"not valid for 'localhost'\. Look"):
        tls.check([f"localhost:{port}"], tls.context({"ssl_cafile": kafka_server.ca}))
    tls.check([f"localhost:{port}"], tls.context({"ssl_cafile": kafka_server.ca, "ssl_check_hostname": False}))


def test_who_cannot_be_reached_or_is_slow_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    tls.check(["127.0.0.1:1", "nonsense", "[::1]:port"], made)
    monkeypatch.setattr(tls, "_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tls.check([f"127.0.0.1:{silent.getsockname()[1]}"], made)


def test_a_broker_that_hangs_up_is_said_to() -> None:
    authority = trustme.CA()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(theirs)
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(ours)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            connection, _ = server.accept()
            with theirs.wrap_socket(connection, server_side=True) as secure:
                secure.recv(1)

        thread = Thread(target=hang_up)
        thread.start()
        with pytest.raises(BrokerUnavailable, match="no TLS connection"):
            tls.check([f"127.0.0.1:{server.getsockname()[1]}"], ours)
        thread.join()
