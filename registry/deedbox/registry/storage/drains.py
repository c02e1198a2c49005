"""The lives of obsolete fields: evidence with the claim it allows, revocations, waivers, policies, reminders."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from deedbox.registry.storage.models import Base, Entry
from deedbox.registry.storage.observations import Observation, ObservedField, ObservedRange
from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, func, select, tuple_
from sqlalchemy.orm import Mapped, Session, defer, mapped_column


class DrainEvidence(Base):
    """One reading about one field (`contract`, and `pointer` into its messages), as canonical JSON, and its claim."""

    __tablename__ = "drain_evidence"
    __table_args__ = (UniqueConstraint("uuid"), Index(None, "contract", "pointer", "seq"))

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    uuid: Mapped[str] = mapped_column(String(36))
    contract: Mapped[str] = mapped_column(String(201))
    pointer: Mapped[str] = mapped_column(String(500))
    cluster: Mapped[str] = mapped_column(String(100))
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    consumed: Mapped[bool]
    gone: Mapped[bool]
    evidence: Mapped[str] = mapped_column(Text)
    claim: Mapped[dict[str, Any]] = mapped_column(JSON)


class DrainRevocation(Base):
    """The tombstone of a proof: the field was seen after all."""

    __tablename__ = "drain_revocations"
    __table_args__ = (UniqueConstraint("evidence_seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    evidence_seq: Mapped[int] = mapped_column(ForeignKey("drain_evidence.seq"))
    reason: Mapped[str] = mapped_column(Text)


class DrainWaiver(Base):
    """A consumer or a group that somebody, in writing, leaves out of account for one field."""

    __tablename__ = "drain_waivers"
    __table_args__ = (Index(None, "contract", "pointer"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    contract: Mapped[str] = mapped_column(String(201))
    pointer: Mapped[str] = mapped_column(String(500))
    waived: Mapped[str] = mapped_column(String(255))
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[str | None] = mapped_column(String(10))


class ChannelPolicy(Base):
    """How fields of a channel drain: the row with the greatest `seq` of a channel holds."""

    __tablename__ = "channel_policies"
    __table_args__ = (Index(None, "channel", "seq"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(String(249))
    grace_ms: Mapped[int] = mapped_column(BigInteger)
    opens_at: Mapped[str] = mapped_column(String(16))
    copies: Mapped[list[str]] = mapped_column(JSON)
    overdue_ms: Mapped[int] = mapped_column(BigInteger)


class DrainReminder(Base):
    """Said once: that a field has drained (`drained`), or has been obsolete for longer than the policy (`overdue`).

    `about` is the seq of the proof, or of the publication that marked the field.
    """

    __tablename__ = "drain_reminders"
    __table_args__ = (UniqueConstraint("contract", "pointer", "what", "about"),)

    seq: Mapped[int] = mapped_column(ForeignKey("entries.seq"), primary_key=True, autoincrement=False)
    contract: Mapped[str] = mapped_column(String(201))
    pointer: Mapped[str] = mapped_column(String(500))
    what: Mapped[str] = mapped_column(String(16))
    about: Mapped[int]


def by_uuid(session: Session, uuid: str) -> tuple[DrainEvidence, Entry] | None:
    """The evidence with this id."""
    row = session.execute(
        select(DrainEvidence, Entry).join(Entry, Entry.seq == DrainEvidence.seq).where(DrainEvidence.uuid == uuid)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def evidence_of(
    session: Session, contract: str, pointer: str, limit: int = 1, *, cluster: str | None = None
) -> list[DrainEvidence]:
    """The newest evidence about a field, newest first: from one cluster, or (None) from any."""
    statement = select(DrainEvidence).where(DrainEvidence.contract == contract, DrainEvidence.pointer == pointer)
    if cluster is not None:
        statement = statement.where(DrainEvidence.cluster == cluster)
    return list(session.execute(statement.order_by(DrainEvidence.seq.desc()).limit(limit)).scalars())


def readings(
    session: Session, fields: Collection[tuple[str, str]], limit: int
) -> dict[tuple[str, str], list[DrainEvidence]]:
    """The newest evidence about each of some fields, newest first, without its long text."""
    own = tuple_(DrainEvidence.contract, DrainEvidence.pointer)
    place = func.row_number().over(
        partition_by=(DrainEvidence.contract, DrainEvidence.pointer), order_by=DrainEvidence.seq.desc()
    )
    ranked = select(DrainEvidence.seq, place.label("place")).where(own.in_(sorted(fields))).subquery()
    statement = (
        select(DrainEvidence)
        .options(defer(DrainEvidence.evidence, raiseload=True))
        .join(ranked, ranked.c.seq == DrainEvidence.seq)
        .where(ranked.c.place <= limit)
        .order_by(DrainEvidence.seq.desc())
    )
    found: dict[tuple[str, str], list[DrainEvidence]] = {field: [] for field in fields}
    for row in session.execute(statement).scalars() if fields else ():
        found[row.contract, row.pointer].append(row)
    return found


def latest_of(session: Session, contracts: Iterable[str]) -> list[DrainEvidence]:
    """The newest evidence about each field of some contracts."""
    last = (
        select(func.max(DrainEvidence.seq))
        .where(DrainEvidence.contract.in_(sorted(set(contracts))))
        .group_by(DrainEvidence.contract, DrainEvidence.pointer)
    )
    statement = select(DrainEvidence).where(DrainEvidence.seq.in_(last.scalar_subquery()))
    return list(session.execute(statement.order_by(DrainEvidence.seq)).scalars())


def proofs(session: Session, contract: str, pointer: str, *, cluster: str | None = None) -> list[DrainEvidence]:
    """Evidence that proved something and was not revoked: from one cluster, or (None) from any."""
    statement = (
        select(DrainEvidence)
        .outerjoin(DrainRevocation, DrainRevocation.evidence_seq == DrainEvidence.seq)
        .where(
            DrainEvidence.contract == contract,
            DrainEvidence.pointer == pointer,
            DrainEvidence.consumed,
            DrainRevocation.seq.is_(None),
        )
    )
    if cluster is not None:
        statement = statement.where(DrainEvidence.cluster == cluster)
    return list(session.execute(statement.order_by(DrainEvidence.seq)).scalars())


def revoked(session: Session, seqs: Iterable[int]) -> dict[int, str]:
    """Why proofs were revoked, by the proof's seq."""
    statement = select(DrainRevocation).where(DrainRevocation.evidence_seq.in_(sorted(set(seqs))))
    return {row.evidence_seq: row.reason for row in session.execute(statement).scalars()}


