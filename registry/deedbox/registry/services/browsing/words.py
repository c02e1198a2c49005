"""What a search finds in a schema: names of fields and what is said of them. Shallow on purpose, so that it is quick."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from deedbox.checker.pointers import join

_MOST = 5_000
_NAMED = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas")


class Word(NamedTuple):
    """A field: where it is written, its name, what is said of it (title and description)."""

    pointer: str
    name: str
    text: str


def words_of(canonical: str) -> tuple[Word, ...]:
    """The words of a document, by its canonical text; at most 5,000 of them."""
    found: list[Word] = []
    pending: list[tuple[str, Any]] = [("", json.loads(canonical))]
    while pending and len(found) < _MOST:
        pointer, value = pending.pop()
        if isinstance(value, list):
            pending += [(join(pointer, i), item) for i, item in enumerate(value) if isinstance(item, dict | list)]
        if not isinstance(value, dict):
            continue
        if not pointer and (whole := said(value)):
            found.append(Word("", "", whole))
        for keyword, held in value.items():
            if not isinstance(held, dict | list):
                continue
            below = join(pointer, keyword)
            if keyword in ("properties", "patternProperties") and isinstance(held, dict):
                found += [Word(join(below, name), name, said(schema)) for name, schema in held.items()]
            if isinstance(held, dict) and keyword in _NAMED:
                pending += [(join(below, name), schema) for name, schema in held.items()]
            elif keyword not in ("enum", "const", "default", "examples", "example"):
                pending.append((below, held))
    return tuple(found[:_MOST])


def said(schema: Any) -> str:
    """What a schema, or an API document, says of itself: title and description."""
    if not isinstance(schema, dict):
        return ""
    parts = [schema.get(name) for name in ("title", "description")]
    if isinstance(schema.get("info"), dict):  # of an API document
        parts += [schema["info"].get(name) for name in ("title", "description")]
    return ". ".join(part.strip().rstrip(".") for part in parts if isinstance(part, str) and part.strip())
