"""What the registry knows of obsolete fields by itself: who marks them, who may write them, who reads them, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from deedbox.checker.documents import load_document
from deedbox.checker.drain.evidence import Policy
from deedbox.checker.errors import CheckerError
from deedbox.checker.json_schema.obsolete import declares, obsolete_pointers
from deedbox.checker.json_schema.schema import Schema
from deedbox.registry.services.judging import latest
from deedbox.registry.storage import drains as store
from deedbox.registry.storage import queries
from deedbox.registry.storage.models import Publication
from deedbox.registry.storage.queries import Version
from sqlalchemy import String, select
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

COPIES = (".dlt", ".checked")
"""What a guard appends to a topic's name for the topics that it writes: copies wherever they exist."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A `produces` version that declares the field; `retired_at` in milliseconds."""

    contract: str
    version: str
    retired_at: int | None


@dataclass(frozen=True, slots=True)
class Reader:
    """A `consumes` contract with an unretired version; `declares` says whether its latest has the field."""

    contract: str
    groups: tuple[str, ...]
    channels: tuple[str, ...]
    declares: bool


@dataclass(frozen=True, slots=True)
class Life:
    """An obsolete field: `contract` marks it, `pointer` is where it stands in a message. Times are in milliseconds."""

    contract: str
    pointer: str
    marked_in: str
    marked_at: int
    marked_seq: int
    stopped_at: int | None
    dropped_at: int | None
    producers: tuple[Writer, ...]
    consumers: tuple[Reader, ...]
    channels: tuple[str, ...]
    policy: Policy


def all_lives(session: Session, contract: str | None) -> list[Life]:
    """The obsolete fields of all contracts, or of one, by contract and pointer."""
    names = _names(session, None) if contract is None else _near(session, contract)
    histories = queries.histories(session, names)
    wanted = [contract] if contract is not None else names
    own = [v for name in wanted for v in histories.get(name, ()) if v.row.channels and v.row.format == "json-schema"]
    marking = _texts(session, own)
    found = []
    for name in wanted:
        marks: dict[str, Version] = {}
        for version in histories.get(name, ()):
            if version.schema_digest in marking:
                for pointer in _marks(marking[version.schema_digest], version.row.dialect):
                    marks.setdefault(pointer, version)
        if marks:
            family = [h for h in histories.values() if h and _related(histories[name], h)]
            texts = _texts(session, [v for history in family for v in history])
            found += [_life(session, pointer, mark, family, texts) for pointer, mark in sorted(marks.items())]
    return found


def _near(session: Session, contract: str) -> list[str]:
    """A contract and all that share a channel with it."""
    channels = {channel for version in queries.history(session, contract) for channel in version.row.channels}
    return sorted({contract, *(name for channel in sorted(channels) for name in _names(session, channel))})


def _names(session: Session, channel: str | None) -> list[str]:
    return queries.contract_names(session, service=None, message=None, channel=channel, after="", limit=1 << 30)


def milliseconds(at: str) -> int:
    """A time as entries have it, in milliseconds."""
    return int(datetime.fromisoformat(at).timestamp() * 1000)


def published_with(session: Session, uuid: str) -> list[str]:
    """Versions that the gate let drop a field by this evidence, `service/name@version`."""
    text = as_type(Publication.gate, String)
    rows = session.execute(select(Publication).where(text.contains(uuid)).order_by(Publication.seq)).scalars()
    return [
        f"{row.contract}@{row.version}"
        for row in rows
        if any(drain["evidence"] == uuid for drain in row.gate.get("drains", ()))
    ]


def _life(
    session: Session, pointer: str, mark: Version, family: Sequence[list[Version]], texts: Mapping[str, str]
) -> Life:
    def declared(version: Version) -> bool:
        text = texts.get(version.schema_digest)
        return text is None or _declares(text, version.row.dialect, pointer)

    writers: list[Writer] = []
    readers: list[Reader] = []
    channels: set[str] = set()
    stops: list[int | None] = []
    drops: list[int | None] = []
    for history in family:
        having = [v for v in history if declared(v)]
        channels.update(c for v in history for c in v.row.channels)
        last = latest(history)
        without = [milliseconds(v.at) for v in history if v not in having and not v.retired]
        if history[-1].row.role == "produces":
            writers += [
                Writer(v.row.contract, v.row.version, None if v.retired_at is None else milliseconds(v.retired_at))
                for v in having
            ]
            if having:
                stops.append(without[0] if without else None)
        elif last is not None:
            unretired = [v for v in history if not v.retired]
            groups = {group for v in unretired for group in v.row.groups}
            read = {c for v in unretired for c in v.row.channels}
            keeps = last in having
            readers.append(Reader(last.row.contract, tuple(sorted(groups)), tuple(sorted(read)), keeps))
            if having:
                drops.append(None if keeps else milliseconds(last.at))
    names = sorted(channels)
    return Life(
        mark.row.contract, pointer, mark.row.version, milliseconds(mark.at), mark.row.seq, _all(stops), _all(drops),
        tuple(writers), tuple(readers), tuple(names), _policy(session, names),
    )  # fmt: skip


def _all(times: Sequence[int | None]) -> int | None:
    """When the last of them was; None where one is missing, or there are none."""
    known = [at for at in times if at is not None]
    return max(known) if known and len(known) == len(times) else None


def _policy(session: Session, channels: Sequence[str]) -> Policy:
    """The most careful of what is recorded for the channels."""
    said = store.policies(session, channels)
    base = Policy()
    known = [said.get(channel) for channel in channels]
    copies = {f"{channel}{suffix}" for channel in channels for suffix in COPIES}
    copies.update(copy for row in known if row is not None for copy in row.copies)
    return Policy(
        max((row.grace_ms if row is not None else base.grace_ms for row in known), default=base.grace_ms),
        "consumed" if known and all(row is not None and row.opens_at == "consumed" for row in known) else "gone",
        tuple(sorted(copies - set(channels))),
        min((row.overdue_ms if row is not None else base.overdue_ms for row in known), default=base.overdue_ms),
    )


def _related(one: Sequence[Version], other: Sequence[Version]) -> bool:
    """Whether messages of two contracts may be the same: by name or `of`, on a channel that both have had."""
    a, b = one[-1].row, other[-1].row
    if b.role not in ("produces", "consumes"):
        return False
    means = a.name == b.name or a.of == b.contract or b.of == a.contract or (a.of is not None and a.of == b.of)
    shared = {c for v in one for c in v.row.channels} & {c for v in other for c in v.row.channels}
    return means and bool(shared)


def _texts(session: Session, versions: Sequence[Version]) -> dict[str, str]:
    return queries.schema_texts(session, {v.schema_digest for v in versions}, "json-schema")


@lru_cache(4_096)
def _marks(text: str, dialect: str | None) -> tuple[str, ...]:
    schema = _schema(text, dialect)
    return obsolete_pointers(schema) if schema is not None else ()


@lru_cache(16_384)
def _declares(text: str, dialect: str | None, pointer: str) -> bool:
    """Whether a version may send the field, by what it declares; also where that cannot be told."""
    schema = _schema(text, dialect)
    return schema is None or declares(schema, pointer)


def _schema(text: str, dialect: str | None) -> Schema | None:
    try:
        return Schema(load_document(text, "schema.json"), dialect)
    except CheckerError:
        return None
