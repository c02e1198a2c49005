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


def bootstrap_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--bootstrap`."""
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
    for module in ("kafka", "orjson"):
        try:
            import_module(module)
        except ModuleNotFoundError:
            raise ExtraMissing(command, "kafka", module) from None
    from deedbox.kafka.kafka_python import KafkaPythonBroker

    broker: Broker = KafkaPythonBroker(bootstrap)
    return broker


@contextmanager
def lookup_at(registry: str | None, project: Project | None) -> Iterator[Lookup]:
    """The registry as messages need it, which flag, environment or project file name; closed at the end."""
    from deedbox.cli.project import actor, registry_url
    from deedbox.kafka.lookup import Lookup
    from deedbox.kafka.lookup import connect as client_at

    with client_at(registry_url(registry, project), actor=actor()) as client:
        yield Lookup(client)
