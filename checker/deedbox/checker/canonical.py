"""Canonical JSON and the digests of content.

RFC 8785 (JCS) gives the order of keys and the escapes. Numbers depart from it: they are written exactly, integers in
full and 1.0 as 1, because JCS rounds to doubles and so takes 2**53 and 2**53 + 1 for one number.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Any

_encode_string = json.encoder.encode_basestring


def canonical(value: Any) -> bytes:
    """The canonical form of a JSON value as `load_document` gives it, in UTF-8."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
        # Python sorts keys by code point, RFC 8785 §3.2.3 by UTF-16 unit: they differ only past the surrogates.
        if text.isascii() or max(text) < "\ud800":
            return text.encode()
    except (TypeError, ValueError):
        pass  # a Decimal, or an integer of more digits than Python converts: written below
    parts: list[str] = []
    _write(value, parts)
    return "".join(parts).encode()


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, in hexadecimal (64 characters)."""
    return hashlib.sha256(canonical(value)).hexdigest()


def number_text(number: int | Decimal) -> str:
    """A number exactly: an integer in full, a fraction with as few digits as it has."""
    if isinstance(number, int):
        return str(number)
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    figures = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(figures)
    point = len(figures) + exponent
    if exponent >= 0:
        text = figures + "0" * exponent
    elif point > 0:
        text = figures[:point] + "." + figures[point:]
    elif point > -6:  # where ECMA-262 Number::toString turns to an exponent
        text = "0." + "0" * -point + figures
    else:
        text = figures[0] + ("." + figures[1:] if len(figures) > 1 else "") + f"e{point - 1}"
    return "-" + text if sign else text


def _write(value: Any, parts: list[str]) -> None:
    if value is None:
        parts.append("null")
    elif value is True or value is False:
        parts.append("true" if value else "false")
    elif isinstance(value, str):
        parts.append(_encode_string(value))
    elif isinstance(value, int | Decimal):
        parts.append(number_text(value))
    elif isinstance(value, dict):
        parts.append("{")
        for i, key in enumerate(sorted(value, key=lambda k: k.encode("utf-16-be"))):
            if i:
                parts.append(",")
            parts.append(_encode_string(key) + ":")
            _write(value[key], parts)
        parts.append("}")
    elif isinstance(value, list):
        parts.append("[")
        for i, item in enumerate(value):
            if i:
                parts.append(",")
            _write(item, parts)
        parts.append("]")
    else:
        raise TypeError(f"{type(value).__name__} is no JSON value: load it with load_document first")
