"""Exit codes: what they mean, and which one wins where several apply."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Exit(IntEnum):
    """The exit codes of every command."""

    FINE = 0
    """Nothing stands in the way."""
    NO = 1
    """The gate, or `diff`, says no."""
    WRONG = 2
    """Wrong usage, configuration or schema."""
    UNKNOWN = 3
    """Could not tell: the registry did not answer, or the verdict is undecided."""
    INTERRUPTED = 130
    """Stopped by Ctrl-C (128 + SIGINT)."""
    PIPE_CLOSED = 141
    """Whoever read the output went away (128 + SIGPIPE): it may not have seen the verdict."""


_PRECEDENCE = (Exit.WRONG, Exit.NO, Exit.UNKNOWN)


def worst(codes: Iterable[Exit]) -> Exit:
    """The one that counts: 2, then 1, then 3, then 0."""
    found = set(codes)
    return next((code for code in _PRECEDENCE if code in found), Exit.FINE)
