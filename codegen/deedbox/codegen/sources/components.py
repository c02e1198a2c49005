"""Schema objects of API documents, gathered into one JSON Schema document."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from deedbox.checker.canonical import digest
from deedbox.checker.documents import load_document
from deedbox.checker.errors import UnresolvedReference
from deedbox.checker.json_schema.dialects import DIALECTS
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.pointers import get, join
from deedbox.codegen import naming
from deedbox.codegen.errors import DocumentNotPackageable
from deedbox.codegen.sources import Root, Source

if TYPE_CHECKING:
    from deedbox.checker.documents import Document

_MOST_STEPS = 50


class Components:
    """Collects the messages of an API document; `source()` gives them as one document of definitions.

    Args:
        document: the API document.
        dialect: of its schema objects.
        nullable: whether they are OpenAPI 3.0's, with `nullable` and boolean exclusive bounds.
    """

    def __init__(self, document: Document, dialect: str, *, nullable: bool = False) -> None:
        self.document, self.dialect, self.nullable = document, dialect, nullable
        self.keyword = "definitions" if dialect in ("draft4", "draft6", "draft7") else "$defs"
        self.definitions: dict[str, Any] = {}
        self.roots: list[Root] = []
        self._placed: dict[str, str] = {}
        self._known: set[tuple[str, str]] = set()

    def followed(self, pointer: str) -> tuple[dict[str, Any], str]:
        """The object at a place, or at what it refers to, and where it is; an empty one where there is none."""
        for _ in range(_MOST_STEPS):
            try:
                value = get(self.document.value, pointer)
            except (LookupError, ValueError):
                return {}, pointer
            if not isinstance(value, dict):
                return {}, pointer
            reference = value.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return value, pointer
            pointer = unquote(reference[1:])
        return {}, pointer

    def add(self, name: str, pointer: str, examples: tuple[Any, ...] = (), *, alias: bool = False) -> None:
        """A message: what to call its class, and where in the document its schema is.

        A place that was added before, or that is the same schema under the same name, is one message. Where it is a
        reference, its class is that of what it refers to, under its own name as well if `alias` says so.
        """
        value = get(self.document.value, pointer)
        reference = value.get("$ref") if isinstance(value, dict) else None
        if isinstance(reference, str) and reference.startswith("#/"):
            if not alias:
                return  # what it refers to is a message itself
            pointer = unquote(reference[1:])
            value = self._value(pointer, reference)
        wanted, key = naming.class_name(name), digest(value)
        if (wanted, key) in self._known:
            return
        self._known.add((wanted, key))
        definition = self._place(pointer, name)
        root = definition
        if alias and root != wanted and all(r.class_name != wanted for r in self.roots):
            root = wanted
        there = next((i for i, r in enumerate(self.roots) if r.class_name == root), None)
        if there is None:
            self.roots.append(Root(root, join("", self.keyword, definition), examples))
        else:
            self.roots[there] = replace(self.roots[there], examples=self.roots[there].examples + examples)

    def source(self) -> Source:
        """The document of all messages added.

        Raises:
            DocumentNotPackageable: none was.
            UnresolvedReference: a reference leads nowhere, or out of the document.
        """
        if not self.roots:
            raise DocumentNotPackageable("the document describes no message: no schema to make a class of")
        info = self.document.value.get("info")
        info = info if isinstance(info, dict) else {}
        whole = load_document(
            {"$schema": DIALECTS[self.dialect].uri, self.keyword: self.definitions}, self.document.name
        )
        return Source(
            Schema(whole, self.dialect),
            tuple(self.roots),
            str(info.get("title") or ""),
            str(info.get("description") or ""),
            digest(self.document.value),
        )

    def _value(self, target: str, reference: str, place: str | None = None) -> Any:
        try:
            if reference.startswith("#/"):
                return get(self.document.value, target)
        except (LookupError, ValueError):
            pass
        raise UnresolvedReference(
            f"{reference!r} leads nowhere in the document, and nothing is ever fetched: bundle what it names",
            source=self.document.name,
            pointer=place if place is not None else target,
        )

    def _place(self, pointer: str, name: str) -> str:
        if pointer in self._placed:
            return self._placed[pointer]
        wanted = naming.class_name(name)
        definition, number = wanted, 1
        while definition in self.definitions:
            number += 1
            definition = f"{wanted}{number}"
        self._placed[pointer] = definition
        self.definitions[definition] = True  # its place, for references back to it
        self.definitions[definition] = self._rewritten(copy.deepcopy(get(self.document.value, pointer)), pointer)
        return definition

    def _rewritten(self, value: Any, pointer: str) -> Any:
        """A schema object with its references into the document made references to definitions."""
        if isinstance(value, list):
            return [self._rewritten(item, join(pointer, i)) for i, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        made = {
            k: v
            if k in ("enum", "const", "default", "example", "examples", "required") and not isinstance(v, dict)
            else self._rewritten(v, join(pointer, k))
            for k, v in value.items()
        }
        reference = value.get("$ref")
        if isinstance(reference, str):
            target = unquote(reference[1:])
            self._value(target, reference, pointer)
            made["$ref"] = "#" + join("", self.keyword, self._place(target, target.rpartition("/")[2]))
        return _as_json_schema(made) if self.nullable else made


def _as_json_schema(made: dict[str, Any]) -> dict[str, Any]:
    """What OpenAPI 3.0 says otherwise than JSON Schema (OAS 3.0.4 §4.7.24)."""
    for bound in ("Minimum", "Maximum"):
        exclusive = f"exclusive{bound}"
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and bound.lower() in made:
            made[exclusive] = made.pop(bound.lower())
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if isinstance(made.get("enum"), list) and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
    return made
