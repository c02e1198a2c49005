"""Whole messages: a witness of a schema that stands within a body, put into the body, and confirmed there by both validators.

What a component refuses may never come about where it stands: other parts of the body may forbid it, and the values that
dress a witness are believable ones, not proven ones. So a whole is shown only once the validators confirm the whole.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker.apis.samples import dressed, exactly, filled_in
from deedbox.checker.errors import DocumentError
from deedbox.checker.json_schema.comparing import Task
from deedbox.checker.json_schema.probes import Item, Probe, Property, SomeItem, SomeOtherProperty, SomeProperty
from deedbox.checker.json_schema.verify import presentable
from deedbox.checker.model import Witness
from deedbox.checker.pointers import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deedbox.checker.apis.positions import Writer
    from deedbox.checker.apis.schemas import Options
    from deedbox.checker.apis.units import Pair, Reach, Units
    from deedbox.checker.json_schema.probes import Step
    from deedbox.checker.json_schema.schema import Schema
    from deedbox.checker.model import Direction

Asks: TypeAlias = Literal["refused", "shared", "letter"]
"""What a witness shows: the writer sends it and the reader refuses it; both take it; refused where both are read to the letter."""

_MOST_TRIED = 3
"""Positions that a value is dressed for, at most, before one is searched."""
_SEARCH_MILLISECONDS = 1_000.0
_KEPT = 24
"""Pairs of whole bodies that are kept, since the findings of one operation follow each other."""


@dataclass(frozen=True, slots=True)
class Question:
    """A pair of schemas with the positions it reaches, and the direction asked."""

    pair: Pair
    writer: Writer
    direction: Direction
    reaches: list[Reach]


class Wholes:
    """Makes and confirms whole messages.

    Args:
        units: of the two documents.
        sides: both whole schemas at a pair of places as a direction of the API asks for them, and that direction as
            schemas have it.
        options: of every question.
    """

    def __init__(
        self,
        units: Units,
        sides: Callable[[Pair, Writer, Direction], tuple[Schema, Schema, Direction]],
        options: Options,
    ) -> None:
        self.units, self.sides, self.options = units, sides, options
        self._tasks: dict[tuple[Pair, Writer, Direction], tuple[Task, Direction] | None] = {}
        self._left = max(options.milliseconds, _SEARCH_MILLISECONDS)

    def witness(self, question: Question, witness: Witness, asks: Asks) -> Witness:
        """A whole message that shows what a witness of the pair shows; of the component alone where there is none."""
        first = question.reaches[0]
        if not any(first.paths) and not self.units.unit(question.pair).cuts:
            return Witness(first.position.embed(witness.value), f"{_place(first)}: {witness.why}")
        places = list(self._places(question.reaches))
        for reach, roots in places:
            value = self._dressed(question, roots, reach.paths, witness.value, asks)
            if value is not None:
                return Witness(reach.position.embed(value[0]), f"{_place(reach)}: {witness.why}")
        for reach, roots in places[:1]:
            value = self._found(question, roots, reach.paths, witness.value, asks)
            if value is not None:
                return Witness(reach.position.embed(value[0]), f"{_place(reach)}: {witness.why}")
        return self._alone(question, witness, asks)

    def _alone(self, question: Question, witness: Witness, asks: Asks) -> Witness:
        pair, first = question.pair, question.reaches[0]
        value = self._dressed(question, pair, ("", ""), witness.value, asks) or self._found(
            question, pair, ("", ""), witness.value, asks
        )
        location = pair[0] if (question.writer == "client") == (question.direction == "backward") else pair[1]
        rest = "" if value is not None else "; a text that starts with $ref: stands for any value of that component"
        return Witness(
            {"schema": location, "value": witness.value if value is None else value[0]},
            f"{_place(first)}: {witness.why} (shown of that schema alone: no whole message was found that has it{rest})",
        )

    def _places(self, reaches: list[Reach]) -> Iterator[tuple[Reach, Pair]]:
        """The first positions of different schemas."""
        seen = set()
        for reach in reaches[: 4 * _MOST_TRIED]:
            roots = self.units.roots(reach.position)
            if (roots, reach.paths) not in seen:
                seen.add((roots, reach.paths))
                yield reach, roots
                if len(seen) == _MOST_TRIED:
                    return

    def _dressed(self, question: Question, roots: Pair, paths: Pair, value: Any, asks: Asks) -> tuple[Any] | None:
        """The value in a believable whole that the validators confirm."""
        known = self._task(question, roots)
        if known is None:
            return None
        task, asked = known
        writer, _ = task.sides(asked)
        root, path = (task.old.root, paths[0]) if writer == "old" else (task.new.root, paths[1])
        for plain in (False, True):
            try:
                whole = dressed(root, "", path, filled_in(root, value, plain=plain), plain=plain)
            except (LookupError, ValueError, TypeError):
                continue
            if _confirms(task, asked, whole, asks):
                return (whole,)
        return None

    def _found(self, question: Question, roots: Pair, paths: Pair, value: Any, asks: Asks) -> tuple[Any] | None:
        """A whole with the value at the place that the search finds, and the validators confirm."""
        known, steps = self._task(question, roots), steps_of(paths[0])
        if known is None or steps is None or self._left <= 0:
            return None
        task, asked = known
        start = time.monotonic()
        outcome = task.wholly(asked, Probe(tuple(steps), exactly(value)), asks, min(_SEARCH_MILLISECONDS, self._left))
        self._left -= (time.monotonic() - start) * 1_000
        if outcome.status != "found" or not _confirms(task, asked, outcome.value, asks):
            return None
        return (presentable(outcome.value),)

    def _task(self, question: Question, roots: Pair) -> tuple[Task, Direction] | None:
        key = (roots, question.writer, question.direction)
        if key not in self._tasks:
            if len(self._tasks) >= _KEPT:
                del self._tasks[next(iter(self._tasks))]
            self._tasks[key] = self._read(roots, question.writer, question.direction)
        return self._tasks[key]

    def _read(self, roots: Pair, writer: Writer, direction: Direction) -> tuple[Task, Direction] | None:
        """None where a part that was not in question is no schema: that is for the question about that part to say."""
        try:
            old, new, asked = self.sides(roots, writer, direction)
        except DocumentError:
            return None
        options = self.options
        return (
            Task(old, new, options.content_model, options.format_assertion, options.milliseconds, options.algebra, ""), asked,
        )  # fmt: skip


def _confirms(task: Task, asked: Direction, value: Any, asks: Asks) -> bool:
    writer, reader = task.sides(asked)
    if asks == "shared":
        return all(task.readers[side].accepts(value) is True for side in ("old", "new"))
    closed = asks == "refused"
    return (
        task.readers[reader].accepts(value, closed=closed and task.reader_closed) is False
        and task.readers[writer].accepts(value, closed=closed and task.writer_closed) is True
    )


def _place(reach: Reach) -> str:
    path = reach.paths[1]
    return f"{reach.position.where}{path and ' at ' + path}"


def steps_of(pointer: str) -> list[Step] | None:
    """The instance steps of a resolved path through a schema; None where it does not lead to a value of a message."""
    steps: list[Step] = []
    tokens = split(pointer)
    i = 0
    while i < len(tokens):
        keyword = tokens[i]
        if keyword == "properties" and i + 1 < len(tokens):
            steps.append(Property(tokens[i + 1]))
            i += 2
        elif keyword == "patternProperties" and i + 1 < len(tokens):
            steps.append(SomeProperty(tokens[i + 1]))
            i += 2
        elif keyword == "prefixItems" and i + 1 < len(tokens):
            steps.append(Item(int(tokens[i + 1])))
            i += 2
        elif keyword == "items":
            steps.append(SomeItem(0))
            i += 1
        elif keyword in ("additionalProperties", "unevaluatedProperties"):
            steps.append(SomeOtherProperty((), ()))
            i += 1
        elif keyword in ("allOf", "anyOf", "oneOf"):
            i += 2
        else:
            return None
    return steps
