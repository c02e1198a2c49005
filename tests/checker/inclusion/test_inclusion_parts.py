"""The parts of the search by themselves: terms that simplify, numbers, strings, values."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from deedbox.checker.budget import Budget
from deedbox.checker.json_schema.inclusion import numbers, strings
from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.evaluation import holds
from deedbox.checker.json_schema.inclusion.results import EMPTY, FOUND, UNKNOWN
from deedbox.checker.json_schema.inclusion.terms import Terms
from deedbox.checker.json_schema.inclusion.values import (
    ANY,
    NUMBER,
    OBJECT,
    STRING,
    key_of,
    ordered,
    value_of,
)
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture
def terms() -> Terms:
    return Terms(lambda token: token)


def test_equal_terms_are_one(terms):
    one = terms.and_([terms.type(STRING), terms.atom(t.PAT, "a"), terms.at_least(t.SLEN, 2)])
    other = terms.and_([terms.at_least(t.SLEN, 2), terms.and_([terms.atom(t.PAT, "a"), terms.type(STRING)])])
    assert one is other
    assert terms.not_(terms.not_(one)) is one


def test_complements_close(terms):
    a = terms.and_([terms.atom(t.PAT, "a"), terms.atom(t.PAT, "b")])
    assert terms.and_([a, terms.not_(a)]) is terms.false
    assert terms.or_([a, terms.not_(a)]) is terms.true
    assert terms.spec(terms.and_([terms.or_([a, terms.at_least(t.SLEN, 2)]), terms.not_(a)]), STRING) is terms.spec(
        terms.and_([terms.at_least(t.SLEN, 2), terms.not_(a)]), STRING
    )


def test_constants_merge(terms):
    some = terms.enum(frozenset(("a", "b", 1)))
    assert terms.and_([some, terms.type(STRING)]) is terms.enum(frozenset(("a", "b")))
    assert terms.and_([some, terms.not_(terms.enum(frozenset(("a",))))]) is terms.enum(frozenset(("b", 1)))
    assert terms.and_([some, terms.enum(frozenset(("c",)))]) is terms.false
    assert terms.or_([some, terms.not_(terms.enum(frozenset(("a",))))]) is terms.true


def test_a_disjunction_is_not_its_own_reason_to_go(terms):
    # Its sorts narrow the whole, which must not make one of its own alternatives hold.
    either = terms.or_([terms.not_(terms.at_least(t.CNT, 1)), terms.type(ANY & ~STRING)])
    kept = terms.and_([terms.atom(t.PAT, "a"), either])
    assert holds(terms, kept, "a") is False
    assert holds(terms, kept, 1) is True
    assert terms.and_([either, terms.type(ANY & ~STRING)]) is terms.type(ANY & ~STRING)


def test_exactly_one(terms):
    a, b = terms.atom(t.PAT, "a"), terms.atom(t.PAT, "b")
    assert terms.one([]) is terms.false
    assert terms.one([a, terms.false]) is a
    assert terms.one([terms.true, terms.true, a]) is terms.false
    assert terms.one([terms.true, a]) is terms.not_(a)
    assert terms.one([a, a, b]) is terms.and_([terms.not_(a), b])


def test_a_oneof_told_apart_by_a_constant_is_an_anyof(terms):
    def branch(kind):
        name = terms.enum(frozenset(("k",)))
        return terms.and_(
            [terms.not_(terms.every(name, terms.false)), terms.every(name, terms.enum(frozenset((kind,))))]
        )

    assert terms.spec(terms.one([branch("x"), branch("y")]), OBJECT).kind == t.OR
    overlapping = terms.one([branch("x"), terms.not_(terms.every(terms.enum(frozenset(("k",))), terms.false))])
    assert terms.spec(overlapping, OBJECT).kind == t.ONE


DECIMALS = st.decimals(-50, 50, places=1).map(lambda d: int(d) if d == int(d) else d)
FACTORS = st.sampled_from([1, 2, 3, 4, 6, Decimal("0.5"), Decimal("1.5"), Decimal("0.1")])


@settings(max_examples=40, deadline=None)
@given(
    low=DECIMALS | st.none(),
    high=DECIMALS | st.none(),
    strict=st.booleans(),
    factors=st.lists(FACTORS, max_size=2),
    not_factors=st.lists(FACTORS, max_size=2),
)
def test_numbers_against_a_grid(low, high, strict, factors, not_factors):
    terms = Terms(lambda token: token)
    literals = [terms.atom(t.MULT, f) for f in factors] + [terms.not_(terms.atom(t.MULT, f)) for f in not_factors]
    if low is not None:
        literals.append(terms.atom(t.GT if strict else t.GE, low))
    if high is not None:
        literals.append(terms.not_(terms.atom(t.GE if strict else t.GT, high)))
    whole = terms.and_(literals)
    result = numbers.solve(literals, Budget(100_000, 5_000))
    grid = (Fraction(k, 20) for k in range(-1200, 1201))
    if result.status == FOUND:
        assert holds(terms, whole, result.value) is True
    else:
        assert result.status == EMPTY
        assert not any(holds(terms, whole, numbers.number_of(x)) for x in grid)


def test_a_number_is_read_back_exactly():
    for text in ("0.1", "-2.50", "1e-30", "12345678901234567890.5"):
        assert numbers.number_of(Fraction(text)) == Decimal(text)
    assert numbers.number_of(Fraction(10**400)) == 10**400


def test_strings_of_a_length_run_out(terms):
    empty = [terms.not_(terms.at_least(t.SLEN, 1))]
    assert strings.solve(empty, 2, (), Budget()).strings == [""]
    assert strings.solve(empty, 2, (), Budget()).complete
    barred = [*empty, terms.not_(terms.enum(frozenset(("",))))]
    answer = strings.solve(barred, 1, (), Budget())
    assert (answer.strings, answer.complete) == ([], True)


def test_strings_are_counted(terms):
    few = [terms.atom(t.PAT, "^[abc]$")]
    answer = strings.solve(few, 5, ("b",), Budget())
    assert (sorted(answer.strings), answer.complete) == (["a", "c"], True)
    many = strings.solve([terms.atom(t.PAT, "^x")], 5, (), Budget())
    assert len(set(many.strings)) == 5
    assert not many.complete


def test_plain_strings_come_before_short_ones(terms):
    answer = strings.solve([terms.not_(terms.atom(t.PAT, "^.$"))], 3, (), Budget())
    assert len(answer.strings) == 3
    assert all(text.isprintable() for text in answer.strings)
    odd = strings.solve([terms.atom(t.PAT, "^\\n$")], 1, (), Budget())
    assert odd.strings == ["\n"]


def test_a_pattern_that_is_no_language_is_undecided_not_empty(terms):
    twice = terms.atom(t.PAT, "^([a-z]{3,9})-\\1$")
    answer = strings.solve([twice, terms.not_(terms.atom(t.PAT, "-"))], 1, (), Budget())
    assert answer.strings == []
    assert not answer.complete
    assert answer.reason


def test_something_unknown_is_never_found_nor_assumed(terms):
    doubt = terms.unknown("who knows")
    assert numbers.solve([doubt], Budget()).status == UNKNOWN
    assert numbers.solve([doubt, terms.atom(t.GT, 1), terms.not_(terms.atom(t.GT, 0))], Budget()).status == EMPTY
    assert holds(terms, terms.or_([doubt, terms.type(NUMBER)]), 1) is True
    assert holds(terms, terms.and_([doubt, terms.type(NUMBER)]), 1) is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", Decimal("0.5")]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=6,
)


@given(VALUES)
def test_keys_are_read_back(value):
    assert key_of(value_of(key_of(value))) == key_of(value)


def test_keys_tell_what_python_does_not():
    assert key_of(True) != key_of(1)
    assert key_of([False]) != key_of([0])
    assert key_of(Decimal("1.0")) == key_of(1)
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
    assert ordered(frozenset((key_of("bb"), key_of("a"), key_of(-1), key_of(None)))) == ["a", "bb", None, -1]
