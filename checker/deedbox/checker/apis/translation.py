"""Schemas of an API into JSON Schema 2020-12, place by place: pointers stay what they are.

Read by direction: a `readOnly` property is no part of a request, a `writeOnly` one none of a response (OAS 3.0.3
§4.7.24.2), and a required property with a default may be missing from what a provider reads. Under the tolerant content
model `oneOf` is read as the union that its authors mean.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker import pointers
from deedbox.checker.apis.cursor import target_of
from deedbox.checker.apis.sources import FILES, references
from deedbox.checker.documents import Document
from deedbox.checker.errors import NotASchema, UnresolvedReference
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.pointers import escape, join, split

if TYPE_CHECKING:
    from deedbox.checker.apis.positions import Writer

Dialect: TypeAlias = Literal["openapi-3.0", "draft2020-12", "draft7"]
_LOST = "x-deedbox-targets"
_TYPES = frozenset({"string", "number", "integer", "boolean", "object", "array", "null"})
_MAPS = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SINGLE = frozenset({
    "not", "additionalProperties", "items", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    "if", "then", "else", "additionalItems",
})  # fmt: skip
_NUMBERS = frozenset({
    "maximum", "minimum", "multipleOf", "maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties",
})  # fmt: skip
_NAMES_TYPES = frozenset({"type", "$ref", "allOf", "anyOf", "oneOf", "not", "enum", "const"})
_KEPT = frozenset({
    "title", "description", "default", "deprecated", "readOnly", "writeOnly", "format", "uniqueItems", "const",
    "minContains", "maxContains", "contentEncoding", "contentMediaType",
    "$comment",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document's schemas are read: who writes what they describe, and whether this side is the reader.

    `union`: `oneOf` as a union. `never_null`: what names no type accepts no null unless it is nullable, as OpenAPI 3.0
    has it where both documents are in it. `http`: `readOnly`, `writeOnly` and defaults by what they mean in requests and responses.
    """

    writer: Writer
    reads: bool
    union: bool
    http: bool
    never_null: bool = False


