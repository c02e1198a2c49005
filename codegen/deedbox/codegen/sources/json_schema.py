"""JSON Schema, drafts 4 to 2020-12: the document is the message's schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.canonical import digest
from deedbox.checker.json_schema.metaschema import check_schema
from deedbox.checker.json_schema.schema import Schema
from deedbox.codegen.sources import Root, Source

if TYPE_CHECKING:
    from deedbox.checker.documents import Document


def read(document: Document, class_name: str, dialect: str | None) -> Source:
    """The one message of a JSON Schema document.

    Raises:
        NotASchema, UnknownDialect, UnresolvedReference: as `compare` does.
    """
    schema = Schema(document, dialect)
    check_schema(document, schema.dialect)
    root = document.value if isinstance(document.value, dict) else {}
    examples = root.get("examples")
    title, description = root.get("title"), root.get("description")
    return Source(
        schema,
        (Root(class_name, "", tuple(examples) if isinstance(examples, list) else ()),),
        title if isinstance(title, str) else "",
        description if isinstance(description, str) else "",
        digest(document.value),
    )
