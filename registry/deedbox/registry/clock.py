"""The registry's one clock: every recorded time is its. Nothing that a client sends can set it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

_MOMENT: ContextVar[datetime | None] = ContextVar("deedbox_moment", default=None)


def now() -> datetime:
    """The time in UTC."""
    return _MOMENT.get() or datetime.now(UTC)


def stamp() -> str:
    """The time as entries have it: to the microsecond, as RFC 3339 writes it."""
    return now().isoformat(timespec="microseconds").replace("+00:00", "Z")


@contextmanager
def stopped_at(moment: datetime) -> Iterator[None]:
    """Lets the use cases that are called inside believe in another time: for a history that is told, as the demo's is."""
    token = _MOMENT.set(moment)
    try:
        yield
    finally:
        _MOMENT.reset(token)
