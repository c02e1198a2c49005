"""Documents of several files, read from a folder that is never left, and as one text for those who store them."""

from __future__ import annotations

import os
import posixpath
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from deedbox.checker.documents import MAX_BYTES, load_document
from deedbox.checker.errors import LeadsOut
from deedbox.checker.formats import APIS, detect

if TYPE_CHECKING:
    from deedbox.checker.bundling import Loader
    from deedbox.checker.documents import Document


@dataclass(frozen=True, slots=True)
class Source:
    """Where the other files of a document are.

    `folder` is the one that is never left, as people call it; `own` the document's path from there, with forward slashes;
    `load` reads the file at such a path.
    """

    folder: str
    own: str
    load: Loader


def whole(document: Document, source: Source | None, dialect: str | None = None) -> Document:
    """A document together with every file that it refers to (a `Bundle`); one that refers to none as it is.

    Files are named from the lowest folder that has all of them, so that nothing above it is in what the document says.

    Args:
        document: the root.
        source: where the other files are; None where there is one document alone.
        dialect: of a schema whose `$schema` is missing or no known draft.

    Raises:
        FileMissing, DocumentError: a file that is not there, lies outside, or cannot be read; with the place.
    """
    if source is None:
        return _bundled(document, None, None, dialect)
    load = cache(source.load)
    *folders, name = source.own.split("/")
    while True:
        try:
            return _bundled(document, _under("/".join(folders), load), name, dialect)
        except LeadsOut as error:
            if not folders:
                raise LeadsOut.of(
                    error.reference, source.folder,
                    source=error.source, pointer=error.pointer, line=error.line, column=error.column,
                ) from None  # fmt: skip
            name = f"{folders.pop()}/{name}"


def _under(folder: str, load: Loader) -> Loader:
    return lambda path: load(posixpath.join(folder, path))


def _bundled(document: Document, loader: Loader | None, name: str | None, dialect: str | None) -> Document:
    if detect(document) in APIS:
        from deedbox.checker.apis.sources import bundle

        return bundle(document, loader, name)
    if loader is None or not _refers_out(document):
        return document
    from deedbox.checker.json_schema.bundling import bundle_schema

    return bundle_schema(document, loader, name, dialect)


def _refers_out(document: Document) -> bool:
    """Whether a schema may refer to another file: nothing is imported to bundle the many that do not."""
    stack = [document.value]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            for keyword in ("$ref", "$dynamicRef"):
                reference = value.get(keyword)
                if isinstance(reference, str) and not reference.startswith("#"):
                    return True
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return False


def text_of(document: Document) -> str:
    """A document as one text: its own as it was written, or that of all its files as one JSON document."""
    if document.text is not None and not getattr(document, "files", None):
        return document.text
    from deedbox.checker.canonical import canonical

    return canonical(document.value).decode()


def placed(path: Path, folder: Path | None) -> tuple[Path, str]:
    """The folder to read from, and a document's path from there: its own folder where it is not in the one given."""
    own = path.parent.resolve()
    root = own if folder is None else folder.resolve()
    if not own.is_relative_to(root):
        root = own
    return root, (own / path.name).relative_to(root).as_posix()


def beside(shown: str, own: str, path: str) -> str:
    """How people call the file at a path, where they call the document at `own` as shown."""
    return os.path.normpath(Path(shown).parent / posixpath.relpath(path, posixpath.dirname(own) or "."))


def source_of(path: Path, shown: str, folder: Path | None = None) -> Source:
    """Reads the other files of a document from a folder; a link that leads out of it leads nowhere.

    Args:
        path: the document's.
        shown: how people call it.
        folder: the one that is never left; the document's own where None, or where it is not in there.
    """
    root, own = placed(path, folder)

    def load(other: str) -> Document | None:
        file = (root / other).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        with file.open("rb") as opened:
            return load_document(opened.read(MAX_BYTES + 1), beside(shown, own, other))

    return Source(str(root), own, load)
