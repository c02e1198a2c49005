"""Documents of several files: every file that a `$ref` names is read through the caller's loader, never by ourselves.

A bundle is one value: the root document, with the other files under one extra key. References between files are
rewritten to pointers into it, so that all else sees one document; `place` leads back to the file and the line.
"""

from __future__ import annotations

import posixpath
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag

from deedbox.checker.apis.cursor import target_of
from deedbox.checker.apis.errors import ReferenceCycle
from deedbox.checker.bundling import Bundle, load_file
from deedbox.checker.documents import Document
from deedbox.checker.pointers import escape, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.bundling import Loader

FILES = "x-deedbox-files"
_DATA = frozenset({"example", "examples", "default", "enum", "const", "value"})
"""Keywords whose values are data: a `$ref` in them is no reference."""
_NAMES = frozenset({
    "properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas", "parameters", "responses",
    "headers", "examples", "requestBodies", "securitySchemes", "links", "callbacks", "pathItems", "paths", "webhooks",
    "channels", "operations", "messages", "content", "mapping",
})  # fmt: skip
"""Keywords that hold an object of names: what looks like a keyword in it is a name."""


class ApiBundle(Bundle):
    """An API document with all the files it needs: its other files are under one extra key."""

    def __init__(self, value: Any, root: Document, files: dict[str, Document]) -> None:
        super().__init__(value, root, files, {join("", FILES, path): file for path, file in files.items()})

    @cached_property
    def references(self) -> list[tuple[str, dict[str, Any]]]:
        """Each object with a `$ref`, with its pointer."""
        return list(references(self.value))


def bundle(document: Document, loader: Loader | None = None, name: str | None = None) -> ApiBundle:
    """Reads every file that the document's references lead to.

    Args:
        document: the root.
        loader: reads the other files.
        name: the root's path from the folder that the loader reads, by which other files may refer to it; the document's
            own file name where None.

    Raises:
        FileMissing: a file is not there, or there is no loader; with the place.
        LeadsOut: a file is outside of the folder that the loader reads.
        ReferenceCycle: references that lead only to each other, with the place of the first.
        DocumentError: a file cannot be read.
    """
    if isinstance(document, ApiBundle):
        return document
    own_name = name or posixpath.basename(document.name.replace("\\", "/"))
    if document.text is None or "$dynamicRef" in document.text:
        document = _static(document)
    alone = ApiBundle(document.value, document, {})
    if all(target_of(holder["$ref"]) is not None for _, holder in alone.references):
        return _ending(alone)
    files: dict[str, Document] = {}
    pending: list[tuple[str, Document]] = [("", document)]
    foreign = False
    while pending:
        folder_of, current = pending.pop()
        known = _identifiers(current.value)
        for pointer, holder in references(current.value):
            path = _path_of(holder["$ref"], known, folder_of or own_name)
            foreign = foreign or path is not None or target_of(holder["$ref"]) is None
            if path is None:
                continue
            if path == own_name or path in files:
                continue
            files[path] = loaded = load_file(path, holder["$ref"], loader, current, join(pointer, "$ref"))
            pending.append((path, loaded))
    if not foreign:
        return _ending(alone)
    whole = dict(_rewritten(document.value, "", own_name))
    if files:
        whole[FILES] = {path: _rewritten(loaded.value, path, own_name) for path, loaded in files.items()}
    return _ending(ApiBundle(whole, document, files))


def _ending(found: ApiBundle) -> ApiBundle:
    """The bundle, if each chain of references in it ends."""
    targets = {pointer: target_of(holder["$ref"]) for pointer, holder in found.references}
    ending: set[str] = set()
    for start in targets:
        chain: dict[str, None] = {}
        place: str | None = start
        while place in targets and place not in ending:
            if place in chain:
                line, column = found.position(join(place, "$ref")) or (None, None)
                error = ReferenceCycle(
                    f"the $ref to {targets[place]} leads back to itself: nothing is said there but references",
                    source=found.name, pointer=place, line=line, column=column,
                )  # fmt: skip
                found.relocate(error)
                raise error
            chain[place] = None
            place = targets[place]
        ending.update(chain)
    return found


