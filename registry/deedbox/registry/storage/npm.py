"""npm packages of contract versions. One a version: npm has no builds, and nothing is ever replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deedbox.registry.storage.models import Base, Entry, Publication, Retirement
from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column


class NpmPackage(Base):
    """One version of an npm package. `manifest` is its `package.json`, `digest` the SHA-256 of its tarball."""

    __tablename__ = "npm_packages"
    __table_args__ = (UniqueConstraint("name", "version"), UniqueConstraint("publication_seq"), Index(None, "name"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(214))
    version: Mapped[str] = mapped_column(String(200))
    filename: Mapped[str] = mapped_column(String(300))
    digest: Mapped[str] = mapped_column(ForeignKey("package_contents.digest"))
    size: Mapped[int]
    shasum: Mapped[str] = mapped_column(String(40))
    integrity: Mapped[str] = mapped_column(String(100))
    manifest: Mapped[dict[str, Any]] = mapped_column(JSON)
    publication_seq: Mapped[int] = mapped_column(ForeignKey("publications.seq"))


@dataclass(frozen=True, slots=True)
class NpmVersion:
    """A version with what its entry says, the contract's name, and why it is retired, if it is."""

    row: NpmPackage
    at: str
    contract: str
    retired: str | None


def npm_versions(session: Session, name: str) -> list[NpmVersion]:
    """The versions of an npm package, in the order of their arrival."""
    statement = (
        select(NpmPackage, Entry.at, Publication.contract, Retirement.reason)
        .join(Entry, Entry.seq == NpmPackage.seq)
        .join(Publication, Publication.seq == NpmPackage.publication_seq)
        .outerjoin(Retirement, Retirement.publication_seq == NpmPackage.publication_seq)
        .where(NpmPackage.name == name)
        .order_by(NpmPackage.seq)
    )
    return [NpmVersion(*row) for row in session.execute(statement)]


def has_npm(session: Session, publication_seq: int) -> bool:
    """Whether a publication has its npm package."""
    statement = select(NpmPackage.seq).where(NpmPackage.publication_seq == publication_seq)
    return session.execute(statement).scalar_one_or_none() is not None
