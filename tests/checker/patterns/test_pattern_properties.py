"""Random patterns: two ways to match agree, and what the search finds or rules out holds on every short text."""

from __future__ import annotations

import contextlib
import itertools
import re

from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.patterns import Language, NotRegular, PatternError, compile_pattern, find
from deedbox.checker.patterns.backtrack import Backtracker
from deedbox.checker.patterns.included import included
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ALPHABET = "ab-\n"
WORDS = ["".join(letters) for n in range(5) for letters in itertools.product(ALPHABET, repeat=n)]
ATOMS = ["a", "b", "-", "ab", "[ab]", "[^a]", ".", r"\w", r"\W", r"\s", r"\d", "()"]
ASSERTIONS = ["^", "$", r"\b", r"\B"]
QUANTIFIERS = ["*", "+", "?", "{2}", "{1,2}", "{0,2}", "{2,}", "{2,3}", "*?", "{3,4}?"]


def _extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(QUANTIFIERS)).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(st.sampled_from(["(?=", "(?!", "(?<=", "(?<!", "("]), inner).map(lambda pair: f"{pair[0]}{pair[1]})"),
    )


patterns = st.recursive(st.sampled_from(ATOMS + ASSERTIONS), _extend, max_leaves=7)
# What Python's re means by the same letters, on the texts at hand: no assertions that differ, \Z for $.
plain_patterns = st.recursive(
    st.sampled_from(ATOMS),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(QUANTIFIERS)).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(st.sampled_from(["(?=", "(?!"]), inner).map(lambda pair: f"{pair[0]}{pair[1]})"),
        inner.map(lambda pattern: f"^(?:{pattern})$"),
    ),
    max_leaves=7,
)
quick = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _language(pattern: str) -> Language | None:
    try:
        return Language.of(pattern)
    except NotRegular:
        return None


def _members(pattern: str) -> set[str]:
    oracle = Backtracker(compile_pattern(pattern).tree)
    return {text for text in WORDS if oracle.search(text)}


@quick
@given(plain_patterns)
def test_search_agrees_with_python(pattern: str) -> None:
    theirs, ours = re.compile(pattern.replace("$", r"\Z"), re.ASCII), compile_pattern(pattern)
    assert [text for text in WORDS if ours.search(text)] == [text for text in WORDS if theirs.search(text)]