class Translator:
    """Translates the schemas of one document for one reading."""

    def __init__(self, document: Document, dialect: Dialect, reading: Reading) -> None:
        self.document, self.dialect, self.reading = document, dialect, reading
        self._done: dict[str, Any] = {}
        self._targets: dict[str, set[str]] = {}
        self._found: set[str] = set()
        self._cuts: frozenset[str] = frozenset()
        self._root: str | None = None
        self.hidden = "readOnly" if reading.writer == "client" else "writeOnly"
        self._fills_in = reading.http and reading.reads and reading.writer == "client"

    def closure(self, location: str, cuts: frozenset[str] = frozenset()) -> Schema:
        """The schema at a place as a document of its own, with all that its references lead to at the pointers they have.

        Args:
            location: the place.
            cuts: places of references that are not followed: a value that stands for the component takes its place.

        Raises:
            NotASchema, UnresolvedReference: with pointer and line.
        """
        if cuts or self._cuts:
            self._done, self._targets = {}, {}  # what was cut elsewhere says nothing here
        self._cuts, self._root = cuts, location
        places: set[str] = set()
        pending = [location]
        while pending:
            place = pending.pop()
            if place not in places:
                places.add(place)
                self._translate_at(place)
                pending += self._targets[place]
        tree: dict[str, Any] = {}
        placed: set[str] = set()
        lost = []
        for place in sorted(places, key=len):
            tokens = split(place)
            if not tokens:
                raise self.fault("a $ref to the whole document leads to no schema", place)
            prefixes = ("".join("/" + escape(t) for t in tokens[:n]) for n in range(1, len(tokens)))
            if any(prefix in placed for prefix in prefixes):
                try:
                    pointers.get(tree, place)
                except LookupError:
                    lost.append(place)  # in a part that this direction leaves out: it needs another place
                continue
            holder = tree
            for token in tokens[:-1]:
                holder = holder.setdefault(token, {})
            holder[tokens[-1]] = self._done[place]
            placed.add(place)
        if lost:
            tree[_LOST] = {place: self._done[place] for place in lost}
            tree = _redirected(tree, {f"#{p}": "#" + join("", _LOST, p) for p in lost})
        tree["$ref"] = "#" + (location if location not in lost else join("", _LOST, location))
        return Schema(Document(tree, self.document.name), "draft2020-12")

    def translate(self, location: str, seen: set[str]) -> None:
        """Translates a place and all that its references lead to, less what was `seen`; for its errors alone.

        Raises:
            NotASchema, UnresolvedReference: with pointer and line.
        """
        pending = [location]
        while pending:
            place = pending.pop()
            if place not in seen:
                seen.add(place)
                self._translate_at(place)
                pending += self._targets[place]

    def _translate_at(self, place: str) -> None:
        if place in self._done:
            return
        try:
            value = pointers.get(self.document.value, place)
        except (LookupError, ValueError):
            if place == self._root:
                self._done[place], self._targets[place] = True, set()  # no schema was said: `positions.unsaid`
                return
            raise self._leads_nowhere(place) from None
        before, self._found = self._found, set()
        self._done[place] = self._schema(value, place, frozenset())
        self._targets[place] = self._found
        self._found = before

    def _leads_nowhere(self, place: str) -> UnresolvedReference:
        """The error of a reference to a place that is not there, at the reference."""
        every = references(self.document.value)
        holder = next((pointer for pointer, value in every if target_of(value["$ref"]) == place), place)
        line, column = self.document.position(join(holder, "$ref")) or (None, None)
        shown = place.removeprefix(f"/{FILES}")
        return UnresolvedReference(
            f"a $ref leads to {shown}, and there is nothing there: it leads nowhere",
            source=self.document.name,
            pointer=holder,
            line=line,
            column=column,
        )

    def fault(self, message: str, place: str) -> NotASchema:
        """An error about a schema."""
        line, column = self.document.position(place) or (None, None)
        return NotASchema(message, source=self.document.name, pointer=place, line=line, column=column)

    def _schema(self, value: Any, place: str, hidden: frozenset[str]) -> Any:
        if isinstance(value, bool):
            return value
        if not isinstance(value, dict):
            raise self.fault("a schema must be an object", place)
        reference = value.get("$ref")
        out: dict[str, Any] = {}
        if isinstance(reference, str):
            target = target_of(reference)
            if place in self._cuts and target is not None:
                return {"const": stand_in(target)}
            out["$ref"] = reference
            if target is not None:
                # In the spelling of pointers, not of URIs: that is how places are found again.
                self._found.add(target)
                out["$ref"] = "#" + target
            else:
                raise UnresolvedReference(
                    f"{reference!r} leads nowhere: there is no such anchor or $id in the document",
                    source=self.document.name, pointer=place,
                    **dict(zip(("line", "column"), self.document.position(place) or (None, None), strict=True)),
                )  # fmt: skip
            if self.dialect != "draft2020-12":
                return out
        if "$dynamicRef" in value:
            raise self.fault("$dynamicRef is not compared: refer to the schema with $ref", join(place, "$dynamicRef"))
        hidden |= self._hidden_names(value)
        for key, held in value.items():
            self._keyword(key, held, value, place, hidden, out)
        if self._cuts and isinstance(value.get("type"), str) and self._stand_ins_alone(value, place):
            del out["type"]  # the components say it, and what stands for them is of no type
        if self.dialect == "openapi-3.0":
            self._nullable(value, out)
            untyped = value.get("nullable") is not True and not _NAMES_TYPES & out.keys()
            if self.reading.never_null and untyped and not place.endswith(("/additionalProperties", "/items")):
                # Items and other properties stay what anybody may send: there, {} and true and nothing say the same.
                out["type"] = ["string", "number", "boolean", "object", "array"]
        return out

    def _stand_ins_alone(self, value: dict[str, Any], place: str) -> bool:
        """Whether a schema is a union of components that were all cut."""
        groups = [(k, len(value[k])) for k in ("anyOf", "oneOf") if isinstance(value.get(k), list)]
        return bool(groups) and all(join(place, k, i) in self._cuts for k, count in groups for i in range(count))

    def _keyword(
        self, key: str, held: Any, value: dict[str, Any], place: str, hidden: frozenset[str], out: dict[str, Any]
    ) -> None:
        if key in _MAPS:
            if not isinstance(held, dict):
                raise self.fault(f"{key} must be an object", join(place, key))
            gone = hidden if key == "properties" else frozenset()
            out[key] = {
                # Who writes never sends a hidden one, and who reads does not look for it.
                name: False if name in gone else self._schema(member, join(place, key, name), frozenset())
                for name, member in held.items()
                if name not in gone or not self.reading.reads
            }
        elif key in _LISTS:
            self._list(key, held, place, hidden, out)
        elif key == "items" and isinstance(held, list):
            if self.dialect != "draft7":
                raise self.fault("items must be one schema", join(place, key))
            out["prefixItems"] = [self._schema(item, join(place, key, i), frozenset()) for i, item in enumerate(held)]
        elif key == "additionalItems" and self.dialect == "draft7":
            if isinstance(value.get("items"), list):
                out["items"] = self._schema(held, join(place, key), frozenset())
        elif key in _SINGLE:
            if not isinstance(held, dict | bool):
                raise self.fault(f"{key} must be a schema", join(place, key))
            in_place = hidden if key in ("if", "then", "else") else frozenset()
            out[key] = self._schema(held, join(place, key), in_place)
        elif key == "dependencies" and isinstance(held, dict):
            for name, needed in held.items():
                if isinstance(needed, list):
                    self._names(needed, join(place, key, name))
                    out.setdefault("dependentRequired", {})[name] = needed
                else:
                    below = self._schema(needed, join(place, key, name), frozenset())
                    out.setdefault("dependentSchemas", {})[name] = below
        elif key == "required":
            if isinstance(
                held, list
            ):  # `required: true` is what older drafts and parameters say: it is not about members
                self._names(held, join(place, key))
                defaults = self._defaulted(value) if self._fills_in else ()
                # Each once: real documents repeat names, and jsonschema-rs counts them against the members of a value.
                names = [name for name in dict.fromkeys(held) if name not in hidden and name not in defaults]
                if names:
                    out[key] = names
        elif key == "dependentRequired":
            if not isinstance(held, dict) or not all(isinstance(needed, list) for needed in held.values()):
                raise self.fault(f"{key} must be an object of arrays", join(place, key))
            for name, needed in held.items():
                self._names(needed, join(place, key, name))
            out[key] = held
        elif key == "enum":
            if not isinstance(held, list):
                raise self.fault("enum must be an array", join(place, key))
            out[key] = held
        elif key == "type":
            out[key] = self._type(held, place)
        elif key in _NUMBERS:
            if isinstance(held, bool | str | list | dict) or held is None:
                raise self.fault(f"{key} must be a number", join(place, key))
            out[key] = held
        elif key in ("exclusiveMaximum", "exclusiveMinimum"):
            bound = value.get("maximum" if key == "exclusiveMaximum" else "minimum")
            if held is True and bound is not None:
                out[key] = bound
            elif not isinstance(held, bool):
                out[key] = held
        elif key == "pattern":
            if not isinstance(held, str):
                raise self.fault("pattern must be a string", join(place, key))
            out[key] = held
        elif key == "example":
            out["examples"] = [held]
        elif key == "examples":
            if isinstance(held, list):
                out[key] = held
        elif key in _KEPT and not (key == "description" and "in" in value and "name" in value):
            out[key] = held

    def _names(self, held: list[Any], place: str) -> None:
        for i, name in enumerate(held):
            if not isinstance(name, str):
                raise self.fault("the name of a property must be a string", join(place, i))

    def _list(self, key: str, held: Any, place: str, hidden: frozenset[str], out: dict[str, Any]) -> None:
        if not isinstance(held, list) or not held:
            raise self.fault(f"{key} must be an array of schemas that is not empty", join(place, key))
        within = frozenset() if key == "prefixItems" else hidden
        members = [self._schema(member, join(place, key, i), within) for i, member in enumerate(held)]
        if key == "oneOf" and self.reading.union:
            key = "anyOf"
        if key == "anyOf" and "anyOf" in out:
            out.setdefault("allOf", []).append({"anyOf": members})
        elif key == "allOf" and "allOf" in out:
            out["allOf"] = members + out["allOf"]
        else:
            out[key] = members

    def _type(self, held: Any, place: str) -> Any:
        kinds = held if isinstance(held, list) else [held]
        for kind in kinds:
            if kind == "file":  # Swagger 2.0's own
                return "string"
            if not isinstance(kind, str) or kind not in _TYPES:
                raise self.fault(f"there is no type {kind!r}: use string, number, integer, boolean, object or array",
                                 join(place, "type"))  # fmt: skip
        return held

    def _nullable(self, value: dict[str, Any], out: dict[str, Any]) -> None:
        if value.get("nullable") is not True and value.get("x-nullable") is not True:
            return
        null = {"type": "null"}
        kind = out.get("type")
        if isinstance(kind, str):
            out["type"] = [kind, "null"]
            if isinstance(out.get("enum"), list) and None not in out["enum"]:
                out["enum"] = [*out["enum"], None]
        elif isinstance(out.get("anyOf"), list):
            out["anyOf"] = [*out["anyOf"], null]
        elif isinstance(out.get("oneOf"), list):
            out["oneOf"] = [*out["oneOf"], null]
        elif isinstance(out.get("allOf"), list) and len(out["allOf"]) == 1:
            # What a reference may not have beside it is written so: the null is meant to be allowed.
            out["anyOf"] = [*out.pop("allOf"), null]

    def _hidden_names(self, value: dict[str, Any]) -> frozenset[str]:
        """Properties that are no part of messages in this direction, in this object and what it is composed of."""
        if not self.reading.http:
            return frozenset()
        found: set[str] = set()
        for part in self._composed(value, 0):
            properties = part.get("properties")
            if isinstance(properties, dict):
                found |= {name for name, held in properties.items() if self._says(held, self.hidden)}
        return frozenset(found)

    def _defaulted(self, value: dict[str, Any]) -> set[str]:
        found: set[str] = set()
        for part in self._composed(value, 0):
            properties = part.get("properties")
            if isinstance(properties, dict):
                found |= {n for n, held in properties.items() if any("default" in p for p in self._composed(held, 0))}
        return found

    def _says(self, schema: Any, mark: str) -> bool:
        return any(part.get(mark) is True for part in self._composed(schema, 0))

    def _composed(self, value: Any, depth: int) -> list[dict[str, Any]]:
        """A schema with what its `$ref` and `allOf` bring in."""
        if not isinstance(value, dict) or depth > 10:
            return []
        found = [value]
        reference = value.get("$ref")
        if isinstance(reference, str):
            target = target_of(reference)
            if target is not None:
                with suppress(LookupError, ValueError):
                    found += self._composed(pointers.get(self.document.value, target), depth + 1)
            if self.dialect != "draft2020-12":
                return found[1:]
        if isinstance(value.get("allOf"), list):
            for part in value["allOf"]:
                found += self._composed(part, depth + 1)
        return found


