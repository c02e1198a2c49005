"""Which fields are obsolete: the first version of a contract that marks each, found without reading any schema."""

from __future__ import annotations

from collections.abc import Sequence

from deedbox.checker.documents import load_document
from deedbox.checker.errors import CheckerError
from deedbox.checker.json_schema.obsolete import obsolete_pointers
from deedbox.checker.json_schema.schema import Schema
from deedbox.registry.storage.models import Base
from sqlalchemy import ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

MOST_POINTER = 500
"""Characters of a pointer that a row holds: a field at a longer one has no evidence either."""


class ObsoleteField(Base):
    """A field that a contract marks; `seq` is the publication that did so first. Written together with it."""

    __tablename__ = "obsolete_fields"
    __table_args__ = (Index(None, "seq"),)

    contract: Mapped[str] = mapped_column(String(201), primary_key=True)
    pointer: Mapped[str] = mapped_column(String(MOST_POINTER), primary_key=True)
    seq: Mapped[int] = mapped_column(ForeignKey("publications.seq"))


def fields(session: Session, contract: str | None = None) -> list[ObsoleteField]:
    """The obsolete fields of a contract, or of all, by contract and pointer."""
    statement = select(ObsoleteField)
    if contract is not None:
        statement = statement.where(ObsoleteField.contract == contract)
    rows = session.execute(statement).scalars()
    return sorted(rows, key=lambda row: (row.contract, row.pointer))  # alike in every collation


def count(session: Session) -> int:
    """How many obsolete fields there are."""
    return session.execute(select(func.count()).select_from(ObsoleteField)).scalar_one()


def add(session: Session, contract: str, seq: int, pointers: Sequence[str]) -> None:
    """Adds the fields that no version before marked. Only inside `Database.writing()`."""
    if pointers:
        known = {row.pointer for row in fields(session, contract)}
        session.add_all(ObsoleteField(contract=contract, pointer=p, seq=seq) for p in pointers if p not in known)
        session.flush()


def marks_of(canonical: str, dialect: str | None) -> tuple[str, ...]:
    """Where a JSON Schema marks fields, as far as rows can hold the pointers.

    Not too long, and without the one character that not every database takes.

    Args:
        canonical: the schema's canonical text.
        dialect: for schemas that name none.
    """
    if '"deprecated":true' not in canonical:
        return ()
    try:
        found = obsolete_pointers(Schema(load_document(canonical, "schema.json"), dialect))
    except CheckerError:
        return ()
    return tuple(p for p in found if len(p) <= MOST_POINTER and "\0" not in p)
