"""Where messages come from: each document format gives one JSON Schema document and the places of its messages.

A new format is a module here with `read(document, …) -> Source`, and a line in `_READERS`. Avro and Protobuf will be two.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from deedbox.codegen.errors import UnsupportedFormat

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.checker.json_schema.schema import Schema

_READERS = {
    "json-schema": "deedbox.codegen.sources.json_schema",
    "openapi": "deedbox.codegen.sources.openapi",
    "asyncapi": "deedbox.codegen.sources.asyncapi",
}
FORMATS = tuple(_READERS)
"""The document formats that packages are made of."""


@dataclass(frozen=True, slots=True)
class Root:
    """One message of a document: its class, where its schema is (a JSON pointer in `Source.schema`), its examples."""

    class_name: str
    pointer: str
    examples: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A document as code generation reads it.

    Attributes:
        schema: one JSON Schema document with every message's schema in it.
        roots: its messages. One at "" where the document itself is the schema.
        title, description: what the document says of itself.
        digest: SHA-256 of the document as it was given, canonical.
    """

    schema: Schema
    roots: tuple[Root, ...]
    title: str
    description: str
    digest: str


def read(document: Document, format: str, class_name: str, dialect: str | None) -> Source:
    """Reads a document of a format.

    Args:
        document: parsed.
        format: one of `FORMATS`.
        class_name: for the one message of a document that is a schema.
        dialect: as `compare` takes it.

    Raises:
        UnsupportedFormat: no such format.
        DocumentError: the document is no such document.
        DocumentNotPackageable: it holds no message.
    """
    if format not in _READERS:
        raise UnsupportedFormat(f"no packages are made of {format!r}: choose from {', '.join(FORMATS)}")
    source = import_module(_READERS[format]).read(document, class_name, dialect)
    assert isinstance(source, Source)
    return source