def _static(document: Document) -> Document:
    """The document with each `$dynamicRef` whose anchor stands in it once as the `$ref` that it then is (2020-12 core §8.2.3.2).

    Where the anchor stands more than once, the scope decides, and the reference stays: it is refused where it is met.
    """
    anchors: dict[str, list[str]] = {}
    found = []
    stack = [("", document.value)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, list):
            stack += [(f"{pointer}/{i}", item) for i, item in enumerate(value) if isinstance(item, dict | list)]
        elif isinstance(value, dict):
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(value.get(keyword), str):
                    anchors.setdefault(value[keyword], []).append(pointer)
            if isinstance(value.get("$dynamicRef"), str) and "$ref" not in value:
                found.append(value)
            stack += [(f"{pointer}/{escape(k)}", m) for k, m in value.items() if isinstance(m, dict | list)]
    changed = {}
    for holder in found:
        reference = holder["$dynamicRef"]
        places = anchors.get(reference[1:], []) if reference.startswith("#") and "/" not in reference else []
        target = "#" + places[0] if len(places) == 1 else reference if target_of(reference) is not None else None
        if target is not None:
            changed[id(holder)] = {k: m for k, m in holder.items() if k != "$dynamicRef"} | {"$ref": target}
    if not changed:
        return document
    return Document(_copy(document.value, changed), document.name, document.text, document.syntax)


def references(value: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object with a `$ref`, with its pointer. Examples and other data are left out."""
    stack: list[tuple[str, Any, bool]] = [(pointer, value, False)]
    while stack:
        pointer, value, names = stack.pop()
        if isinstance(value, list):
            stack += [(f"{pointer}/{i}", item, False) for i, item in enumerate(value) if isinstance(item, dict | list)]
        elif isinstance(value, dict):
            if not names and isinstance(value.get("$ref"), str):
                yield pointer, value
            for key, member in value.items():
                if isinstance(member, dict | list) and (names or key not in _DATA or _is_map(key, member)):
                    stack.append((f"{pointer}/{escape(key)}", member, not names and key in _NAMES))


def _is_map(key: str, member: Any) -> bool:
    """Whether `examples` is the object of example objects, each of which may be a reference."""
    return key == "examples" and isinstance(member, dict)


def _identifiers(value: Any) -> dict[str, str]:
    """Each `$id` and (as `#name`) each anchor, with the pointer of the schema that has it."""
    found: dict[str, str] = {}
    stack = [("", value)]
    while stack:
        pointer, value = stack.pop()
        if isinstance(value, dict):
            if isinstance(value.get("$id"), str):
                found.setdefault(urldefrag(value["$id"]).url, pointer)
            for keyword in ("$anchor", "$dynamicAnchor"):
                if isinstance(value.get(keyword), str):
                    found.setdefault("#" + value[keyword], pointer)
            stack += [(join(pointer, key), member) for key, member in value.items() if isinstance(member, dict | list)]
        elif isinstance(value, list):
            stack += [(join(pointer, i), item) for i, item in enumerate(value) if isinstance(item, dict | list)]
    return found


def _path_of(reference: str, known: dict[str, str], within: str) -> str | None:
    """The file that a reference in the file `within` names; None for that file itself."""
    url, _ = urldefrag(reference)
    if not url or url in known:
        return None
    if "://" in url or url.startswith("//"):
        return url
    path = posixpath.normpath(posixpath.join(posixpath.dirname(within), unquote(url)))
    return None if path == within else path


def _rewritten(value: Any, within: str, own_name: str) -> Any:
    """The value with its references as pointers into the bundle. Everything else is shared, not copied."""
    known = _identifiers(value)
    changed: dict[int, dict[str, Any]] = {}
    for _, holder in references(value):
        url, fragment = urldefrag(holder["$ref"])
        path = _path_of(holder["$ref"], known, within or own_name)
        target = within if path is None else ("" if path == own_name else path)
        prefix = join("", FILES, target) if target else ""
        if url in known:
            prefix += known[url]
        if fragment and not fragment.startswith("/"):
            if path is not None or "#" + fragment not in known:
                continue  # an anchor of another file, or of none: it is said where it is followed
            prefix, fragment = prefix.removesuffix(known.get(url, "")) + known["#" + fragment], ""
        changed[id(holder)] = holder | {"$ref": f"#{prefix}{fragment}"}
    return _copy(value, changed)


def _copy(value: Any, changed: dict[int, dict[str, Any]]) -> Any:
    if isinstance(value, dict):
        return {key: _copy(member, changed) for key, member in changed.get(id(value), value).items()}
    if isinstance(value, list):
        return [_copy(item, changed) for item in value]
    return value
