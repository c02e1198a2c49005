"""The tree of a parsed pattern. What can be said with less is said with less: `\\b` is two lookarounds, `.` a set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from deedbox.checker.patterns.charset import CharSet


@dataclass(frozen=True, slots=True)
class Chars:
    """One character out of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Seq:
    """One after the other; none at all is the empty string."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first that fits; as a language, any."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """Between `low` and `high` times, None for no bound. `lazy` matters to backreferences alone."""

    item: Node
    low: int
    high: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """A lookahead or lookbehind, positive or negated."""

    item: Node
    behind: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The very beginning of the text: `^` without the m flag."""


@dataclass(frozen=True, slots=True)
class Group:
    """A capturing group, kept only where a backreference may need it."""

    item: Node
    number: int


@dataclass(frozen=True, slots=True)
class Backreference:
    """The text that one of `numbers` captured last (several where a name is given twice); empty where none did."""

    numbers: tuple[int, ...]
    ignore_case: bool = False


Node: TypeAlias = Chars | Seq | Choice | Loop | Look | Start | Group | Backreference

EMPTY = Seq(())


def sequence(items: list[Node]) -> Node:
    """`items` one after the other, flattened."""
    flat: list[Node] = []
    for item in items:
        if isinstance(item, Seq):
            flat += item.items
        else:
            flat.append(item)
    return flat[0] if len(flat) == 1 else Seq(tuple(flat))
