"""A JSON Schema document as places and the references between them. Reads nothing but the document itself.

A `Node` is one place that holds a subschema. Identity is (document, pointer): the same place reached by two ways is the
same node, so that walks over recursive schemas can stop.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin

from deedbox.checker import pointers
from deedbox.checker.canonical import digest
from deedbox.checker.errors import NotASchema, UnresolvedReference
from deedbox.checker.json_schema.dialects import DIALECTS, Dialect, by_uri, dialect_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.documents import Document
    from deedbox.checker.json_schema.precheck import Measures


IN_PLACE = frozenset({"allOf", "anyOf", "oneOf", "if", "then", "else", "dependentSchemas", "dependencies"})
"""Applicators whose subschemas judge the same value (2020-12 core §10.2)."""


@dataclass(frozen=True, slots=True)
class Node:
    """One subschema: the document it is in, and its pointer there."""

    schema: Schema
    pointer: str

    @property
    def value(self) -> Any:
        """The subschema itself: a dict or a bool."""
        return self.schema.value_at(self.pointer)

    @property
    def dialect(self) -> Dialect:
        """The draft that its keywords are read by."""
        return self.schema.dialect

    def child(self, *tokens: str | int) -> Node:
        """The subschema below, by keyword and name or index."""
        return Node(self.schema, pointers.join(self.pointer, *tokens))

    def keywords(self) -> dict[str, Any]:
        """Its keywords as its draft reads them: up to draft 7, `$ref` is alone and hides its siblings. A bool has none."""
        value = self.value
        if not isinstance(value, dict):
            return {}
        if self.dialect.ref_overrides_siblings and isinstance(value.get("$ref"), str):
            return {"$ref": value["$ref"]}
        return value

    def reference(self) -> Node | None:
        """What its `$ref` leads to, or None without one."""
        ref = self.keywords().get("$ref")
        return self.schema.resolve(self.pointer, ref) if isinstance(ref, str) else None

    def subschemas(self) -> Iterator[tuple[str, Node]]:
        """Each subschema that a keyword of it holds, with that keyword."""
        for keyword, tokens, _ in held(self.keywords(), self.dialect):
            yield keyword, self.child(*tokens)

    def in_place(self) -> Iterator[tuple[str, Node]]:
        """Each subschema that judges the same value as this one, with the keyword that brings it in.

        `not` is left out (it says what a value is not), and so is what a reference adds by dynamic scope alone: every
        place that a dynamic reference might lead to is given.
        """
        keywords = self.keywords()
        for keyword in self.dialect.references:
            if isinstance(keywords.get(keyword), str):
                for target in self.schema.targets(self.pointer, keyword, keywords[keyword]):
                    yield keyword, target
        for keyword, child in self.subschemas():
            if keyword in IN_PLACE:
                yield keyword, child


class Schema:
    """A document read as JSON Schema, all of whose references lead somewhere within it (or to a metaschema).

    Args:
        document: the parsed document.
        dialect: for documents whose `$schema` is missing or unknown.

    Raises:
        NotASchema: neither an object nor a boolean where a schema must be.
        UnknownDialect: see `dialect_of`.
        UnresolvedReference: with the pointer of the reference.
    """

    def __init__(self, document: Document, dialect: str | None = None) -> None:
        self.document, self.root, self.name = document, document.value, document.name
        if not isinstance(self.root, dict | bool):
            shown = {str: "a string", list: "an array", type(None): "null"}.get(type(self.root), "a number")
            raise NotASchema(f"a schema is an object or a boolean, not {shown}", source=self.name, pointer="")
        self.dialect = dialect_of(self.root, dialect, self.name)
        self._places: dict[str, Any] = {"": self.root}
        self._targets: dict[tuple[str, str], Node] = {}
        self._resources: dict[str, str] = {}
        """URI (without fragment) → pointer of each embedded resource; the root under its own URI and under ""."""
        self._anchors: dict[tuple[str, str], str] = {}
        """(resource pointer, name) → pointer, plain and dynamic anchors alike."""
        self.dynamic_anchors: dict[tuple[str, str], str] = {}
        """(resource pointer, name) → pointer of each `$dynamicAnchor`; name "" for `$recursiveAnchor: true`."""
        self._bases: dict[str, tuple[str, str]] = {}
        """Pointer of each resource root → (its URI, itself)."""
        self.size = 1
        """How many subschemas it holds."""
        self.references: list[tuple[str, str, str]] = []
        """Every (pointer, keyword, reference) in it: `$ref`, `$dynamicRef`, `$recursiveRef`."""
        self._index()

    def __repr__(self) -> str:
        return f"Schema({self.name!r}, {self.dialect.name})"

    @property
    def node(self) -> Node:
        """The root."""
        return Node(self, "")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document's canonical form."""
        return digest(self.root)

    @cached_property
    def measures(self) -> Measures:
        """How demanding it is, see `precheck`."""
        from deedbox.checker.json_schema.precheck import measure

        return measure(self)

    def value_at(self, pointer: str) -> Any:
        """The value at a pointer.

        Raises:
            LookupError: there is none.
        """
        try:
            return self._places[pointer]
        except KeyError:
            value = self._places[pointer] = pointers.get(self.root, pointer)
            return value

    def resource_of(self, pointer: str) -> str:
        """Pointer of the root of the schema resource that a place belongs to (2020-12 core §4.3.5)."""
        if len(self._bases) == 1:
            return ""
        while pointer not in self._bases:
            pointer = pointer.rpartition("/")[0]
        return pointer

    def resolve(self, pointer: str, reference: str) -> Node:
        """The place that a `$ref` at `pointer` leads to, as a static reference (also the start of a dynamic one).

        Raises:
            UnresolvedReference: nowhere, or out of the document.
        """
        resource = self.resource_of(pointer)
        key = (resource, reference)
        found = self._targets.get(key)
        if found is None:
            found = self._targets[key] = self._find(pointer, resource, reference)
        return found

    def resolve_dynamic(self, pointer: str, keyword: str, reference: str, scope: tuple[str, ...]) -> Node:
        """The place that a `$dynamicRef` or `$recursiveRef` leads to (2020-12 core §8.2.3.2, 2019-09 core §8.2.4.2).

        Args:
            pointer: where the reference stands.
            keyword: which of the two it is.
            reference: its value.
            scope: pointers of the resources entered on the way to it, outermost first, its own last.
        """
        start = self.resolve(pointer, reference)
        if start.schema is not self:
            return start
        name = "" if keyword == "$recursiveRef" else unquote(urldefrag(reference).fragment)
        if self.dynamic_anchors.get((self.resource_of(start.pointer), name)) != start.pointer:
            return start
        for resource in scope:
            outer = self.dynamic_anchors.get((resource, name))
            if outer is not None:
                return Node(self, outer)
        return start

    def targets(self, pointer: str, keyword: str, reference: str) -> list[Node]:
        """Every place that a reference may lead to, over all dynamic scopes; one where it is static."""
        start = self.resolve(pointer, reference)
        if keyword == "$ref" or start.schema is not self:
            return [start]
        resources = tuple(resource for resource, _ in self.dynamic_anchors)
        found = {start}
        for resource in resources:
            found.add(self.resolve_dynamic(pointer, keyword, reference, (resource,)))
        return sorted(found, key=lambda node: node.pointer)

    def _find(self, pointer: str, resource: str, reference: str) -> Node:
        uri, fragment = urldefrag(urljoin(self._bases[resource][0], reference))
        if reference.startswith("#"):  # urljoin drops an empty fragment's base for non-hierarchical URIs such as urn:
            uri, fragment = self._bases[resource][0], reference[1:]
        target = self._resources.get(uri)
        if target is None:
            dialect = by_uri(uri)
            if dialect is not None:
                return metaschema(dialect).resolve("", f"#{fragment}")
            raise UnresolvedReference(
                f"{reference!r} leads out of the document, and nothing is ever fetched: bundle what it names under "
                f"{'definitions' if self.dialect.rank < 19 else '$defs'} with its {self.dialect.identifier}, "
                "and keep the reference",
                source=self.name,
                pointer=pointer,
            )
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            place = self._anchors.get((target, fragment))
            if place is None:
                raise UnresolvedReference(
                    f"{reference!r} leads nowhere: no anchor {fragment!r} in the document",
                    source=self.name,
                    pointer=pointer,
                )
            return Node(self, place)
        place = target + fragment
        try:
            value = self.value_at(place)
        except LookupError:
            raise UnresolvedReference(
                f"{reference!r} leads nowhere: there is nothing at {place}", source=self.name, pointer=pointer
            ) from None
        if not isinstance(value, dict | bool):
            raise UnresolvedReference(
                f"{reference!r} leads to {place}, which is no schema", source=self.name, pointer=pointer
            )
        return Node(self, place)

    def _index(self) -> None:
        """One walk over all places: resources, anchors, references. Then each reference is followed once."""
        if isinstance(self.root, bool):
            self._bases[""] = ("", "")
            self._resources[""] = ""
            return
        own = self.root.get(self.dialect.identifier)
        base = urldefrag(own).url if isinstance(own, str) else ""
        self._bases[""] = (base, "")
        self._resources[""] = self._resources[base] = ""
        seen: set[str] = set()
        self._walk("", self.root, base, "", seen)
        done = 0
        # A reference may lead to a place that no keyword holds: that is walked then too, and may hold more references.
        while done < len(self.references):
            pointer, _, reference = self.references[done]
            done += 1
            target = self.resolve(pointer, reference)
            if target.schema is self and target.pointer not in seen:
                resource = self.resource_of(target.pointer)
                self._walk(target.pointer, target.value, self._bases[resource][0], resource, seen)
        self.size = len(seen)

    def _walk(self, pointer: str, value: Any, base: str, resource: str, seen: set[str]) -> None:
        stack = [(pointer, value, base, resource)]
        while stack:
            pointer, value, base, resource = stack.pop()
            if pointer in seen:
                continue
            seen.add(pointer)
            if isinstance(value, bool):
                continue
            if not isinstance(value, dict):
                raise NotASchema("a schema is an object or a boolean", source=self.name, pointer=pointer)
            ref = value.get("$ref")
            alone = self.dialect.ref_overrides_siblings and isinstance(ref, str)
            if not alone:
                base, resource = self._identify(pointer, value, base, resource)
            for keyword in self.dialect.references:
                reference = value.get(keyword)
                if isinstance(reference, str):
                    self.references.append((pointer, keyword, reference))
            # Siblings of an overriding $ref are read by nobody, but other references may lead into them.
            for _, tokens, below in held(value, self.dialect):
                stack.append((pointers.join(pointer, *tokens), below, base, resource))

    def _identify(self, pointer: str, value: dict[str, Any], base: str, resource: str) -> tuple[str, str]:
        identifier = value.get(self.dialect.identifier)
        if isinstance(identifier, str) and pointer:
            uri, fragment = urldefrag(urljoin(base, identifier))
            if identifier.startswith("#"):  # up to draft 7 an $id of only a fragment is an anchor
                self._anchors.setdefault((resource, fragment), pointer)
            elif uri:
                base, resource = uri, pointer
                self._bases[pointer] = (uri, pointer)
                self._resources.setdefault(uri, pointer)
        if self.dialect.rank >= 19:
            for keyword in ("$anchor", "$dynamicAnchor"):
                anchor = value.get(keyword)
                if isinstance(anchor, str):
                    self._anchors.setdefault((resource, anchor), pointer)
                    if keyword == "$dynamicAnchor":
                        self.dynamic_anchors.setdefault((resource, anchor), pointer)
            if value.get("$recursiveAnchor") is True and pointer == resource:
                self.dynamic_anchors[resource, ""] = pointer
        return base, resource


