"""The number leaf against brute force: every small question about bounds and multiples, decided on a fine grid.

All bounds and factors are multiples of a quarter, so a question with a solution in the range has one on the grid of
eighths (an open interval between neighbours has its middle there).
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.inclusion import Reading, Search
from deedbox.checker.json_schema.reference import validator
from deedbox.checker.json_schema.schema import Schema

GRID = [Fraction(n, 8) for n in range(-64, 65)]
LOWS: list[dict[str, Any]] = [
    {"minimum": -3},
    {"minimum": 0},
    {"minimum": 2},
    {"exclusiveMinimum": 2},
    {"minimum": 2.5},
]
HIGHS: list[dict[str, Any]] = [
    {"maximum": 2},
    {"maximum": 3},
    {"exclusiveMaximum": 3},
    {"exclusiveMaximum": 2.5},
    {"maximum": 4},
]
FACTORS: list[dict[str, Any]] = [
    {},
    {"multipleOf": 1},
    {"multipleOf": 2},
    {"multipleOf": 3},
    {"multipleOf": 0.5},
    {"multipleOf": 2.5},
]
TYPES: list[dict[str, Any]] = [{"type": "number"}, {"type": "integer"}]
NEGATED: list[dict[str, Any]] = [
    {"multipleOf": 2}, {"multipleOf": 1}, {"type": "integer"}, {"minimum": 2}, {"maximum": 2.5}, {"enum": [2, 3]},
    {"multipleOf": 0.5, "minimum": 0},
]  # fmt: skip
QUESTIONS = [
    (low | high | factor | kind, negated)
    for low, high, factor, kind, negated in itertools.product(LOWS, HIGHS, FACTORS, TYPES, NEGATED)
]


def holds(schema: dict[str, Any], number: Fraction) -> bool:
    """What each keyword means, said once more and by hand (validation §6.1.1, §6.1.2, §6.2)."""
    return (
        (schema.get("type") != "integer" or number.denominator == 1)
        and ("minimum" not in schema or number >= Fraction(schema["minimum"]))
        and ("maximum" not in schema or number <= Fraction(schema["maximum"]))
        and ("exclusiveMinimum" not in schema or number > Fraction(schema["exclusiveMinimum"]))
        and ("exclusiveMaximum" not in schema or number < Fraction(schema["exclusiveMaximum"]))
        and ("multipleOf" not in schema or (number / Fraction(schema["multipleOf"])).denominator == 1)
        and ("enum" not in schema or number in schema["enum"])
    )


@pytest.mark.parametrize("part", range(8))
def test_bounds_and_multiples_against_a_grid(part: int) -> None:
    for accepted, rejected in random.Random(5).sample(QUESTIONS, 1_600)[part::8]:
        expected = any(holds(accepted, n) and not holds(rejected, n) for n in GRID)
        outcome = Search().find([_reading(accepted)], [_reading(rejected)], Budget())
        assert outcome.status == ("found" if expected else "empty"), (accepted, rejected, outcome)
        if expected:
            value = Fraction(outcome.value)
            assert holds(accepted, value), (accepted, rejected, value)
            assert not holds(rejected, value), (accepted, rejected, value)


@pytest.mark.parametrize(
    "schema", [{"type": "integer", "minimum": 2, "maximum": 2}, {"multipleOf": 3, "minimum": 1, "maximum": 3}]
)
def test_the_only_candidate_is_found(schema: dict[str, Any]) -> None:
    outcome = Search().find([_reading(schema | {"type": "number"})], [], Budget())
    assert outcome.status == "found"
    assert validator(Schema(load_document(schema))).is_valid(outcome.value)


def test_the_side_of_zero_that_is_left_is_searched() -> None:
    for schema in ({"exclusiveMaximum": 0}, {"maximum": -7}, {"exclusiveMinimum": 0}, {"minimum": 7}):
        for factor in (1, 2, 7, 0.5):
            wanted = schema | {"type": "number", "multipleOf": factor}
            outcome = Search().find([_reading(wanted)], [_reading({"enum": [-7, 7, -1, 1, -2, 2]})], Budget())
            assert outcome.status == "found", wanted
            assert holds(wanted, Fraction(outcome.value)), (wanted, outcome)


def _reading(schema: dict[str, Any]) -> Reading:
    return Reading(Schema(load_document(schema)).node)
