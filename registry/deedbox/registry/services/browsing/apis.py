"""The fields of API documents: a section for what each operation is asked, answers, sends or reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
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
        answers = ", ".join(operation.responses)
        said = (_told(operation.at), f"Answers {answers}" if answers else "")
        sections += _of(_label(operation), operation.at.pointer, said, _operation(operation, schema, walk))
    return sections


def asyncapi_sections(document: Document, walk: Walk) -> list[Section]:
    """Payloads and headers, operation by operation.

    Raises:
        NotAnApi, UnresolvedReference: the document cannot be read.
    """
    application = read_asyncapi(document)
    schema = Schema(Document(document.value, document.name), "draft7")
    sections: list[Section] = []
    for operation in application.operations.values():
        parts = []
        for message in operation.messages.values():
            for part, cursor in (("payload", message.payload), ("headers", message.headers)):
                if cursor is not None:
                    parts.append(_section(f"{operation.label}: {message.name} {part}", cursor, schema, walk))
        sections += _of(operation.label, operation.at.pointer, (_told(operation.at),), parts)
    return sections


def _of(operation: str, pointer: str, said: Iterable[str], parts: Iterable[Section]) -> list[Section]:
    """The parts of an operation that have fields; one without any where none has, so that no operation is left out."""
    found = [part for part in parts if part.fields] or [Section(operation, pointer)]
    for part in found:
        part.operation, part.operation_at = operation, pointer
        part.operation_said = ". ".join(text.rstrip(".") for text in said if text)
    return found


def _told(cursor: Cursor) -> str:
    """What a place says of itself: its summary, else its description."""
    texts = (cursor.raw("summary"), cursor.raw("description"))
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _label(operation: Operation) -> str:
    return operation.label + (" (deprecated)" if operation.deprecated else "")


def _operation(operation: Operation, schema: Schema, walk: Walk) -> Iterator[Section]:
    label = _label(operation)
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
        # A parameter's own words go before those of its schema.
        told = _told(parameter.at) or row.description
        section.fields.append(replace(row, description=told, obsolete=row.obsolete or parameter.deprecated))
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
