"""Sets of code points as sorted ranges."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache

MAX_CODE_POINT = 0x10FFFF


class CharSet:
    """An immutable set of code points U+0000 to U+10FFFF.

    `bounds` holds the places where membership flips, ascending: [bounds[0], bounds[1]) is in, [bounds[1], bounds[2])
    is out, and so on. An odd length means that the set reaches the last code point.
    """

    __slots__ = ("_hash", "bounds")

    def __init__(self, bounds: tuple[int, ...]) -> None:
        self.bounds = bounds
        self._hash = hash(bounds)

    @classmethod
    def of_ranges(cls, ranges: Iterable[tuple[int, int]]) -> CharSet:
        """From inclusive ranges in any order, overlapping or not."""
        bounds: list[int] = []
        for low, high in sorted(ranges):
            if bounds and low <= bounds[-1]:
                bounds[-1] = max(bounds[-1], high + 1)
            else:
                bounds += (low, high + 1)
        if bounds and bounds[-1] > MAX_CODE_POINT:
            bounds.pop()
        return cls(tuple(bounds))

    @classmethod
    def of_text(cls, characters: str) -> CharSet:
        """The characters of `characters`."""
        return cls.of_ranges((ord(c), ord(c)) for c in characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CharSet) and self.bounds == other.bounds

    def __hash__(self) -> int:
        return self._hash

    def __bool__(self) -> bool:
        return bool(self.bounds)

    def __contains__(self, code: int) -> bool:
        return bisect_right(self.bounds, code) & 1 == 1

    def __repr__(self) -> str:
        return "CharSet(" + ", ".join(f"{low:#x}-{high:#x}" for low, high in self.ranges()) + ")"

    def ranges(self) -> Iterator[tuple[int, int]]:
        """The inclusive ranges, ascending."""
        bounds = self.bounds
        for i in range(0, len(bounds), 2):
            yield bounds[i], bounds[i + 1] - 1 if i + 1 < len(bounds) else MAX_CODE_POINT

    def __invert__(self) -> CharSet:
        bounds = self.bounds
        return CharSet(bounds[1:] if bounds and bounds[0] == 0 else (0, *bounds))

    def __or__(self, other: CharSet) -> CharSet:
        if self.bounds == other.bounds:
            return self
        return CharSet.of_ranges([*self.ranges(), *other.ranges()])

    def __le__(self, other: CharSet) -> bool:
        """Whether this set is included in `other`."""
        return other.bounds in ((0,), self.bounds) or not self - other

    def __and__(self, other: CharSet) -> CharSet:
        return ~(~self | ~other)

    def __sub__(self, other: CharSet) -> CharSet:
        return ~(~self | other)


NONE = CharSet(())
ANY = CharSet((0,))
DIGIT = CharSet.of_text("0123456789")
WORD = CharSet.of_ranges([(48, 57), (65, 90), (95, 95), (97, 122)])
# ECMA-262 WhiteSpace (TAB, VT, FF, ZWNBSP and category Zs) and LineTerminator.
SPACE = CharSet.of_text("\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff") | CharSet((0x2000, 0x200B))
LINE_END = CharSet.of_text("\n\r\u2028\u2029")
DOT = ~LINE_END


@lru_cache(maxsize=4096)
def single(code: int) -> CharSet:
    """The set of one code point."""
    return CharSet((code, code + 1) if code < MAX_CODE_POINT else (code,))


@lru_cache(maxsize=1)
def _case_classes() -> dict[int, tuple[int, ...]]:
    """Code point -> all code points with the same simple case folding, for those that have more than one."""
    folded: dict[int, list[int]] = {}
    for code in range(0x20000):  # all scripts with case are in the first two planes
        character = chr(code)
        if character.lower() == character and character.upper() == character:
            continue
        fold = character.casefold()
        if len(fold) != 1:  # CaseFolding.txt's status F; the simple mapping, where there is one, is to lower case
            fold = character.lower()
        folded.setdefault(ord(fold) if len(fold) == 1 else code, []).append(code)
    # Status S entries of Unicode 15.1 that no str method tells of.
    for code, target in ((0x1FD3, 0x390), (0x1FE3, 0x3B0), (0xFB05, 0xFB06)):
        folded.setdefault(target, [target])
        if code not in folded[target]:
            folded[target].append(code)
    classes: dict[int, tuple[int, ...]] = {}
    for target, members in folded.items():
        together = tuple({target, *members})
        if len(together) > 1:
            classes.update(dict.fromkeys(together, together))
    return classes


def ignoring_case(chars: CharSet) -> CharSet:
    """All that equals a member under simple case folding (ECMA-262 Canonicalize with the u flag)."""
    classes = _case_classes()
    extra = {other for code, others in classes.items() if code in chars for other in others}
    return chars | CharSet.of_ranges((code, code) for code in extra)
