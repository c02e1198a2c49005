"""`init`: a first project file from the schemas and the API documents that are there."""

from __future__ import annotations

import json
import os
import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag

from deedbox.checker.errors import CheckerError
from deedbox.checker.formats import APIS, detect
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
# package = "{service}-{name_plain}"  # release each version as a typed package of this name
# package-style = "pydantic"  # or dataclass, typeddict: what its classes are
# package-open-enums = false  # whether it reads a value that an enum does not name
"""

_API = """
[[contract]]
name = {name}  # {service}/{name_plain}
file = {file}
format = "{format}"
kind = "api"
role = "provides"  # provides: "I serve this"; consumes: "I call nothing but this", of = the one that provides it
# of = "other-service/{name_plain}"
# version = "1.0.0"  # worked out where absent
"""

_NO_SCHEMA = """
# No schema and no API document was found here. A contract looks like this:
# [[contract]]
# name = "order-placed"
# file = "contracts/order-placed.schema.json"
# kind = "event"
# role = "consumes"
# channels = ["shop.orders"]
"""


def write_project(folder: Path, service: str | None) -> tuple[Path, int, list[str]]:
    """Writes a project file into a folder.

    Returns:
        The file, how many contracts it has, and the schemas that were left out as parts of other documents.

    Raises:
        UsageError: there is one already, or the service has no name that is allowed.
    """
    path = folder / FILE
    service = service or _name(folder.name) or "service"
    if not NAME.match(service):
        raise UsageError(f"the service name {service!r} is not allowed: letters, digits, '.', '_' and '-'")
    found, parts = find_documents(folder)
    text = _HEAD.format(service=json.dumps(service))
    used: set[str] = set()
    for one in found:
        name = _unused(_name(_stem(posixpath.basename(one.file), one.format)) or "contract", used)
        text += (_API if one.format in APIS else _CONTRACT).format(
            name=json.dumps(name),
            name_plain=name,
            service=service,
            file=json.dumps(one.file, ensure_ascii=False),
            format=one.format,
            channel=f"{service}.{name}",
        )
    if not found:
        text += _NO_SCHEMA
    try:
        with path.open("x", encoding="utf-8") as file:  # "x": what is there is never overwritten
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{show(path)} is there already") from None
    except OSError as error:
        raise UsageError(f"{show(path)}: {error.strerror or error}") from None
    return path, len(found), [part.file for part in parts]


@dataclass(frozen=True, slots=True)
class Found:
    """A document: its path below the folder, its format (empty: it may be a part), and the paths that it refers to."""

    file: str
    format: str
    refers: frozenset[str]


def find_documents(folder: Path) -> tuple[list[Found], list[Found]]:
    """The JSON Schemas, OpenAPI and AsyncAPI documents of a folder, and those of them that are parts of others.

    In order of their paths; hidden and generated folders are left out.
    """
    found = {one.file: one for one in _documents(folder)}
    reached = {file: _reached(file, found) for file in found}
    wholes: list[Found] = []
    parts: list[Found] = []
    for file, one in found.items():
        if one.format:
            part = any(file in below and whole not in reached[file] for whole, below in reached.items())
            (parts if part else wholes).append(one)
    return wholes, parts


def _reached(file: str, found: dict[str, Found]) -> set[str]:
    """The documents that one leads to, at any distance."""
    reached: set[str] = set()
    pending = [file]
    while pending:
        for other in found[pending.pop()].refers & found.keys():
            if other not in reached:
                reached.add(other)
                pending.append(other)
    return reached


def _documents(folder: Path) -> Iterator[Found]:
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
            one = _document(path, path.relative_to(folder).as_posix())
            if one is not None:
                yield one


def _document(path: Path, file: str) -> Found | None:
    from deedbox.checker import load_document
    from deedbox.checker.apis.sources import references

    try:
        if path.stat().st_size > _MOST_BYTES:
            return None
        value = load_document(path.read_bytes(), path.name).value
    except (CheckerError, OSError):
        return None
    format = detect(value)
    if format not in APIS and not _is_schema(value, path.name):
        format = ""
    urls = {urldefrag(holder["$ref"]).url for _, holder in references(value)}
    refers = {posixpath.normpath(posixpath.join(posixpath.dirname(file), unquote(url))) for url in urls if url}
    return Found(file, format, frozenset(refers))


def _is_schema(value: Any, name: str) -> bool:
    from deedbox.checker.json_schema.dialects import by_uri

    if not isinstance(value, dict):
        return False
    declared = value.get("$schema")
    if isinstance(declared, str):
        return by_uri(declared) is not None
    named = ".schema." in name.lower()
    return (named and bool(_SCHEMA_WORDS & value.keys())) or _typed_object(value)


def _typed_object(value: dict[str, Any]) -> bool:
    properties = value.get("properties")
    return (
        value.get("type") in _TYPES
        and isinstance(properties, dict)
        and all(isinstance(p, bool | dict) for p in properties.values())
    )


def _stem(file: str, format: str) -> str:
    name = re.sub(r"([._-](schema|openapi|asyncapi|swagger))?\.(json|ya?ml)\Z", "", file, flags=re.IGNORECASE)
    usual = {"openapi": "api", "swagger": "api", "asyncapi": "events"}
    return usual.get(name.lower(), name) if format in APIS else name


def _name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:100]


def _unused(name: str, used: set[str]) -> str:
    candidate, number = name, 1
    while candidate in used:
        number += 1
        candidate = f"{name[:95]}-{number}"
    used.add(candidate)
    return candidate
