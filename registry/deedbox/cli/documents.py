"""Documents that the command line reads: files, standard input, files at a git revision."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from deedbox.checker.pointers import get, parent
from deedbox.cli.errors import SourceUnreadable, UsageError
from deedbox.cli.project import root_of

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.checker.model import Finding

STDIN = "-"
_MOST_BYTES = 64 * 1024 * 1024
"""More than the checker's own limit on text, so that its error is the one seen."""


def read_bytes(path: str | Path) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Raises:
        SourceUnreadable: with the reason.
    """
    name = "standard input" if str(path) == STDIN else str(path)
    try:
        if str(path) == STDIN:
            return sys.stdin.buffer.read(_MOST_BYTES)
        with Path(path).open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise SourceUnreadable(name, error.strerror or str(error)) from None


def read_document(
    path: str | Path, shown: str | None = None, dialect: str | None = None, folder: Path | None = None
) -> Document:
    """Reads and parses a JSON or YAML file, with the files that it refers to.

    Args:
        path: the file, or `-` for standard input, which stands alone.
        shown: its name in messages.
        dialect: of a schema whose `$schema` is missing or no known draft.
        folder: under which the other files must be; worked out (see `project.root_of`) where None.

    Raises:
        SourceUnreadable, DocumentError: with the place.
    """
    from deedbox.checker.documents import load_document
    from deedbox.client.folders import source_of, whole

    if str(path) == STDIN:
        return whole(load_document(read_bytes(path), shown or "<stdin>"), None, dialect)
    path, shown = Path(path), shown or str(path)
    document = load_document(read_bytes(path), shown)
    return whole(document, source_of(path, shown, folder or root_of(path.parent)), dialect)


def place_of(finding: Finding, old: Document | None, new: Document) -> tuple[str, int | None, int | None]:
    """The file, line and column of a finding: in the document that it speaks of.

    What was removed is shown at its parent in the old file. Where the old document is no file that the user has
    (None), that is the nearest place in the new one.
    """
    if finding.side == "new" or old is None:
        return new.place(finding.location)
    return old.place(finding.location if _still_there(new, finding.location) else parent(finding.location))


def _still_there(document: Document, location: str) -> bool:
    """Whether a place is in the document. An item is in its array's place, since those behind a removed one move up."""
    try:
        holder = get(document.value, parent(location))
        get(document.value, location)
    except LookupError:
        return False
    return not isinstance(holder, list)


class Git:
    """The files of a repository as they were at a revision."""

    def __init__(self, revision: str, folder: Path) -> None:
        """Looks the revision up.

        Raises:
            UsageError: there is none of that name, no repository, or no git.
        """
        self.revision, self.folder = revision, folder
        if revision.startswith("-") or not revision:
            raise UsageError(f"git:{revision} names no revision")
        if self._run("rev-parse", "--is-inside-work-tree") is None:
            raise UsageError(f"{folder} is in no git repository: --against git:… needs one")
        commit = self._run("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        if commit is None and self._run("rev-parse", "--verify", "--quiet", "HEAD") is None:
            raise UsageError(f"the repository of {folder} has no commit yet: make one, then there is git:HEAD")
        if commit is None:
            raise UsageError(
                f"git knows no revision {revision!r}. A shallow clone leaves history out: fetch it first "
                f"(git fetch origin {revision}, or a full clone)"
            )
        self.commit = commit.decode().strip()
        top = self._run("rev-parse", "--show-toplevel")
        assert top is not None
        self.top = Path(os.fsdecode(top.rstrip(b"\n"))).resolve()

    def read(self, path: Path) -> bytes | None:
        """The file's bytes at the revision, or None where it was not there.

        Raises:
            UsageError: the file is outside of the repository.
        """
        resolved = path.parent.resolve() / path.name
        if not resolved.is_relative_to(self.top):
            raise UsageError(f"{path} is outside of the repository {self.top}")
        return self._run("cat-file", "blob", f"{self.commit}:{resolved.relative_to(self.top).as_posix()}")

    def document(
        self, path: Path, shown: str, dialect: str | None = None, folder: Path | None = None
    ) -> Document | None:
        """The document that a file was at the revision, with the files that it refers to; None where it was not there.

        `dialect` and `folder` are as of `read_document`.

        Raises:
            UsageError: the file is outside of the repository.
            DocumentError: one of the files cannot be used; with the place.
        """
        from deedbox.checker.documents import load_document
        from deedbox.client.folders import Source, beside, placed, whole

        def load(path: Path, shown: str) -> Document | None:
            data = self.read(path)
            return None if data is None else load_document(data, f"{shown}@{self.revision}")

        document = load(path, shown)
        if document is None:
            return None
        root, own = placed(path, folder or root_of(path.parent))
        source = Source(str(root), own, lambda other: load(root / other, beside(shown, own, other)))
        return whole(document, source, dialect)

    def _run(self, *arguments: str) -> bytes | None:
        try:
            done = subprocess.run(  # noqa: S603 - no shell; the revision was refused where it looks like a flag
                ["git", "-C", str(self.folder), *arguments],  # noqa: S607 - the user's git, wherever it is
                capture_output=True,
                check=False,
                timeout=60,
            )
        except FileNotFoundError:
            raise UsageError("no git on the PATH: --against git:… needs it") from None
        except subprocess.TimeoutExpired:
            raise UsageError(f"git {arguments[0]} did not finish within a minute") from None
        return done.stdout if done.returncode == 0 else None
