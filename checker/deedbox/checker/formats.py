"""Which format a document is of, by what it says itself."""

from __future__ import annotations

from typing import Any

FORMATS = ("json-schema", "openapi", "asyncapi")
"""The document formats that can be compared."""

APIS = frozenset({"openapi", "asyncapi"})
"""Those that describe an API: operations with schemas in them, not one schema."""

_KEYS = {"openapi": "openapi", "swagger": "openapi", "asyncapi": "asyncapi"}


def detect(document: Any) -> str:
    """The format of a parsed document (a `Document` or its value): by its version key, else "json-schema".

    An OpenAPI or AsyncAPI document must say its version at the root (OAS 3.1.1 §4.8.1, AsyncAPI 3.0 §AsyncAPI Object).
    """
    value = getattr(document, "value", document)
    if isinstance(value, dict):
        for key, name in _KEYS.items():
            # A schema may have such a keyword of its own; an API document is none, so it has no `$schema` beside it.
            if isinstance(value.get(key), str | int | float) and not isinstance(value.get("$schema"), str):
                return name
        for key, name in _KEYS.items():
            if key in value and ("paths" in value or "channels" in value):
                return name
    return "json-schema"
