"""Patterns as matchers, and languages as values that can be combined."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from deedbox.checker.patterns import automaton, charset, expressions, nodes, parser, terms
from deedbox.checker.patterns.automaton import State
from deedbox.checker.patterns.backtrack import Backtracker
from deedbox.checker.patterns.errors import MatchUndecided, NotRegular
from deedbox.checker.patterns.nodes import Term

# New steps of an automaton, a member of a union each, that one text may cost. Walking known ones is not counted.
_STEPS: Final = 500_000


class _Automaton:
    """A term and the automaton of it, made again when the tables of terms have been dropped since."""

    __slots__ = ("_build", "_initial")

    def __init__(self, build: Callable[[], Term]) -> None:
        self._build = build
        self._initial: State | None = None

    def initial(self) -> State:
        found = self._initial
        if found is None or found.generation != nodes.generation:
            found = self._initial = automaton.initial(self._build())
        return found

    def accepts(self, text: str) -> bool:
        """Whether the whole of `text` is in the language. Linear in its length.

        Raises:
            MatchUndecided: so many alternatives were under way at once, on so long a text, that it took too many steps.
        """
        state = self.initial()
        steps = 0
        for character in text:
            if state.dead or state.full:
                return state.full
            following = state.step.get(character)
            if following is None:
                steps += 1 + len(state.term.members)
                if steps > _STEPS:
                    raise MatchUndecided(f"matching took more than {_STEPS} steps on this text")
                following = state.next(character)
            state = following
        return state.accepts


class Pattern:
    """A compiled ECMA-262 pattern. `source` is what it was compiled from; `regular` whether it is decided as
    a language.

    Made by `compile_pattern`.
    """

    __slots__ = ("_automaton", "_backtracker", "_reason", "source", "tree")

    def __init__(self, source: str) -> None:
        self.source = source
        self.tree = parser.parse(source)
        self._reason = ""
        self._automaton = _Automaton(self._searched)
        self._backtracker: Backtracker | None = None
        try:
            self._automaton.initial()
        except NotRegular as error:
            self._reason = error.reason
            self._backtracker = Backtracker(self.tree)

    def _searched(self) -> Term:
        return automaton.searched(automaton.lower(self.tree))

    @property
    def regular(self) -> bool:
        """Whether the pattern is decided as a language; where not, it is matched by bounded backtracking."""
        return self._backtracker is None

    def search(self, text: str) -> bool:
        """Whether the pattern matches somewhere in `text` (ECMA-262 §22.2.7.2, u flag), in time linear in its length.

        Raises:
            MatchUndecided: it took more steps than allowed: backreferences, or thousands of alternatives at once.
        """
        if self._backtracker is None:
            try:
                return self._automaton.accepts(text)
            except (NotRegular, RecursionError):
                # Lookaheads that combine in more and more ways show themselves only on the way.
                pass
        return (self._backtracker or Backtracker(self.tree)).search(text)

    def language(self) -> Language:
        """The texts that `search` finds the pattern in.

        Raises:
            NotRegular: it cannot be decided as a language; says why.
        """
        if self._backtracker is not None:
            raise NotRegular(self._reason)
        return Language(("pattern", self.source), self._automaton)

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"


@lru_cache(maxsize=2048)
def compile_pattern(source: str) -> Pattern:
    """The compiled pattern; the same object for the same source, as long as it is in the cache.

    Raises:
        PatternError: not ECMA-262; says where.
        NotRegular: a Unicode property whose characters are not known here.
    """
    try:
        return Pattern(source)
    except RecursionError:
        raise NotRegular("the pattern is nested too deeply for what is left of the stack") from None


class Language:
    """A set of strings. Immutable; equal when made the same way, which may be unequal for the same set.

    Combining costs nothing until the result is asked something.
    """

    __slots__ = ("_automaton", "_made")

    def __init__(self, made: tuple[object, ...], automaton_: _Automaton) -> None:
        self._made, self._automaton = made, automaton_

    @staticmethod
    @lru_cache(maxsize=2048)
    def of(pattern: str | Pattern) -> Language:
        """The strings that a pattern is found in (unanchored, as JSON Schema's `pattern`).

        Raises:
            PatternError: not ECMA-262; says where.
            NotRegular: it cannot be decided as a language; says why.
        """
        return (compile_pattern(pattern) if isinstance(pattern, str) else pattern).language()

    @staticmethod
    def everything() -> Language:
        """All strings."""
        return _EVERYTHING

    @staticmethod
    def nothing() -> Language:
        """No string."""
        return _NOTHING

    @staticmethod
    def literals(strings: Iterable[str]) -> Language:
        """Exactly these strings."""
        members = tuple(sorted(set(strings)))
        return Language(("literals", members), _Automaton(lambda: _trie(members)))

    @staticmethod
    def length(minimum: int = 0, maximum: int | None = None) -> Language:
        """All strings of so many code points, bounds included, None for no upper one."""
        if maximum is not None and maximum < minimum:
            return _NOTHING
        anything = expressions.chars(charset.ANY)
        return Language(
            ("length", minimum, maximum),
            _Automaton(lambda: terms.cat(expressions.loop(anything, minimum, maximum), nodes.END)),
        )

    def union(self, *others: Language) -> Language:
        """The strings of any."""
        return self._joined("union", others, terms.or_)

    def intersection(self, *others: Language) -> Language:
        """The strings of all."""
        return self._joined("intersection", others, terms.and_)

    def complement(self) -> Language:
        """All strings but these."""
        return Language(("not", self._made), _Automaton(lambda: terms.not_(self.term())))

    def difference(self, other: Language) -> Language:
        """The strings of this one that are not of `other`."""
        return self.intersection(other.complement())

    def _joined(self, how: str, others: tuple[Language, ...], join: Callable[[Iterable[Term]], Term]) -> Language:
        languages = (self, *others)
        made = (how, frozenset(language._made for language in languages))
        return Language(made, _Automaton(lambda: join([language.term() for language in languages])))

    def contains(self, text: str) -> bool:
        """Whether `text` is a member. Linear in its length.

        Raises:
            MatchUndecided: it took more steps than allowed: thousands of alternatives at once on a long text.
        """
        return self._automaton.accepts(text)

    def term(self) -> Term:
        """The term, for the search."""
        return self._automaton.initial().term

    def initial(self) -> State:
        """The state before the first character, for the search."""
        return self._automaton.initial()

    def same(self, other: Language) -> bool:
        """Whether both are known to be the same set at a glance: a prefilter; False says nothing."""
        return self is other or self._made == other._made or self.term() is other.term()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Language) and self._made == other._made

    def __hash__(self) -> int:
        return hash(self._made)

    def __repr__(self) -> str:
        return f"Language{self._made!r}"


def _trie(strings: tuple[str, ...]) -> Term:
    """The strings, sorted, as one term with each common beginning written once."""
    # Longest-first would recurse; each string's path shares nodes with its predecessor's, so a stack of open
    # nodes does.
    stack: list[tuple[str, list[Term], bool]] = [("", [], False)]

    def close() -> None:
        character, branches, whole = stack.pop()
        term = terms.or_([*branches, nodes.END] if whole else branches)
        stack[-1][1].append(terms.cat(expressions.chars(charset.single(ord(character))), term))

    previous = ""
    for string in strings:
        shared = 0
        while shared < len(previous) and shared < len(string) and previous[shared] == string[shared]:
            shared += 1
        while len(stack) - 1 > shared:
            close()
        stack += [(character, [], False) for character in string[shared:]]
        character, branches, _ = stack[-1]
        stack[-1] = (character, branches, True)
        previous = string
    while len(stack) > 1:
        close()
    _, branches, whole = stack[0]
    return terms.or_([*branches, nodes.END] if whole else branches)


_EVERYTHING = Language(("everything",), _Automaton(lambda: nodes.ALL))
_NOTHING = Language(("nothing",), _Automaton(lambda: nodes.NOTHING))
