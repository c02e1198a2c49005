"""Text that is safe to print: exact JSON, and no control characters from other people's documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any


def printable(text: str, *, newlines: bool = False) -> str:
    """The text with everything that a terminal might act upon (controls, bidi marks) written as `\\u…`.

    Names and witnesses come from documents that others wrote. `newlines` keeps line feeds.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or (newlines and char == "\n") else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def json_text(value: Any, indent: int | None = None) -> str:
    """The value as JSON, with exact numbers (`Decimal` as written) and keys in the order they have.

    Args:
        value: what JSON can say, with `Decimal` for numbers that are no integers.
        indent: spaces a level, or None for one line.
    """
    parts: list[str] = []
    _write(value, parts, indent, "\n")
    return "".join(parts)


def _write(value: Any, parts: list[str], indent: int | None, line: str) -> None:
    if isinstance(value, Decimal):
        parts.append(str(value))
    elif isinstance(value, Mapping):
        _write_members(
            [(json.dumps(str(key), ensure_ascii=False) + ": ", item) for key, item in value.items()],
            "{}",
            parts,
            indent,
            line,
        )
    elif isinstance(value, Sequence) and not isinstance(value, str):
        _write_members([("", item) for item in value], "[]", parts, indent, line)
    else:
        # `allow_nan`: NaN in a report would be no JSON, and is a bug to see at once.
        parts.append(json.dumps(value, ensure_ascii=False, allow_nan=False))


def _write_members(
    members: list[tuple[str, Any]], brackets: str, parts: list[str], indent: int | None, line: str
) -> None:
    if not members:
        parts.append(brackets)
        return
    inner = line if indent is None else line + " " * indent
    parts.append(brackets[0])
    for number, (key, item) in enumerate(members):
        if number:
            parts.append(", " if indent is None else ",")
        if indent is not None:
            parts.append(inner)
        parts.append(key)
        _write(item, parts, indent, inner)
    if indent is not None:
        parts.append(line)
    parts.append(brackets[1])


def place_text(file: str | None, line: int | None, column: int | None = None) -> str:
    """`file:line:column`, as far as known: what editors and terminals turn into a link."""
    return ":".join(str(part) for part in (file or "", line, column) if part is not None)


def shorten(text: str, width: int = 400) -> str:
    """The text, or its beginning and what is left out."""
    return text if len(text) <= width else f"{text[: width - 1]}… ({len(text) - width + 1:,} more characters)"


def plural(count: int, noun: str) -> str:
    """`1 finding`, `2 findings`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
