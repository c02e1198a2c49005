"""What a search finds in a document: names of fields, parameters and operations, and what is said of them.

Shallow on purpose, so that it is quick: nothing is resolved, a field is found where it is written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from deedbox.checker.openapi.model import METHODS
from deedbox.checker.pointers import escape

_MOST = 5_000
_PROPERTIES = ("properties", "patternProperties")
_NAMED = frozenset((*_PROPERTIES, "$defs", "definitions", "dependentSchemas", "schemas", "paths", "webhooks"))
"""Members whose own members have names of the author's choice."""
_VALUES = frozenset(("enum", "const", "default", "examples", "example"))
_BLANK = " "


class Word(NamedTuple):
    """A field, parameter or operation: where it is written, its name, what is said of it (title and description)."""

    pointer: str
    name: str
    text: str


class Words(NamedTuple):
    """All words of a document: what it says of itself, those with a name, and their letters, a line each.

    What has a name is kept as plain tuples, which the collector of garbage looks at once and never again.
    """

    whole: str
    named: tuple[tuple[str, str, str], ...]
    lowered: str

    def having(self, wanted: Sequence[str]) -> Iterator[Word]:
        """Those that have all of some words (in lower case, without blanks) in name or text."""
        lowered, line = self.lowered, 0
        if not all(word in lowered for word in wanted):
            return
        rarest = min(wanted, key=lowered.count)
        counted = 0
        at = lowered.find(rarest)
        while at >= 0:
            start, end = lowered.rfind("\n", 0, at) + 1, lowered.find("\n", at)
            line += lowered.count("\n", counted, start)
            counted = start
            if all(word in lowered[start:end] for word in wanted):
                yield Word(*self.named[line])
            at = lowered.find(rarest, end)


def words_of(canonical: str) -> Words:
    """The words of a document, by its canonical text; at most 5,000 of them."""
    value = json.loads(canonical)
    found: list[tuple[str, str, str]] = []
    pending: list[tuple[str, Any]] = [("", value)]
    while pending and len(found) < _MOST:
        pointer, value_here = pending.pop()
        if isinstance(value_here, list):
            pending += [(f"{pointer}/{i}", item) for i, item in enumerate(value_here) if isinstance(item, dict | list)]
            continue
        if not isinstance(value_here, dict):
            continue  # a schema that is true or false
        if "in" in value_here and isinstance(name := value_here.get("name"), str):
            found.append((f"{pointer}/schema" if "schema" in value_here else pointer, name, said(value_here)))
        for keyword, held in value_here.items():
            if not isinstance(held, dict | list) or keyword in _VALUES:
                continue
            below = f"{pointer}/{_escaped(keyword)}"
            if keyword in _NAMED and isinstance(held, dict):
                for name, member in held.items():
                    place = f"{below}/{_escaped(name)}"
                    if keyword in _PROPERTIES:
                        found.append((place, name, said(member)))
                    elif keyword in ("paths", "webhooks") and isinstance(member, dict):
                        found += _operations(place, name, member)
                    if isinstance(member, dict | list):
                        pending.append((place, member))
            else:
                pending.append((below, held))
    named = tuple(found[:_MOST])
    # Whole lines, so that a word never reaches from one into the next; blanks part words, so none has one.
    lines = [f"{name}\0{text}" for _, name, text in named]
    if canonical.find("\\n") >= 0:
        lines = [line.replace("\n", _BLANK) for line in lines]
    return Words(said(value), named, "\n".join((*lines, "")).lower())


def said(schema: Any) -> str:
    """What a schema, or an API document, says of itself: title and description."""
    if not isinstance(schema, dict):
        return ""
    told = _joined(schema.get("title"), schema.get("description"))
    info = schema.get("info")  # of an API document
    return _joined(told, info.get("title"), info.get("description")) if isinstance(info, dict) else told


def _operations(pointer: str, path: str, item: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for method in METHODS:
        operation = item.get(method)
        if isinstance(operation, dict):
            told = _joined(*(operation.get(key) for key in ("operationId", "summary", "description")))
            yield f"{pointer}/{method}", f"{method.upper()} {path}", told


def _joined(*texts: Any) -> str:
    """Those that are texts, as sentences one after the other."""
    told = [text.strip().rstrip(".") for text in texts if isinstance(text, str)]
    return ". ".join(filter(None, told)) if len(told) > 1 else told[0] if told else ""


def _escaped(token: str) -> str:
    return escape(token) if "/" in token or "~" in token else token
