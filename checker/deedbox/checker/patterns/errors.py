"""What can go wrong with a pattern, each as a class with fields."""

from __future__ import annotations

from deedbox.checker.errors import CheckerError


class UnusablePattern(CheckerError):
    """Root of what can go wrong with a pattern. Where such a pattern matters, a question stays undecided."""

    code = "pattern-unusable"


class PatternError(UnusablePattern):
    """A pattern that is no ECMA-262 regular expression (Annex B's web reality included).

    `source` is the pattern, `position` the offset in code points where reading stopped, `reason` the sentence without
    the place.
    """

    code = "pattern-invalid"

    def __init__(self, reason: str, source: str, position: int) -> None:
        shown = source if len(source) <= 80 else source[:77] + "..."
        super().__init__(f"{reason}, at offset {position} of the pattern {shown!r}")
        self.reason, self.source, self.position = reason, source, position

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its fields."""
        return (PatternError, (self.reason, self.source, self.position))


class NotRegular(UnusablePattern):
    """A pattern that means something, but no language that can be decided here. `reason` says which construct."""

    code = "pattern-not-regular"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class MatchUndecided(UnusablePattern):
    """Whether a text matches was not found out within the steps allowed: backreferences, or patterns of extreme size."""

    code = "match-undecided"
