"""The package index: what it has, and putting files on it. Nothing on it is ever replaced or taken away."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deedbox.registry.errors import FileTaken, NotFound, PackageNameTaken
from deedbox.registry.services.uploads import FileFacts, Upload, read_upload
from deedbox.registry.services.values import Page
from deedbox.registry.storage import packages as stored
from deedbox.registry.storage import queries
from deedbox.registry.storage.packages import IndexedFile, PackageFile, PackageName
from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deedbox.registry.storage.database import Database
    from sqlalchemy.orm import Session

log = logging.getLogger("deedbox.packages")


@dataclass(frozen=True, slots=True)
class Project:
    """A name on the index, whose it is ("" for what was uploaded), and its files by version, oldest first."""

    name: str
    owner: str
    files: tuple[IndexedFile, ...]

    @property
    def versions(self) -> tuple[str, ...]:
        """All its versions, in PEP 440's order."""
        return tuple(dict.fromkeys(file.row.version for file in self.files))

    @property
    def latest(self) -> str | None:
        """The version that an installer takes by itself: the greatest release that is not yanked, else pre-release."""
        usable = [Version(file.row.version) for file in self.files if file.yanked is None]
        best = [v for v in usable if not v.is_prerelease] or usable
        return str(max(best)) if best else None


class Packages:
    """The use cases of the index."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def names(self) -> list[str]:
        """Every name that has a file, in order."""
        with self.database.reading() as session:
            return stored.projects(session)

    def projects(self, after: str, limit: int) -> Page:
        """Projects by name."""
        with self.database.reading() as session:
            names = stored.projects(session, after, limit + 1)
            found = [_project(session, name) for name in names[:limit]]
        return Page(found, names[limit - 1] if len(names) > limit else None)

    def project(self, name: str) -> Project:
        """The files of a name, however it is spelt.

        Raises:
            NotFound: no file was ever published under it.
        """
        with self.database.reading() as session:
            project = _project(session, canonicalize_name(name))
        if not project.files:
            raise NotFound(f"there is no package {ascii(name)[:120]} on this index")
        return project

    def file(self, project: str, filename: str) -> tuple[IndexedFile, bytes]:
        """One file and its bytes.

        Raises:
            NotFound: it is not on the index, or not under this name.
        """
        with self.database.reading() as session:
            found = stored.file_named(session, filename)
            content = stored.content(session, found.row.digest) if found is not None else None
        if found is None or content is None or found.row.project != canonicalize_name(project):
            raise NotFound(f"there is no file {ascii(filename)[:120]} of {ascii(project)[:120]}")
        return found, content

    def metadata(self, project: str, filename: str) -> bytes:
        """The core metadata of a wheel, byte for byte as they are in it (PEP 658).

        Raises:
            NotFound: no such file, or one whose metadata are not served apart.
        """
        with self.database.reading() as session:
            found = stored.file_named(session, filename)
            digest = found.row.metadata_digest if found is not None else None
            content = stored.content(session, digest) if digest is not None else None
        if found is None or content is None or found.row.project != canonicalize_name(project):
            raise NotFound(f"there are no metadata of {ascii(filename)[:120]} of {ascii(project)[:120]}")
        return content

    def upload(self, upload: Upload, by: str) -> tuple[IndexedFile, bool]:
        """Puts a file of other origin on the index.

        Returns:
            The file, and whether this call put it there: the same file again changes nothing.

        Raises:
            UnusableFile: it is no whole package file, or says something else than its upload.
            PackageNameTaken: the name is that of a contract's package.
            FileTaken: a file of that name has other bytes.
            Busy, StorageUnavailable: nothing was written.
        """
        facts = read_upload(upload)
        digest = hashlib.sha256(upload.content).hexdigest()
        with self.database.writing() as session:
            owner = stored.owner_of(session, facts.project)
            if owner:
                raise PackageNameTaken(
                    f"{facts.project} is the package of {owner}: only its releases go there; give yours another name",
                    owner=owner,
                )
            there = stored.file_named(session, facts.filename)
            if there is not None:
                return _same(there, digest), False
            if owner is None:
                reserve(session, facts.project, "", by)
            add_file(session, facts, upload.content, by)
            made = stored.file_named(session, facts.filename)
            assert made is not None, "it was just added"
        log.info("took %s from %s", facts.filename, by)
        return made, True


def reserve(session: Session, name: str, owner: str, by: str) -> None:
    """Makes a normalised name somebody's for good; nothing where it is theirs already.

    Args:
        session: of `Database.writing()`.
        name: the distribution; a contract's covers those of its majors.
        owner: `service/name`, a service, or "" for what is uploaded.
        by: who is recorded.

    Raises:
        PackageNameTaken: it, or one of its majors', is somebody else's.
    """
    found = stored.owner_of(session, name)
    if found is not None and found == owner and name in stored.names_of(session, owner):
        return
    others = stored.majors_taken(session, name) if owner else []
    if found is not None or others:
        whose = f"the package of {found}" if found else "taken by a package that was uploaded"
        taken = name if found is not None else others[0]
        raise PackageNameTaken(
            f'{taken} is {whose}: choose another name, with package = "…" in the project file', owner=found or ""
        )
    entry = queries.add_entry(session, by, "package-name", name, {"owner": owner})
    session.add(PackageName(seq=entry.seq, name=name, owner=owner))
    session.flush()


def add_file(
    session: Session,
    facts: FileFacts,
    content: bytes | None,
    by: str,
    *,
    digest: str = "",
    size: int = 0,
    metadata_digest: str | None = None,
    build: int = 0,
    publication_seq: int | None = None,
    recipe: Mapping[str, Any] | None = None,
    contract: str = "",
) -> None:
    """Puts a file on the index: its bytes, its row and its entry, in the caller's transaction.

    `content` is None where the bytes are kept already; `digest`, `size` and `metadata_digest` then say which.
    """
    if content is not None:
        digest, size = hashlib.sha256(content).hexdigest(), len(content)
        stored.put_content(session, digest, content)
        if facts.metadata is not None:
            metadata_digest = hashlib.sha256(facts.metadata).hexdigest()
            stored.put_content(session, metadata_digest, facts.metadata)
    shown: dict[str, Any] = {"filename": facts.filename, "sha256": digest, "size": size}
    if contract:
        shown |= {"contract": contract, "build": build}
    entry = queries.add_entry(session, by, "package", f"{facts.project}=={facts.version}", shown)
    session.add(
        PackageFile(
            seq=entry.seq,
            project=facts.project,
            version=facts.version,
            filename=facts.filename,
            kind=facts.kind,
            digest=digest,
            size=size,
            requires_python=facts.requires_python,
            metadata_digest=metadata_digest,
            build=build,
            publication_seq=publication_seq,
            recipe=dict(recipe) if recipe is not None else None,
        )
    )
    session.flush()


def _same(there: IndexedFile, digest: str) -> IndexedFile:
    if there.row.digest != digest:
        raise FileTaken(
            f"{there.row.filename} was published on {there.at[:10]} with other bytes (sha256 {there.row.digest[:12]}…, "
            f"yours is {digest[:12]}…): it already exists and is never replaced; raise the version or the build number",
            sha256=there.row.digest,
        )
    return there


def _project(session: Session, name: str) -> Project:
    files: Sequence[IndexedFile] = stored.files(session, name)
    ordered = sorted(files, key=lambda file: (Version(file.row.version), file.row.seq))
    return Project(name, stored.owner_of(session, name) or "", tuple(ordered))
