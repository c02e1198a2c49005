"""Settings of a Kafka client from a properties file: where the cluster is, and how it is reached by TLS and SASL.

The names are librdkafka's for either client, so that one file serves both; what they mean for kafka-python stands here
and nowhere else. Some values are secrets: no message repeats one.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deedbox.kafka.errors import ClientConfigInvalid

BOOTSTRAP = "bootstrap.servers"
_OURS = frozenset(
    {
        "acks", "allow.auto.create.topics", "auto.offset.reset", "enable.auto.commit", "enable.auto.offset.store",
        "enable.idempotence", "enable.partition.eof", "group.id", "isolation.level", "transaction.timeout.ms",
        "transactional.id",
    }
)  # fmt: skip
"""What Deedbox decides, since its promises rest on it."""
_JAVA = ("sasl.jaas.config", "ssl.keystore.", "ssl.truststore.")
_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_BY_PASSWORD = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def _checks_host_name(text: str) -> bool:
    if text.lower() not in ("https", "none"):
        raise ValueError("neither https nor none")
    return text.lower() == "https"


_KAFKA_PYTHON: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "client.id": ("client_id", str),
    "connections.max.idle.ms": ("connections_max_idle_ms", int),
    "reconnect.backoff.max.ms": ("reconnect_backoff_max_ms", int),
    "reconnect.backoff.ms": ("reconnect_backoff_ms", int),
    "retry.backoff.ms": ("retry_backoff_ms", int),
    "sasl.kerberos.service.name": ("sasl_kerberos_service_name", str),
    "sasl.mechanism": ("sasl_mechanism", str),
    "sasl.mechanisms": ("sasl_mechanism", str),
    "sasl.password": ("sasl_plain_password", str),
    "sasl.username": ("sasl_plain_username", str),
    "security.protocol": ("security_protocol", str.upper),
    "ssl.ca.location": ("ssl_cafile", str),
    "ssl.certificate.location": ("ssl_certfile", str),
    "ssl.crl.location": ("ssl_crlfile", str),
    "ssl.endpoint.identification.algorithm": ("ssl_check_hostname", _checks_host_name),
    "ssl.key.location": ("ssl_keyfile", str),
    "ssl.key.password": ("ssl_password", str),
}
"""librdkafka's name → kafka-python's, and how its text is read. Each is taken by all of its clients."""


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """The settings of one file, by librdkafka's names; `lines` says where each stands."""

    file: str = ""
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str | None:
        """The addresses that it names, if any."""
        return self.values.get(BOOTSTRAP)

    def for_confluent(self) -> dict[str, Any]:
        """As confluent-kafka takes it; its addresses apart.

        Raises:
            ClientConfigInvalid: librdkafka cannot use it, and says why.
        """
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient
        from deedbox.kafka.librdkafka import log

        found = {name: value for name, value in self.values.items() if name != BOOTSTRAP}
        try:
            # Made and thrown away: else every client that is made later would fail, as if the cluster were away.
            AdminClient({**found, "bootstrap.servers": ""}, logger=log)
        except KafkaException as error:
            said = error.args[0].str()
            raise self.invalid(next((name for name in found if f'"{name}"' in said), ""), said) from None
        return found

    def for_kafka_python(self) -> dict[str, Any]:
        """As kafka-python takes it; its addresses apart.

        It says nothing about a protocol that there is none of (and sends in the clear), about files that are missing or
        passwords that are wrong (and says that the cluster did not answer): so all of that is looked at here.

        Raises:
            ClientConfigInvalid: it has no such setting, or cannot use it.
        """
        found: dict[str, Any] = {}
        for name, value in self.values.items():
            if name == BOOTSTRAP:
                continue
            if name not in _KAFKA_PYTHON:
                known = ", ".join(sorted(_KAFKA_PYTHON))
                raise self.invalid(name, f"kafka-python is given {known}; --client confluent-kafka takes all others")
            theirs, read = _KAFKA_PYTHON[name]
            try:
                found[theirs] = read(value)
            except ValueError:
                raise self.invalid(name, "its value cannot be read") from None
        self._check_sasl(found)
        self._check_files(found)
        return found

    def _check_sasl(self, found: Mapping[str, Any]) -> None:
        if not found.get("security_protocol", "").startswith("SASL_"):
            return
        mechanism = found.get("sasl_mechanism")
        if mechanism not in (*_BY_PASSWORD, "GSSAPI"):
            known = ", ".join((*_BY_PASSWORD, "GSSAPI"))
            raise self.invalid(
                "sasl.mechanism", f"kafka-python is given one of {known}; --client confluent-kafka takes others"
            )
        if mechanism in _BY_PASSWORD:
            for name in ("sasl.username", "sasl.password"):
                if not self.values.get(name):
                    raise self.invalid(name, f"{mechanism} needs it")

    def _check_files(self, found: Mapping[str, Any]) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        loads: dict[str, Callable[[], object]] = {
            "ssl.ca.location": lambda: context.load_verify_locations(found["ssl_cafile"]),
            "ssl.crl.location": lambda: context.load_verify_locations(found["ssl_crlfile"]),
            "ssl.certificate.location": lambda: context.load_cert_chain(
                found["ssl_certfile"], found.get("ssl_keyfile"), found.get("ssl_password") or (lambda: b"")
            ),
        }
        for name, load in loads.items():
            if name in self.values:
                try:
                    load()
                except OSError as error:  # ssl.SSLError is one
                    raise self.invalid(name, f"it cannot be used: {error.strerror or error}") from None

    def invalid(self, name: str, reason: str) -> ClientConfigInvalid:
        """The error that says where a setting stands, and why it cannot be used."""
        line = f":{self.lines[name]}" if name in self.lines else ""
        return ClientConfigInvalid(self.file + line, f"{name}: {reason}" if name else reason)


def read(path: str | Path) -> ClientConfig:
    """Reads a file of `name=value` lines; `#` begins a line that is none.

    Raises:
        ClientConfigInvalid: it cannot be read, has what is no such line, or sets what is not to be set.
    """
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise ClientConfigInvalid(str(path), error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise ClientConfigInvalid(str(path), "it is no UTF-8 text") from None
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    found = ClientConfig(str(path), values, lines)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip()[0] in "#!":
            continue
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise ClientConfigInvalid(f"{path}:{number}", "a line is name=value, such as security.protocol=SASL_SSL")
        lines.setdefault(name, number)
        if name in values:
            raise ClientConfigInvalid(f"{path}:{number}", f"{name} stands in line {lines[name]} already")
        values[name] = value
        _check_allowed(found, name)
    protocol = values.get("security.protocol", "PLAINTEXT").upper()
    if protocol not in _PROTOCOLS:
        raise found.invalid("security.protocol", f"one of {', '.join(_PROTOCOLS)}")
    secret = next((name for name in values if name.startswith("sasl.")), None)
    if secret is not None and not protocol.startswith("SASL_"):
        raise found.invalid(
            secret, f"security.protocol is {protocol}, which uses none: SASL_SSL or SASL_PLAINTEXT does"
        )
    return found


def _check_allowed(config: ClientConfig, name: str) -> None:
    if name in _OURS:
        raise config.invalid(name, "Deedbox sets this itself; take it out")
    if name.startswith(_JAVA):
        raise config.invalid(
            name,
            "a setting of the Java client. Here it is sasl.username and sasl.password, and ssl.ca.location, "
            "ssl.certificate.location, ssl.key.location for PEM files",
        )