def held(value: dict[str, Any], dialect: Dialect) -> Iterator[tuple[str, tuple[str | int, ...], Any]]:
    """Each subschema that a schema's keywords hold: keyword, tokens from the schema to it, itself."""
    for keyword, held in value.items():
        shape = dialect.applicators.get(keyword)
        if shape is None:
            continue
        if isinstance(held, list):
            if shape in ("list", "schema-or-list"):
                for i, item in enumerate(held):
                    yield keyword, (keyword, i), item
        elif shape in ("schema", "schema-or-list"):
            if isinstance(held, dict | bool):
                yield keyword, (keyword,), held
        elif isinstance(held, dict) and shape != "list":
            for name, item in held.items():
                if shape == "map" or isinstance(item, dict | bool):
                    yield keyword, (keyword, name), item


@cache
def metaschema(dialect: Dialect) -> Schema:
    """The metaschema of a draft, bundled into one document (2019-09 and 2020-12 are made of vocabularies)."""
    from deedbox.checker.documents import load_document
    from jsonschema_specifications import REGISTRY

    root = dict(REGISTRY.contents(dialect.uri if dialect.rank >= 19 else dialect.uri + "#"))
    if dialect.rank >= 19:
        parts = {part["$ref"]: dict(REGISTRY.contents(urljoin(dialect.uri, part["$ref"]))) for part in root["allOf"]}
        root["$defs"] = dict(root.get("$defs", {})) | parts
    assert dialect.name in DIALECTS
    return Schema(load_document(root, dialect.uri))
