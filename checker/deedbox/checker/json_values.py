"""What a JSON value may be: exact numbers, Unicode text, and how deep and how large."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from deedbox.checker.errors import NotJsonValue, TooLarge
from deedbox.checker.pointers import join

MAX_DEPTH = 200
MAX_DIGITS = 1_000
MAX_NODES = 2_000_000


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


def check_depth(value: Any, name: str) -> None:
    """Refuses what is nested deeper than `MAX_DEPTH`.

    Raises:
        TooLarge: with the pointer's first steps.
    """
    level: list[tuple[Any, Any]] = [(value, "")] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        below: list[tuple[Any, Any]] = []
        for container, pointer in level:
            members: Any = container.items() if isinstance(container, dict) else enumerate(container)
            below += [(v, (pointer, k)) for k, v in members if isinstance(v, dict | list)]
        if not below:
            return
        level = below
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


def normalised(value: Any, name: str, pointer: str = "", depth: int = 0) -> Any:
    """A copy of a parsed value with exact numbers, tuples as lists.

    Raises:
        NotJsonValue, TooLarge: with the pointer.
    """
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
            members[key] = normalised(member, name, join(pointer, key), depth + 1)
        return members
    if isinstance(value, list | tuple):
        return [normalised(item, name, join(pointer, i), depth + 1) for i, item in enumerate(value)]
    raise NotJsonValue(f"a {type(value).__name__} is no JSON value", source=name, pointer=pointer)
