"""Progress of long work: on standard error, only where a person watches."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

T = TypeVar("T")
_WORTH_A_BAR = 3


def track(items: Sequence[T], description: str) -> Iterator[T]:
    """The items, with a bar where there are several and standard error is a terminal."""
    if len(items) < _WORTH_A_BAR or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    # No refreshing thread: comparisons fork, and a fork with threads about may not come to its end.
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as progress:
        task = progress.add_task(description, total=len(items))
        progress.refresh()
        for item in items:
            yield item
            progress.advance(task)
            progress.refresh()


@contextmanager
def counting(description: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives what is to be called with how much was done; a bar where standard error is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=total)
        yield lambda done: progress.advance(task, done)
