"""A document as the fields that people talk about: one row a place in a message, in the order of the document.

References and `allOf` are followed, so a row says all that applies at its place. What only some branch of `anyOf`,
`oneOf`, `if` or `dependentSchemas` describes is there too, and said to be so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from deedbox.checker import pointers
from deedbox.checker.documents import Document, load_document
from deedbox.checker.errors import CheckerError
from deedbox.checker.json_schema.facets import atom_of
from deedbox.checker.json_schema.obsolete import ITEMS
from deedbox.checker.json_schema.schema import Node, Schema
from deedbox.checker.json_schema.sides import Side, Start, Starts
from deedbox.registry.services.browsing.constraints import constraints

MOST_FIELDS = 5_000
"""Rows of one document; a note says where more were left out."""
_MOST_DEPTH = 24
_MOST_FORMS = 12
"""Branches of which a row says what they ask of its place."""
ITEM, OTHER = "[]", "{}"
"""Steps of a path: into the items of an array, and into properties that are not named one by one."""

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a message.

    `path` are the steps from the root of the message, `pointer` the resolved path in the document, `location` the place
    that this resolves to, `written` the place that names it (which may hold a reference). `presence` is "required", "optional", "conditional" (only some branch describes it) or "each"
    (what holds for every item of an array). `note` says what
    the table leaves out below.
    """

    path: Path
    pointer: str
    location: str
    written: str
    type: str
    presence: str
    constraints: tuple[str, ...]
    title: str
    description: str
    examples: tuple[Any, ...]
    obsolete: bool
    note: str = ""

    @property
    def label(self) -> str:
        """The path as people write it: `lines[].sku`."""
        return label(self.path)

    @property
    def short(self) -> str:
        """The end of the path from its last name on: `lines[]`, where the row stands below the one of what is above."""
        first = next((i for i in reversed(range(len(self.path))) if not self.path[i].startswith(("[", "{"))), 0)
        return label(self.path[first:])


@dataclass(slots=True)
class Section:
    """The fields of one message: the whole of a JSON Schema, or one body, parameter list or message of an API.

    `operation` is the operation of the API that it belongs to, `operation_at` that operation's pointer.
    """

    title: str
    pointer: str
    fields: list[Field] = field(default_factory=list)
    operation: str = ""
    operation_at: str = ""
    operation_said: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """All sections of a document. `left_out` says why some fields are missing, empty where none are."""

    sections: tuple[Section, ...]
    left_out: str = ""

    def __iter__(self) -> Iterator[Field]:
        for section in self.sections:
            yield from section.fields

    def at(self, pointer: str) -> Field | None:
        """The field with this pointer, else the first that is written there."""
        near = None
        for row in self:
            if row.pointer == pointer:
                return row
            if near is None and row.location == pointer:
                near = row
        return near

    def by_path(self) -> dict[Path, Field]:
        """Fields by their place in the message, of documents that describe one message."""
        found: dict[Path, Field] = {}
        for row in self:
            found.setdefault(row.path, row)
        return found


def label(path: Path) -> str:
    """A path as people write it; the root is `(message)`."""
    text = ""
    for step in path:
        text += step if step in (ITEM, OTHER) or step.startswith("{/") else f".{step}" if text else step
    return text or "(message)"


def named(path: Path) -> bool:
    """Whether all steps of a path are names of properties or lead into the items of an array."""
    return all(step == ITEM or not step.startswith(("[", "{")) for step in path)


def message_pointer(path: Path) -> str:
    """A path as a pointer into a message, as `json_schema.obsolete` writes them."""
    return pointers.join("", *(ITEMS if step == ITEM else step for step in path))


@lru_cache(maxsize=512)
def fields_of(text: str, document_format: str, dialect: str | None, name: str = "schema.json") -> Fields:
    """The fields of a document, in its own order.

    Args:
        text: its text, canonical or as it was published.
        document_format: "json-schema", "openapi" or "asyncapi".
        dialect: for documents that name none.
        name: says by its ending which syntax the text has.
    """
    return _read(load_document(text, name), document_format, dialect, _Walk())


