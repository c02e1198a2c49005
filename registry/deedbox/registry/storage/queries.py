"""Questions to the database and the few ways to add a row. Every function takes the session of its caller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deedbox.registry import clock
from deedbox.registry.storage.models import (
    Deployment,
    Entry,
    Publication,
    PublicationChannel,
    Retirement,
    Schema,
    Service,
    Source,
    Verdict,
)
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Version:
    """A publication with what its entry, its schema and its tombstone say."""

    row: Publication
    at: str
    by: str
    schema_digest: str
    retired_at: str | None
    retired_reason: str | None
    retired_seq: int | None

    @property
    def last_seq(self) -> int:
        """The last entry about this version."""
        return self.retired_seq or self.row.seq

    @property
    def retired(self) -> bool:
        """Whether a tombstone exists."""
        return self.retired_at is not None


def now() -> str:
    """The time of a new entry: UTC, to the microsecond, as RFC 3339 writes it."""
    return clock.stamp()


def add_entry(session: Session, by: str, kind: str, subject: str, data: Mapping[str, Any]) -> Entry:
    """The next entry. Only inside `Database.writing()`, where nobody else can take the same number."""
    seq = session.execute(select(func.coalesce(func.max(Entry.seq), 0))).scalar_one() + 1
    entry = Entry(seq=seq, at=now(), by=by, kind=kind, subject=subject, data=dict(data))
    session.add(entry)
    session.flush()
    return entry


def put_schema(session: Session, digest: str, format_: str, canonical: str) -> Schema:
    """The row of this content, made with the next id where it is new. Only inside `Database.writing()`."""
    found = session.execute(
        select(Schema).where(Schema.digest == digest, Schema.format == format_)
    ).scalar_one_or_none()
    if found is None:
        next_id = session.execute(select(func.coalesce(func.max(Schema.id), 0))).scalar_one() + 1
        found = Schema(id=next_id, digest=digest, format=format_, canonical=canonical)
        session.add(found)
        session.flush()
    return found


def put_source(session: Session, digest: str, media_type: str, text: str) -> None:
    """Keeps a published text once. Only inside `Database.writing()`."""
    if session.get(Source, digest) is None:
        session.add(Source(digest=digest, media_type=media_type, text=text))
        session.flush()


_RETIRED = (
    select(Retirement.publication_seq, Retirement.reason, Retirement.seq, Entry.at)
    .join(Entry, Entry.seq == Retirement.seq)
    .subquery("tombstone")
)
_VERSIONS = (
    select(Publication, Entry.at, Entry.by, Schema.digest, _RETIRED.c.at, _RETIRED.c.reason, _RETIRED.c.seq)
    .join(Entry, Entry.seq == Publication.seq)
    .join(Schema, Schema.id == Publication.schema_id)
    .outerjoin(_RETIRED, _RETIRED.c.publication_seq == Publication.seq)
)


def history(session: Session, contract: str) -> list[Version]:
    """All versions of a contract by ordinal; none where it does not exist."""
    statement = _VERSIONS.where(Publication.contract == contract).order_by(Publication.ordinal)
    return [Version(*row) for row in session.execute(statement)]


def histories(session: Session, contracts: Iterable[str]) -> dict[str, list[Version]]:
    """All versions of several contracts, by ordinal."""
    names = sorted(set(contracts))
    found: dict[str, list[Version]] = {name: [] for name in names}
    for start in range(0, len(names), 500):
        statement = _VERSIONS.where(Publication.contract.in_(names[start : start + 500]))
        for row in session.execute(statement.order_by(Publication.ordinal)):
            found[row[0].contract].append(Version(*row))
    return found


def by_uuid(session: Session, uuid: str) -> Version | None:
    """The publication a client gave this id."""
    row = session.execute(_VERSIONS.where(Publication.uuid == uuid)).one_or_none()
    return Version(*row) if row else None


def contract_names(
    session: Session, *, service: str | None, message: str | None, channel: str | None, after: str, limit: int
) -> list[str]:
    """Names of contracts after one name, in order; the filters look at any version."""
    statement = select(Publication.contract).distinct().where(Publication.contract > after)
    if service is not None:
        statement = statement.where(Publication.service == service)
    if message is not None:
        statement = statement.where(Publication.name == message)
    if channel is not None:
        statement = statement.join(PublicationChannel, PublicationChannel.seq == Publication.seq).where(
            PublicationChannel.channel == channel
        )
    return list(session.execute(statement.order_by(Publication.contract).limit(limit)).scalars())


def counterparts(
    session: Session, contract: str, name: str, role: str, of: str | None, channels: Sequence[str]
) -> list[str]:
    """Contracts of `role` that share a channel and may be the other side by name or by an `of` on either side."""
    if not channels:
        return []
    by_name = (Publication.name == name) | (Publication.of == contract)
    if of is not None:
        by_name = by_name | (Publication.contract == of)
    statement = (
        select(Publication.contract)
        .distinct()
        .join(PublicationChannel, PublicationChannel.seq == Publication.seq)
        .where(PublicationChannel.channel.in_(channels), Publication.role == role, by_name)
    )
    return sorted(session.execute(statement).scalars())


def api_counterparts(session: Session, contract: str, role: str, of: str | None) -> list[str]:
    """Contracts of `role` that are the other side of an API: the provider that `of` names, or those whose `of` is this."""
    means = Publication.of == contract if of is None else (Publication.of == contract) | (Publication.contract == of)
    statement = select(Publication.contract).distinct().where(Publication.role == role, means)
    return sorted(session.execute(statement).scalars())


def service_names(session: Session, after: str, limit: int) -> list[str]:
    """Names of services that were described or have a contract, after one name, in order."""
    described = select(Service.name).where(Service.name > after)
    publishing = select(Publication.service).where(Publication.service > after)
    names = described.union(publishing).subquery()
    return list(session.execute(select(names.c[0]).order_by(names.c[0]).limit(limit)).scalars())


def service(session: Session, name: str) -> tuple[Service, Entry] | None:
    """What holds of a service now, with the entry that said so."""
    row = session.execute(
        select(Service, Entry)
        .join(Entry, Entry.seq == Service.seq)
        .where(Service.name == name)
        .order_by(Service.seq.desc())
        .limit(1)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def has_contracts(session: Session, service_name: str) -> bool:
    """Whether a service has published anything."""
    return (
        session.execute(
            select(Publication.seq).where(Publication.service == service_name).limit(1)
        ).scalar_one_or_none()
        is not None
    )


def schema_texts(session: Session, digests: Iterable[str], format_: str) -> dict[str, str]:
    """Canonical text by digest."""
    wanted, found = sorted(set(digests)), {}
    for start in range(0, len(wanted), 500):
        rows = session.execute(
            select(Schema.digest, Schema.canonical).where(
                Schema.digest.in_(wanted[start : start + 500]), Schema.format == format_
            )
        )
        found.update({row[0]: row[1] for row in rows})
    return found


def schema_by_digest(session: Session, digest: str) -> Schema | None:
    """The content of a digest, in whatever format it was published first."""
    return session.execute(
        select(Schema).where(Schema.digest == digest).order_by(Schema.id).limit(1)
    ).scalar_one_or_none()


def verdicts(session: Session, keys: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Stored comparisons, as text, by (old digest, new digest, question)."""
    wanted, found = sorted(set(keys)), {}
    columns = tuple_(Verdict.old_digest, Verdict.new_digest, Verdict.question)
    for start in range(0, len(wanted), 200):
        for row in session.execute(select(Verdict).where(columns.in_(wanted[start : start + 200]))).scalars():
            found[row.old_digest, row.new_digest, row.question] = row.comparison
    return found


