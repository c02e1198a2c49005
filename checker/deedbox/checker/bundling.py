"""Documents of several files: one value that has them all, and the way back from a place in it to the file and line.

What a reference means is the format's (`apis.sources`, `json_schema.bundling`); how a file is found, and what is refused, is
here. Every file is read through the caller's loader, never by ourselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from deedbox.checker.documents import Document
from deedbox.checker.errors import FileMissing, LeadsOut
from deedbox.checker.pointers import join, split

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from deedbox.checker.errors import DocumentError

Loader: TypeAlias = "Callable[[str], Document | None]"
"""Gives the document at a path relative to the folder that files are read from (forward slashes), or None where there is none."""

_STEPS = 2
"""How deep the files stand in a bundle: below one keyword of its root, by name."""


class Bundle(Document):
    """A root document with all the files it needs. `files` has them by path, `mounts` by their pointers in the value."""

    def __init__(self, value: Any, root: Document, files: dict[str, Document], mounts: Mapping[str, Document]) -> None:
        super().__init__(value, root.name, root.text, root.syntax)
        self.root, self.files, self.mounts = root, files, mounts

    def place(self, pointer: str) -> tuple[str, int | None, int | None]:
        """File, line and column of a place; the last two None where there is no text."""
        document, inner = self._owner(pointer)
        line, column = document.position(inner) or (None, None)
        return document.name, line, column

    def position(self, pointer: str) -> tuple[int, int] | None:
        """Line and column of a place, in the file that it is in."""
        document, inner = self._owner(pointer)
        return document.position(inner)

    def relocate(self, error: DocumentError) -> None:
        """Makes an error about a place of the whole one about the file that the place is in."""
        if error.source != self.name or error.pointer is None:
            return
        document, inner = self._owner(error.pointer)
        if document is not self.root:
            error.source, error.pointer = document.name, inner
            error.line, error.column = document.position(inner) or (None, None)

    def _owner(self, pointer: str) -> tuple[Document, str]:
        tokens = split(pointer)
        # A place of another version may be in a file that this one does not have: its nearest place is in the root.
        document = self.mounts.get(join("", *tokens[:_STEPS])) if len(tokens) >= _STEPS else None
        return (self.root, pointer) if document is None else (document, join("", *tokens[_STEPS:]))


def load_file(path: str, reference: str, loader: Loader | None, document: Document, pointer: str) -> Document:
    """The file that a reference names.

    Args:
        path: of the file, relative to the folder that files are read from and normalised; or an address on the network.
        reference: as it is written.
        loader: reads files; None where there is one document alone.
        document: the one that the reference stands in.
        pointer: of the reference's keyword in it.

    Raises:
        FileMissing: it is on the network or not there; with the place of the reference.
        LeadsOut: it is out of the folder.
        DocumentError: it cannot be read.
    """
    line, column = document.position(pointer) or (None, None)
    where: dict[str, Any] = {
        "source": document.name,
        "pointer": pointer.rpartition("/")[0],
        "line": line,
        "column": column,
    }
    if "://" in path or path.startswith("//"):
        raise FileMissing(
            f"{reference!r} is on the network, and nothing is ever fetched: save it beside the document and refer to the file",
            **where,
        )
    if path.startswith(("../", "/")) or path == ".." or "\0" in path:
        raise LeadsOut.of(reference, "the document's folder", **where)
    if loader is None:
        raise FileMissing(
            f"{reference!r} is another file, and only this one was given: compare by file name, or bundle them", **where
        )
    loaded = loader(path)
    if loaded is None:
        raise FileMissing(f"{reference!r}: there is no file {path}", **where)
    return loaded