def field_at(text: str, document_format: str, dialect: str | None, path: Path) -> Field | None:
    """The field at one place in a message, as `fields_of` has it, without listing the others."""
    fields = _read(load_document(text, "schema.json"), document_format, dialect, _Walk(path))
    return next((row for row in fields if row.path == path), None)


def _read(document: Document, document_format: str, dialect: str | None, walk: _Walk) -> Fields:
    try:
        if document_format == "openapi":
            from deedbox.registry.services.browsing.apis import openapi_sections

            sections = openapi_sections(document, walk)
        elif document_format == "asyncapi":
            from deedbox.registry.services.browsing.apis import asyncapi_sections

            sections = asyncapi_sections(document, walk)
        else:
            schema = Schema(document, dialect)
            sections = [walk.section(str(_title(document)), "", (Start("", schema.node),))]
    except (CheckerError, RecursionError) as error:
        return Fields((), f"its fields cannot be listed: {error}")
    return Fields(tuple(sections), walk.left_out)


def _title(document: Document) -> Any:
    return document.value.get("title", "") if isinstance(document.value, dict) else ""


class _Walk:
    """One pass over a document, with a common budget for all its sections: of all fields, or of those on the way to one."""

    def __init__(self, only: Path | None = None) -> None:
        self.left = MOST_FIELDS
        self.left_out = ""
        self._only = only
        self._forms: dict[Path, list[Field]] = {}
        """What further branches say of places that have a row."""

    def _wanted(self, path: Path) -> bool:
        return self._only is None or path == self._only[: len(path)]

    def section(self, title: str, pointer: str, starts: Starts) -> Section:
        """The section of one message schema."""
        section = Section(title, pointer)
        rows: dict[Path, Field] = {}
        self._forms = {}
        self._inside(Side(starts), (), rows, frozenset(), False)
        section.fields = [joined(row, self._forms.get(path, ())) for path, row in rows.items()]
        return section

    def _inside(
        self, side: Side, path: Path, rows: dict[Path, Field], above: frozenset[Node], conditional: bool
    ) -> None:
        """Adds the rows below a place."""
        if len(path) > _MOST_DEPTH:
            self.left_out = f"what lies deeper than {_MOST_DEPTH} levels is left out"
            return
        above |= frozenset(start.node for start in side.starts) | frozenset(part.node for part in side.parts)
        required = {name for names in side.values("required") if isinstance(names, list) for name in names}
        for name in side.properties:
            if not self._wanted((*path, name)):
                continue
            presence = (
                "required" if name in required and not conditional else "conditional" if conditional else "optional"
            )
            self._row((*path, name), side.member(name), presence, rows, above, conditional)
        for pattern, starts in side.patterns.items():
            self._row((*path, f"{{/{pattern}/}}"), tuple(starts), "optional", rows, above, conditional)
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            self._row((*path, OTHER), side.of(keyword), "optional", rows, above, conditional)
        for index in range(min(side.prefix, 50)):
            self._row((*path, f"[{index}]"), side.item(index), "each", rows, above, conditional)
        self._row((*path, ITEM), side.item(side.prefix), "each", rows, above, conditional)
        for branch in _branches(side):
            if branch.starts and branch.starts[0].node not in above:
                self._inside(branch, path, rows, above, True)

    def _row(
        self,
        path: Path,
        starts: Starts,
        presence: str,
        rows: dict[Path, Field],
        above: frozenset[Node],
        conditional: bool,
    ) -> None:
        if not starts or not self._wanted(path):
            return
        if path in rows:  # a branch says more of it: its own members are still to be listed
            side = Side(starts)
            self._forms.setdefault(path, []).append(row_of(side, path, presence))
            if all(part.node not in above for part in side.parts):
                self._inside(side, path, rows, above, True)
            return
        if self.left <= 0:
            self.left_out = f"there are more than {MOST_FIELDS} fields: the rest is left out"
            return
        self.left -= 1
        side = Side(starts)
        again = next((part for part in side.parts if part.node in above), None)
        rows[path] = row_of(side, path, presence, f"as {again.node.pointer or 'the whole'}, again" if again else "")
        if again is None:
            self._inside(side, path, rows, above, conditional)


