"""Questions of the pages: narrow rows of many versions, the newest entries, and what a search looks at.

The columns that make a publication row heavy (the gate's answer, the source) are never read here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from deedbox.registry.storage.drains import DrainEvidence, DrainRevocation
from deedbox.registry.storage.models import (
    Acceptance,
    Deployment,
    Entry,
    Publication,
    PublicationChannel,
    Retirement,
    Schema,
    Service,
)
from deedbox.registry.storage.npm import NpmPackage
from deedbox.registry.storage.packages import PackageFile
from deedbox.registry.storage.replays import Replay
from sqlalchemy import ColumnElement, func, select, true, tuple_
from sqlalchemy.orm import Session

_MANY = 500


class Brief(NamedTuple):
    """A publication without its heavy columns, under the names of `Publication`."""

    seq: int
    contract: str
    service: str
    name: str
    version: str
    ordinal: int
    role: str
    kind: str
    of: str | None
    channels: list[str]
    groups: list[str]
    content_model: str
    format: str
    dialect: str | None
    bump: str | None
    schema_id: int
    source_digest: str


class BriefVersion(NamedTuple):
    """A narrow row with what its entry, schema and tombstone say, under the names of `queries.Version`."""

    row: Brief
    at: str
    by: str
    schema_digest: str
    retired_at: str | None
    retired_reason: str | None

    @property
    def retired(self) -> bool:
        """Whether a tombstone exists."""
        return self.retired_at is not None


_TOMBSTONE = (
    select(Retirement.publication_seq, Retirement.reason, Entry.at)
    .join(Entry, Entry.seq == Retirement.seq)
    .subquery("tombstone")
)
_COLUMNS = [getattr(Publication, name) for name in Brief._fields]
_BRIEF = (
    select(*_COLUMNS, Entry.at, Entry.by, Schema.digest, _TOMBSTONE.c.at, _TOMBSTONE.c.reason)
    .join(Entry, Entry.seq == Publication.seq)
    .join(Schema, Schema.id == Publication.schema_id)
    .outerjoin(_TOMBSTONE, _TOMBSTONE.c.publication_seq == Publication.seq)
)
_WIDTH = len(_COLUMNS)


def versions(session: Session, contracts: Iterable[str]) -> Iterator[BriefVersion]:
    """All versions of the contracts, those of one together and by ordinal."""
    names = sorted(set(contracts))
    for start in range(0, len(names), _MANY):
        statement = _BRIEF.where(Publication.contract.in_(names[start : start + _MANY]))
        yield from _rows(session, statement)


def versions_at(session: Session, seqs: Iterable[int]) -> dict[int, BriefVersion]:
    """Versions by the sequence numbers of their publications."""
    wanted = sorted(set(seqs))
    return {
        version.row.seq: version
        for start in range(0, len(wanted), _MANY)
        for version in _rows(session, _BRIEF.where(Publication.seq.in_(wanted[start : start + _MANY])))
    }


def counts(session: Session, contracts: Collection[str] | None = None) -> dict[str, int]:
    """How many versions each contract has; of all contracts where None."""
    # Ordinals are dense.
    statement = select(Publication.contract, func.max(Publication.ordinal)).group_by(Publication.contract)
    return {row[0]: row[1] for part in _parts(contracts) for row in session.execute(statement.where(part))}


def highest(session: Session, contracts: Collection[str] | None = None) -> dict[str, list[int]]:
    """The seqs of the highest unretired release of each major, by contract, the greatest major last."""
    unretired = ~select(Retirement.seq).where(Retirement.publication_seq == Publication.seq).exists()
    found: dict[str, list[int]] = {}
    for part in _parts(contracts):
        line = Publication.contract, Publication.major
        best = (
            select(*line, func.max(Publication.precedence).label("best"))
            .where(Publication.precedence.is_not(None), unretired, part)
            .group_by(*line)
            .subquery()
        )
        # Versions that differ in build metadata alone are of one precedence: the first of them counts.
        statement = (
            select(*line, func.min(Publication.seq))
            .join(
                best,
                (Publication.contract == best.c.contract)
                & (Publication.major == best.c.major)
                & (Publication.precedence == best.c.best),
            )
            .where(unretired)
            .group_by(*line)
        )
        for contract, _, seq in sorted((row[0], row[1], row[2]) for row in session.execute(statement)):
            found.setdefault(contract, []).append(seq)
    return found


def named(session: Session, versions: Mapping[str, Iterable[str]]) -> dict[str, list[int]]:
    """The seqs of versions by contract and number, in the order of publishing; what does not exist is left out."""
    pairs = sorted((contract, version) for contract, numbers in versions.items() for version in numbers)
    key = tuple_(Publication.contract, Publication.version)
    rows = [
        row
        for start in range(0, len(pairs), _MANY)
        for row in session.execute(
            select(Publication.contract, Publication.seq).where(key.in_(pairs[start : start + _MANY]))
        )
    ]
    found: dict[str, list[int]] = {contract: [] for contract in versions}
    for contract, seq in sorted((row[0], row[1]) for row in rows):
        found[contract].append(seq)
    return found


def last_versions(session: Session, contracts: Collection[str]) -> dict[str, BriefVersion]:
    """The last version of each contract, retired or not."""
    pairs = sorted(counts(session, contracts).items())
    key = tuple_(Publication.contract, Publication.ordinal)
    return {
        version.row.contract: version
        for start in range(0, len(pairs), _MANY)
        for version in _rows(session, _BRIEF.where(key.in_(pairs[start : start + _MANY])))
    }


def channels_beside(session: Session, contracts: Collection[str]) -> dict[str, set[str]]:
    """The channels that any version of the contracts, and of all that share one with them, was ever found on."""
    on = (
        select(Publication.contract, PublicationChannel.channel)
        .distinct()
        .join(Publication, Publication.seq == PublicationChannel.seq)
    )
    found: dict[str, set[str]] = {contract: set() for contract in contracts}
    for part in _parts(contracts):
        for contract, channel in session.execute(on.where(part)):
            found[contract].add(channel)
    channels = sorted({channel for some in found.values() for channel in some})
    for start in range(0, len(channels), _MANY):
        part = PublicationChannel.channel.in_(channels[start : start + _MANY])
        for contract, channel in session.execute(on.where(part)):
            found.setdefault(contract, set()).add(channel)
    return found


def _parts(contracts: Collection[str] | None) -> Iterator[ColumnElement[bool]]:
    """Conditions that together are met by the publications of the contracts, or of all where None."""
    if contracts is None:
        yield true()
        return
    names = sorted(contracts)
    for start in range(0, len(names), _MANY):
        yield Publication.contract.in_(names[start : start + _MANY])


def _rows(session: Session, statement: Any) -> Iterator[BriefVersion]:
    result = session.execute(
        statement.order_by(Publication.contract, Publication.ordinal).execution_options(yield_per=5000)
    )
    for row in result:
        yield BriefVersion(Brief(*row[:_WIDTH]), *row[_WIDTH:])


def schema_texts(session: Session, ids: Iterable[int]) -> Iterator[tuple[int, str]]:
    """Canonical text by schema id."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), _MANY):
        statement = select(Schema.id, Schema.canonical).where(Schema.id.in_(wanted[start : start + _MANY]))
        for row in session.execute(statement):
            yield row[0], row[1]