def waivers(session: Session, contract: str, pointer: str) -> list[tuple[DrainWaiver, Entry]]:
    """What was waived for a field."""
    statement = (
        select(DrainWaiver, Entry)
        .join(Entry, Entry.seq == DrainWaiver.seq)
        .where(DrainWaiver.contract == contract, DrainWaiver.pointer == pointer)
    )
    return [(row[0], row[1]) for row in session.execute(statement.order_by(DrainWaiver.seq))]


def policies(session: Session, channels: Iterable[str]) -> dict[str, ChannelPolicy]:
    """What holds for channels now; no key where nothing was said."""
    statement = select(ChannelPolicy).where(ChannelPolicy.channel.in_(sorted(set(channels))))
    return {row.channel: row for row in session.execute(statement.order_by(ChannelPolicy.seq)).scalars()}


def guard_stretches(session: Session, contract: str, pointer: str, cluster: str) -> list[tuple[Any, ...]]:
    """Stretches in which guards looked for a field: topic, topic id, partition, start, end, messages, epoch, until.

    The epoch is the lowest of the stretch; `messages` fewer than its offsets: some held no committed message.
    """
    where = ObservedRange.topic, ObservedRange.topic_id, ObservedRange.partition, ObservedRange.start
    statement = (
        select(
            *where,
            func.max(ObservedRange.end),
            func.sum(ObservedRange.messages),
            func.min(ObservedRange.leader_epoch),
            func.max(Observation.until),
        )
        .join(Observation, Observation.number == ObservedRange.observation)
        .join(
            ObservedField,
            (ObservedField.observation == ObservedRange.observation) & (ObservedField.topic == ObservedRange.topic),
        )
        .where(ObservedField.contract == contract, ObservedField.pointer == pointer, Observation.cluster == cluster)
        .group_by(*where)
    )
    return [tuple(row) for row in session.execute(statement.order_by(*where))]


def reminded(session: Session, contract: str, pointer: str, what: str, about: int) -> bool:
    """Whether this was said already."""
    statement = select(DrainReminder.seq).where(
        DrainReminder.contract == contract,
        DrainReminder.pointer == pointer,
        DrainReminder.what == what,
        DrainReminder.about == about,
    )
    return session.execute(statement).scalar_one_or_none() is not None
