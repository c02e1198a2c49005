"""Which dialect of JSON Schema a document's schemas are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.errors import UnknownDialect
from deedbox.checker.json_schema.dialects import by_uri

if TYPE_CHECKING:
    from deedbox.checker.apis.translation import Dialect
    from deedbox.checker.openapi.model import Api


def dialect_of(api: Api) -> Dialect:
    """The dialect: OpenAPI's own up to 3.0, JSON Schema 2020-12 from 3.1 on (OAS 3.1.1 §4.8.24.2).

    Raises:
        UnknownDialect: `jsonSchemaDialect` names another draft.
    """
    if api.version < (3, 1):
        return "openapi-3.0"
    given = api.root.raw("jsonSchemaDialect")
    if isinstance(given, str) and not given.startswith("https://spec.openapis.org/oas/3."):
        known = by_uri(given)
        if known is None or known.name != "draft2020-12":
            line, column = api.root.document.position("/jsonSchemaDialect") or (None, None)
            raise UnknownDialect(
                f"jsonSchemaDialect {given!r} is not known: OpenAPI 3.1's own and JSON Schema 2020-12 are",
                source=api.root.document.name, pointer="/jsonSchemaDialect", line=line, column=column,
            )  # fmt: skip
    return "draft2020-12"
