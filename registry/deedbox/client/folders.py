"""Documents of several files, read from a folder that is never left, and as one text for those who store them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deedbox.checker.documents import MAX_BYTES, load_document
from deedbox.checker.formats import APIS, detect

if TYPE_CHECKING:
    from deedbox.checker.apis.sources import Loader
    from deedbox.checker.documents import Document


def whole(document: Document, loader: Loader | None) -> Document:
    """An API document together with every file that it refers to (a `Bundle`); any other document as it is.

    Raises:
        FileMissing, DocumentError: a file that is not there, lies outside, or cannot be read; with the place.
    """
    if detect(document) not in APIS:
        return document
    from deedbox.checker.apis.sources import bundle

    return bundle(document, loader)


def text_of(document: Document) -> str:
    """A document as one text: its own as it was written, or that of all its files as one JSON document."""
    if document.text is not None and not getattr(document, "files", None):
        return document.text
    from deedbox.checker.canonical import canonical

    return canonical(document.value).decode()


def loader_of(folder: Path) -> Loader:
    """Reads files under a folder for `deedbox.checker.apis.sources.bundle`; a link that leads out of it leads nowhere."""
    root = folder.resolve()

    def load(path: str) -> Document | None:
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.is_file():
            return None
        with file.open("rb") as opened:
            return load_document(opened.read(MAX_BYTES + 1), str(folder / path))

    return load
