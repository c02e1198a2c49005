"""The fields of API documents: a section for what each operation is asked, answers, sends or reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from deedbox.checker.asyncapi.reading import read as read_asyncapi
from deedbox.checker.documents import Document
from deedbox.checker.json_schema.schema import Node, Schema
from deedbox.checker.json_schema.sides import Side, Start
from deedbox.checker.openapi.model import MediaType, Operation, Parameter
from deedbox.checker.openapi.reading import read as read_openapi
from deedbox.registry.services.browsing.fields import Section, row_of

if TYPE_CHECKING:
    from deedbox.checker.apis.cursor import Cursor
    from deedbox.registry.services.browsing.fields import _Walk as Walk


def openapi_sections(document: Document, walk: Walk) -> list[Section]:
    """Parameters, request bodies and responses, operation by operation.

    Raises:
        NotAnApi, UnresolvedReference: the document cannot be read.
    """
    api = read_openapi(document)
    # References lead anywhere in the document, so the whole of it is the schema that they are resolved in.
    schema = Schema(Document(document.value, document.name), _dialect(api.version))
    sections: list[Section] = []
    for operation in (*api.operations.values(), *api.webhooks.values()):
        sections += _operation(operation, schema, walk)
    return [section for section in sections if section.fields]


def asyncapi_sections(document: Document, walk: Walk) -> list[Section]:
    """Payloads and headers, operation by operation.

    Raises:
        NotAnApi, UnresolvedReference: the document cannot be read.
    """
    application = read_asyncapi(document)
    schema = Schema(Document(document.value, document.name), "draft7")
    sections = []
    for operation in application.operations.values():
        for message in operation.messages.values():
            for part, cursor in (("payload", message.payload), ("headers", message.headers)):
                if cursor is not None:
                    sections.append(_section(f"{operation.label}: {message.name} {part}", cursor, schema, walk))
    return [section for section in sections if section.fields]


def _operation(operation: Operation, schema: Schema, walk: Walk) -> Iterator[Section]:
    label = operation.label + (" (deprecated)" if operation.deprecated else "")
    if operation.parameters:
        yield _parameters(f"{label}: parameters", operation.at.pointer, operation.parameters.values(), schema)
    if operation.body is not None:
        yield from _bodies(f"{label}: request", operation.body.content, schema, walk)
    for response in operation.responses.values():
        yield from _bodies(f"{label}: response {response.status}", response.content, schema, walk)


def _parameters(title: str, pointer: str, parameters: Iterable[Parameter], schema: Schema) -> Section:
    section = Section(title, pointer)
    for parameter in parameters:
        at = parameter.schema or parameter.at
        side = Side((_start(at, schema),))
        presence = "required" if parameter.required else "optional"
        row = row_of(side, (f"{parameter.name} ({parameter.within})",), presence)
        section.fields.append(row)
    return section


def _bodies(title: str, content: Mapping[str, MediaType], schema: Schema, walk: Walk) -> Iterator[Section]:
    for media in content.values():
        if media.schema is not None:
            yield _section(f"{title}, {media.name}", media.schema, schema, walk)


def _section(title: str, cursor: Cursor, schema: Schema, walk: Walk) -> Section:
    return walk.section(title, cursor.pointer, (_start(cursor, schema),))


def _start(cursor: Cursor, schema: Schema) -> Start:
    return Start(cursor.pointer, Node(schema, cursor.location))


def _dialect(version: tuple[int, int]) -> str:
    return "draft2020-12" if version >= (3, 1) else "draft4"