def put_verdicts(session: Session, rows: Mapping[tuple[str, str, str], str]) -> None:
    """Keeps comparisons that are not there yet. Only inside `Database.writing()`."""
    known = verdicts(session, rows)
    for key, comparison in rows.items():
        if key not in known:
            session.add(Verdict(old_digest=key[0], new_digest=key[1], question=key[2], comparison=comparison))
    session.flush()


def entries_after(session: Session, seq: int, limit: int, until: int | None = None) -> list[Entry]:
    """The audit feed from behind one sequence number."""
    statement = select(Entry).where(Entry.seq > seq)
    if until is not None:
        statement = statement.where(Entry.seq <= until)
    return list(session.execute(statement.order_by(Entry.seq).limit(limit)).scalars())


def last_seq(session: Session) -> int:
    """The greatest sequence number, 0 where nothing was recorded."""
    return session.execute(select(func.coalesce(func.max(Entry.seq), 0))).scalar_one()


_JUDGED_BY = ("publication", "retirement", "deployment", "drain-evidence", "drain-revocation")


def touched_since(
    session: Session, seq: int, contract: str, name: str, of: str | None, channels: Sequence[str]
) -> bool:
    """Whether an entry behind `seq` may change what publishing a version of this contract is judged by.

    That is a version of the contract itself or of one that may be linked to it, any retirement and any deployment, and
    what was proved of an obsolete field or no longer is.
    """
    if last_seq(session) == seq:
        return False
    rows = session.execute(
        select(Entry.kind, Publication.contract, Publication.name, Publication.of, Publication.channels)
        .outerjoin(Publication, Publication.seq == Entry.seq)
        .where(Entry.seq > seq, Entry.kind.in_(_JUDGED_BY))
    )
    for kind, other, other_name, other_of, other_channels in rows:
        if kind != "publication" or other == contract:
            return True
        means = other_name == name or other_of == contract or other == of
        if means and (not set(channels).isdisjoint(other_channels) or not (channels or other_channels)):
            return True
    return False


def deployment(session: Session, uuid: str) -> tuple[Deployment, Entry] | None:
    """The deployment with this id."""
    row = session.execute(
        select(Deployment, Entry).join(Entry, Entry.seq == Deployment.seq).where(Deployment.uuid == uuid)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def current_deployments(
    session: Session, *, environment: str | None = None, services: Iterable[str] | None = None
) -> list[tuple[Deployment, Entry]]:
    """What runs now: the last deployment of each service in each environment, in order of environment and service."""
    last = select(func.max(Deployment.seq)).group_by(Deployment.environment, Deployment.service).scalar_subquery()
    statement = select(Deployment, Entry).join(Entry, Entry.seq == Deployment.seq).where(Deployment.seq.in_(last))
    if environment is not None:
        statement = statement.where(Deployment.environment == environment)
    if services is not None:
        statement = statement.where(Deployment.service.in_(sorted(set(services))))
    rows = session.execute(statement.order_by(Deployment.environment, Deployment.service))
    return [(row[0], row[1]) for row in rows]
