"""Strings: a length, patterns found and not found, formats, and strings left out.

Names of properties are asked for here too: a region of names is a term of strings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.evaluation import matches
from deedbox.checker.json_schema.inclusion.formats import COUNTEREXAMPLES, POSSIBLE, SURE, candidates, is_of_format
from deedbox.checker.patterns import Language, NotRegular, PatternError, find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from deedbox.checker.json_schema.inclusion.terms import Term

MAX_LENGTH: Final = 100_000
"""Longer strings are not made."""
_LIKED: Final = ("a", "b", "c", "abc", "A", "1", "a1", "x-a", "a b", "example", "2026-01-31")
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
_LOOSE: Final = 64


class Strings:
    """Answers: `strings` of all literals, `complete` if there are no others, `reason` if it could not be found out."""

    __slots__ = ("complete", "reason", "strings")

    def __init__(self, strings: list[str], complete: bool, reason: str = "") -> None:
        self.strings, self.complete, self.reason = strings, complete, reason


class _Literals:
    __slots__ = ("barred", "formats", "high", "low", "not_formats", "not_patterns", "patterns", "undecided")

    def __init__(self, literals: Iterable[Term]) -> None:
        self.low = 0
        self.high: int | None = None
        self.patterns: list[str] = []
        self.not_patterns: list[str] = []
        self.formats: list[str] = []
        self.not_formats: list[str] = []
        self.barred: set[str] = set()
        self.undecided = ""
        for literal in literals:
            negated = literal.kind == t.NOT
            atom = literal.args[0] if negated else literal
            kind = atom.kind
            if kind == t.SLEN:
                bound = atom.args[0]
                if negated:
                    self.high = bound - 1 if self.high is None else min(self.high, bound - 1)
                else:
                    self.low = max(self.low, bound)
            elif kind == t.PAT:
                (self.not_patterns if negated else self.patterns).append(atom.args[0])
            elif kind == t.FMT:
                (self.not_formats if negated else self.formats).append(atom.args[0])
            elif kind == t.ENUM:
                self.barred |= atom.args[0]
            elif kind == t.UNK:
                self.undecided = atom.args[0]

    def admits(self, text: str) -> bool:
        """Whether a text is surely of all literals."""
        return (
            self.low <= len(text)
            and (self.high is None or len(text) <= self.high)
            and text not in self.barred
            and all(matches(p, text) is True for p in self.patterns)
            and all(matches(p, text) is False for p in self.not_patterns)
            and all(is_of_format(f, text) is True for f in self.formats)
            and all(is_of_format(f, text) is False for f in self.not_formats)
        )


def solve(literals: Iterable[Term], count: int, used: Collection[str], budget: Budget) -> Strings:
    """Up to `count` strings of all literals, readable ones where free, none of them in `used`."""
    said = _Literals(literals)
    if said.high is not None and said.low > said.high:
        return Strings([], True)
    answer = _solve(said, count, said.barred.union(used) if used else said.barred, budget)
    if said.undecided and answer.strings:
        return Strings([], False, said.undecided)
    return answer


def _solve(said: _Literals, count: int, barred: Collection[str], budget: Budget) -> Strings:
    if not (said.patterns or said.not_patterns or said.formats or said.not_formats):
        return _free(said, count, barred, budget)
    chosen: list[str] = []
    if said.formats or said.not_formats or count == 1:
        for text in _likely(said):
            if len(chosen) < count and text not in barred and said.admits(text):
                chosen.append(text)
        if len(chosen) >= count:
            return Strings(chosen, False)
    try:
        positive = [Language.of(p) for p in said.patterns]
        negative = [Language.of(p) for p in said.not_patterns]
    except (NotRegular, PatternError) as error:
        for text in _guesses():
            if len(chosen) < count and text not in barred and text not in chosen and said.admits(text):
                chosen.append(text)
        return Strings(chosen, False, "" if len(chosen) >= count else str(error))
    # One stubborn pattern must not use up what all the rest of the search may spend.
    part = Budget(max(1, min(50_000, budget.nodes - budget.spent)), max(1.0, budget.milliseconds / 2))
    try:
        if said.formats or said.not_formats:
            return _with_formats(said, count, chosen, barred, positive, negative, part)
        texts = _found(said, count, barred, positive, negative, part)
        if not all(text.isascii() and text.isprintable() for text in texts):
            # Shortest may be a control character, on which validators disagree: longer and plain is better.
            plain = _found(said, count, barred, [*positive, Language.of("^[ -~]*$")], negative, part)
            if len(plain) == len(texts):
                return Strings(plain, len(texts) < count or said.high == 0)
    except (BudgetExceeded, NotRegular) as error:
        return Strings(chosen, False, str(error))
    finally:
        budget.spend(part.spent // 8, "a string")
    return Strings(texts, len(texts) < count or said.high == 0)


def _found(
    said: _Literals,
    count: int,
    barred: Collection[str],
    positive: list[Language],
    negative: list[Language],
    budget: Budget,
) -> list[str]:
    texts: list[str] = []
    if said.high is None or said.high > 0:
        least = max(said.low, 1)
        texts += find(
            positive, negative, min_length=least, max_length=said.high, exclude=barred, count=count, budget=budget
        ).strings
    if len(texts) < count and said.low == 0:  # the empty string is no pretty sight: it comes last
        texts += find(positive, negative, max_length=0, exclude=barred, count=1, budget=budget).strings
    return texts


def _with_formats(
    said: _Literals,
    count: int,
    chosen: list[str],
    barred: Collection[str],
    positive: list[Language],
    negative: list[Language],
    budget: Budget,
) -> Strings:
    """Formats are known from two sides: patterns that only their strings match, and patterns that all of them do."""
    sure = [Language.of(SURE[f]) for f in said.formats if f in SURE]
    possible = [Language.of(POSSIBLE[f]) for f in said.formats if f in POSSIBLE]
    texts = _found(said, _LOOSE, barred, [*positive, *possible], negative, budget)
    complete = len(texts) < _LOOSE or said.high == 0
    if not complete and sure:
        texts += _found(said, count + len(chosen), barred, [*positive, *sure], negative, budget)
    kept = [x for x in dict.fromkeys(chosen + texts) if x not in barred and said.admits(x)]
    if complete and all(_decided(said, x) for x in texts):
        return Strings(kept[:count], len(kept) <= count)
    reason = "" if len(kept) >= count else f"strings of format {', '.join(said.formats + said.not_formats)}"
    return Strings(kept[:count], False, reason)


def _likely(said: _Literals) -> tuple[str, ...]:
    if said.formats:
        return candidates(said.formats)
    return tuple(x for f in said.not_formats for x in COUNTEREXAMPLES.get(f, ())) + _LIKED


def _decided(said: _Literals, text: str) -> bool:
    return all(is_of_format(f, text) is not None for f in said.formats + said.not_formats)


def _free(said: _Literals, count: int, barred: Collection[str], budget: Budget) -> Strings:
    """Strings of which only the length is said."""
    low, high = said.low, said.high
    if low > MAX_LENGTH:
        return Strings([], False, f"a string of {low} characters, which is not made")
    chosen: list[str] = []
    shortest = max(low, 1)
    if high is None or high >= shortest:
        for text in _of_length(shortest):
            if len(chosen) >= count:
                return Strings(chosen, False)
            if text not in barred:
                chosen.append(text)
            budget.spend(1, "a string")
        length = shortest + 1
        while len(chosen) < count and (high is None or length <= high):
            for text in _of_length(length):
                if text not in barred:
                    chosen.append(text)
                    if len(chosen) >= count:
                        break
                budget.spend(1, "a string")
            length += 1
    if len(chosen) < count and low == 0 and "" not in barred:
        chosen.append("")
    if len(chosen) >= count:
        return Strings(chosen, False)
    # Only a bound on the length makes strings few, and then they are all those of a length: more than any barred set.
    if high is not None and high < shortest:
        return Strings(chosen, True)
    return Strings(chosen, False, "strings of one length that are many and mostly left out")


def _of_length(length: int) -> Iterator[str]:
    """Some strings of a length: letters first, then all characters at the last place, then at the last two."""
    stem = "a" * (length - 1)
    for letter in _LETTERS:
        yield stem + letter
    for code in range(0x30, 0xD800):
        if not 0x61 <= code <= 0x7A:
            yield stem + chr(code)


def _guesses() -> Iterator[str]:
    yield from _LIKED
    for first in "aA1 -":
        for second in ("", "a", "A", "1", "aa", "-", "11"):
            yield first + second
            yield first + second + first + second
    yield ""