def described(session: Session, names: Iterable[str] | None = None) -> dict[str, tuple[Service, Entry]]:
    """What holds of services now, by name; of all that were ever described where None."""
    last = select(func.max(Service.seq)).group_by(Service.name).scalar_subquery()
    statement = select(Service, Entry).join(Entry, Entry.seq == Service.seq).where(Service.seq.in_(last))
    if names is not None:
        statement = statement.where(Service.name.in_(sorted(set(names))))
    return {row[0].name: (row[0], row[1]) for row in session.execute(statement)}


def newest_entries(
    session: Session,
    limit: int,
    *,
    before: int | None = None,
    kinds: Sequence[str] = (),
    about: str = "",
    without: Sequence[str] = (),
) -> list[Entry]:
    """Entries, newest first.

    Args:
        session: the caller's.
        limit: how many.
        before: only those below this sequence number.
        kinds: only those of these kinds; all where empty.
        about: only those whose subject starts so.
        without: none of these kinds.
    """
    statement = select(Entry)
    if without:
        statement = statement.where(Entry.kind.not_in(without))
    if before is not None:
        statement = statement.where(Entry.seq < before)
    if kinds:
        statement = statement.where(Entry.kind.in_(kinds))
    if about:
        statement = statement.where(Entry.subject.startswith(about, autoescape=True))
    return list(session.execute(statement.order_by(Entry.seq.desc()).limit(limit)).scalars())


