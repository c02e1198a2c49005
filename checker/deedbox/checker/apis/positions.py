"""Where schemas stand in an API: each position is one question, asked in the direction of whoever writes there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker.apis.cursor import Cursor
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from collections.abc import Callable

Writer: TypeAlias = Literal["client", "provider"]
"""Who writes the values at a position. The other side reads them."""


@dataclass(frozen=True, slots=True)
class Position:
    """A pair of schemas that stand at the same position of the two documents.

    `reach` names the operation, `where` the part of it, `embed` makes a whole request, response or message of a value.
    `media` is the media type that the value is written in, where it is a body.
    """

    old: Cursor
    new: Cursor
    writer: Writer
    reach: str
    where: str
    embed: Callable[[Any], Any]
    media: str = ""


def unsaid(holder: Cursor) -> Cursor:
    """The schema that takes everything, where one would stand and none does (media type, parameter, message)."""
    return Cursor(holder.document, True, join(holder.pointer, "schema"), join(holder.location, "schema"))


def both_said(old: Cursor | None, new: Cursor | None, holders: tuple[Cursor, Cursor]) -> tuple[Cursor, Cursor] | None:
    """The two schemas of a position, one that is missing as the one that takes everything; None where both are missing."""
    if old is None and new is None:
        return None
    return old or unsaid(holders[0]), new or unsaid(holders[1])
