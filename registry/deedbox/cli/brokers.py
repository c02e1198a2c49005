"""Kafka for the commands that need it, where its client is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from deedbox.cli.errors import ExtraMissing

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.lookup import Lookup


CLIENTS = {"kafka-python": ("kafka", "kafka"), "confluent-kafka": ("confluent", "confluent_kafka")}
"""What fills the broker port: its extra, and its module."""
_CLIENT = "deedbox.kafka.client"


def _choose(context: click.Context, _: click.Parameter, value: str) -> None:
    context.meta[_CLIENT] = value


def bootstrap_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--bootstrap`, and `--client`, which `connect` reads."""
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
    """Adds `--bootstrap` alone."""
    return click.option(
        "--bootstrap",
        envvar="KAFKA_BOOTSTRAP_SERVERS",
        default="127.0.0.1:9092",
        metavar="HOST:PORT,…",
        help="Where Kafka is. [default: KAFKA_BOOTSTRAP_SERVERS, 127.0.0.1:9092]",
    )(function)


def connect(command: str, bootstrap: str) -> Broker:
    """The broker at an address.

    Raises:
        ExtraMissing: no client is installed.
    """
    client = click.get_current_context().meta[_CLIENT]
    extra, module = CLIENTS[client]
    for needed in (module, "orjson"):
        try:
            import_module(needed)
        except ModuleNotFoundError:
            raise ExtraMissing(command, extra, needed) from None
    broker: Broker
    if client == "confluent-kafka":
        from deedbox.kafka.confluent import ConfluentBroker

        broker = ConfluentBroker(bootstrap)
    else:
        from deedbox.kafka.kafka_python import KafkaPythonBroker

        broker = KafkaPythonBroker(bootstrap)
    return broker


@contextmanager
def lookup_at(registry: str | None, project: Project | None) -> Iterator[Lookup]:
    """The registry as messages need it, which flag, environment or project file name; closed at the end."""
    from deedbox.cli.project import actor, registry_url
    from deedbox.kafka.lookup import Lookup
    from deedbox.kafka.lookup import connect as client_at

    with client_at(registry_url(registry, project), actor=actor()) as client:
        yield Lookup(client)