def entry_kinds(session: Session) -> list[str]:
    """The kinds of facts there are."""
    return sorted(session.execute(select(Entry.kind).distinct()).scalars())


def acceptances(session: Session, publications: Iterable[int]) -> list[tuple[Acceptance, Entry]]:
    """What was accepted when these publications were made, oldest first."""
    wanted = sorted(set(publications))
    found: list[tuple[Acceptance, Entry]] = []
    for start in range(0, len(wanted), _MANY):
        rows = session.execute(
            select(Acceptance, Entry)
            .join(Entry, Entry.seq == Acceptance.seq)
            .where(Acceptance.publication_seq.in_(wanted[start : start + _MANY]))
            .order_by(Acceptance.seq)
        )
        found += [(row[0], row[1]) for row in rows]
    return found


def deployments_of(session: Session, service: str) -> list[tuple[Deployment, Entry]]:
    """Where a service runs now, by environment."""
    last = (
        select(func.max(Deployment.seq))
        .where(Deployment.service == service)
        .group_by(Deployment.environment)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Deployment, Entry)
        .join(Entry, Entry.seq == Deployment.seq)
        .where(Deployment.seq.in_(last))
        .order_by(Deployment.environment)
    )
    return [(row[0], row[1]) for row in rows]


def read_fields(session: Session, limit: int) -> list[tuple[str, str]]:
    """Contract and pointer of the obsolete fields that drain evidence was recorded of last, newest first."""
    last = func.max(DrainEvidence.seq)
    rows = session.execute(
        select(DrainEvidence.contract, DrainEvidence.pointer)
        .group_by(DrainEvidence.contract, DrainEvidence.pointer)
        .order_by(last.desc())
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def drain_states(session: Session) -> dict[tuple[str, str], str]:
    """What the newest evidence says of each field that was read for, by contract and pointer; not where it was revoked."""
    last = select(func.max(DrainEvidence.seq)).group_by(DrainEvidence.contract, DrainEvidence.pointer)
    rows = session.execute(
        select(DrainEvidence.contract, DrainEvidence.pointer, DrainEvidence.state)
        .outerjoin(DrainRevocation, DrainRevocation.evidence_seq == DrainEvidence.seq)
        .where(DrainEvidence.seq.in_(last.scalar_subquery()), DrainRevocation.seq.is_(None))
    )
    return {(row[0], row[1]): row[2] for row in rows}


class Packaged(NamedTuple):
    """A file on the index that was made of a version. `recipe` says of which distribution; see `PackageFile`."""

    project: str
    version: str
    filename: str
    recipe: dict[str, Any] | None
    contract_version: str
    yanked: str | None
    metadata_digest: str | None


def packages_of(session: Session, contract: str) -> list[Packaged]:
    """Files on the index that were made of a contract, newest first."""
    rows = session.execute(
        select(
            PackageFile.project,
            PackageFile.version,
            PackageFile.filename,
            PackageFile.recipe,
            Publication.version,
            Retirement.reason,
            PackageFile.metadata_digest,
        )
        .join(Publication, Publication.seq == PackageFile.publication_seq)
        .outerjoin(Retirement, Retirement.publication_seq == PackageFile.publication_seq)
        .where(Publication.contract == contract)
        .order_by(PackageFile.seq.desc())
        .limit(50)
    )
    return [Packaged(*row) for row in rows]


def npm_package_of(session: Session, contract: str) -> tuple[str, str] | None:
    """Name and version of the newest npm package that was made of a contract and is not retired."""
    row = session.execute(
        select(NpmPackage.name, NpmPackage.version)
        .join(Publication, Publication.seq == NpmPackage.publication_seq)
        .outerjoin(Retirement, Retirement.publication_seq == NpmPackage.publication_seq)
        .where(Publication.contract == contract, Retirement.seq.is_(None))
        .order_by(NpmPackage.seq.desc())
        .limit(1)
    ).first()
    return (row[0], row[1]) if row else None


def last_replays(session: Session, limit: int) -> list[tuple[Replay, Entry]]:
    """Replays of dead letters, newest first."""
    statement = select(Replay, Entry).join(Entry, Entry.seq == Replay.seq).order_by(Replay.seq.desc()).limit(limit)
    return [(row[0], row[1]) for row in session.execute(statement)]
