"""The rows. Nothing is updated or deleted: a change of mind is a new row, and `entries` is the audit log itself.

Every recorded fact is one `entries` row (a dense sequence, when, by whom, which kind, about what) joined to the table
of its kind. Contents (`schemas`, `sources`) and verdicts are addressed by digest and are not facts of their own.
"""

from __future__ import annotations

from typing import Any

from deedbox.registry.storage import ordering
from sqlalchemy import JSON, ForeignKey, Index, MetaData, String, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of all models. Constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
        }
    )


class Entry(Base):
    """One recorded fact. `seq` is dense from 1 and is the cursor of the audit feed.

    `subject` is what the fact is about as people write it (`billing/order-placed@1.3.0`), `data` what the feed shows.
    """

    __tablename__ = "entries"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(500))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)


class Service(Base):
    """What is said of a service; the row with the greatest `seq` holds."""

    __tablename__ = "services"
    __table_args__ = (Index(None, "name", "seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(100))
    owner: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text)


class Schema(Base):
    """Content. `id` is dense from 1 and never reused; `canonical` is the canonical JSON that `digest` is of."""

    __tablename__ = "schemas"
    __table_args__ = (UniqueConstraint("digest", "format"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(32))
    canonical: Mapped[str] = mapped_column(Text)


class Source(Base):
    """A text as somebody published it, addressed by the SHA-256 of its bytes and its syntax."""

    __tablename__ = "sources"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    media_type: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)


class Publication(Base):
    """One version of a contract. `digest` covers all that changes its meaning; `gate` is the gate's answer to it."""

    __tablename__ = "publications"
    __table_args__ = (
        UniqueConstraint("contract", "version"),
        UniqueConstraint("contract", "ordinal"),
        UniqueConstraint("uuid"),
        Index(None, "service"),
        Index(None, "name"),
        Index(None, "schema_id"),
        Index(None, "contract", "major", "precedence"),
    )

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    uuid: Mapped[str | None] = mapped_column(String(36))
    contract: Mapped[str] = mapped_column(String(201))
    service: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(100))
    version: Mapped[str] = mapped_column(String(200))
    ordinal: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    schema_id: Mapped[int] = mapped_column(ForeignKey("schemas.id"))
    source_digest: Mapped[str] = mapped_column(ForeignKey("sources.digest"))
    role: Mapped[str] = mapped_column(String(16))
    kind: Mapped[str] = mapped_column(String(16))
    of: Mapped[str | None] = mapped_column(String(201))
    channels: Mapped[list[str]] = mapped_column(JSON)
    groups: Mapped[list[str]] = mapped_column(JSON)
    content_model: Mapped[str] = mapped_column(String(16))
    format: Mapped[str] = mapped_column(String(32))
    dialect: Mapped[str | None] = mapped_column(String(32))
    bump: Mapped[str | None] = mapped_column(String(8))
    gate: Mapped[dict[str, Any]] = mapped_column(JSON)
    major: Mapped[str | None] = mapped_column(String(210), default=ordering.major_of_row)
    """Sorts as the major of releases does; see `ordering`."""
    precedence: Mapped[str | None] = mapped_column(String(220), default=ordering.precedence_of_row)
    """Sorts as releases do; None for a pre-release."""


class PublicationChannel(Base):
    """Where the messages of one publication travel, for finding who shares a channel."""

    __tablename__ = "publication_channels"
    __table_args__ = (Index(None, "channel"),)

    seq: Mapped[int] = mapped_column(ForeignKey("publications.seq"), primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(249), primary_key=True)


class Retirement(Base):
    """The tombstone of one publication."""

    __tablename__ = "retirements"
    __table_args__ = (UniqueConstraint("publication_seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    publication_seq: Mapped[int] = mapped_column(ForeignKey("publications.seq"))
    reason: Mapped[str] = mapped_column(Text)


class Acceptance(Base):
    """A finding that somebody accepted by name when a version was published."""

    __tablename__ = "acceptances"
    __table_args__ = (Index(None, "publication_seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    publication_seq: Mapped[int] = mapped_column(ForeignKey("publications.seq"))
    fingerprint: Mapped[str] = mapped_column(String(64))
    rule: Mapped[str] = mapped_column(String(100))
    reason: Mapped[str] = mapped_column(Text)
    accepted_by: Mapped[str] = mapped_column(String(200))
    until: Mapped[str | None] = mapped_column(String(10))


class Deployment(Base):
    """What runs where: the row with the greatest `seq` of an environment and a service holds."""

    __tablename__ = "deployments"
    __table_args__ = (UniqueConstraint("uuid"), Index(None, "environment", "service", "seq"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    uuid: Mapped[str] = mapped_column(String(36))
    environment: Mapped[str] = mapped_column(String(100))
    service: Mapped[str] = mapped_column(String(100))
    service_version: Mapped[str] = mapped_column(String(200))
    contracts: Mapped[dict[str, str]] = mapped_column(JSON)


class Verdict(Base):
    """What the checker said of two contents. Keyed by all that the answer depends on, so it is never computed twice."""

    __tablename__ = "verdicts"

    old_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    new_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    question: Mapped[str] = mapped_column(String(400), primary_key=True)
    """Format, content model, dialects, the checker's release, and the contract where there is one."""
    comparison: Mapped[str] = mapped_column(Text)
