"""What the whole system looks like now, a summary a contract, kept in memory and brought up to date entry by entry.

Rows never change and entries come in one dense sequence, so a summary is true until an entry about its contract or its
service's deployments comes. Any number of processes keep one each; none of them is ever the truth.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from deedbox.registry.services import links as linking
from deedbox.registry.services.browsing.words import Words, words_of
from deedbox.registry.services.links import End, Pair
from deedbox.registry.storage import browsing, queries
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.database import Database
from sqlalchemy.orm import Session

_TOUCHING = ("publication", "retirement", "deployment", "service")


@dataclass(frozen=True, slots=True)
class Head:
    """A contract in short. `shown` is the latest release, or the last version where there is none."""

    contract: str
    service: str
    name: str
    role: str
    kind: str
    of: str | None
    channels: tuple[str, ...]
    groups: tuple[str, ...]
    format: str
    shown: BriefVersion
    latest: str | None
    versions: int
    live: tuple[End, ...]


@dataclass(frozen=True, slots=True)
class ServiceHead:
    """A service in short."""

    name: str
    owner: str
    description: str
    contracts: tuple[str, ...]
    environments: dict[str, str]
    """The version it runs in each environment."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The system as of entry `seq`. Never changed once it is made."""

    seq: int
    heads: dict[str, Head] = field(default_factory=dict)
    services: dict[str, ServiceHead] = field(default_factory=dict)
    versions: int = 0

    def pairs(self, contract: str | None = None, service: str | None = None) -> list[Pair]:
        """The links between live versions: all, those at a contract, or those at a service."""
        by_channel: dict[str, list[End]] = defaultdict(list)
        clients: dict[str, list[End]] = defaultdict(list)
        producers: list[End] = []
        for head in self.heads.values():
            for end in head.live:
                if end.role == "consumes":
                    for channel in end.channels:
                        by_channel[channel].append(end)
                    if end.of is not None:
                        clients[end.of].append(end)
                else:
                    producers.append(end)
        found: list[Pair] = []
        for producer in producers:
            near = {id(end): end for channel in producer.channels for end in by_channel.get(channel, ())}
            near |= {id(end): end for end in clients.get(producer.contract, ())}
            for consumer in near.values():
                if _wanted(producer, consumer, contract, service):
                    found += linking.pairs(producer, consumer)
        found.sort(key=_order)
        return found


class Overview:
    """Keeps the snapshot of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._snapshot = Snapshot(-1)
        self._words: dict[int, Words] = {}

    def current(self) -> Snapshot:
        """The snapshot as of now.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        if self._snapshot.seq == self._database.generation():
            return self._snapshot
        with self._lock, self._database.reading() as session:
            # Read first: what is added while the rest is read is looked at again the next time.
            seq = queries.last_seq(session)
            if seq < self._snapshot.seq:
                self._snapshot = Snapshot(-1)  # another database under the same name
            if seq != self._snapshot.seq:
                self._snapshot = self._brought_to(session, seq)
            return self._snapshot

    def words(self, heads: Iterable[Head]) -> dict[str, Words]:
        """What a search finds in the shown schema of each contract, by contract.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        wanted = {head.contract: head.shown.row.schema_id for head in heads}
        known = self._words
        missing = set(wanted.values()) - known.keys()
        if missing:
            with self._database.reading() as session:
                fresh = {id_: words_of(text) for id_, text in browsing.schema_texts(session, missing)}
            if len(known) > 2 * len(self._snapshot.heads):  # most of it is of versions that are shown no more
                known = {}
            # A new dictionary: others read the old one meanwhile.
            self._words = known = {**known, **fresh}
        return {contract: known[id_] for contract, id_ in wanted.items()}

    def _brought_to(self, session: Session, seq: int) -> Snapshot:
        known = self._snapshot
        touched, services = (None, None) if known.seq < 0 else self._touched(session, known, seq)
        heads = dict(known.heads) if touched is not None else {}
        heads |= _heads(session, touched)
        counted = sum(head.versions for head in heads.values())
        return Snapshot(seq, heads, _services(session, heads, known, services), counted)

    def _touched(self, session: Session, known: Snapshot, seq: int) -> tuple[set[str], set[str]]:
        """Contracts and services that the entries since the last snapshot are about."""
        contracts: set[str] = set()
        services: set[str] = set()
        entries = queries.entries_after(session, known.seq, seq - known.seq, seq)
        for entry in entries:
            if entry.kind not in _TOUCHING:
                continue
            subject = entry.subject.rpartition("@")[0] or entry.subject
            if entry.kind in ("publication", "retirement"):
                contracts.add(subject)
                services.add(subject.partition("/")[0])
            else:
                services.add(subject)
                if entry.kind == "deployment" and subject in known.services:
                    contracts |= set(known.services[subject].contracts)
        return contracts, services


def _heads(session: Session, contracts: Collection[str] | None) -> dict[str, Head]:
    """The summaries of contracts, of all where None: from the few versions of each that it takes."""
    counts = browsing.counts(session, contracts)
    highest = browsing.highest(session, contracts)
    deployed = browsing.named(session, linking.deployed_versions(session, counts))
    unreleased = browsing.last_versions(session, counts.keys() - highest.keys())
    chosen = {seq for seqs in (*highest.values(), *deployed.values()) for seq in seqs}
    versions = browsing.versions_at(session, chosen)
    found = {}
    for name, count in counts.items():
        released = highest.get(name)
        shown = versions[released[-1]] if released else unreleased[name]
        live = [versions[seq] for seq in deployed.get(name, released or ())]
        row = shown.row
        found[name] = Head(
            name,
            row.service,
            row.name,
            row.role,
            row.kind,
            row.of,
            tuple(row.channels),
            tuple(row.groups),
            row.format,
            shown,
            row.version if released else None,
            count,
            tuple(linking.end_of(version) for version in live),
        )
    return found


def _services(
    session: Session, heads: dict[str, Head], known: Snapshot, touched: set[str] | None
) -> dict[str, ServiceHead]:
    contracts: dict[str, list[str]] = defaultdict(list)
    for name, head in heads.items():
        contracts[head.service].append(name)
    described = browsing.described(session, touched)
    running: dict[str, dict[str, str]] = defaultdict(dict)
    for row, _ in queries.current_deployments(session, services=touched):
        running[row.service][row.environment] = row.service_version
    names: Iterator[str] | set[str] = set(contracts) | set(described) | set(running) if touched is None else touched
    services = dict(known.services) if touched is not None else {}
    for name in names:
        row_of = described.get(name)
        services[name] = ServiceHead(
            name,
            row_of[0].owner if row_of else "",
            row_of[0].description if row_of else "",
            tuple(sorted(contracts.get(name, ()))),
            running.get(name, {}),
        )
    return services


def _wanted(producer: End, consumer: End, contract: str | None, service: str | None) -> bool:
    if contract is not None and contract not in (producer.contract, consumer.contract):
        return False
    return service is None or service in (producer.contract.partition("/")[0], consumer.contract.partition("/")[0])


def _order(pair: Pair) -> tuple[str, str, str, str, str]:
    producer, consumer = pair.producer, pair.consumer
    return producer.contract, consumer.contract, producer.version, consumer.version, pair.channel
