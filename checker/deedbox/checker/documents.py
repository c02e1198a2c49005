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
from deedbox.checker.json_values import MAX_DEPTH, check_depth, check_strings, exact, integer, normalised

MAX_BYTES = 16 * 1024 * 1024

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
        return Document(normalised(source, name), name)
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