def row_of(side: Side, path: Path, presence: str, note: str = "") -> Field:
    """The row of one place."""
    start = side.starts[0]
    texts = {name: [str(v) for v in side.values(name)] for name in ("title", "description")}
    examples = [e for held in side.values("examples") if isinstance(held, list) for e in held]
    examples += [
        part.node.value["example"]
        for part in side.parts
        if isinstance(part.node.value, dict) and "example" in part.node.value
    ]
    return Field(
        path,
        start.pointer,
        next((part.node.pointer for part in side.parts if "$ref" not in part.keywords), start.node.pointer),
        start.node.pointer,
        type_words(side),
        presence,
        tuple(constraints(side)),
        next(iter(texts["title"]), ""),
        next(iter(texts["description"]), ""),
        tuple(examples[:5]),
        any(v is True for v in side.values("deprecated")),
        note,
    )


def joined(row: Field, others: Sequence[Field]) -> Field:
    """A row with what further branches say of its place: each alternative of what only branches describe."""
    if not others:
        return row
    only_branches = row.presence == "conditional"
    forms = list(dict.fromkeys("; ".join(one.constraints) for one in ((row, *others) if only_branches else others)))
    texts = [form or "no limits" for form in forms[:_MOST_FORMS]]
    if len(forms) > _MOST_FORMS:
        texts.append(f"one of {len(forms) - _MOST_FORMS} more forms")
    said = ", or ".join(texts)
    if not only_branches:
        more = [text for form, text in zip(forms, texts, strict=False) if form and form not in row.constraints]
        found = (*row.constraints, f"in some forms {', or '.join(more)}") if more else row.constraints
    else:
        found = row.constraints if len(forms) == 1 else (said,)
    types = dict.fromkeys(one.type for one in (row, *others)) if only_branches else (row.type,)
    return replace(
        row,
        type=" or ".join(types),
        constraints=found,
        title=row.title or next((one.title for one in others if one.title), ""),
        description=row.description or next((one.description for one in others if one.description), ""),
        obsolete=row.obsolete or (only_branches and any(one.obsolete for one in others)),
    )


def type_words(side: Side, depth: int = 0) -> str:
    """The types of a place in words: `string`, `array of string`, `integer or null`."""
    if side.never is not None:
        return "nothing"
    named = [[held] if isinstance(held, str) else list(held) for held in side.values("type")]
    types = named[0] if named else []
    for more in named[1:]:
        types = [t for t in types if t in more] or types
    if any(part.keywords.get("nullable") is True for part in side.parts) and "null" not in types:
        types = [*types, "null"]
    if not types:
        types = _implied(side, depth)
    words = []
    for name in types:
        if name == "array" and depth < 3:
            items = side.item(side.prefix)
            inner = type_words(Side(items), depth + 1) if items else "anything"
            words.append(f"array of {f'({inner})' if ' or ' in inner else inner}")
        else:
            words.append(name)
    return " or ".join(words) or "anything"


def _implied(side: Side, depth: int) -> list[str]:
    """Types where `type` says none: those of listed values, of keywords, of the members of a group."""
    values = [*side.values("const"), *(v for held in side.values("enum") for v in held)]
    if values:
        return list(dict.fromkeys(_type_of(value) for value in values))
    if side.groups and depth < 3:
        return list(dict.fromkeys(type_words(Side((m,)), depth + 1) for group in side.groups for m in group.members))
    if side.properties or "required" in side.by:
        return ["object"]
    if "items" in side.by or "prefixItems" in side.by:
        return ["array"]
    if any(keyword in side.by for keyword in ("pattern", "minLength", "maxLength")):
        return ["string"]
    return []


def _type_of(value: Any) -> str:
    atom = atom_of(value)
    return "number" if atom == "fraction" else atom


def _branches(side: Side) -> Iterator[Side]:
    """The sides of what applies only in some cases."""
    for group in side.groups:
        for member in group.members:
            yield Side((member,))
    for keyword in ("then", "else"):
        for start in side.of(keyword):
            yield Side((start,))
    for part, held in (*side.by.get("dependentSchemas", ()), *side.by.get("dependencies", ())):
        keyword = "dependentSchemas" if "dependentSchemas" in part.keywords else "dependencies"
        for name, value in held.items():
            if isinstance(value, dict):
                yield Side((part.start.below(keyword, name),))
