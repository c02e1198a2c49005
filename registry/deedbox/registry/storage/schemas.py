"""Queries about schemas by what messages call them: a digest, an integer id, a GUID."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from deedbox.registry.storage.models import Publication, Retirement, Schema
from sqlalchemy import select
from sqlalchemy.orm import Session


def guid_of(digest: str) -> UUID:
    """The GUID of a schema: the first half of its digest, so that the same content has the same one in every registry."""
    return UUID(hex=digest[:32])


@dataclass(frozen=True, slots=True)
class Use:
    """A version of a contract that has a schema."""

    contract: str
    version: str
    role: str
    retired: bool


def by_id(session: Session, number: int) -> list[Schema]:
    """The schema of an integer id, or none."""
    found = session.get(Schema, number)
    return [found] if found is not None else []


def by_digest(session: Session, start: str) -> list[Schema]:
    """Schemas whose digest begins so: one for each format that has this content."""
    near = select(Schema).where(Schema.digest >= start, Schema.digest <= start.ljust(64, "f"))
    return list(session.execute(near.order_by(Schema.id)).scalars())


def uses(session: Session, schema_ids: list[int], limit: int) -> list[Use]:
    """Versions with one of these schemas: writers first, unretired ones before retired, the newest of a contract first."""
    retired = Retirement.publication_seq.is_not(None)
    statement = (
        select(Publication, retired)
        .outerjoin(Retirement, Retirement.publication_seq == Publication.seq)
        .where(Publication.schema_id.in_(schema_ids))
        .order_by((Publication.role != "produces"), retired, Publication.contract, Publication.ordinal.desc())
        .limit(limit)
    )
    return [Use(row.contract, row.version, row.role, bool(gone)) for row, gone in session.execute(statement)]
