"""YAML 1.2 text to JSON values, by libyaml's events and the core schema (YAML 1.2.2 §10.3).

PyYAML's own constructors follow YAML 1.1, where `no`, `on` and `012` are not what an OpenAPI author wrote.
"""

from __future__ import annotations

import gc
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import yaml
from deedbox.checker.errors import DocumentError, DuplicateKey, NotJsonValue, SyntaxInvalid, TooLarge
from deedbox.checker.json_values import MAX_DEPTH, MAX_NODES, check_strings, exact, integer
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from collections.abc import Iterator

_Parser: Any
try:
    from yaml import cyaml

    _Parser = cyaml.CParser  # type: ignore[attr-defined]
except ImportError:  # a PyYAML built without libyaml: slower, the same events
    _Parser = yaml.Loader

_NULL = re.compile(r"(?:null|Null|NULL|~|)")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?(?:\.inf|\.Inf|\.INF)|\.nan|\.NaN|\.NAN")
_CORE = "tag:yaml.org,2002:"


def parse(text: str, name: str) -> Any:
    """The value of a one-document YAML text.

    Raises:
        SyntaxInvalid, DuplicateKey, NotJsonValue, TooLarge: with line and column.
    """
    collecting = gc.isenabled()
    gc.disable()  # a tree of values has no cycles, and looking for them time and again is half the work
    try:
        return _plain_document(text, name)
    except (_Unusual, yaml.YAMLError, UnicodeError, DocumentError):
        return _Reader(text, name).document()
    finally:
        if collecting:
            gc.enable()


def positions(text: str) -> dict[str, tuple[int, int]]:
    """Pointer → (line, column), from 1: the key's for a member, the value's for an item."""
    reader = _Reader(text, "")
    reader.places = {}
    reader.document()
    return reader.places


class _Unusual(Exception):
    """Something that the quick way does not handle, or that is an error: the reader knows which, and where."""


