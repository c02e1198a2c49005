"""JSON for responses. Numbers of witnesses are exact, so decimals are written as decimals and never rounded."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from deedbox.checker.canonical import number_text

_encode_string = json.encoder.encode_basestring


def dump(value: Any) -> bytes:
    """The JSON text of a value, keys in their own order, in UTF-8."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError):  # a Decimal, or an integer of more digits than Python converts
        parts: list[str] = []
        _write(value, parts)
        text = "".join(parts)
    return text.encode()


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, dict):
        parts.append("{")
        for i, (key, member) in enumerate(value.items()):
            parts.append(("," if i else "") + _encode_string(key) + ":")
            _write(member, parts)
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for i, item in enumerate(value):
            if i:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    elif isinstance(value, str):
        parts.append(_encode_string(value))
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        parts.append(number_text(value))
    else:
        parts.append(json.dumps(value, allow_nan=False))
