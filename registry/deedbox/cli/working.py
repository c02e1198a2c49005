"""`dlq work`: from options to a running worker, and what it says at its end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedbox.cli.brokers import topic_names
from deedbox.cli.daemons import logging_to_stderr, until_stopped
from deedbox.cli.errors import UsageError
from deedbox.cli.exits import Exit
from deedbox.cli.plain import plural, printable

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.client import RegistryClient
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.letters.worker import LetterWorker, Work


_LOG = "deedbox.dlq"


@dataclass(frozen=True, slots=True)
class Working:
    """How a worker runs; see the options of the command."""

    values: bool
    every: float
    lease: int
    rate: float
    once: bool
    log_format: str


def topics_of(given: Sequence[str], channels: Sequence[str], project: Project | None) -> list[str]:
    """The dead-letter topics.

    Args:
        given: their names, several with commas between them.
        channels: the topics whose dead letters they hold.
        project: whose channels are meant where nothing is named.

    Raises:
        UsageError: none is named, or what no topic can be called.
    """
    from deedbox.kafka.letters.dead_letters import SUFFIX

    named = topic_names(given)
    named += [channel + SUFFIX for channel in channels]
    if not named and project is not None:
        named = [channel + SUFFIX for contract in project.contracts for channel in contract.channels]
    if not named:
        raise UsageError("no topic: give --topics, or channels to the contracts of the project file")
    return list(dict.fromkeys(named))


def client_at(url: str, actor: str) -> RegistryClient:
    """A client for reports that take a registry a while; what it gives up, the worker tries again."""
    from deedbox.client import RegistryClient
    from deedbox.client.transport import Patience

    return RegistryClient(url, actor=actor, patience=Patience(connect=5.0, read=30.0, attempts=2))


def work(broker: Broker, client: RegistryClient, topics: Sequence[str], options: Working) -> Exit:
    """Works until a signal, or (once) does what there is, and prints that."""
    import click
    from deedbox.kafka.letters.worker import LetterWorker, worker_name

    name = worker_name()
    with until_stopped() as stopping, logging_to_stderr(options.log_format, _LOG, logging.INFO):
        worker = LetterWorker(
            broker,
            client,
            topics,
            name,
            values=options.values,
            lease_seconds=options.lease,
            per_second=options.rate,
            stopping=stopping,
        )
        fields = {"worker": name, "topics": list(topics)}
        logging.getLogger(_LOG).info("worker %s: %s", name, ", ".join(topics), extra={"fields": fields})
        if not options.once:
            worker.run(options.every)
            return Exit.FINE
        done = _once(worker)
    click.echo(summary(done), nl=False)
    if done.failed:
        return Exit.NO
    return Exit.UNKNOWN if done.left else Exit.FINE


def _once(worker: LetterWorker) -> Work:
    """One turn. What could not be reported is an error here: nobody tries it again."""
    from deedbox.kafka.letters.carrying_out import Stopped
    from deedbox.kafka.letters.worker import Work

    try:
        done = worker.turn()
    except Stopped:
        return Work()
    if done.troubles:
        raise done.troubles[0]
    return done


def summary(done: Work) -> str:
    """What was done, a line each."""
    lines = [
        f"{plural(done.letters, 'dead letter')} reported, {plural(done.trials, 'dry run')}, "
        f"{plural(done.replays, 'replay')}"
    ]
    lines += [f"order {c.id}: {c.task} failed: {c.error}" for c in done.failed]
    lines += [f"order {c.id}: {c.task} is not done: {c.error}" for c in done.left]
    return "".join(f"{printable(line)}\n" for line in lines)
