"""Documents of several files, read from a folder that is never left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deedbox.checker.documents import MAX_BYTES, load_document

if TYPE_CHECKING:
    from deedbox.checker.apis.sources import Loader
    from deedbox.checker.documents import Document


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
