"""The array leaf against brute force: questions about arrays of at most four of three values, of which all can be tried."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING, Any

import jsonschema_rs

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.json_schema.inclusion import Outcome

VALUES = (1, 2, "a")
ARRAYS = [list(held) for length in range(5) for held in itertools.product(VALUES, repeat=length)]
SMALL = {"type": "array", "maxItems": 4, "items": {"enum": list(VALUES)}}
LEAVES: list[Any] = [{"type": "integer"}, {"type": "string"}, {"const": 1}, {"enum": [2, "a"]}, True, False]


def drawn(draw: random.Random, depth: int = 1) -> Any:
    """A schema of arrays: each keyword is there or not, and now and then one of several, or none of one."""
    made: dict[str, Any] = {}
    if draw.random() < 0.5:
        made["prefixItems"] = draw.choices(LEAVES, k=draw.randrange(1, 3))
    if draw.random() < 0.4:
        made["items"] = draw.choice(LEAVES)
    if draw.random() < 0.6:
        made |= {"contains": draw.choice(LEAVES), "minContains": draw.randrange(3)}
        made |= {"maxContains": draw.randrange(1, 4)} if draw.random() < 0.5 else {}
    if draw.random() < 0.4:
        made["minItems"] = draw.randrange(1, 5)
    if draw.random() < 0.3:
        made["maxItems"] = draw.randrange(1, 5)
    if draw.random() < 0.3:
        made["uniqueItems"] = True
    if depth and draw.random() < 0.4:
        made[draw.choice(["anyOf", "allOf", "oneOf"])] = [drawn(draw, depth - 1) for _ in range(2)]
    if depth and draw.random() < 0.2:
        made["not"] = drawn(draw, depth - 1)
    return made


def test_every_answer_is_that_of_all_arrays_tried(ask: Callable[..., Outcome]) -> None:
    draw = random.Random(20261124)
    held = {"empty": 0, "found": 0}
    for _ in range(500):
        writer, reader = SMALL | {"allOf": [drawn(draw)]}, drawn(draw)
        sends, takes = (jsonschema_rs.Draft202012Validator(schema) for schema in (writer, reader))
        fits = all(takes.is_valid(array) for array in ARRAYS if sends.is_valid(array))
        outcome = ask(writer, reader)
        assert outcome.status == ("empty" if fits else "found"), (writer, reader, outcome.reason)
        held[outcome.status] += 1
    assert min(held.values()) > 50