def stand_in(target: str) -> str:
    """The value that stands for every value of a component where a question stops at it."""
    return f"$ref:#{target}"


def _redirected(value: Any, moved: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            k: moved.get(v, v) if k == "$ref" and isinstance(v, str) else _redirected(v, moved)
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [_redirected(item, moved) for item in value]
    return value


def widened(reader: Schema, writer: Schema) -> Schema:
    """The reader of a response, taking every value of an enumeration that the writer lists at the same place.

    A tolerant client treats a value that it does not know as unknown, if it is of a type that it does know there.
    """
    root = _widen(reader.root, writer.root)
    return reader if root is reader.root else Schema(Document(root, reader.name), "draft2020-12")


def _widen(mine: Any, other: Any) -> Any:
    if mine is other:
        return mine
    if isinstance(mine, dict) and isinstance(other, dict):
        changed: dict[str, Any] = {}
        for key, held in mine.items():
            theirs = other.get(key)
            if theirs is None:
                continue
            if key == "enum" and isinstance(held, list) and isinstance(theirs, list):
                kinds = {type(v) for v in held}
                more = [v for v in theirs if v not in held and type(v) in kinds]
                if more:
                    changed[key] = held + more
            elif isinstance(held, dict | list):
                now = _widen(held, theirs)
                if now is not held:
                    changed[key] = now
        return mine | changed if changed else mine
    if isinstance(mine, list) and isinstance(other, list) and len(mine) == len(other):
        items = [_widen(a, b) for a, b in zip(mine, other, strict=True)]
        return items if any(a is not b for a, b in zip(items, mine, strict=True)) else mine
    return mine
