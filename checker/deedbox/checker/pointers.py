"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from typing import Any


def escape(token: str) -> str:
    """One reference token as it stands in a pointer."""
    return token.replace("~", "~0").replace("/", "~1") if "~" in token or "/" in token else token


def join(pointer: str, *tokens: str | int) -> str:
    """The pointer extended by tokens."""
    return pointer + "".join("/" + (escape(t) if isinstance(t, str) else str(t)) for t in tokens)


def split(pointer: str) -> list[str]:
    """The unescaped tokens of a pointer; none for the root.

    Raises:
        ValueError: neither empty nor starting with a slash.
    """
    if not pointer:
        return []
    if pointer[0] != "/":
        raise ValueError(f"a JSON pointer is empty or starts with '/': {pointer!r}")
    return [t.replace("~1", "/").replace("~0", "~") for t in pointer[1:].split("/")]


def parent(pointer: str) -> str:
    """The pointer of what holds a place; the root holds itself."""
    return pointer.rpartition("/")[0]


def get(value: Any, pointer: str) -> Any:
    """What the pointer names in a value.

    Raises:
        LookupError: it names nothing there.
    """
    for token in split(pointer):
        if isinstance(value, dict):
            value = value[token]
        elif isinstance(value, list):
            if not (token.isascii() and token.isdigit()) or (token[0] == "0" and token != "0"):
                raise KeyError(token)
            value = value[int(token)]
        else:
            raise KeyError(token)
    return value
