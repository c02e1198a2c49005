"""What a side says of plain values, worked out over all its parts: types, allowed values, bounds, multiples."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.sameness import text_key

if TYPE_CHECKING:
    from deedbox.checker.json_schema.sides import Part, Side

ATOMS = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
"""The types of JSON Schema made disjoint: `number` is `integer` and `fraction`."""
_NUMBER = frozenset({"integer", "fraction"})


def atom_of(value: Any) -> str:
    """The disjoint type of a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, Decimal):
        return "fraction"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def declared_types(side: Side) -> frozenset[str]:
    """The disjoint types that `type` lets through."""
    if side.never is not None:
        return frozenset()
    atoms = ATOMS
    for held in side.values("type"):
        own: set[str] = set()
        for name in [held] if isinstance(held, str) else held:
            own |= _NUMBER if name == "number" else {name}
        atoms &= own
    return atoms


def type_names(atoms: frozenset[str]) -> list[str]:
    """Disjoint types as `type` would name them, sorted."""
    if atoms >= _NUMBER:
        atoms = (atoms - _NUMBER) | {"number"}
    return sorted(atoms)


def type_schema(atoms: frozenset[str]) -> dict[str, Any]:
    """The 2020-12 schema of the values of these disjoint types."""
    if "fraction" in atoms and "integer" not in atoms:
        fractions = {"type": "number", "not": {"type": "integer"}}
        rest = sorted(atoms - {"fraction"})
        return {"anyOf": [{"type": rest}, fractions]} if rest else fractions
    names = type_names(atoms)
    return {"type": names[0] if len(names) == 1 else names}


def key_of(value: Any) -> str:
    """A key that equal values share and no others."""
    return "s" + value if type(value) is str else text_key(value)  # no JSON text starts with an s


def allowed(side: Side) -> dict[str, Any] | None:
    """The values that `enum` and `const` leave, by key and in their order; None where neither is there."""
    lists = [*side.values("enum"), *([value] for value in side.values("const"))]
    if not lists:
        return None
    values = {key_of(value): value for value in lists[0]}
    for other in lists[1:]:
        keys = {key_of(value) for value in other}
        values = {key: value for key, value in values.items() if key in keys}
    types = declared_types(side)
    if types == ATOMS and not (_SCALAR & side.by.keys()):
        return values
    values = {key: value for key, value in values.items() if atom_of(value) in types}
    if not (_SCALAR & side.by.keys()):
        return values
    return {key: value for key, value in values.items() if _within(side, value)}


_SCALAR = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"}


def _within(side: Side, value: Any) -> bool:
    if isinstance(value, str):
        return smallest(side, "minLength")[0] <= len(value) <= _or(largest(side, "maxLength")[0], len(value))
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        low, high = bound(side, lower=True), bound(side, lower=False)
        return not (low and not low.admits(value)) and not (high and not high.admits(value))
    return True


def _or(value: int | None, other: int) -> int:
    return other if value is None else value


class Bound:
    """The tightest bound of numbers on one end. Of integers alone it is the first one inside, never exclusive."""

    __slots__ = ("exclusive", "lower", "part", "value")

    def __init__(self, value: int | Decimal, exclusive: bool, part: Part, *, lower: bool) -> None:
        self.value, self.exclusive, self.part, self.lower = value, exclusive, part, lower

    def tightness(self) -> tuple[Any, bool]:
        """Orders bounds of one end: the greater, the less they let through."""
        return (self.value if self.lower else -self.value, self.exclusive)

    def admits(self, value: int | Decimal) -> bool:
        """Whether the number is inside."""
        if value == self.value:
            return not self.exclusive
        return (value > self.value) if self.lower else (value < self.value)

    def outside(self) -> dict[str, Any]:
        """The 2020-12 schema of the numbers beyond."""
        keyword = "Maximum" if self.lower else "Minimum"
        return {"type": "number", keyword.lower() if self.exclusive else "exclusive" + keyword: self.value}


def bound(side: Side, *, lower: bool) -> Bound | None:
    """The tightest lower or upper bound of a side's numbers, or None."""
    inclusive, exclusive = ("minimum", "exclusiveMinimum") if lower else ("maximum", "exclusiveMaximum")
    if inclusive not in side.by and exclusive not in side.by:
        return None
    found: list[Bound] = []
    for part, value in side.by.get(inclusive, ()):
        found.append(Bound(value, part.keywords.get(exclusive) is True, part, lower=lower))
    for part, value in side.by.get(exclusive, ()):
        if not isinstance(value, bool):
            found.append(Bound(value, True, part, lower=lower))
    if not found:
        return None
    tightest = max(found, key=Bound.tightness)
    if "fraction" not in declared_types(side):
        whole = math.ceil(tightest.value) if lower else math.floor(tightest.value)
        if tightest.exclusive and whole == tightest.value:
            whole += 1 if lower else -1
        return Bound(whole, False, tightest.part, lower=lower)
    return tightest


def smallest(side: Side, keyword: str) -> tuple[int, Part | None]:
    """The greatest of a `min…` keyword's values (0 without), and the part it is in."""
    held = side.by.get(keyword)
    if not held:
        return 0, None
    part, value = max(held, key=lambda entry: entry[1])
    return value, part


def largest(side: Side, keyword: str) -> tuple[int | None, Part | None]:
    """The least of a `max…` keyword's values (None without), and the part it is in."""
    held = side.by.get(keyword)
    if not held:
        return None, None
    part, value = min(held, key=lambda entry: entry[1])
    return value, part


def step(side: Side) -> Fraction | None:
    """The number that all numbers of a side are multiples of; None where any number will do."""
    factors = [Fraction(value) for value in side.values("multipleOf")]
    if not factors:
        return None
    if "fraction" not in declared_types(side):
        factors.append(Fraction(1))
    common = factors[0]
    for factor in factors[1:]:
        common = Fraction(math.lcm(common.numerator * factor.denominator, factor.numerator * common.denominator),
                          common.denominator * factor.denominator)  # fmt: skip
    return None if common == 1 and "fraction" not in declared_types(side) else common
