"""What commands that run until they are told to stop share: the signal to stop, and logs on standard error."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable, Iterator, Sequence
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


@contextmanager
def logging_to_stderr(form: str, names: Sequence[str], level: int = logging.WARNING) -> Iterator[None]:
    """What loggers of these names say from a level on, on standard error, a line each.

    Args:
        form: `text` or `json`.
        names: of the loggers.
        level: the least that is written.
    """
    from deedbox.client.logs import JsonLines

    logs = [logging.getLogger(name) for name in names]
    levels = [log.level for log in logs]
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.setLevel(level)
    for log in logs:
        log.addHandler(handler)
        log.setLevel(level)
    try:
        yield
    finally:
        for log, before in zip(logs, levels, strict=True):
            log.removeHandler(handler)
            log.setLevel(before)
