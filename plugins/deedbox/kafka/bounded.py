"""An end to calls of a client that may have none.

librdkafka's `send_offsets_to_transaction` takes a time-out and does not keep it (librdkafka issue 5456), and kafka-python's
calls that end a transaction take none: after a restart of the broker both were seen to wait for ever, and a guard with them.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class NoReturn(Exception):
    """A call did not come back. It still runs in a thread that nobody waits for."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """What a call gives, or raises, if it does so in time.

    Raises:
        NoReturn: it does not. What it works on must not be used again.
    """
    answers: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - raised below, in the thread of who asked
            answers.put((None, error))

    Thread(target=run, name="deedbox-bounded", daemon=True).start()
    try:
        found, error = answers.get(timeout=seconds)
    except Empty:
        raise NoReturn(f"no answer within {seconds:.0f} s") from None
    if error is not None:
        raise error
    return found  # type: ignore[return-value] # set where there is no error
