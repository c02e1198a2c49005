"""Which characters people like to read, best first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from deedbox.checker.patterns.charset import MAX_CODE_POINT

# Ranges of code points and what one of their characters costs. Letters and digits of other scripts follow
# ASCII; what is left (controls, unassigned, private) is taken last, and surrogates never: no JSON text may
# hold a lone one.
_PREFERENCES: tuple[tuple[int, int, int], ...] = (
    (0x61, 0x7A, 0),
    (0x30, 0x39, 1),
    (0x41, 0x5A, 2),
    (0x2D, 0x2E, 4),
    (0x5F, 0x5F, 4),
    (0x21, 0x2C, 5),
    (0x2F, 0x2F, 5),
    (0x3A, 0x40, 5),
    (0x5B, 0x5E, 5),
    (0x60, 0x60, 5),
    (0x7B, 0x7E, 5),
    (0x20, 0x20, 8),
    (0xDF, 0xF6, 12),
    (0xF8, 0x17F, 12),
    (0xC0, 0xD6, 12),
    (0x3B1, 0x3C9, 13),
    (0x430, 0x44F, 13),
    (0x5D0, 0x5EA, 14),
    (0x627, 0x628, 14),
    (0x3042, 0x3042, 14),
    (0x4E00, 0x9FA5, 14),
)
_REST: tuple[tuple[int, int, int], ...] = (
    (0xA1, 0xD7FF, 20),
    (0xE000, 0xFFFD, 22),
    (0x10000, 0x3FFFF, 24),
    (0x0A, 0x0A, 40),
    (0x09, 0x09, 41),
    (0x0D, 0x0D, 42),
    (0x80, 0xA0, 50),
    (0x01, 0x08, 51),
    (0x0B, 0x0C, 51),
    (0x0E, 0x1F, 51),
    (0x7F, 0x7F, 51),
    (0x00, 0x00, 52),
    (0x40000, MAX_CODE_POINT, 60),
    (0xFFFE, 0xFFFF, 61),
)
_TRIED = 64  # how far to look for a printable character in one range of the rest


def preferred(low: int, high: int) -> Iterator[tuple[int, int]]:
    """The code points from `low` to `high`, without surrogates, each once and with its cost, roughly cheapest first."""
    for first, last, cost in _PREFERENCES:
        for code in range(max(low, first), min(high, last) + 1):
            yield cost, code
    postponed: list[tuple[int, int, int]] = []
    for first, last, cost in _REST:
        begin, end = max(low, first), min(high, last)
        if begin > end:
            continue
        if cost < 40:
            for code in range(begin, min(end, begin + _TRIED) + 1):
                if not _liked(code) and chr(code).isprintable() and not unicodedata.combining(chr(code)):
                    yield cost, code
            postponed.append((begin, end, cost + 30))
        else:
            postponed.append((begin, end, cost))
    for begin, end, cost in sorted(postponed, key=lambda p: p[2]):
        seen = begin + _TRIED if cost < 60 and begin >= 0xA1 else -1
        for code in range(begin, end + 1):
            if _liked(code):
                continue
            if code > seen or not (chr(code).isprintable() and not unicodedata.combining(chr(code))):
                yield cost, code


def _liked(code: int) -> bool:
    return any(first <= code <= last for first, last, _ in _PREFERENCES) or 0xD800 <= code < 0xE000


@lru_cache(maxsize=8192)
def best(low: int, high: int) -> tuple[int, int] | None:
    """The cost and code point of the most readable character from `low` to `high`; None where all are surrogates."""
    return next(preferred(low, high), None)
