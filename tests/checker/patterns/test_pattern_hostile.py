"""Patterns made to hurt: an answer, an error or a spent budget, soon."""

from __future__ import annotations

import threading
import time

import pytest
from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.patterns import Language, MatchUndecided, NotRegular, PatternError, compile_pattern, find, nodes

HOSTILE = {
    "nested stars": "(a*)*b",
    "twin alternatives": "(a|a)*$",
    "nested pluses": "(x+x+)+y",
    "large counter": "^.{1,5000}$",
    "counter in counter": "^(.{1,50}){1,50}$",
    "counter in counter with a gap": "^(?:.{1,50}x){1,50}$",
    "three counters": "^(?:(?:a{1,100}){1,100}b){1,100}$",
    "counters multiplied": "(a{1000}){1000}",
    "huge counter": "x{999999999}",
    "counter of a hundred digits": "a{" + "9" * 100 + "}",
    "100 KB": "^" + "a" * 100_000 + "$",
    "100 KB of classes": "[a-z0-9]" * 12_500,
    "100 KB of unlike classes": "[a-y0-9][a-z]" * 8_000,
    "ten thousand parentheses": "(" * 10_000 + "a" + ")" * 10_000,
    "ten thousand open": "(" * 10_000,
    "nested and starred": "(a*" * 500 + ")*" * 500,
    "nested and starred to the limit": "(?:a*" * 95 + ")*" * 95,
    "optional thousand": "^" + "a?" * 1_000 + "a" * 1_000 + "$",
    "thousand lookaheads": "(?=a)" * 1_000 + "a",
    "lookaheads one after the other": "^(?:x(?=y)y)?" * 1 + "(?:x(?=y))?" * 500,
    "lookaheads nested": "(?!" * 90 + "a" + ")" * 90,
    "lookbehinds nested": "(?<!" * 90 + "a" + ")" * 90,
    "lookaheads in a loop": "^(?:(?!ab)(?!bc)(?!cd)(?=.)(?:a|b|c|d|ab))*$",
    "lookaheads that pile up": "^(?:(?=a.{20}b)a|(?=.{9}a)b)*$",
    "conditions counted": "^(?:(?=a)|b){3,150}c",
    "many words": "^(?:" + "|".join(f"word{n}x" for n in range(5_000)) + ")$",
    "exponential automaton": "^(?:a|b)*a(?:a|b){20}$",
    "exponential with b": "(?:a|b)*a(?:a|b){40}c",
    "all of nine letters": "^" + "".join(f"(?=.*{c})" for c in "abcdef123") + ".*$",
    "backreferences": r"^(a+)+(b+)+\1\2c$",
}
REFUSED = {HOSTILE["ten thousand open"]: "never closed", HOSTILE["nested and starred"]: "nested deeper"}
TEXTS = ["a" * 60, "ab" * 1_500, "abba" * 20 + "c", "x" * 3_000]


@pytest.mark.parametrize("pattern", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_hangs_nor_crashes(pattern: str) -> None:
    begin = time.process_time()
    if (reason := REFUSED.get(pattern)) is not None:
        with pytest.raises(PatternError, match=reason):
            compile_pattern(pattern)
        return
    compiled = compile_pattern(pattern)
    for text in TEXTS:
        try:
            compiled.search(text)
        except MatchUndecided:
            assert not compiled.regular or len(pattern) > 10_000
    for wanted, unwanted in (([pattern], []), ([], [pattern]), ([pattern], ["^a.*b$"]), ([pattern], [pattern])):
        try:
            languages = [[Language.of(p) for p in side] for side in (wanted, unwanted)]
            found = find(languages[0], languages[1], budget=Budget(nodes=20_000, milliseconds=300))
        except (BudgetExceeded, NotRegular):
            continue
        for text in found.strings:
            assert all(compile_pattern(p).search(text) for p in wanted)
            assert not any(compile_pattern(p).search(text) for p in unwanted)
    assert time.process_time() - begin < 20  # seconds, on a loaded machine; a search of its own has 0.3


def test_ten_thousand_parentheses_are_no_depth() -> None:
    assert compile_pattern("(?:" * 10_000 + "a" + ")" * 10_000).search("xay")


def test_matching_takes_linear_time() -> None:
    """The time for a text ten times as long is far from a hundred times the time."""
    compiled = compile_pattern(r"^(?:(?:\w+\s?)+|(?!b)[^c]*)*d$")

    def seconds(text: str) -> float:
        best = 9.0
        for _ in range(3):
            begin = time.process_time()
            assert not compiled.search(text)
            best = min(best, time.process_time() - begin)
        return best

    assert seconds("word " * 20_000) < 40 * seconds("word " * 2_000)


def test_the_tables_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nodes, "_TABLE_LIMIT", 3_000)
    compiled = compile_pattern("(?:a|b)*a(?:a|b){60}c")
    state = 1
    letters = []
    for _ in range(6_000):
        state = state * 6364136223846793005 % 2**64 + 1442695040888963407
        letters.append("ab"[state >> 60 & 1])
    assert not compiled.search("".join(letters))
    assert compiled.search("".join(letters[:61]) + "ac") == (letters[1] == "a")
    assert len(nodes.table()) < 6_000


def test_many_threads_get_the_same_answers() -> None:
    patterns = [f"^(?:a{{1,{n}}}b|[a-c]*c){{1,9}}$" for n in range(2, 30)]
    texts = ["aab" * 3, "c", "abcabc", "b", "aaab" * 2]
    expected = [[_fresh(pattern, text) for text in texts] for pattern in patterns]
    compile_pattern.cache_clear()
    wrong: list[object] = []

    def work() -> None:
        for pattern, row in zip(patterns, expected, strict=True):
            if [compile_pattern(pattern).search(text) for text in texts] != row:
                wrong.append(pattern)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def _fresh(pattern: str, text: str) -> bool:
    from deedbox.checker.patterns.backtrack import Backtracker

    return Backtracker(compile_pattern(pattern).tree).search(text)
