"""Where schemas stand in an API: each position is one question, asked in the direction of whoever writes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.apis.cursor import Cursor

Writer: TypeAlias = Literal["client", "provider"]
"""Who writes the values at a position. The other side reads them."""


@dataclass(frozen=True, slots=True)
class Position:
    """A pair of schemas that stand at the same position of the two documents.

    `reach` names the operation, `where` the part of it, `embed` makes a whole request, response or message of a value.
    """

    old: Cursor
    new: Cursor
    writer: Writer
    reach: str
    where: str
    embed: Callable[[Any], Any]
