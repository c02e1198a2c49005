"""Numbers: an interval, factors that divide, factors that must not, and numbers left out. Exact throughout.

A JSON number is a decimal fraction. All that schemas name are such, and so are all that are tried here.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.inclusion import terms as t
from deedbox.checker.json_schema.inclusion.results import NOTHING, Result, found, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deedbox.checker.budget import Budget
    from deedbox.checker.json_schema.inclusion.terms import Term

_LIKED = (0, 1, 2, 3, 5, 10, -1, 100)


class Range:
    """The literals of numbers, gathered."""

    __slots__ = ("barred", "factor", "high", "high_open", "low", "low_open", "not_factors", "undecided")

    def __init__(self, literals: Iterable[Term]) -> None:
        self.low: Any = None
        self.high: Any = None
        self.low_open = self.high_open = False
        self.factor: Fraction | None = None
        self.not_factors: list[Fraction] = []
        self.barred: frozenset[Any] = frozenset()
        self.undecided = ""
        for literal in literals:
            negated = literal.kind == t.NOT
            atom = literal.args[0] if negated else literal
            kind = atom.kind
            if kind in (t.GE, t.GT):
                # not (x >= b) is x < b, not (x > b) is x <= b
                if negated:
                    self._below(atom.args[0], is_open=kind == t.GE)
                else:
                    self._above(atom.args[0], is_open=kind == t.GT)
            elif kind == t.MULT:
                factor = Fraction(atom.args[0])
                if negated:
                    self.not_factors.append(factor)
                else:
                    self.factor = factor if self.factor is None else _lcm(self.factor, factor)
            elif kind == t.ENUM:
                self.barred |= atom.args[0]
            elif kind == t.UNK:
                self.undecided = atom.args[0]

    def _above(self, bound: Any, *, is_open: bool) -> None:
        if self.low is None or bound > self.low or (bound == self.low and is_open):
            self.low, self.low_open = bound, is_open

    def _below(self, bound: Any, *, is_open: bool) -> None:
        if self.high is None or bound < self.high or (bound == self.high and is_open):
            self.high, self.high_open = bound, is_open

    def empty(self) -> bool:
        """Whether the interval alone admits nothing."""
        if self.low is None or self.high is None:
            return False
        return bool(self.low > self.high) or (self.low == self.high and (self.low_open or self.high_open))

    def admits(self, number: Any) -> bool:
        """Whether a number is of all literals."""
        if self.low is not None and (number < self.low or (self.low_open and number == self.low)):
            return False
        if self.high is not None and (number > self.high or (self.high_open and number == self.high)):
            return False
        exact = Fraction(number)
        if self.factor is not None and (exact / self.factor).denominator != 1:
            return False
        if any((exact / factor).denominator == 1 for factor in self.not_factors):
            return False
        return number not in self.barred


def _lcm(a: Fraction, b: Fraction) -> Fraction:
    return Fraction(lcm(a.numerator, b.numerator), gcd(a.denominator, b.denominator))


def number_of(fraction: Fraction) -> int | Decimal:
    """A decimal fraction as a JSON number: an int where integral."""
    if fraction.denominator == 1:
        return fraction.numerator
    twos = fives = 0
    rest = fraction.denominator
    while rest % 2 == 0:
        rest //= 2
        twos += 1
    while rest % 5 == 0:
        rest //= 5
        fives += 1
    assert rest == 1, "no decimal fraction"
    places = max(twos, fives)
    digits = fraction.numerator * 2 ** (places - twos) * 5 ** (places - fives)
    return Decimal((int(digits < 0), tuple(map(int, str(abs(digits)))), -places))


def solve(literals: Iterable[Term], budget: Budget) -> Result:
    """A number of all literals."""
    limits = Range(literals)
    if limits.empty():
        return NOTHING
    number = _first(limits, budget)
    if number is None:
        return NOTHING
    return unknown(limits.undecided) if limits.undecided else found(number)


def _first(limits: Range, budget: Budget) -> int | Decimal | None:
    for number in _liked(limits):
        if limits.admits(number):
            return number
    if limits.factor is not None:
        return _multiple(limits, limits.factor, budget)
    return _between(limits, budget)


def _liked(limits: Range) -> Iterator[int | Decimal]:
    low, high = limits.low, limits.high
    if low is None or low <= 0:
        yield from _LIKED
    for bound, step in ((low, 1), (high, -1)):
        if bound is not None:
            yield bound
            if isinstance(bound, int):
                yield bound + step


def _multiple(limits: Range, factor: Fraction, budget: Budget) -> int | Decimal | None:
    """The multiple of the factor nearest to zero, counted in steps of it."""
    # k * factor is a multiple of f just when the reduced denominator of factor / f divides k.
    steps = [(factor / f).denominator for f in limits.not_factors]
    if 1 in steps:
        return None
    first = last = None
    if limits.low is not None:
        quotient = Fraction(limits.low) / factor
        first = -((-quotient.numerator) // quotient.denominator)
        if limits.low_open and first == quotient:
            first += 1
    if limits.high is not None:
        quotient = Fraction(limits.high) / factor
        last = quotient.numerator // quotient.denominator
        if limits.high_open and last == quotient:
            last -= 1
    if first is not None and last is not None and first > last:
        return None
    for k in _integers(first, last):
        budget.spend(1, "a multiple")
        if any(k % step == 0 for step in steps):
            continue
        number = number_of(k * factor)
        if number not in limits.barred:
            return number
    return None


def _integers(first: int | None, last: int | None) -> Iterator[int]:
    """All integers of a range, those near zero first."""
    if first is not None and (first >= 0 or last is not None):
        start = max(first, min(0, last)) if last is not None else first
        k = start
        while last is None or k <= last:
            yield k
            k += 1
        k = start - 1
        while k >= first:
            yield k
            k -= 1
    elif last is not None and last <= 0:
        k = last
        while True:
            yield k
            k -= 1
    else:
        yield 0
        k = 1
        while True:
            if last is None or k <= last:
                yield k
            if first is None or -k >= first:
                yield -k
            k += 1


def _between(limits: Range, budget: Budget) -> int | Decimal | None:
    """A number of an interval without factors: there are infinitely many unless it is a point."""
    low, high = limits.low, limits.high
    if low is not None and low == high:
        return low if limits.admits(low) else None
    if low is None:
        start = Fraction(high if high is not None else 0)
        step = Fraction(-1)
    else:
        start, step = Fraction(low), Fraction(1)
    for whole in range(1, 4):  # integers read best, where they may stand
        number = number_of(Fraction(_floor(start) + whole * int(step)))
        if limits.admits(number):
            return number
    width = Fraction(high) - Fraction(low) if low is not None and high is not None else Fraction(1)
    # Fractions with more and more places: only finitely many are barred, and none is a multiple of them all for ever.
    places = 1
    while Fraction(2, 10**places) >= width:
        places += 1
    while True:
        unit = Fraction(1, 10**places)
        base = _floor(start / unit)
        for k in range(1, 12):
            budget.spend(1, "a number between bounds")
            number = number_of((base + k * int(step)) * unit)
            if limits.admits(number):
                return number
        places += 1


def _floor(fraction: Fraction) -> int:
    return fraction.numerator // fraction.denominator
