"""Where things stand in a JSON text. Only for messages, so only when something is to be said."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, NoReturn

from deedbox.checker.errors import DuplicateKey, NotJsonValue
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_OUT_OF_RANGE = re.compile(r"-?(?:\d{1001,}.*|.*[eE][+-]?\d{4,}|NaN|Infinity)", re.DOTALL)


def positions(text: str) -> dict[str, tuple[int, int]]:
    """Pointer → (line, column), from 1: the key's for a member, the value's for an item."""
    starts = _line_starts(text)
    found: dict[str, tuple[int, int]] = {}
    for pointer, offset, _, _ in _places(text):
        line = bisect_right(starts, offset)
        found.setdefault(pointer, (line, offset - starts[line - 1] + 1))
    return found


def raise_at_fault(text: str, name: str, cause: NotJsonValue | None) -> NoReturn:
    """Raises what the parser met (a repeated key, or `cause`), with its place.

    Raises:
        DuplicateKey, NotJsonValue: always one of them.
    """
    starts = _line_starts(text)
    seen: set[str] = set()
    for pointer, offset, token, is_key in _places(text):
        line = bisect_right(starts, offset)
        column = offset - starts[line - 1] + 1
        if is_key:
            if pointer in seen and cause is None:
                raise DuplicateKey(
                    f"the key {token} stands twice in one object: keep one of them",
                    source=name,
                    pointer=pointer,
                    line=line,
                    column=column,
                ) from None
            seen.add(pointer)
        elif cause is not None and _OUT_OF_RANGE.fullmatch(token):
            raise NotJsonValue(cause.message, source=name, pointer=pointer, line=line, column=column) from None
    if cause is not None:
        raise cause
    raise DuplicateKey("a key stands twice in one object: keep one of them", source=name) from None


def _line_starts(text: str) -> list[int]:
    return [0] + [match.end() for match in re.finditer(r"\n", text)]


def _places(text: str) -> Iterator[tuple[str, int, str, bool]]:
    """Each key and each value of a well-formed text: pointer, offset, token, whether it is a key."""
    # Per open container: its pointer, and the index of the next item or None in an object.
    stack: list[tuple[str, int | None]] = []
    pointer = ""
    expect_key = False
    for match in _TOKEN.finditer(text):
        token = match.group()
        head = token[0]
        if head in "}]":
            stack.pop()
            expect_key = False
        elif head == ",":
            base, index = stack[-1]
            expect_key = index is None
            if index is not None:
                stack[-1] = (base, index + 1)
                pointer = join(base, index + 1)
        elif head == ":":
            continue
        elif expect_key:
            pointer = join(stack[-1][0], json.loads(token))
            expect_key = False
            yield pointer, match.start(), token, True
        else:
            yield pointer, match.start(), token, False
            if head == "{":
                stack.append((pointer, None))
                expect_key = True
            elif head == "[":
                stack.append((pointer, 0))
                pointer = join(pointer, 0)
