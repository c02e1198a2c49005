"""What commands that run until they are told to stop share: the signal to stop, and logs on standard error."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event
from typing import Any

import click


def log_format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--log-format`."""
    return click.option(
        "--log-format",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="What is said on standard error: a line of text, or one JSON object a line.",
    )(function)


@contextmanager
def until_stopped() -> Iterator[Event]:
    """An event that is set at the first SIGINT or SIGTERM: the batch in hand is ended and committed before the end."""
    stopping = Event()

    def stop(*_: Any) -> None:
        stopping.set()

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_BESIDE_THE_POINT = (
    ("kafka.net.selector", "blocking the event loop"),
    ("kafka.cluster", "not found in cluster metadata"),
)
"""Loggers and words of what kafka-python says of its own inside, however well all goes: that its event loop was held up on
a busy machine, and that a topic is not there yet, which the commands say themselves where it matters."""


def _matters(record: logging.LogRecord) -> bool:
    return not any(record.name == name and words in str(record.msg) for name, words in _BESIDE_THE_POINT)


@contextmanager
def logging_to_stderr(form: str, name: str, level: int = logging.WARNING) -> Iterator[None]:
    """Warnings of all loggers on standard error, a line each, those of the libraries among them, once a minute.

    Args:
        form: `text` or `json`.
        name: of the logger that is heard from a level on.
        level: the least of it that is written.
    """
    from deedbox.client.logs import JsonLines, Repeats

    root, log = logging.getLogger(), logging.getLogger(name)
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    repeats = Repeats()
    handler.addFilter(_matters)
    handler.addFilter(lambda record: record.name.startswith("deedbox.") or repeats.filter(record))
    before = log.level
    root.addHandler(handler)
    log.setLevel(level)
    try:
        yield
    finally:
        root.removeHandler(handler)
        log.setLevel(before)
