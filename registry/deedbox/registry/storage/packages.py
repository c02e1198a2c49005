"""Packages: whose name is whose, the files of the index, and their bytes by digest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from deedbox.registry.storage.models import Base, Entry, Publication, Retirement
from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

_MAJOR = re.compile(r"(.+)-v[0-9]+")


class PackageName(Base):
    """A name, and whose it is for good: a contract's (`service/name`), a service's, or "" for what was uploaded.

    A contract's name covers those of its majors: `billing-order-placed` also `billing-order-placed-v2`.
    """

    __tablename__ = "package_names"
    __table_args__ = (UniqueConstraint("name"), Index(None, "owner"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    """As PEP 503 normalises it."""
    owner: Mapped[str] = mapped_column(String(201))


class PackageContent(Base):
    """Bytes, by their SHA-256. What no file names is a build that did not reach the index."""

    __tablename__ = "package_contents"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class PackageFile(Base):
    """One file of the index: a wheel or an sdist.

    `project` is the normalised name, `version` the normalised PEP 440 form. `build` is the build number of a package
    that was made here, 0 elsewhere; `recipe` is what else its bytes depend on (generator, style, …).
    """

    __tablename__ = "package_files"
    __table_args__ = (UniqueConstraint("filename"), Index(None, "project"), Index(None, "publication_seq"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    project: Mapped[str] = mapped_column(String(200))
    version: Mapped[str] = mapped_column(String(200))
    filename: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(16))
    digest: Mapped[str] = mapped_column(ForeignKey("package_contents.digest"))
    size: Mapped[int]
    requires_python: Mapped[str | None] = mapped_column(String(200))
    metadata_digest: Mapped[str | None] = mapped_column(ForeignKey("package_contents.digest"))
    build: Mapped[int]
    publication_seq: Mapped[int | None] = mapped_column(ForeignKey("publications.seq"))
    recipe: Mapped[dict[str, Any] | None] = mapped_column(JSON)


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """A file with what its entry says, what it was made of, and why it is yanked, if it is.

    `contract` and `contract_version` are None for what was uploaded; `yanked` is the reason that its version was
    retired with.
    """

    row: PackageFile
    at: str
    by: str
    contract: str | None
    contract_version: str | None
    yanked: str | None


_FILES = (
    select(PackageFile, Entry.at, Entry.by, Publication.contract, Publication.version, Retirement.reason)
    .join(Entry, Entry.seq == PackageFile.seq)
    .outerjoin(Publication, Publication.seq == PackageFile.publication_seq)
    .outerjoin(Retirement, Retirement.publication_seq == PackageFile.publication_seq)
)


def put_content(session: Session, digest: str, content: bytes) -> None:
    """Keeps bytes once."""
    if session.execute(select(PackageContent.digest).where(PackageContent.digest == digest)).one_or_none() is None:
        session.add(PackageContent(digest=digest, content=content))
        session.flush()


def content(session: Session, digest: str) -> bytes | None:
    """Bytes by digest."""
    return session.execute(select(PackageContent.content).where(PackageContent.digest == digest)).scalar_one_or_none()


def contents_known(session: Session, digests: Iterable[str]) -> set[str]:
    """Which of these digests are kept."""
    statement = select(PackageContent.digest).where(PackageContent.digest.in_(sorted(set(digests))))
    return set(session.execute(statement).scalars())


def owner_of(session: Session, name: str) -> str | None:
    """Whose a normalised name is; None where it is free."""
    exact = session.execute(select(PackageName.owner).where(PackageName.name == name)).scalar_one_or_none()
    if exact is not None:
        return exact
    major = _MAJOR.fullmatch(name)
    if major is not None:
        base = session.execute(select(PackageName.owner).where(PackageName.name == major[1])).scalar_one_or_none()
        return base or None
    return None


def majors_taken(session: Session, name: str) -> list[str]:
    """Names that would be those of the majors of a package called so, and are somebody's."""
    statement = select(PackageName.name).where(PackageName.name.startswith(f"{name}-v", autoescape=True))
    return sorted(n for n in session.execute(statement).scalars() if (m := _MAJOR.fullmatch(n)) and m[1] == name)


def names_of(session: Session, owner: str) -> list[str]:
    """The names that are a contract's or a service's, the first one first."""
    return list(
        session.execute(select(PackageName.name).where(PackageName.owner == owner).order_by(PackageName.seq)).scalars()
    )


def names_by_owner(session: Session, owners: Iterable[str]) -> dict[str, str]:
    """The name that each of some contracts and services was given last; without those that have none."""
    wanted, found = sorted(set(owners)), {}
    for start in range(0, len(wanted), 500):
        statement = select(PackageName.owner, PackageName.name).where(
            PackageName.owner.in_(wanted[start : start + 500])
        )
        found.update({row[0]: row[1] for row in session.execute(statement.order_by(PackageName.seq))})
    return found


def projects(session: Session, after: str = "", limit: int | None = None) -> list[str]:
    """Names that have a file, in order."""
    statement = select(PackageFile.project).distinct().where(PackageFile.project > after).order_by(PackageFile.project)
    return list(session.execute(statement if limit is None else statement.limit(limit)).scalars())


def files(session: Session, project: str) -> list[IndexedFile]:
    """The files of a normalised name, in the order of their arrival."""
    statement = _FILES.where(PackageFile.project == project).order_by(PackageFile.seq)
    return [IndexedFile(*row) for row in session.execute(statement)]


def file_named(session: Session, filename: str) -> IndexedFile | None:
    """The file of that name."""
    row = session.execute(_FILES.where(PackageFile.filename == filename)).one_or_none()
    return IndexedFile(*row) if row else None


def builds(session: Session, publication_seq: int) -> list[IndexedFile]:
    """The files that were made of a publication, the newest build last."""
    statement = _FILES.where(PackageFile.publication_seq == publication_seq)
    return [IndexedFile(*row) for row in session.execute(statement.order_by(PackageFile.build, PackageFile.seq))]


def last_build(session: Session, publication_seq: int) -> int:
    """The greatest build number of a publication, 0 where there is none."""
    return session.execute(
        select(func.coalesce(func.max(PackageFile.build), 0)).where(PackageFile.publication_seq == publication_seq)
    ).scalar_one()


@dataclass(frozen=True, slots=True)
class Packaged:
    """A version that has a package: the entry of its first build, its name, and the entry that retired it, if any."""

    seq: int
    contract: str
    version: str
    distribution: str
    retired_seq: int | None


def packaged(session: Session, service: str) -> list[Packaged]:
    """The versions of a service's contracts that have a package, in the order in which they got it."""
    statement = (
        select(PackageFile.seq, Publication.contract, Publication.version, PackageFile.recipe, Retirement.seq)
        .join(Publication, Publication.seq == PackageFile.publication_seq)
        .outerjoin(Retirement, Retirement.publication_seq == PackageFile.publication_seq)
        .where(Publication.service == service)
        .order_by(PackageFile.seq)
    )
    found: dict[tuple[str, str], Packaged] = {}
    for seq, contract, version, recipe, retired in session.execute(statement):
        found.setdefault((contract, version), Packaged(seq, contract, version, recipe["distribution"], retired))
    return list(found.values())
