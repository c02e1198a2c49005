"""The entrance of the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.checker.budget import Budget
    from deedbox.checker.json_schema.schema import Node


@dataclass(frozen=True, slots=True)
class Reading:
    """A schema and how it is read: to the letter, or (`closed`) also by its closed reading (`closing.Location`)."""

    node: Node
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`empty`: proved that there is no such value; `found`: `value` is one; `unknown`: `reason` says what stopped it."""

    status: Literal["empty", "found", "unknown"]
    value: Any = None
    reason: str = ""


class Search:
    """Searches that share what they have compiled and decided. One per comparison.

    Args:
        format_assertion: whether `format` judges a value, or only describes it.
    """

    def __init__(self, *, format_assertion: bool = False) -> None:
        self._format_assertion = format_assertion

    def find(self, accepts: Sequence[Reading], rejects: Sequence[Reading], budget: Budget) -> Outcome:
        """A value that every reading in `accepts` accepts and every one in `rejects` rejects. Never raises.

        Running out of the budget is `unknown`, with what was being worked on.
        """
        return Outcome("unknown", reason="not decided")