@quick
@given(patterns)
def test_the_automaton_agrees_with_backtracking(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    assert {text for text in WORDS if compiled.search(text)} == _members(pattern)


@quick
@given(patterns, patterns, st.sampled_from([1, 1, 3, 20]))
def test_find_is_right_on_every_short_text(wanted: str, unwanted: str, count: int) -> None:
    positive, negative = _language(wanted), _language(unwanted)
    if positive is None or negative is None:
        return
    try:
        found = find([positive], [negative], count=count, budget=Budget(nodes=20_000))
    except BudgetExceeded:
        return
    expected = _members(wanted) - _members(unwanted)
    assert len(set(found.strings)) == len(found.strings) <= count
    assert [len(text) for text in found.strings] == sorted(len(text) for text in found.strings)
    oracles = [Backtracker(compile_pattern(pattern).tree) for pattern in (wanted, unwanted)]
    assert all(oracles[0].search(text) and not oracles[1].search(text) for text in found.strings)
    if found.exhausted:
        assert expected <= set(found.strings)
        assert len(found.strings) < count
    else:
        assert len(found.strings) == count
        # None shorter was passed over.
        limit = len(found.strings[-1])
        assert {text for text in expected if len(text) < limit} <= set(found.strings)


@st.composite
def related(draw: st.DrawFn) -> tuple[str, str]:
    """Two patterns of the same parts, so that one is often included in the other."""
    parts = draw(st.lists(patterns, min_size=1, max_size=3))
    sides = []
    for _ in range(2):
        side = [
            draw(st.sampled_from(["", "", part, f"(?:{part})?", f"(?:{part})*", f"(?:{part}){{1,3}}", f"(?:{part}|b)"]))
            for part in parts
        ]
        sides.append(
            draw(st.sampled_from(["^(?:{})$", "{}", "^{}", "(?={})", "^(?!{}).*$"])).replace("{}", "".join(side))
        )
    return sides[0], sides[1]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(related())
def test_inclusion_seen_in_the_terms_is_one(pair: tuple[str, str]) -> None:
    narrow, wide = map(_language, pair)
    if narrow is None or wide is None:
        return
    if included(narrow.term(), wide.term()):
        assert _members(pair[0]) <= _members(pair[1])
    try:
        found = find([narrow], [wide], budget=Budget(nodes=20_000))
    except BudgetExceeded:
        return
    missing = _members(pair[0]) - _members(pair[1])
    assert not (found.exhausted and missing)
    for text in found.strings:
        assert Backtracker(compile_pattern(pair[0]).tree).search(text)
        assert not Backtracker(compile_pattern(pair[1]).tree).search(text)


@quick
@given(patterns, st.integers(0, 4), st.integers(0, 4), st.sets(st.sampled_from(WORDS[:60]), max_size=4))
def test_bounds_and_exclusions_are_kept(pattern: str, low: int, high: int, exclude: set[str]) -> None:
    language = _language(pattern)
    if language is None:
        return
    confined = [language, Language.of(r"^[ab\-\n]*$")]
    found = find(confined, [], min_length=low, max_length=high, exclude=exclude, count=2_000, budget=Budget())
    assert found.exhausted
    assert set(found.strings) == {text for text in _members(pattern) - exclude if low <= len(text) <= high}
    one = find(confined, [], min_length=low, max_length=high, exclude=exclude, budget=Budget())
    assert one.exhausted == (not found.strings)
    assert one.exhausted or len(one.strings[0]) == len(found.strings[0])


@quick
@given(patterns, patterns)
def test_combinations_are_set_operations(first: str, second: str) -> None:
    a, b = _language(first), _language(second)
    if a is None or b is None:
        return
    in_a, in_b = _members(first), _members(second)
    for language, expected in (
        (a.union(b), in_a | in_b),
        (a.intersection(b), in_a & in_b),
        (a.difference(b), in_a - in_b),
        (b.complement(), set(WORDS) - in_b),
    ):
        assert {text for text in WORDS if language.contains(text)} == expected
    try:
        assert find([a], [a.union(b)], budget=Budget()).exhausted
        assert find([a.intersection(b)], [a], budget=Budget()).exhausted
        assert find([a.union(b).complement()], [a.complement()], budget=Budget()).exhausted
        assert find([a.difference(b)], [a.intersection(b.complement())], budget=Budget()).exhausted
    except BudgetExceeded:
        pass


@quick
@given(patterns, st.integers(64, 90), st.integers(0, 6))
def test_long_strings_are_found_as_by_the_plain_search(pattern: str, low: int, more: int) -> None:
    language = _language(pattern)
    if language is None:
        return
    try:
        found = find([language], [], min_length=low, max_length=low + more, budget=Budget())
        plain = find([language, Language.length(low)], [], max_length=low + more, budget=Budget())
    except BudgetExceeded:
        return
    assert [len(text) for text in found.strings] == [len(text) for text in plain.strings]
    assert found.exhausted == plain.exhausted
    assert all(language.contains(text) for text in found.strings)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.text(alphabet="abc\U0001f600", max_size=5), max_size=25))
def test_literals_are_exactly_those(strings: set[str]) -> None:
    language = Language.literals(strings)
    found = find([language], [], count=len(strings) + 1, budget=Budget())
    assert found.exhausted
    assert set(found.strings) == strings
    assert find([], [language], exclude=["", "a", "b"], budget=Budget()).strings[0] not in strings


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab01(){}[]|*+?^$.\\-,:=!<>dDwWsSbBpPukxc_ {}", max_size=16))
def test_any_text_is_read_or_refused(source: str) -> None:
    compiled = None
    with contextlib.suppress(PatternError, NotRegular):
        compiled = compile_pattern(source)
    if compiled is None:
        return
    oracle = Backtracker(compiled.tree)
    for text in ("", "a", "ab", "0-1", "\n", "(){}"):
        assert compiled.search(text) == oracle.search(text)
