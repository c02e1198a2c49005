"""JSON values as hashable keys, and the six sorts of values.

A key says what the value is and nothing else: 1 and 1.0 have one key, 1 and true have two, an object's order is gone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

NULL: Final = 1
BOOLEAN: Final = 2
NUMBER: Final = 4
STRING: Final = 8
ARRAY: Final = 16
OBJECT: Final = 32
ANY: Final = 63
SORTS: Final = (STRING, NUMBER, BOOLEAN, OBJECT, ARRAY, NULL)
"""The sorts as bits of a mask, in the order in which a value is looked for."""

_TRUE: Final = ("t",)
_FALSE: Final = ("f",)


def key_of(value: Any) -> Any:
    """The key of a JSON value."""
    if value is True:
        return _TRUE
    if value is False:
        return _FALSE
    if isinstance(value, dict):
        return ("o", frozenset((name, key_of(member)) for name, member in value.items()))
    if isinstance(value, list | tuple):
        return ("a", tuple(key_of(item) for item in value))
    if isinstance(value, float):
        value = Decimal(repr(value))
    return value


def value_of(key: Any) -> Any:
    """The value that has a key; members of objects in the order of their names."""
    if isinstance(key, tuple):
        mark = key[0]
        if mark == "t":
            return True
        if mark == "f":
            return False
        if mark == "a":
            return [value_of(item) for item in key[1]]
        return {name: value_of(member) for name, member in sorted(key[1], key=lambda pair: pair[0])}
    return key


def sort_of_key(key: Any) -> int:
    """The sort of the value that has a key."""
    if isinstance(key, str):
        return STRING
    if key is None:
        return NULL
    if isinstance(key, tuple):
        return {"t": BOOLEAN, "f": BOOLEAN, "a": ARRAY, "o": OBJECT}[key[0]]
    return NUMBER


def sort_of(value: Any) -> int:
    """The sort of a JSON value."""
    if isinstance(value, str):
        return STRING
    if value is True or value is False:
        return BOOLEAN
    if isinstance(value, dict):
        return OBJECT
    if isinstance(value, list):
        return ARRAY
    return NULL if value is None else NUMBER


def ordered(keys: frozenset[Any]) -> list[Any]:
    """Keys in an order that no run changes: by sort, short and small ones first."""
    return sorted(keys, key=_rank)


def _rank(key: Any) -> Any:
    sort = sort_of_key(key)
    if sort == STRING:
        return (0, len(key), key)
    if sort == NUMBER:
        return (1, abs(key), "-" if key < 0 else "")
    return (sort, 0, repr(key) if sort < ARRAY else _stable(key))


def _stable(key: Any) -> str:
    if isinstance(key, tuple) and key[0] == "o":
        return "{" + ",".join(f"{n!r}:{_stable(k)}" for n, k in sorted(key[1], key=lambda p: p[0])) + "}"
    if isinstance(key, tuple) and key[0] == "a":
        return "[" + ",".join(map(_stable, key[1])) + "]"
    return repr(key)
