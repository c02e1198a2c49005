"""What the registry knows of obsolete fields by itself: who marks them, who may write them, who reads them, and where."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import cast

from deedbox.checker.documents import load_document
from deedbox.checker.drain.evidence import Policy
from deedbox.checker.errors import CheckerError
from deedbox.checker.json_schema.obsolete import declares, declares_plainly
from deedbox.checker.json_schema.schema import Schema
from deedbox.registry.services.judging import latest
from deedbox.registry.storage import browsing, obsolete
from deedbox.registry.storage import drains as store
from deedbox.registry.storage.browsing import Brief, BriefVersion
from deedbox.registry.storage.models import Publication
from deedbox.registry.storage.obsolete import ObsoleteField
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
    return lives_of(session, obsolete.fields(session, contract))


def lives_of(session: Session, marked: Sequence[ObsoleteField]) -> list[Life]:
    """The lives of some obsolete fields, in their order."""
    families = _families(session, {field.contract for field in marked})
    names = {*families, *(name for family in families.values() for name in family)}
    histories = {
        name: list(group) for name, group in groupby(browsing.versions(session, names), key=lambda v: v.row.contract)
    }
    found: dict[tuple[str, str], Life] = {}
    for contract, fields in groupby(sorted(marked, key=lambda f: f.contract), key=lambda f: f.contract):
        family = [histories[name] for name in families[contract]]
        by_pointer = {field.pointer: field.seq for field in fields}
        declaring = _declaring(session, family, frozenset(by_pointer))
        versions = {v.row.seq: v for v in histories[contract]}
        for pointer, seq in by_pointer.items():
            found[contract, pointer] = _life(session, pointer, versions[seq], family, declaring)
    return [found[field.contract, field.pointer] for field in marked]


def _families(session: Session, contracts: Collection[str]) -> dict[str, list[str]]:
    """By contract, the names of those whose messages may be the same, its own among them where it has a role."""
    channels = browsing.channels_beside(session, contracts)
    lasts = browsing.last_versions(session, channels)
    by_channel: dict[str, list[str]] = defaultdict(list)
    for name in sorted(channels):
        for channel in channels[name]:
            by_channel[channel].append(name)
    found: dict[str, list[str]] = {}
    for contract in contracts:
        near = {name for channel in channels[contract] for name in by_channel[channel]}
        own = lasts[contract].row
        found[contract] = sorted(name for name in near if _means(own, lasts[name].row))
    return found


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
    session: Session,
    pointer: str,
    mark: BriefVersion,
    family: Sequence[list[BriefVersion]],
    declaring: Mapping[int, Collection[str]],
) -> Life:
    def declared(version: BriefVersion) -> bool:
        return version.row.seq not in declaring or pointer in declaring[version.row.seq]

    writers: list[Writer] = []
    readers: list[Reader] = []
    channels: set[str] = set()
    stops: list[int | None] = []
    drops: list[int | None] = []
    for history in family:
        having = [v for v in history if declared(v)]
        # Versions from before the field came are no stop.
        later = history[history.index(having[0]) :] if having else []
        without = [milliseconds(v.at) for v in later if not declared(v) and not v.retired]
        channels.update(c for v in history for c in v.row.channels)
        last = cast("BriefVersion | None", latest(cast("Sequence[Version]", history)))
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


def _means(own: Brief, other: Brief) -> bool:
    """Whether two contracts that share a channel speak of the same messages: by name or `of`."""
    if other.role not in ("produces", "consumes"):
        return False
    return (
        own.name == other.name
        or own.of == other.contract
        or other.of == own.contract
        or (own.of is not None and own.of == other.of)
    )


def _declaring(
    session: Session, family: Sequence[list[BriefVersion]], pointers: frozenset[str]
) -> dict[int, frozenset[str]]:
    """Which of the fields a version may send, by the version's seq; no key where its format does not say."""
    versions = [v for history in family for v in history if v.row.format == "json-schema"]
    texts = dict(browsing.schema_texts(session, {v.row.schema_id for v in versions}))
    return {v.row.seq: _declared(texts[v.row.schema_id], v.row.dialect, pointers) for v in versions}


@lru_cache(8_192)
def _declared(text: str, dialect: str | None, pointers: frozenset[str]) -> frozenset[str]:
    """The fields that a schema may send, by what it declares; also those of which that cannot be told."""
    plain = json.loads(text)
    told = {pointer: declares_plainly(plain, pointer) for pointer in pointers}
    open_ = [pointer for pointer, answer in told.items() if answer is None]
    found = {pointer for pointer, answer in told.items() if answer}
    if open_:
        try:
            schema = Schema(load_document(text, "schema.json"), dialect)
        except CheckerError:
            return frozenset({*found, *open_})
        found.update(pointer for pointer in open_ if declares(schema, pointer))
    return frozenset(found)
