"""`init`: a first project file from the schemas that are there."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

from deedbox.checker.errors import CheckerError
from deedbox.cli.errors import UsageError
from deedbox.cli.project import FILE, NAME, show

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SUFFIXES = (".json", ".yaml", ".yml")
_SKIPPED = frozenset(
    [
        "node_modules",
        "venv",
        "__pycache__",
        "dist",
        "build",
        "target",
        "vendor",
        "site-packages",
        "fixtures",
        "tests",
    ]
)
_MOST_FILES = 20_000
_MOST_BYTES = 4 * 1024 * 1024
_SCHEMA_WORDS = frozenset({"$schema", "$id", "$ref", "$defs", "definitions", "allOf", "anyOf", "oneOf"})
_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})

_HEAD = """\
# What this service sends and accepts. Flags and DEEDBOX_* variables win over what stands here.
[deedbox]
registry = "http://127.0.0.1:8080"  # or DEEDBOX_URL
service = {service}
"""

_CONTRACT = """
[[contract]]
name = {name}  # {service}/{name_plain}
file = {file}
kind = "event"  # event, command, query or api
role = "consumes"  # consumes: "I can read all of this"; produces: "I send nothing but this"
# channels = ["{channel}"]  # the topics it is found on; producers and consumers meet there
# of = "other-service/{name_plain}"  # the other side, where the name alone does not say
# version = "1.0.0"  # worked out where absent
# content-model = "tolerant"  # or open, closed: what of properties that the schema does not mention
"""

_NO_SCHEMA = """
# No schema was found here. A contract looks like this:
# [[contract]]
# name = "order-placed"
# file = "contracts/order-placed.schema.json"
# kind = "event"
# role = "consumes"
# channels = ["shop.orders"]
"""


def write_project(folder: Path, service: str | None) -> tuple[Path, int]:
    """Writes a project file into a folder.

    Returns:
        The file, and how many contracts it has.

    Raises:
        UsageError: there is one already, or the service has no name that is allowed.
    """
    path = folder / FILE
    service = service or _name(folder.name) or "service"
    if not NAME.match(service):
        raise UsageError(f"the service name {service!r} is not allowed: letters, digits, '.', '_' and '-'")
    schemas = list(find_schemas(folder))
    text = _HEAD.format(service=json.dumps(service))
    used: set[str] = set()
    for schema in schemas:
        name = _unused(_name(_stem(schema.name)) or "contract", used)
        text += _CONTRACT.format(
            name=json.dumps(name),
            name_plain=name,
            service=service,
            file=json.dumps(schema.relative_to(folder).as_posix(), ensure_ascii=False),
            channel=f"{service}.{name}",
        )
    if not schemas:
        text += _NO_SCHEMA
    try:
        with path.open("x", encoding="utf-8") as file:  # "x": what is there is never overwritten
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{show(path)} is there already") from None
    except OSError as error:
        raise UsageError(f"{show(path)}: {error.strerror or error}") from None
    return path, len(schemas)


def find_schemas(folder: Path) -> Iterator[Path]:
    """The files of a folder that are JSON Schemas, in order; hidden and generated folders are left out."""
    seen = 0
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and f not in _SKIPPED)
        for name in sorted(files):
            if not name.lower().endswith(_SUFFIXES) or name.startswith("."):
                continue
            seen += 1
            if seen > _MOST_FILES:
                return
            path = folder.__class__(parent) / name
            if _is_schema(path):
                yield path


def _is_schema(path: Path) -> bool:
    from deedbox.checker import load_document
    from deedbox.checker.json_schema.dialects import by_uri

    try:
        if path.stat().st_size > _MOST_BYTES:
            return False
        value = load_document(path.read_bytes(), path.name).value
    except (CheckerError, OSError):
        return False
    if not isinstance(value, dict) or "openapi" in value or "asyncapi" in value or "swagger" in value:
        return False
    declared = value.get("$schema")
    if isinstance(declared, str):
        return by_uri(declared) is not None
    named = ".schema." in path.name.lower()
    return (named and bool(_SCHEMA_WORDS & value.keys())) or _typed_object(value)


def _typed_object(value: dict[str, Any]) -> bool:
    properties = value.get("properties")
    return (
        value.get("type") in _TYPES
        and isinstance(properties, dict)
        and all(isinstance(p, bool | dict) for p in properties.values())
    )


def _stem(file: str) -> str:
    return re.sub(r"(\.schema)?\.(json|ya?ml)\Z", "", file, flags=re.IGNORECASE)


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100]


def _unused(name: str, used: set[str]) -> str:
    candidate, number = name, 1
    while candidate in used:
        number += 1
        candidate = f"{name[:95]}-{number}"
    used.add(candidate)
    return candidate
