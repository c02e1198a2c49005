"""A real Apache Kafka for the tests: one KRaft process, its jars brought once by Maven into a cache folder."""

from __future__ import annotations

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

KAFKA = "4.3.1"
SLF4J = "2.0.20"
USER, PASSWORD = "deedbox", "correct-horse"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>deedbox.tests</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>{SLF4J}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>{SLF4J}</version></dependency>
</dependencies></project>
"""


class NoKafka(Exception):
    """What is missing to run one here."""


def jars() -> Path:
    """The folder of the jars, filled at the first call.

    Raises:
        NoKafka: no Java or Maven, or Maven could not bring them.
    """
    if shutil.which("java") is None:
        raise NoKafka("no Java (17 or newer) here")
    base = os.environ.get("DEEDBOX_KAFKA_HOME")
    if not base:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        base = str(Path(cache) / "deedbox" / f"kafka-{KAFKA}")
    folder = Path(base)
    if (folder / "complete").exists():
        return folder / "libs"
    if shutil.which("mvn") is None:
        raise NoKafka("no Maven here to bring Kafka's jars (set DEEDBOX_KAFKA_HOME where they are)")
    # Into a folder of its own, then renamed: two runs at once must not see half of it.
    making = folder.with_name(f"{folder.name}.{os.getpid()}")
    making.mkdir(parents=True, exist_ok=True)
    (making / "pom.xml").write_text(_POM)
    command = [
        "mvn", "-q", "-B", "-f", str(making / "pom.xml"), "dependency:copy-dependencies",
        "-DincludeScope=runtime", f"-DoutputDirectory={making / 'libs'}",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        shutil.rmtree(making)
        raise NoKafka(f"Maven could not bring Kafka's jars: {(done.stdout + done.stderr)[-500:]}")
    (making / "complete").touch()
    try:
        making.rename(folder)
    except OSError:
        shutil.rmtree(making)  # another run was first
    return folder / "libs"


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as probes:  # all at once, else one may be given twice
        found = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in found:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in found]


def _by_password(listener: str) -> dict[str, object]:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    return {
        f"listener.name.{listener}.sasl.enabled.mechanisms": "PLAIN",
        f"listener.name.{listener}.plain.sasl.jaas.config": f'{module} required user_{USER}="{PASSWORD}";',
    }


class KafkaServer:
    """One process, in a folder of its own. `stop` and `start` again keep its logs."""

    def __init__(self, folder: Path) -> None:
        self.libs, self.folder = jars(), folder
        self.port, sasl, tls, mutual, sasl_tls, controller = _free_ports(6)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.sasl_bootstrap = f"127.0.0.1:{sasl}"
        """The same broker for who says USER and PASSWORD by SASL/PLAIN."""
        self.tls_bootstrap = f"127.0.0.1:{tls}"
        """Over TLS, with a certificate of the authority whose own is the file `ca`."""
        self.mutual_tls_bootstrap = f"127.0.0.1:{mutual}"
        """For who shows a certificate of that authority, such as those in `client_certificate` and `client_key`."""
        self.sasl_tls_bootstrap = f"127.0.0.1:{sasl_tls}"
        """Both TLS, and USER and PASSWORD."""
        self.ca, self.client_certificate, self.client_key = (folder / n for n in ("ca.pem", "client.pem", "client.key"))
        listeners = (
            f"PLAINTEXT://{self.bootstrap},SASL://{self.sasl_bootstrap},TLS://{self.tls_bootstrap},"
            f"MUTUAL://{self.mutual_tls_bootstrap},SASLTLS://{self.sasl_tls_bootstrap}"
        )
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{controller}",
            "listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"{listeners},CONTROLLER://127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": (
                "PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SSL,MUTUAL:SSL,SASLTLS:SASL_SSL,CONTROLLER:PLAINTEXT"
            ),
            **_by_password("sasl"),
            **_by_password("sasltls"),
            **self._certified(),
            "listener.name.mutual.ssl.client.auth": "required",
            "log.dirs": folder / "logs",
            "num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 4,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 4,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
            "share.coordinator.state.topic.num.partitions": 2,
            "group.initial.rebalance.delay.ms": 0,
            "log.retention.ms": -1,
            "log.retention.check.interval.ms": 1000,
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
        }
        self._config = folder / "server.properties"
        self._config.write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        self._java(
            "kafka.tools.StorageTool", "format", "--standalone", "-t", f"K{cluster[1:]}", "-c", str(self._config)
        )
        self._process: subprocess.Popen[bytes] | None = None

    def _certified(self) -> dict[str, object]:
        """Settings of the broker's certificate; writes it, and what clients need."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self.ca)
        client = authority.issue_cert(f"{USER}@example.org")
        client.private_key_pem.write_to_path(self.client_key)
        client.cert_chain_pems[0].write_to_path(self.client_certificate)
        own = authority.issue_cert("127.0.0.1")
        # Java reads keys as PKCS #8 alone.
        key = load_pem_private_key(own.private_key_pem.bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        store = self.folder / "broker.pem"
        store.write_bytes(key + own.cert_chain_pems[0].bytes())
        return {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.ca,
        }

    def _command(self, main: str, *arguments: str) -> list[str]:
        memory = ["-Xmx512m", "-Xms128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        return ["java", *memory, "-cp", f"{self.libs}/*", main, *arguments]

    def _java(self, main: str, *arguments: str) -> None:
        done = subprocess.run(self._command(main, *arguments), capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise NoKafka(f"{main} failed: {(done.stdout + done.stderr)[-800:]}")

    def start(self) -> None:
        """Starts it and waits until it answers."""
        log = (self.folder / "output").open("ab")
        self._process = subprocess.Popen(
            self._command("kafka.Kafka", str(self._config)), stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
        log.close()
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise NoKafka(f"Kafka ended at its start: {(self.folder / 'output').read_text()[-800:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                admin = KafkaAdminClient(bootstrap_servers=self.bootstrap, bootstrap_timeout_ms=3000)
            except (OSError, KafkaError):
                time.sleep(0.3)
                continue
            admin.close()
            return
        self.stop()
        raise NoKafka("Kafka did not answer within 90 seconds of its start")

    def limit_message_bytes(self, topic: str, most: int | None) -> None:
        """Makes a topic, if there is none, and lets it take messages of so many bytes at most; None as usual."""
        from kafka import KafkaAdminClient
        from kafka.admin import ConfigResource, ConfigResourceType, NewTopic
        from kafka.errors import TopicAlreadyExistsError

        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        configs = {"max.message.bytes": str(most if most is not None else 1_048_588)}
        try:
            # With the limit from its birth: what is altered at once after it finds no topic where the news is late.
            admin.create_topics([NewTopic(topic, 1, 1, topic_configs=configs)])
        except TopicAlreadyExistsError:
            admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])
        finally:
            admin.close()

    def stop(self) -> None:
        """Ends the process, by force where it does not end itself."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)
        self._process = None
