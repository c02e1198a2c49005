"""The document as the generator is to see it: nothing that it misreads, nothing that it would obey.

The generator is told only what a schema means. References become plain pointers into one document (it would otherwise
follow `$id`s), `format` goes (a `date-time` held as a datetime does not come out as it went in), and so does every
keyword that is no JSON Schema: some generators' extensions name Python modules to import.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from deedbox.checker.pointers import join, split

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node, Schema

_ANNOTATIONS = ("title", "description", "default", "readOnly", "writeOnly")
_DROPPED = frozenset({"format", "contentSchema", "if", "then", "else"})
"""Keywords that no class can say, and that only confuse the generator."""


@dataclass(slots=True)
class Loosening:
    """What is to be said less exactly so that valid messages are not refused, by pointer in the document.

    `anything`: places held as any value. `without`: keywords left out at a place.
    """

    anything: dict[str, str] = field(default_factory=dict)
    without: dict[str, dict[str, str]] = field(default_factory=dict)


def is_open(value: dict[str, Any]) -> bool:
    """Whether an enum, where enums are to be open, gets a place for other values: one of strings, or of strings and null."""
    values = value.get("enum")
    if not isinstance(values, list) or not all(isinstance(v, str) or v is None for v in values):
        return False
    return any(values) and (None not in values or "anyOf" not in value)


def prepared(
    schema: Schema,
    loosening: Loosening,
    *,
    keep_defaults: bool = True,
    open_enums: Literal["", "classes", "texts"] = "",
) -> tuple[Any, dict[str, str]]:
    """A document for the generator, and where its places come from: pointer there → pointer in the schema.

    Args:
        schema: the contract's.
        loosening: what to leave out.
        keep_defaults: whether `default` gives fields a default value.
        open_enums: whether enums that can be open become classes (null apart from them), or plain texts, or neither.
    """
    return _Preparation(schema, loosening, keep_defaults, open_enums).made()


class _Preparation:
    def __init__(self, schema: Schema, loosening: Loosening, keep_defaults: bool, open_enums: str) -> None:
        self.open_enums = open_enums
        self.schema, self.loosening, self.keep_defaults = schema, loosening, keep_defaults
        self.placed: dict[str, str] = {}
        """Pointer in the schema → in the document."""
        self.wanted: list[str] = []
        self.annotations = [a for a in _ANNOTATIONS if keep_defaults or a != "default"]

    def made(self) -> tuple[Any, dict[str, str]]:
        root = self.copied(self.schema.node, "")
        document: dict[str, Any] = root if isinstance(root, dict) else ({} if root else {"not": {}})
        definitions = "definitions" if self.schema.dialect.rank < 19 else "$defs"
        # A reference may lead to a place that no keyword holds, or that was left out: it becomes a definition.
        while self.wanted:
            pointer = self.wanted.pop()
            if pointer in self.placed:
                continue
            held = document.setdefault(definitions, {})
            name = (split(pointer) or ["Root"])[-1] or "Empty"
            while name in held:
                name += "_"
            held[name] = self.copied(self.schema_node(pointer), join("", definitions, name))
        self.point(document)
        document["$schema"] = self.schema.dialect.uri if self.schema.dialect.rank >= 19 else _DRAFT7
        return document, {there: here for here, there in self.placed.items()}

    def schema_node(self, pointer: str) -> Node:
        return type(self.schema.node)(self.schema, pointer)

    def copied(self, node: Node, place: str) -> Any:
        self.placed.setdefault(node.pointer, place)
        value = node.value
        if isinstance(value, bool):
            return value
        if node.pointer in self.loosening.anything:
            kept = {a: value[a] for a in ("title", "description") if isinstance(value.get(a), str)}
            return self.with_definitions(node, value, kept, place)
        keywords = node.keywords()
        without = self.loosening.without.get(node.pointer, {})
        made: dict[str, Any] = {a: _plain(value[a]) for a in self.annotations if a in value}
        references = [k for k in node.dialect.references if isinstance(keywords.get(k), str)]
        if references:
            target = node.schema.targets(node.pointer, references[0], keywords[references[0]])[-1]
            if target.schema is self.schema:
                made["$ref"] = target.pointer  # made a reference when every place is known
                self.wanted.append(target.pointer)
        for keyword, held in keywords.items():
            if keyword in without or keyword in _DROPPED:
                continue
            if keyword in node.dialect.assertions:
                made[keyword] = _plain(held)
            elif keyword in node.dialect.applicators:
                made[keyword] = self.below(node, keyword, held, join(place, keyword))
        if self.open_enums and is_open(made):
            _open(made, self.open_enums)
        if node.dialect.rank == 4:
            _numeric_exclusive(made)
        return self.with_definitions(node, value, made, place)

    def with_definitions(self, node: Node, value: dict[str, Any], made: dict[str, Any], place: str) -> dict[str, Any]:
        """Beside an overriding `$ref`, or where all else is left out, definitions are there still."""
        for keyword in ("definitions", "$defs"):
            if keyword not in made and isinstance(value.get(keyword), dict) and keyword in node.dialect.applicators:
                made[keyword] = self.below(node, keyword, value[keyword], join(place, keyword))
        return made

    def below(self, node: Node, keyword: str, held: Any, place: str) -> Any:
        if isinstance(held, list) and node.dialect.applicators[keyword] in ("list", "schema-or-list"):
            return [self.copied(node.child(keyword, i), join(place, i)) for i in range(len(held))]
        shape = node.dialect.applicators[keyword]
        if shape.startswith("map") and isinstance(held, dict):
            return {
                name: self.copied(node.child(keyword, name), join(place, name))
                if isinstance(item, dict | bool)
                else item
                for name, item in held.items()
            }
        return self.copied(node.child(keyword), place)

    def point(self, document: Any) -> None:
        """Turns the targets of references, which are pointers in the schema, into references in the document."""
        for pointer, place in self.placed.items():
            value = _get(document, place)
            if isinstance(value, dict) and "$ref" in value and pointer not in self.loosening.anything:
                target = self.placed[value["$ref"]]
                value["$ref"] = "#" + quote(target, safe="/~$'()*+,;:@!")


_DRAFT7 = "http://json-schema.org/draft-07/schema#"


def _get(value: Any, pointer: str) -> Any:
    for token in split(pointer):
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def _open(made: dict[str, Any], how: str) -> None:
    """An open enum as the generator is to see it: a class of its strings alone, or no enum at all."""
    values = made["enum"]
    nullable = None in values
    if how == "texts":
        del made["enum"]
        made.setdefault("type", ["string", "null"] if nullable else "string")
    elif nullable:
        del made["enum"]
        made.pop("type", None)
        made["anyOf"] = [{"type": "string", "enum": [v for v in values if v is not None]}, {"type": "null"}]


def _numeric_exclusive(made: dict[str, Any]) -> None:
    """Draft 4 has boolean exclusive bounds, which the generator reads by the drafts after it."""
    for bound in ("Minimum", "Maximum"):
        exclusive, plain = f"exclusive{bound}", bound.lower()
        if isinstance(made.get(exclusive), bool) and made.pop(exclusive) and plain in made:
            made[exclusive] = made.pop(plain)


def _plain(value: Any) -> Any:
    """A value without `Decimal`s: the generator writes Python literals, and JSON numbers are held as floats."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list) else value
