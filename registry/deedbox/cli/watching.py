"""`guard`: from options to a running guard, and what it says at its end."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedbox.cli.brokers import topic_names
from deedbox.cli.daemons import logging_to_stderr, until_stopped
from deedbox.cli.errors import NoTopic, UsageError
from deedbox.cli.plain import printable

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.counting import Tally
    from deedbox.kafka.guard.guarding import Guard, Mode, Samples
    from deedbox.kafka.lookup import Lookup
    from deedbox.kafka.messages import TopicPartition


_GUARD = "deedbox.guard"
_IDLE = 30
"""Turns without a message, of a second each, after which `--once` ends in any case."""


@dataclass(frozen=True, slots=True)
class Watching:
    """How a guard runs; see the options of the command."""

    group: str
    instance: str
    spool: str
    stop_ratio: float
    stop_row: int
    once: bool
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    log_format: str = "text"


def topics_of(given: Sequence[str], channels: Sequence[str], project: Project | None) -> list[str]:
    """The topics to judge.

    Raises:
        UsageError: none is named, or what no topic can be called.
    """
    named = dict.fromkeys([*topic_names(given), *channels])
    if not named and project is not None:
        named = dict.fromkeys(channel for contract in project.contracts for channel in contract.channels)
    if not named:
        raise UsageError("no topic: give --topic, or channels to the contracts of the project file")
    return list(named)


def known_channels(lookup: Lookup, channels: Sequence[str]) -> None:
    """Checks that the registry knows channels; while it is away they are believed.

    Raises:
        UsageError: no contract names one of them.
    """
    from deedbox.kafka.lookup import Channel

    for name in channels:
        found = lookup.channel(name)
        if isinstance(found, Channel) and not found.versions:
            raise UsageError(f"--channel {name}: no contract in the registry names it; --topics takes any topic")


def modes_of(given: Sequence[str], topics: Sequence[str]) -> dict[str, Mode]:
    """The mode of each topic.

    Raises:
        UsageError: no such mode or topic.
    """
    from deedbox.kafka.guard.guarding import MODES

    found: dict[str, Mode] = {}
    for text in given:
        topic, equals, name = text.rpartition("=")
        mode = next((m for m in MODES if m == name), None)
        if mode is None:
            raise UsageError(f"--mode {text}: {name!r} is none of {', '.join(MODES)}")
        if equals and topic not in topics:
            raise UsageError(f"--mode {text}: {topic!r} is none of the topics {', '.join(topics)}")
        for each in [topic] if equals else topics:
            if equals or each not in found:
                found[each] = mode
    return found


def watch(
    broker: Broker, lookup: Lookup, topics: Sequence[str], modes: Mapping[str, Mode], options: Watching
) -> tuple[Tally, Samples]:
    """Runs a guard until a signal, or (once) until it has seen what was there when it began."""
    from deedbox.kafka.guard.guarding import Guard
    from deedbox.kafka.guard.observing import Observer
    from deedbox.kafka.guard.reporting import Reporter
    from deedbox.kafka.guard.spool import Spool
    from deedbox.kafka.judging.obsolete import watch_of
    from deedbox.kafka.limits import Limits

    spool = Spool(options.spool)
    reporter = Reporter(spool, lookup.client)
    guard = Guard(
        broker,
        lookup,
        topics,
        modes=modes,
        group=options.group,
        instance=options.instance,
        limits=Limits(ratio=options.stop_ratio, consecutive=options.stop_row),
        stops=spool,
        observer=Observer(spool, f"{options.group}/{options.instance}", lambda topic: watch_of(lookup, topic)),
    )
    with (
        until_stopped() as stopping,
        logging_to_stderr(options.log_format, _GUARD, logging.INFO),
        _metrics(guard, lookup, options),
    ):
        _begins(topics, modes, options)
        ends = _ends(broker, topics, once=options.once)
        reporter.start()
        # What is loaded by now stays: else the collector looks through all of it at every few batches.
        gc.freeze()
        try:
            idle = 0
            while not stopping.is_set():
                idle = 0 if guard.run_once() else idle + 1
                # The last word is for a member that got no partition, since others have them all.
                if options.once and idle and (not ends or guard.reached(ends) or idle >= _IDLE):
                    break
            return guard.counts.read(), guard.samples
        finally:
            guard.close()
            reporter.stop()
            spool.close()


def _begins(topics: Sequence[str], modes: Mapping[str, Mode], options: Watching) -> None:
    """Says what it is about to do: whoever has started it sees that it runs, and in which mode."""
    judged = {topic: modes.get(topic, "observe") for topic in topics}
    said = ", ".join(f"{topic} ({mode})" for topic, mode in judged.items())
    fields = {"group": options.group, "instance": options.instance, "topics": judged}
    logging.getLogger(_GUARD).info(
        "guard %s/%s judges %s", options.group, options.instance, said, extra={"fields": fields}
    )


def _ends(broker: Broker, topics: Sequence[str], *, once: bool) -> dict[TopicPartition, int]:
    """How far the topics go now. Says which of them are not there: most likely the name is wrong.

    Raises:
        BrokerUnavailable: no answer; where the guard goes on for ever there are no ends then, since it waits for one.
        NoTopic: once, and none of them is there.
    """
    from deedbox.kafka.errors import BrokerUnavailable

    try:
        found = {topic: broker.ends(topic) for topic in topics}
    except BrokerUnavailable:
        if once:
            raise
        return {}
    missing = [topic for topic, ends in found.items() if not ends]
    if once and len(missing) == len(topics):
        raise NoTopic(topics)
    for topic in missing:
        logging.getLogger(_GUARD).warning("%s: there is no such topic; it is judged as soon as there is", topic)
    return {place: end for ends in found.values() for place, end in ends.items()}


@contextmanager
def _metrics(guard: Guard, lookup: Lookup, options: Watching) -> Iterator[None]:
    """Counters over HTTP for as long as the guard runs, where a port is named."""
    if options.metrics_port is None:
        yield
        return
    from deedbox.kafka.metrics import LiveMetrics

    metrics = LiveMetrics()
    metrics.add_guard(guard)
    metrics.add_lookup(lookup)
    with metrics.served(options.metrics_port, options.metrics_host):
        yield


def summary(tally: Tally, samples: Samples) -> str:
    """What was counted, a line each, and where a few failures of each kind are."""
    lines = []
    for cell, count in sorted(tally.cells.items()):
        about = f"{cell.contract or 'no contract'} {cell.version}".strip()
        what = cell.kind if not cell.rule else f"  {cell.kind} {cell.rule}"
        at = f" at {cell.pointer}" if cell.pointer else ""
        lines.append(printable(f"{cell.channel}: {about}: {count} {what.strip()}{at}"))
    for kept in samples.found.values():
        places = ", ".join(record.where for record, _ in kept)
        fault = kept[0][1].invalid(None)
        lines.append(printable(f"{fault.rule} at {fault.pointer or 'the root'}: such as {places}"))
    return "".join(f"{line}\n" for line in lines) or "no message was seen\n"
