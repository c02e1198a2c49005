"""JSON as people read it: two spaces a level, short arrays of plain values on one line, numbers exact."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from deedbox.checker.canonical import number_text

_LINE = 88


def pretty(value: Any, indent: str = "") -> str:
    """The text of a JSON value, in its own order of keys."""
    if isinstance(value, dict) and value:
        inner = indent + "  "
        members = [f"{inner}{_plain(key)}: {pretty(member, inner)}" for key, member in value.items()]
        return "{\n" + ",\n".join(members) + f"\n{indent}}}"
    if isinstance(value, list | tuple) and value:
        if not any(isinstance(item, dict | list | tuple) for item in value):
            line = "[" + ", ".join(_plain(item) for item in value) + "]"
            if len(indent) + len(line) <= _LINE:
                return line
        inner = indent + "  "
        return "[\n" + ",\n".join(inner + pretty(item, inner) for item in value) + f"\n{indent}]"
    return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, dict | list | tuple):
        return "{}" if isinstance(value, dict) else "[]"
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return number_text(value)
    return json.dumps(value, ensure_ascii=False)
