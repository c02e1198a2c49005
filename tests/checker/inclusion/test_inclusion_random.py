"""Verdicts on random pairs, attacked: witnesses by two validators, proofs by random instances and by the set algebra."""

from __future__ import annotations

from typing import Any

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema import algebra
from deedbox.checker.json_schema.inclusion import Reading, Search
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.json_schema.verify import Reader
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.checker.inclusion.random_schemas import DRAFTS, Schemas, mutated, value

ATTACK = settings(deadline=None, max_examples=150, suppress_health_check=list(HealthCheck))
RANDOM = st.randoms(use_true_random=True)


def _pair(r) -> tuple[Schema, Schema, Any, Any, Schemas]:
    draft = r.choice(DRAFTS)
    makes = Schemas(r, draft)
    a = makes.document()
    b = mutated(r, makes, a) if r.random() < 0.6 else makes.document()
    if not isinstance(b, dict):
        b = {}
    if makes.references and "definitions" not in b:
        b["definitions"] = {"d": {}, "e": {}}
    return Schema(load_document(a), draft), Schema(load_document(b), draft), a, b, makes


def _admits(reader: Reader, instance: Any, closed: bool) -> bool | None:
    try:
        return reader.accepts(instance, closed=closed)
    except TypeError:  # jsonschema reads `additionalItems` beside a boolean `items` so
        return None


def _find(a: Schema, b: Schema, closed: tuple[bool, bool] = (False, False)):
    return Search().find([Reading(a.node, closed[0])], [Reading(b.node, closed[1])], Budget(50_000, 3_000))


@ATTACK
@given(RANDOM)
def test_verdicts_stand(r):
    a, b, *_ = _pair(r)
    closed = (r.random() < 0.3, r.random() < 0.2)
    outcome = _find(a, b, closed)
    writer, reader = Reader(a), Reader(b)
    if outcome.status == "found":
        assert _admits(writer, outcome.value, closed[0]) is not False
        assert _admits(reader, outcome.value, closed[1]) is not True
    elif outcome.status == "empty":
        for _ in range(40):
            instance = value(r, 3)
            assert not (_admits(writer, instance, closed[0]) is True and _admits(reader, instance, closed[1]) is False)
    else:
        assert "2019-09" in outcome.reason or "itself" in outcome.reason, outcome.reason


@ATTACK
@given(RANDOM)
def test_a_schema_is_in_itself_and_in_what_is_wider(r):
    a, _, document, _, makes = _pair(r)
    assert _find(a, a).status != "found"
    makes.references = False
    if "definitions" in document:
        return  # what refers to its own document means another thing inside another schema
    draft = a.dialect.name
    wider = Schema(load_document({"anyOf": [document, makes.schema(1)]}), draft)
    narrower = Schema(load_document({"allOf": [document, makes.schema(1)]}), draft)
    assert _find(a, wider).status == "empty"
    assert _find(narrower, a).status == "empty"


@ATTACK
@given(RANDOM)
def test_a_closed_reading_is_in_the_letter(r):
    a, *_ = _pair(r)
    assert _find(a, a, (True, False)).status != "found"
    assert _find(a, a, (True, True)).status != "found"


@ATTACK
@given(RANDOM)
def test_the_set_algebra_proves_nothing_that_is_refuted(r):
    a, b, *_ = _pair(r)
    if algebra.proves_inclusion(algebra.Operand(a), algebra.Operand(b)):
        assert _find(a, b).status != "found"


@ATTACK
@given(RANDOM)
def test_no_answer_hangs_on_what_was_asked_before(r):
    a, b, *_ = _pair(r)
    shared = Search()
    for first, second in ((a, b), (b, a), (a, b), (a, a)):
        again = shared.find([Reading(first.node)], [Reading(second.node)], Budget(50_000, 3_000)).status
        fresh = _find(first, second).status
        assert again == fresh or "unknown" in (again, fresh)


@pytest.mark.parametrize("seed", range(3))
def test_the_generator_meets_both_answers(seed):
    import random

    r = random.Random(seed)
    statuses = [_find(*_pair(r)[:2]).status for _ in range(60)]
    assert min(statuses.count("found"), statuses.count("empty")) > 10
