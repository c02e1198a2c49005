"""What the gate did not let through when it was to be published: who asked, and why not. Never changed, and no entry:
a refusal changes nothing that anybody is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.registry.storage import queries
from deedbox.registry.storage.models import Base
from sqlalchemy import JSON, String, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

if TYPE_CHECKING:
    from deedbox.registry.services.values import Candidate, CheckResult


class Refusal(Base):
    """The first time that a content was refused under a version ("" where none was said). `answer` is the gate's."""

    __tablename__ = "refusals"
    __table_args__ = (UniqueConstraint("contract", "version", "digest"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(200))
    contract: Mapped[str] = mapped_column(String(201))
    version: Mapped[str] = mapped_column(String(200))
    digest: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(JSON)


def add(session: Session, candidate: Candidate, check: CheckResult, by: str) -> None:
    """Keeps a refusal once. Only inside `Database.writing()`."""
    version = candidate.version or ""
    known = select(Refusal.number).where(
        Refusal.contract == candidate.contract, Refusal.version == version, Refusal.digest == candidate.digest
    )
    if session.execute(known).one_or_none() is not None:
        return
    number = session.execute(select(func.coalesce(func.max(Refusal.number), 0))).scalar_one() + 1
    session.add(
        Refusal(
            number=number,
            at=queries.now(),
            by=by,
            contract=candidate.contract,
            version=version,
            digest=candidate.digest,
            answer=dict(check.answer),
        )
    )
    session.flush()


def newest(session: Session, limit: int) -> list[Refusal]:
    """Refusals, newest first."""
    return list(session.execute(select(Refusal).order_by(Refusal.number.desc()).limit(limit)).scalars())
