"""Kafka for the commands that need it, where its client is installed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from deedbox.cli.errors import ExtraMissing, NoTopic, UsageError

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.client_config import ClientConfig
    from deedbox.kafka.lookup import Lookup


CLIENTS = {"kafka-python": ("kafka", "kafka"), "confluent-kafka": ("confluent", "confluent_kafka")}
"""What fills the broker port: its extra, and its module."""
_LOCAL = "127.0.0.1:9092"
_TOPIC = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,249}")
_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:/\[\]]+)(?::(\d{1,5}))?")
_CLIENT, _FILE = "deedbox.kafka.client", "deedbox.kafka.client-config"


def _choose(context: click.Context, _: click.Parameter, value: str) -> None:
    context.meta[_CLIENT] = value


def _take_file(context: click.Context, _: click.Parameter, value: str | None) -> None:
    context.meta[_FILE] = value


def bootstrap_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--bootstrap` and `--client-config`, and `--client`; `connect` reads them."""
    function = click.option(
        "--client",
        type=click.Choice(list(CLIENTS)),
        envvar="DEEDBOX_KAFKA_CLIENT",
        default="kafka-python",
        expose_value=False,
        callback=_choose,
        help="The Kafka client to use. [default: DEEDBOX_KAFKA_CLIENT, kafka-python]",
    )(function)
    return address_option(function)


def address_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--bootstrap` and `--client-config`, which `client_settings` reads, alone."""
    function = click.option(
        "--client-config",
        type=click.Path(dir_okay=False),
        envvar="DEEDBOX_KAFKA_CLIENT_CONFIG",
        metavar="FILE",
        expose_value=False,
        callback=_take_file,
        help="Lines of name=value by librdkafka's names: security.protocol, sasl.username, ssl.ca.location and so on. "
        "[default: DEEDBOX_KAFKA_CLIENT_CONFIG]",
    )(function)
    return click.option(
        "--bootstrap",
        envvar="KAFKA_BOOTSTRAP_SERVERS",
        default=_LOCAL,
        metavar="HOST:PORT,…",
        help=f"Where Kafka is. [default: KAFKA_BOOTSTRAP_SERVERS, bootstrap.servers of --client-config, {_LOCAL}]",
    )(function)


def topic_names(given: Sequence[str]) -> list[str]:
    """Topics as `--topics` gives them: several with commas between them, or the option several times.

    Raises:
        UsageError: a name that no topic can have.
    """
    named = [name.strip() for text in given for name in text.split(",") if name.strip()]
    for name in named:
        _check_topic(name)
    return named


def _check_topic(name: str) -> None:
    """The clients say so late, if at all, or that there is no such topic."""
    if not _TOPIC.fullmatch(name):
        raise UsageError(
            f"{name!r} is no topic: one has letters, digits, '.', '_' and '-', at most 249 of them. Each is named, there are "
            "no patterns"
        )


def _check_addresses(bootstrap: str) -> None:
    """Kafka's clients do not: one falls over, another asks a port of its own choice."""
    for address in bootstrap.split(","):
        found = _ADDRESS.fullmatch(address.strip())
        if found is None or not 0 < int(found[2] or 9092) < 1 << 16:
            raise UsageError(f"Kafka's address {address!r} is no HOST:PORT, such as kafka.example:9092")


def client_settings(bootstrap: str) -> tuple[str, ClientConfig]:
    """The addresses of the cluster, and the settings of the file that is named, if any.

    Raises:
        UsageError: no addresses. ClientConfigInvalid: the file cannot be used.
    """
    from deedbox.kafka.client_config import ClientConfig, read

    context = click.get_current_context()
    file = context.meta.get(_FILE)
    config = read(file) if file else ClientConfig()
    if config.bootstrap and context.get_parameter_source("bootstrap") is ParameterSource.DEFAULT:
        bootstrap = config.bootstrap
    _check_addresses(bootstrap)
    return bootstrap, config


def connect(command: str, bootstrap: str) -> Broker:
    """The broker at an address.

    Raises:
        ExtraMissing: no client is installed.
        UsageError, ClientConfigInvalid: see `client_settings`.
    """
    client = click.get_current_context().meta[_CLIENT]
    extra, module = CLIENTS[client]
    for needed in (module, "orjson"):
        try:
            import_module(needed)
        except ModuleNotFoundError:
            raise ExtraMissing(command, extra, needed) from None
    bootstrap, config = client_settings(bootstrap)
    broker: Broker
    if client == "confluent-kafka":
        from deedbox.kafka.confluent import ConfluentBroker

        broker = ConfluentBroker(bootstrap, config=config.for_confluent())
    else:
        from deedbox.kafka.kafka_python import KafkaPythonBroker

        broker = KafkaPythonBroker(bootstrap, **config.for_kafka_python())
    return broker


def connect_for(command: str, bootstrap: str, topic: str) -> Broker:
    """The broker at an address, of which one topic is asked.

    Raises:
        NoTopic: it has none of this name, as where that is misspelt: nothing can be said.
        UsageError, ExtraMissing, ClientConfigInvalid, BrokerUnavailable: see `connect`; it does not answer.
    """
    _check_topic(topic)
    broker = connect(command, bootstrap)
    if not broker.ends(topic):
        raise NoTopic([topic])
    return broker


@contextmanager
def lookup_at(registry: str | None, project: Project | None) -> Iterator[Lookup]:
    """The registry as messages need it, which flag, environment or project file name; closed at the end."""
    from deedbox.cli.project import actor, registry_url
    from deedbox.kafka.lookup import Lookup
    from deedbox.kafka.lookup import connect as client_at

    with client_at(registry_url(registry, project), actor=actor()) as client:
        yield Lookup(client)
