"""Documents of several files, read from a folder that is never left, and as one text for those who store them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deedbox.checker.documents import MAX_BYTES, load_document
from deedbox.checker.formats import APIS, detect

if TYPE_CHECKING:
    from deedbox.checker.bundling import Loader
    from deedbox.checker.documents import Document


def whole(
    document: Document, loader: Loader | None, *, name: str | None = None, dialect: str | None = None
) -> Document:
    """A document together with every file that it refers to (a `Bundle`); one that refers to none as it is.

    Args:
        document: the root.
        loader: reads the other files; None where there is one document alone.
        name: the root's file name; the document's own where None.
        dialect: of a schema whose `$schema` is missing or no known draft.

    Raises:
        FileMissing, DocumentError: a file that is not there, lies outside, or cannot be read; with the place.
    """
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


def loader_of(folder: Path) -> Loader:
    """Reads files under a folder for `whole`; a link that leads out of it leads nowhere."""
    root = folder.resolve()

    def load(path: str) -> Document | None:
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        with file.open("rb") as opened:
            return load_document(opened.read(MAX_BYTES + 1), str(folder / path))

    return load
