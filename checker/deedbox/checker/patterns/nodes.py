"""The nodes that languages are made of, kept once each.

An `Rx` is a plain expression with assertions in it (what a pattern is made of); a `Term` is a set of *remaining texts*,
seen from a place in a text.

The table of nodes is dropped when large. A node that outlives it stays right: it merely is no longer recognised as equal
to its twin, which costs states and never an answer.
"""

from __future__ import annotations

import itertools
from typing import Any, Final

from deedbox.checker.patterns import charset
from deedbox.checker.patterns.charset import CharSet

_TABLE_LIMIT: Final = 150_000
_MEMBER_LIMIT: Final = 1_500_000

_serial = itertools.count()
_table: dict[tuple[Any, ...], Any] = {}
_members_held = 0
generation = 0


def tidy() -> int:
    """Drops the tables if they are large. Returns the generation: a node of an older one has twins."""
    global generation, _members_held  # noqa: PLW0603 - one process, one table
    if len(_table) > _TABLE_LIMIT or _members_held > _MEMBER_LIMIT:
        generation += 1
        _members_held = 0
        _table.clear()
    return generation


def hold(members: int) -> None:
    """Counts the members of a new node: large ones fill the memory before they are many."""
    global _members_held  # noqa: PLW0603 - goes with the table
    _members_held += members


def table() -> dict[tuple[Any, ...], Any]:
    """Where nodes, and states made of them, are found again."""
    return _table


class Rx:
    """An expression. `kind` is one of CHARS, SEQ, CHOICE, LOOP, AHEAD, BEHIND, START.

    `empty` tells whether it takes the empty text: 0 never, 1 always, 2 under conditions that its assertions set.
    `at_start` tells whether `^` is in it; `behinds` are the terms that follow the text before, one a lookbehind.
    """

    __slots__ = (
        "at_start",
        "behinds",
        "chars",
        "empty",
        "high",
        "item",
        "items",
        "kind",
        "letters",
        "low",
        "negated",
        "serial",
        "term",
    )

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.serial = next(_serial)
        self.empty = 0
        self.at_start = False
        self.behinds: frozenset[Term] = frozenset()
        self.chars: CharSet = charset.NONE
        self.items: tuple[Rx, ...] = ()
        self.item: Any = None
        self.low = 0
        self.high: int | None = None
        self.negated = False
        self.term: Any = None
        self.letters: CharSet | None = None


class Term:
    """A set of remaining texts. `kind` is one of NOTHING, END, ALL, CAT, AND, OR, NOT.

    CAT has `rx` and `rest`; AND and OR have `members`, by serial; NOT has `rest`. `ends` tells whether the empty text
    is in: True, False, or None where that depends on what stands before. `moves` is a place for the automaton's work.
    """

    __slots__ = ("at_start", "behinds", "ends", "kind", "letters", "members", "moves", "nest", "rest", "rx", "serial")

    def __init__(self, kind: int) -> None:
        self.kind = kind
        self.serial = next(_serial)
        self.at_start = False
        self.behinds: frozenset[Term] = frozenset()
        self.ends: bool | None = False
        self.rx: Any = None
        self.rest: Any = None
        self.members: tuple[Term, ...] = ()
        self.nest = 0
        self.moves: Any = None
        self.letters: CharSet | None = None


CHARS, SEQ, CHOICE, LOOP, AHEAD, BEHIND, START = range(7)
ASSERTIONS: Final = (AHEAD, BEHIND, START)
NOTHING_KIND, END_KIND, ALL_KIND, CAT, AND, OR, NOT = range(7)

NOTHING: Final = Term(NOTHING_KIND)
END: Final = Term(END_KIND)
END.ends = True
ALL: Final = Term(ALL_KIND)
ALL.ends = True


def serial_of(node: Rx | Term) -> int:
    """The order of nodes: of their making."""
    return node.serial


def next_serial() -> int:
    """A number never given before."""
    return next(_serial)
