"""JSON Schemas of several files as one compound document (2020-12 core §9.3, which holds for the older drafts as well).

Each file becomes a schema resource under `$defs` (`definitions` up to draft 7), with the URI it has as its identifier. So its
references, anchors and dynamic scopes mean what they meant. A reference is rewritten only where it names a file by another
URI than the one that the file itself says it has.

A relative reference names a file relative to the file it stands in. With identifiers it is resolved as the drafts say, and
the URI is mapped back: one that is beside the URI of a file is a file beside that file.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from deedbox.checker import pointers
from deedbox.checker.bundling import Bundle, load_file
from deedbox.checker.documents import Document
from deedbox.checker.errors import NotASchema, NotBundled
from deedbox.checker.json_schema.dialects import DRAFT2019, DRAFT2020, Dialect, by_uri, dialect_of
from deedbox.checker.json_schema.metaschema import check_schema
from deedbox.checker.json_schema.schema import held

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.bundling import Loader


def bundle_schema(
    document: Document, loader: Loader | None, name: str | None = None, dialect: str | None = None
) -> Document:
    """A schema together with every file that it refers to; itself where it refers to none.

    Args:
        document: the root.
        loader: reads the other files; without one the document is given back as it is.
        name: the root's path from the folder that the loader reads, by which other files may refer to it; the document's
            own file name where None.
        dialect: as of `compare`.

    Raises:
        FileMissing: a file is not there; with the place of the reference.
        LeadsOut: a file is outside of the folder that the loader reads.
        NotBundled: files that cannot be one document and mean the same; says why.
        DocumentError: a file cannot be read.
    """
    if loader is None or not isinstance(document.value, dict) or isinstance(document, Bundle):
        return document
    own = name or posixpath.basename(document.name.replace("\\", "/"))
    declared = document.value.get("$schema")
    if isinstance(declared, str) and by_uri(declared) is None and dialect is None:
        return document  # nobody knows which of its keywords are references: to compare it is an error that says so
    return _Bundling(document, loader, own, dialect_of(document.value, dialect, document.name)).bundled()


@dataclass(slots=True)
class _File:
    """One file. `uri` is the base of its references; `said` whether it has an identifier of its own."""

    path: str
    document: Document
    uri: str
    said: bool
    bases: dict[str, str] = field(default_factory=dict)
    """Pointer of each resource in it → its URI."""
    seen: set[str] = field(default_factory=set)
    changes: dict[str, dict[str, str]] = field(default_factory=dict)
    """Pointer of a schema → its keywords that are written otherwise in the bundle."""

    def base_at(self, pointer: str) -> str:
        while pointer not in self.bases:
            pointer = pointer.rpartition("/")[0]
        return self.bases[pointer]


@dataclass(frozen=True, slots=True)
class _Reference:
    """A reference as it is written, and the URI (without fragment) and fragment that it names."""

    file: _File
    pointer: str
    keyword: str
    text: str
    base: str
    uri: str
    fragment: str


class _Bundling:
    """One bundling: reads files until no reference leads to another one."""

    def __init__(self, document: Document, loader: Loader, name: str, draft: Dialect) -> None:
        self.loader, self.draft = loader, draft
        said = self._identifier(document.value)
        self.root = _File(name, document, said or quote(name), bool(said))
        self.files: dict[str, _File] = {name: self.root}
        self.resources: dict[str, tuple[_File, str]] = {}
        """URI → where the resource is."""
        self.retrieved: dict[str, _File] = {}
        """URI that a reference named → the file, where the file says that it has another."""
        self.references: list[_Reference] = []

    def bundled(self) -> Document:
        """The bundle, or the root as it is where it stands alone."""
        self._enter(self.root)
        done = 0
        while done < len(self.references):
            self._follow(self.references[done])
            done += 1
        if len(self.files) == 1:
            return self.root.document
        # With files above it, the root must say where it is: what is relative to nothing cannot lead up.
        named = "/" in self.root.path and not self.root.said
        for reference in self.references:
            target = self._target(reference)
            if target is None:
                continue
            file, pointer = target
            named = named or (
                file is self.root and not pointer and not self.root.said and bool(reference.text[:1] != "#")
            )
            self._spell(reference, file.bases[pointer])
        return self._compound(named=named)

    def _enter(self, file: _File) -> None:
        file.bases[""] = file.uri
        self._resource(file.uri, file, "")
        self._walk(file, "", file.document.value, file.uri)

    def _resource(self, uri: str, file: _File, pointer: str) -> None:
        known = self.resources.setdefault(uri, (file, pointer))
        if known[0] is not file and pointers.get(known[0].document.value, known[1]) != pointers.get(
            file.document.value, pointer
        ):
            first = known[0].document.name
            raise self._fault(f"{first} has another schema of the same {self.draft.identifier} {uri!r}", file, pointer)

    def _walk(self, file: _File, pointer: str, value: Any, base: str) -> None:
        stack = [(pointer, value, base)]
        while stack:
            pointer, value, base = stack.pop()
            if pointer in file.seen or not isinstance(value, dict):
                continue
            file.seen.add(pointer)
            alone = self.draft.ref_overrides_siblings and isinstance(value.get("$ref"), str)
            said = None if alone or not pointer else self._identifier(value)
            if said:
                base = file.bases[pointer] = _joined(base, said)
                self._resource(base, file, pointer)
            for keyword in self.draft.references:
                text = value.get(keyword)
                if isinstance(text, str):
                    url, fragment = urldefrag(text)
                    uri = _joined(base, url) if url else base
                    self.references.append(_Reference(file, pointer, keyword, text, base, uri, fragment))
            for _, tokens, below in held(value, self.draft):
                stack.append((pointers.join(pointer, *tokens), below, base))

    def _identifier(self, value: dict[str, Any]) -> str:
        """The identifier of a resource; empty without one (up to draft 7, one of only a fragment is an anchor)."""
        said = value.get(self.draft.identifier)
        return urldefrag(said).url if isinstance(said, str) else ""

    def _follow(self, reference: _Reference) -> None:
        """Reads the file that a reference leads to, and walks the place in it that no keyword holds."""
        target = self._target(reference)
        if target is None and by_uri(reference.uri) is None:
            path = self._path(reference)
            if path is not None:
                self._read(path, reference)
                target = self._target(reference)
        if target is None or not reference.fragment.startswith("/"):
            return
        file, pointer = target
        place = pointer + unquote(reference.fragment)
        try:
            value = pointers.get(file.document.value, place)
        except LookupError:
            return  # it leads nowhere: that is said where it is read
        if place not in file.seen and file is not self.root:
            self._check(file, place, value)
        self._walk(file, place, value, file.base_at(place))

    def _check(self, file: _File, place: str, value: Any) -> None:
        """Refuses what is no schema at a place that no keyword holds: the metaschema does not look there."""
        try:
            check_schema(Document(value, file.document.name), self.draft)
        except NotASchema as error:
            pointer = place + (error.pointer or "")
            line, column = file.document.position(pointer) or (None, None)
            raise NotASchema(
                error.message, source=file.document.name, pointer=pointer, line=line, column=column
            ) from None

    def _target(self, reference: _Reference) -> tuple[_File, str] | None:
        found = self.resources.get(reference.uri)
        if found is None and reference.uri in self.retrieved:
            return self.retrieved[reference.uri], ""
        return found

    def _path(self, reference: _Reference) -> str | None:
        """The file that a reference names, from the folder that the loader reads; None where no file can be meant."""
        file, uri = reference.file, urlsplit(reference.uri)
        own = urlsplit(file.uri)
        folder = posixpath.dirname(file.path)
        if (uri.scheme, uri.netloc) == (own.scheme, own.netloc) and own.path:
            if own.path.startswith("/") != uri.path.startswith("/"):
                return uri.path
            beside = posixpath.relpath(uri.path, posixpath.dirname(own.path) or ".") if uri.path else ""
        elif uri.scheme or uri.netloc or uri.path.startswith("/"):
            return None
        else:  # the base is a URN or the like, which nothing is relative to
            beside = uri.path
        return posixpath.normpath(posixpath.join(folder, unquote(beside))) if beside else None

    def _read(self, path: str, reference: _Reference) -> None:
        if path in self.files:
            self.retrieved[reference.uri] = self.files[path]
            return
        holder = reference.file.document
        loaded = load_file(
            path, reference.text, self.loader, holder, pointers.join(reference.pointer, reference.keyword)
        )
        value = loaded.value
        if not isinstance(value, dict | bool):
            raise NotASchema("a schema is an object or a boolean", source=loaded.name, pointer="")
        said = ""
        if isinstance(value, dict):
            self._same_draft(value, loaded)
            # Beside an overriding `$ref` an identifier says nothing.
            if not (self.draft.ref_overrides_siblings and isinstance(value.get("$ref"), str)):
                said = self._identifier(value)
        file = _File(path, loaded, _joined(reference.uri, said) if said else reference.uri, bool(said))
        if isinstance(value, dict) and not said and str(value.get(self.draft.identifier, "")).startswith("#"):
            raise self._fault(
                f"the {self.draft.identifier} of a file's root is only a fragment, and in a bundle it needs one of its own: "
                "refer to the file without it",
                file,
                pointers.join("", self.draft.identifier),
            )
        self.files[path] = file
        if file.uri != reference.uri:
            self.retrieved[reference.uri] = file
        self._enter(file)

    def _same_draft(self, value: dict[str, Any], loaded: Document) -> None:
        declared = value.get("$schema")
        if not isinstance(declared, str):
            return
        own = self.root.document.value.get("$schema")
        if declared == own or by_uri(declared) is self.draft:
            return
        of_root = f"{own!r}" if isinstance(own, str) else f"none, so {DRAFT2020.name} unless it is told otherwise"
        line, column = loaded.position("/$schema") or (None, None)
        raise NotBundled(
            f"its $schema is {declared!r} and that of {self.root.document.name} is {of_root}: all files of a schema must be "
            "of one draft",
            source=loaded.name, pointer="/$schema", line=line, column=column,
        )  # fmt: skip

    def _spell(self, reference: _Reference, uri: str) -> None:
        """Writes a reference so that it names a resource by the URI that it has in the bundle."""
        if reference.uri == uri:
            return
        url = self._spelled(reference.base, uri, reference.file, reference.pointer)
        written = f"{url}#{reference.fragment}" if "#" in reference.text else url
        reference.file.changes.setdefault(reference.pointer, {})[reference.keyword] = written

    def _spelled(self, base: str, uri: str, file: _File, pointer: str) -> str:
        for written in (uri, posixpath.relpath(uri, posixpath.dirname(base) or ".")):
            if urljoin(base, written) == uri:
                return written
        raise self._fault(
            f"{uri!r} cannot be said relative to {base!r}: give the schema an absolute {self.draft.identifier}",
            file,
            pointer,
        )

    def _compound(self, *, named: bool) -> Bundle:
        root = self.root
        value = _rewritten(root.document.value, "", root.changes)
        if named:
            # A relative identifier with a folder is applied twice by some readers: `contracts/contracts/order.json`.
            value = self._named(value, f"file:///{root.uri}" if "/" in root.uri else root.uri)
        keyword = "definitions" if self.draft.rank < DRAFT2019.rank else "$defs"
        base = root.uri if root.said or named else ""
        definitions = dict(value.get(keyword, {})) if isinstance(value.get(keyword, {}), dict) else None
        if definitions is None:
            raise NotASchema(f"{keyword} must be an object", source=root.document.name, pointer=f"/{keyword}")
        mounts = {}
        for path, file in sorted(self.files.items()):
            if file is root:
                continue
            name = next(name for name in _names(path) if name not in definitions)
            identifier = self._spelled(base, file.uri, file, "")
            definitions[name] = self._embedded(file, identifier)
            mounts[pointers.join("", keyword, name)] = file.document
        files = {path: file.document for path, file in self.files.items() if file is not root}
        return Bundle(value | {keyword: definitions}, root.document, files, mounts)

    def _embedded(self, file: _File, identifier: str) -> dict[str, Any]:
        """A file as a resource in the bundle."""
        value = _rewritten(file.document.value, "", file.changes)
        if isinstance(value, bool):
            value = {} if value else {"not": {}}
        return self._named({key: member for key, member in value.items() if key != "$schema"}, identifier)

    def _named(self, value: dict[str, Any], identifier: str) -> dict[str, Any]:
        """A resource with its identifier."""
        head: dict[str, Any] = {self.draft.identifier: identifier}
        if self.draft.ref_overrides_siblings and isinstance(value.get("$ref"), str):
            # An identifier beside `$ref` would be ignored, as all that stands beside it is, definitions aside.
            kept = {key: value[key] for key in ("$schema", "definitions", "$defs") if key in value}
            return head | {"allOf": [{"$ref": value["$ref"]}]} | kept
        return value | head

    def _fault(self, message: str, file: _File, pointer: str) -> NotBundled:
        line, column = file.document.position(pointer) or (None, None)
        return NotBundled(message, source=file.document.name, pointer=pointer, line=line, column=column)


def _names(path: str) -> Iterator[str]:
    """Names for a file as a definition, the shortest first: tools call classes by them."""
    whole = re.sub(r"(\.schema)?\.(json|ya?ml)\Z", "", path, flags=re.IGNORECASE)
    yield posixpath.basename(whole)
    yield whole.replace("/", "-")
    for number in itertools.count(2):
        yield f"{whole.replace('/', '-')}-{number}"


def _joined(base: str, url: str) -> str:
    """The URI that a reference names (RFC 3986 §5.2), but a relative one that leads above a relative base still does.

    There is no root above which it could not lead: it names a file out of the folder, and must not name another one in it.
    """
    parts, of_base = urlsplit(url), urlsplit(base)
    if not (
        parts.scheme or parts.netloc or of_base.scheme or of_base.netloc or url.startswith("/") or base.startswith("/")
    ):
        return posixpath.normpath(posixpath.join(posixpath.dirname(of_base.path), parts.path))
    return urldefrag(urljoin(base, url)).url


def _rewritten(value: Any, pointer: str, changes: dict[str, dict[str, str]]) -> Any:
    """A copy with keywords changed at places; all that is not changed is shared."""
    if not changes:
        return value
    if isinstance(value, dict):
        copied = {key: _rewritten(member, pointers.join(pointer, key), changes) for key, member in value.items()}
        return copied | changes.get(pointer, {})
    if isinstance(value, list):
        return [_rewritten(item, pointers.join(pointer, i), changes) for i, item in enumerate(value)]
    return value
