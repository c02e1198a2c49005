"""Reading documents: JSON and YAML text to exact values, with the line of every place, and limits that protect us.

Strict on purpose (RFC 8259, RFC 7493): a duplicate key, NaN, a lone surrogate or a number of absurd size is an error
that says where, since parsers disagree on what such a document means.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from functools import cached_property
from typing import Any, NoReturn

from deedbox.checker.errors import NotJsonValue, SyntaxInvalid, TooLarge
from deedbox.checker.pointers import join

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 200
MAX_DIGITS = 1_000
MAX_NODES = 2_000_000
"""Values in a YAML document, each alias counted as what it stands for."""

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class Document:
    """A parsed document: `value` (exact, see `JsonValue`), `name` for messages, and the text it came from, if any."""

    def __init__(self, value: Any, name: str = "document", text: str | None = None, syntax: str = "") -> None:
        self.value, self.name, self.text, self.syntax = value, name, text, syntax

    @cached_property
    def _positions(self) -> dict[str, tuple[int, int]]:
        if self.text is None:
            return {}
        if self.syntax == "yaml":
            from deedbox.checker.yaml_text import positions
        else:
            from deedbox.checker.json_text import positions
        return positions(self.text)

    def position(self, pointer: str) -> tuple[int, int] | None:
        """Line and column, from 1, of a place: of its key in an object, of its value in an array.

        A place that is not there gives that of its nearest ancestor; a document without text gives None.
        """
        positions = self._positions
        while pointer not in positions:
            if not pointer:
                return None
            pointer = pointer.rpartition("/")[0]
        return positions[pointer]

    def place(self, pointer: str) -> tuple[str, int | None, int | None]:
        """File, line and column of a place; the last two None where the document has no text."""
        line, column = self.position(pointer) or (None, None)
        return self.name, line, column

    def line(self, pointer: str) -> int | None:
        """The line of a place, from 1, or None where the document has no text."""
        position = self.position(pointer)
        return position[0] if position else None


def load_document(source: Any, name: str = "document") -> Document:
    """Reads JSON or YAML text (str or UTF-8 bytes), or takes a parsed value (dict, list, bool, …).

    A name that ends in `.json` or `.yaml` decides the syntax; else text that starts like a JSON object or array is
    JSON, and all else YAML.

    Raises:
        SyntaxInvalid, DuplicateKey, NotJsonValue, TooLarge: each with the line or the pointer.
    """
    if isinstance(source, Document):
        return source
    if isinstance(source, bytes | bytearray | memoryview):
        source = _decode(bytes(source), name)
    if not isinstance(source, str):
        return Document(_normalised(source, name), name)
    if len(source) > MAX_BYTES:
        raise TooLarge(f"longer than {MAX_BYTES >> 20} MiB: split the document", source=name)
    text = source.removeprefix("\ufeff")
    lowered = name.lower()
    is_json = lowered.endswith((".json", ".avsc")) or (
        not lowered.endswith((".yaml", ".yml")) and text.lstrip(" \t\r\n")[:1] in ("{", "[", '"')
    )
    if is_json:
        return Document(_parse_json(text, name), name, text, "json")
    from deedbox.checker import yaml_text

    return Document(yaml_text.parse(text, name), name, text, "yaml")


def exact(number: float | Decimal, name: str, pointer: str | None = None) -> int | Decimal:
    """A finite number as the value it has: an int where integral, else a Decimal without trailing zeros.

    Raises:
        NotJsonValue: NaN, an infinity, or more than `MAX_DIGITS` digits when written out.
    """
    value = number if isinstance(number, Decimal) else Decimal(repr(number))
    if not value.is_finite():
        raise NotJsonValue(f"{number} is no JSON number (RFC 8259 §6)", source=name, pointer=pointer)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    if value and (value.adjusted() > MAX_DIGITS or exponent < -MAX_DIGITS - 400):
        raise NotJsonValue(f"a number of more than {MAX_DIGITS} digits", source=name, pointer=pointer)
    if exponent >= 0 or value == value.to_integral_value():
        return int(value)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    while digits[-1] == 0:  # exact, where normalize() would round to the context's precision
        digits, exponent = digits[:-1], exponent + 1
    return Decimal((sign, digits, exponent))


def integer(text: str, name: str) -> int:
    """An integer literal.

    Raises:
        NotJsonValue: more than `MAX_DIGITS` digits.
    """
    if len(text) > MAX_DIGITS:
        raise NotJsonValue(f"a number of more than {MAX_DIGITS} digits", source=name)
    return int(text)


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise TooLarge(f"longer than {MAX_BYTES >> 20} MiB: split the document", source=name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SyntaxInvalid(
            f"byte {error.start} is not UTF-8 ({error.reason}): save the file as UTF-8", source=name, line=line
        ) from None


class _Repeated(Exception):  # leaves the parser's C code, becomes a DuplicateKey
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Repeated
    return members


def _parse_json(text: str, name: str) -> Any:
    def constant(literal: str) -> NoReturn:
        raise NotJsonValue(f"{literal} is no JSON value (RFC 8259 §6)", source=name)

    try:
        value = json.loads(
            text,
            object_pairs_hook=_pairs,
            parse_float=lambda literal: exact(Decimal(literal), name),
            parse_int=lambda literal: integer(literal, name),
            parse_constant=constant,
        )
    except json.JSONDecodeError as error:
        raise SyntaxInvalid(
            f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", source=name, line=error.lineno, column=error.colno
        ) from None
    except RecursionError:
        raise TooLarge(f"nested deeper than {MAX_DEPTH} levels", source=name) from None
    except (_Repeated, NotJsonValue) as error:
        from deedbox.checker.json_text import raise_at_fault

        raise_at_fault(text, name, error if isinstance(error, NotJsonValue) else None)
    check_depth(value, name)
    if _SURROGATE_ESCAPE.search(text):
        check_strings(value, name)
    return value


def check_depth(value: Any, name: str) -> None:
    """Refuses what is nested deeper than `MAX_DEPTH`.

    Raises:
        TooLarge: with the pointer's first steps.
    """
    level = [(value, "")] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        below = []
        for container, pointer in level:
            members: Any = container.items() if isinstance(container, dict) else enumerate(container)
            below += [(v, (pointer, k)) for k, v in members if isinstance(v, dict | list)]
        if not below:
            return
        level = below  # type: ignore[assignment]
    raise TooLarge(f"nested deeper than {MAX_DEPTH} levels", source=name, pointer=_first_steps(level[0][1]))


def _first_steps(chain: Any) -> str:
    tokens = []
    while chain:
        chain, token = chain
        tokens.append(token)
    return join("", *reversed(tokens[-8:])) + ("/…" if len(tokens) > 8 else "")


def check_strings(value: Any, name: str, pointer: str = "") -> None:
    """Refuses lone surrogates: no encoding of Unicode can say them (RFC 8259 §8.2).

    Raises:
        NotJsonValue: with the pointer.
    """
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            raise NotJsonValue("a lone surrogate is no Unicode text", source=name, pointer=pointer)
    elif isinstance(value, dict):
        for key, member in value.items():
            shown = key.encode("utf-8", "replace").decode()
            check_strings(key, name, join(pointer, shown))
            check_strings(member, name, join(pointer, shown))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            check_strings(item, name, join(pointer, i))


def _normalised(value: Any, name: str, pointer: str = "", depth: int = 0) -> Any:
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        check_strings(value, name, pointer)
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_DIGITS * 4:
            raise NotJsonValue(f"a number of more than {MAX_DIGITS} digits", source=name, pointer=pointer)
        return value
    if isinstance(value, float | Decimal):
        return exact(value, name, pointer)
    if depth >= MAX_DEPTH:
        raise TooLarge(f"nested deeper than {MAX_DEPTH} levels", source=name, pointer=pointer[:80])
    if isinstance(value, dict):
        members = {}
        for key, member in value.items():
            if not isinstance(key, str):
                raise NotJsonValue(f"the key {key!r} is no string", source=name, pointer=pointer)
            check_strings(key, name, pointer)
            members[key] = _normalised(member, name, join(pointer, key), depth + 1)
        return members
    if isinstance(value, list | tuple):
        return [_normalised(item, name, join(pointer, i), depth + 1) for i, item in enumerate(value)]
    raise NotJsonValue(f"a {type(value).__name__} is no JSON value", source=name, pointer=pointer)
