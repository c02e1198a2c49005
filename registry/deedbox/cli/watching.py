"""`guard`: from options to a running guard, and what it says at its end."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from threading import Event
from typing import TYPE_CHECKING, Any

from deedbox.cli.errors import UsageError
from deedbox.cli.plain import printable

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.counting import Tally
    from deedbox.kafka.guarding import Mode
    from deedbox.kafka.lookup import Lookup


_IDLE = 30
"""Turns without a message, of a second each, after which `--once` ends in any case."""


def topics_of(given: Sequence[str], project: Project | None) -> list[str]:
    """The topics to judge.

    Raises:
        UsageError: none is named.
    """
    named = dict.fromkeys(given)
    if not named and project is not None:
        named = dict.fromkeys(channel for contract in project.contracts for channel in contract.channels)
    if not named:
        raise UsageError("no topic: give --topic, or channels to the contracts of the project file")
    return list(named)


def modes_of(given: Sequence[str], topics: Sequence[str]) -> dict[str, Mode]:
    """The mode of each topic.

    Raises:
        UsageError: no such mode or topic.
    """
    from deedbox.kafka.guarding import MODES

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
    broker: Broker,
    lookup: Lookup,
    topics: Sequence[str],
    modes: Mapping[str, Mode],
    *,
    group: str,
    instance: str,
    once: bool,
) -> Tally:
    """Runs a guard until a signal, or (once) until it has seen what was there when it began."""
    from deedbox.kafka.guarding import Guard

    stopping = Event()

    def stop(*_: Any) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    guard = Guard(broker, lookup, topics, modes=modes, group=group, instance=instance)
    ends = {place: end for topic in topics for place, end in broker.ends(topic).items()} if once else {}
    try:
        idle = 0
        while not stopping.is_set():
            idle = 0 if guard.run_once() else idle + 1
            # The last word is for a member that got no partition, since others have them all.
            if once and idle and (not ends or guard.reached(ends) or idle >= _IDLE):
                break
        return guard.counts.read()
    finally:
        guard.close()
        for number, handler in before.items():
            signal.signal(number, handler)


def summary(tally: Tally) -> str:
    """What was counted, a line each."""
    lines = []
    for cell, count in sorted(tally.cells.items()):
        about = f"{cell.contract or 'no contract'} {cell.version}".strip()
        what = cell.kind if not cell.rule else f"  {cell.kind} {cell.rule}"
        at = f" at {cell.pointer}" if cell.pointer else ""
        lines.append(printable(f"{cell.channel}: {about}: {count} {what.strip()}{at}"))
    return "".join(f"{line}\n" for line in lines) or "no message was seen\n"
