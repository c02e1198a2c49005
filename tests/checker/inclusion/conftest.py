"""What the tests of the search share: questions put to it, each answer checked by the validators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.inclusion import Outcome, Reading, Search
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.verify import Reader

if TYPE_CHECKING:
    from collections.abc import Callable


def ask_inclusion(
    a: Any,
    b: Any,
    dialect: str = "draft2020-12",
    *,
    closed: tuple[bool, bool] = (False, False),
    format_assertion: bool = False,
    budget: Budget | None = None,
) -> Outcome:
    """Whether `a` is included in `b`. A witness must convince both validators."""
    writer, reader = Schema(load_document(a), dialect), Schema(load_document(b), dialect)
    outcome = Search(format_assertion=format_assertion).find(
        [Reading(writer.node, closed[0])], [Reading(reader.node, closed[1])], budget or Budget(100_000, 5_000)
    )
    if outcome.status == "found":
        accepted = Reader(writer, format_assertion=format_assertion).accepts(outcome.value, closed=closed[0])
        rejected = Reader(reader, format_assertion=format_assertion).accepts(outcome.value, closed=closed[1])
        assert (accepted, rejected) == (True, False), f"{outcome.value!r} is no witness"
    return outcome


@pytest.fixture
def ask() -> Callable[..., Outcome]:
    """`ask(a, b)`: the outcome of the question whether `a` is included in `b`."""
    return ask_inclusion