def _plain_document(text: str, name: str) -> Any:
    """The value of a text without anchors, tags, merges or errors: as the reader gives it, without keeping track of places."""
    parser = _Parser(text)
    reader = _Reader("", name)
    known: dict[str, Any] = {}  # plain scalars repeat: `string`, `object`, `true`
    root: list[Any] = []
    # Per open container: itself, and in an object the key whose value comes next.
    stack: list[list[Any]] = [[root, None]]
    count = 0
    documents_seen = 0
    while True:
        event = parser.get_event()
        kind = type(event)
        if kind is yaml.ScalarEvent:
            count += 1
            if event.anchor is not None or event.tag is not None:
                raise _Unusual
            value: Any = event.value
            if not value.isascii():
                check_strings(value, name)
            top = stack[-1]
            if type(top[0]) is dict and top[1] is None:
                if value in top[0] or (value == "<<" and not event.style):
                    raise _Unusual
                top[1] = value
                continue
            if not event.style:
                if value in known:
                    value = known[value]
                else:
                    value = known[value] = reader.resolve(value, event, "")
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            count += 1
            if event.anchor is not None or event.tag is not None or len(stack) > MAX_DEPTH:
                raise _Unusual
            if type(stack[-1][0]) is dict and stack[-1][1] is None:
                raise _Unusual  # a key that is no scalar
            stack.append([{} if kind is yaml.MappingStartEvent else [], None])
            continue
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            value = stack.pop()[0]
        elif kind is yaml.StreamEndEvent:
            if documents_seen != 1 or count > MAX_NODES:
                raise _Unusual
            return root[0]
        elif kind is yaml.DocumentStartEvent:
            documents_seen += 1
            continue
        elif kind is yaml.StreamStartEvent or kind is yaml.DocumentEndEvent:
            continue
        else:
            raise _Unusual
        top = stack[-1]
        if type(top[0]) is dict:
            top[0][top[1]] = value
            top[1] = None
        else:
            top[0].append(value)


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.events = self._events(text)
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.open_anchors: set[str] = set()
        self.nodes = 0
        self.places: dict[str, tuple[int, int]] | None = None

    def _events(self, text: str) -> Iterator[Any]:
        parser = _Parser(text)
        try:
            while parser.check_event():
                yield parser.get_event()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            problem = error.problem or error.context or "malformed"
            # libyaml does not name the character that it stopped at.
            line = "".join(text.split("\n")[mark.line : mark.line + 1]) if mark else ""
            hint = ": indent with spaces" if mark and line[mark.column :].startswith("\t") else ""
            raise SyntaxInvalid(
                f"not YAML: {problem}{hint}",
                source=self.name,
                line=min(mark.line, text.rstrip("\n").count("\n")) + 1 if mark else None,
                column=mark.column + 1 if mark else None,
            ) from None
        except yaml.YAMLError as error:
            raise SyntaxInvalid(f"not YAML: {str(error).splitlines()[0]}", source=self.name) from None

    def document(self) -> Any:
        value: Any = None
        seen = False
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                if seen:
                    raise self._at(SyntaxInvalid, event, "a second YAML document: give one file each")
                seen = True
            elif not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent):
                value = self._value(event, "", 0)
        if not seen:
            raise SyntaxInvalid("the document is empty", source=self.name, line=1)
        return value

    def _at(self, kind: type[DocumentError], event: Any, message: str, pointer: str | None = None) -> DocumentError:
        mark = event.start_mark
        return kind(message, source=self.name, pointer=pointer, line=mark.line + 1, column=mark.column + 1)

    def _count(self, event: Any, more: int) -> None:
        self.nodes += more
        if self.nodes > MAX_NODES:
            raise self._at(TooLarge, event, f"over {MAX_NODES} values once its aliases are expanded")

    def _value(self, event: Any, pointer: str, depth: int) -> Any:
        if self.places is not None:
            self.places.setdefault(pointer, (event.start_mark.line + 1, event.start_mark.column + 1))
        if isinstance(event, yaml.AliasEvent):
            if event.anchor in self.open_anchors:
                raise self._at(NotJsonValue, event, f"the alias *{event.anchor} contains itself", pointer)
            if event.anchor not in self.anchors:
                raise self._at(SyntaxInvalid, event, f"no anchor &{event.anchor} before this alias", pointer)
            value, size = self.anchors[event.anchor]
            self._count(event, size)
            return value
        before = self.nodes
        self._count(event, 1)
        anchor = event.anchor
        if anchor:
            self.open_anchors.add(anchor)
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, pointer)
        else:
            if depth >= MAX_DEPTH:
                raise self._at(TooLarge, event, f"nested deeper than {MAX_DEPTH} levels")
            value = (self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence)(
                event, pointer, depth
            )
        if anchor:
            self.open_anchors.discard(anchor)
            self.anchors[anchor] = (value, self.nodes - before)
        return value

    def _sequence(self, event: Any, pointer: str, depth: int) -> list[Any]:
        self._tag(event, "seq", pointer)
        items: list[Any] = []
        for item in self.events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            items.append(self._value(item, join(pointer, len(items)), depth + 1))
        return items

    def _mapping(self, event: Any, pointer: str, depth: int) -> dict[str, Any]:
        self._tag(event, "map", pointer)
        members: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        for key in self.events:
            if isinstance(key, yaml.MappingEndEvent):
                break
            if isinstance(key, yaml.AliasEvent) and isinstance(self.anchors.get(str(key.anchor), (None, 0))[0], str):
                text = self.anchors[str(key.anchor)][0]
            elif isinstance(key, yaml.ScalarEvent):
                text = key.value
                if key.anchor:
                    self.anchors[key.anchor] = (text, 1)
            else:
                raise self._at(NotJsonValue, key, "a key that is no scalar", pointer)
            check_strings(text, self.name, pointer)
            place = join(pointer, text)
            if text == "<<" and isinstance(key, yaml.ScalarEvent) and not key.style:
                merged += self._merge(next(self.events), place, depth)
                continue
            if text in members:
                raise self._at(DuplicateKey, key, f"the key {text!r} stands twice in one mapping: keep one", place)
            if self.places is not None:
                self.places.setdefault(place, (key.start_mark.line + 1, key.start_mark.column + 1))
            members[text] = self._value(next(self.events), place, depth + 1)
        for source in merged:
            for text, value in source.items():
                members.setdefault(text, value)
        return members

    def _merge(self, event: Any, pointer: str, depth: int) -> list[dict[str, Any]]:
        value = self._value(event, pointer, depth + 1)
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise self._at(NotJsonValue, event, "a merge (<<) of something that is no mapping", pointer)
        return sources

    def _tag(self, event: Any, expected: str, pointer: str) -> None:
        if event.tag not in (None, "!", _CORE + expected):
            raise self._at(NotJsonValue, event, f"the tag {event.tag} has no meaning in JSON", pointer)

    def _scalar(self, event: Any, pointer: str) -> Any:
        text: str = event.value
        check_strings(text, self.name, pointer)
        if event.tag in ("!", _CORE + "str") or (event.tag is None and event.style):
            return text
        value = self.resolve(text, event, pointer)
        kind = {str: "str", bool: "bool", int: "int", Decimal: "float", type(None): "null"}[type(value)]
        if event.tag is not None and event.tag != _CORE + kind and not (event.tag == _CORE + "float" and kind == "int"):
            raise self._at(NotJsonValue, event, f"{text!r} is no {event.tag.removeprefix(_CORE)}", pointer)
        return value

    def resolve(self, text: str, event: Any, pointer: str) -> Any:
        """The value of a plain scalar by the core schema."""
        try:
            if _INT.fullmatch(text):
                return integer(text, self.name)
            if _FLOAT.fullmatch(text):
                return exact(Decimal(text), self.name)
        except NotJsonValue as error:
            raise self._at(NotJsonValue, event, error.message, pointer) from None
        if _NULL.fullmatch(text):
            return None
        if _TRUE.fullmatch(text):
            return True
        if _FALSE.fullmatch(text):
            return False
        if _OCTAL.fullmatch(text):
            return int(text[2:], 8)
        if _HEX.fullmatch(text):
            return int(text[2:], 16)
        if _NOT_FINITE.fullmatch(text):
            raise self._at(NotJsonValue, event, f"{text} is no JSON number", pointer)
        return text
