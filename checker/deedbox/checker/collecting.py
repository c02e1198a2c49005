"""Garbage collection while large documents are compared."""

from __future__ import annotations

import gc
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_YOUNG = 200_000
"""Containers that are made before the young are looked at: CPython's 700 costs a third of the time of a large document."""


class _Rarely:
    """How many are within, and the thresholds from before the first."""

    def __init__(self) -> None:
        self.lock, self.within, self.before = threading.Lock(), 0, gc.get_threshold()

    def enter(self) -> None:
        with self.lock:
            if not self.within:
                self.before = gc.get_threshold()
                # Never more often than the process has it, and not at all where it has it off (0).
                gc.set_threshold(max(self.before[0], _YOUNG) if self.before[0] else 0, *self.before[1:])
            self.within += 1

    def leave(self) -> None:
        with self.lock:
            self.within -= 1
            if not self.within:
                gc.set_threshold(*self.before)


_rarely = _Rarely()


@contextmanager
def rare_collections() -> Iterator[None]:
    """Looks for garbage in cycles rarely, in the whole process, until the last caller has left."""
    _rarely.enter()
    try:
        yield
    finally:
        _rarely.leave()
