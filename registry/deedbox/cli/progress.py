"""Progress of long work: on standard error, only where a person watches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")
_WORTH_A_BAR = 3


def track(items: Sequence[T], description: str) -> Iterator[T]:
    """The items, with a bar where there are several and standard error is a terminal."""
    if len(items) < _WORTH_A_BAR or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track as rich_track

    yield from rich_track(items, description, console=Console(stderr=True), transient=True)
