"""Whether a document is a schema at all: judged by its draft's metaschema, and said with the place."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from deedbox.checker.errors import NotASchema
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.checker.json_schema.dialects import Dialect


@cache
def _validator(dialect: Dialect) -> Any:
    import jsonschema_rs

    uri = dialect.uri if dialect.rank >= 19 else dialect.uri + "#"
    return jsonschema_rs.validator_for({"$schema": uri, "$ref": uri}, validate_formats=False, offline=True)


def check_schema(document: Document, dialect: Dialect) -> None:
    """Refuses what the metaschema rejects.

    Raises:
        NotASchema: with pointer and line of the deepest fault.
    """
    faults = list(_validator(dialect).iter_errors(document.value))
    if not faults:
        return
    fault = max(faults, key=lambda f: len(f.instance_path))
    pointer = join("", *fault.instance_path)
    line, column = document.position(pointer) or (None, None)
    message = fault.message if len(fault.message) < 300 else fault.message[:297] + "…"
    raise NotASchema(
        f"no {dialect.name} schema: {message}", source=document.name, pointer=pointer, line=line, column=column
    )
