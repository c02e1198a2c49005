"""Reading what is registered. Nothing here writes, but for verdict rows that a comparison asked for here leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from deedbox.checker import versions
from deedbox.checker.model import Comparison, ContentModel
from deedbox.checker.policy import LinkOutcome
from deedbox.registry.errors import InvalidCursor, InvalidRequest, NotFound
from deedbox.registry.services import links as linking
from deedbox.registry.services.judging import latest
from deedbox.registry.services.publishing import state_of
from deedbox.registry.services.values import Page, Published
from deedbox.registry.services.verdicts import Question, Verdicts
from deedbox.registry.storage import packages, queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Source
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from deedbox.registry.storage.models import Entry, Schema, Service
    from deedbox.registry.storage.queries import Version


@dataclass(frozen=True, slots=True)
class ContractView:
    """A contract: its last version by ordinal says what it is; `latest` is the greatest unretired release."""

    last: Version
    latest: Published | None
    versions: int
    state: int
    """See `Publishing.publish(if_match=…)`."""


@dataclass(frozen=True, slots=True)
class ServiceView:
    """A service. `described` is None where it published without ever being described."""

    name: str
    described: tuple[Service, Entry] | None


class Catalogue:
    """The use cases that read."""

    def __init__(self, database: Database, verdicts: Verdicts) -> None:
        self.database, self.verdicts = database, verdicts

    def services(self, after: str, limit: int) -> Page:
        """Services by name."""
        with self.database.reading() as session:
            names = queries.service_names(session, after, limit + 1)
            views = [ServiceView(name, queries.service(session, name)) for name in names[:limit]]
        return Page(views, names[limit - 1] if len(names) > limit else None)

    def service(self, name: str) -> ServiceView:
        """One service.

        Raises:
            NotFound: neither described nor publishing.
        """
        with self.database.reading() as session:
            described = queries.service(session, name)
            if described is None and not queries.has_contracts(session, name):
                raise NotFound(f"there is no service {name}")
        return ServiceView(name, described)

    def contracts(
        self,
        after: str,
        limit: int,
        *,
        service: str | None = None,
        role: str | None = None,
        kind: str | None = None,
        channel: str | None = None,
        message: str | None = None,
    ) -> Page:
        """Contracts by name. Role, kind and channel are those of the last version."""
        found: list[ContractView] = []
        with self.database.reading() as session:
            while len(found) <= limit:
                names = queries.contract_names(
                    session, service=service, message=message, channel=channel, after=after, limit=limit + 1
                )
                if not names:
                    break
                after = names[-1]
                for view in self._views(session, names):
                    row = view.last.row
                    if (
                        role in (None, row.role)
                        and kind in (None, row.kind)
                        and (channel is None or channel in row.channels)
                    ):
                        found.append(view)
        return Page(found[:limit], found[limit - 1].last.row.contract if len(found) > limit else None)

    def contract(self, contract: str) -> ContractView:
        """One contract.

        Raises:
            NotFound: nothing was published under this name.
        """
        with self.database.reading() as session:
            views = list(self._views(session, [contract]))
        if not views:
            raise NotFound(f"there is no contract {contract}")
        return views[0]

    def versions(self, contract: str, after: int, limit: int) -> Page:
        """Versions of a contract by ordinal, behind one ordinal.

        Raises:
            NotFound: nothing was published under this name.
        """
        with self.database.reading() as session:
            history = queries.history(session, contract)
            if not history:
                raise NotFound(f"there is no contract {contract}")
            live = self._live(session, contract, history)
            package = packages.names_by_owner(session, [contract]).get(contract)
        rest = [Published(v, v.row.seq in live, package=package) for v in history if v.row.ordinal > after]
        return Page(rest[:limit], str(rest[limit - 1].version.row.ordinal) if len(rest) > limit else None)

    def version(self, contract: str, version: str) -> Published:
        """One version, or "latest".

        Raises:
            NotFound: no such contract or version. InvalidVersion: neither a version nor "latest".
        """
        with self.database.reading() as session:
            history = queries.history(session, contract)
            found = pick(history, contract, version)
            live = self._live(session, contract, history)
            return Published(
                found, found.row.seq in live, package=packages.names_by_owner(session, [contract]).get(contract)
            )

    def source(self, contract: str, version: str) -> Source:
        """The text of a version exactly as it was published.

        Raises:
            NotFound, InvalidVersion: as `version`.
        """
        with self.database.reading() as session:
            found = pick(queries.history(session, contract), contract, version)
            source = session.get(Source, found.row.source_digest)
            assert source is not None, "a foreign key says so"
            return source

    def schema(self, digest: str) -> Schema:
        """Content by digest.

        Raises:
            NotFound: nobody published it.
        """
        with self.database.reading() as session:
            schema = queries.schema_by_digest(session, digest)
        if schema is None:
            raise NotFound("there is no schema with this digest: it is 64 hexadecimal digits, of the canonical form")
        return schema

    def compare(self, contract: str, old: str, new: str, content_model: str | None) -> tuple[str, Comparison]:
        """Compares two versions of a contract.

        Returns:
            The contract's role, and the comparison.

        Raises:
            NotFound, InvalidVersion: as `version`. Busy: no process came free.
        """
        with self.database.reading() as session:
            history = queries.history(session, contract)
            before, after = pick(history, contract, old), pick(history, contract, new)
        question = Question(
            before.schema_digest,
            after.schema_digest,
            after.row.format,
            cast(ContentModel, content_model or after.row.content_model),
            before.row.dialect,
            after.row.dialect,
            contract,
        )
        answers = self.verdicts.answer([question], {})
        self.verdicts.keep(answers.fresh)
        return after.row.role, answers.comparisons[question]

    def events(self, after: int, limit: int) -> Page:
        """The audit feed behind one sequence number. The cursor is always given: new entries come behind it."""
        with self.database.reading() as session:
            entries = queries.entries_after(session, after, limit)
        return Page(list(entries), str(entries[-1].seq if entries else after))

    def links(self, contract: str | None, status: str | None, after: str, limit: int) -> Page:
        """Links between live versions, in order of producer, consumer, versions and channel.

        Args:
            contract: only those of this contract.
            status: "holds", "broken" or "undecided".
            after: the key of the last link of the page before.
            limit: how many.

        Raises:
            NotFound: no such contract. InvalidRequest: no such status. Busy: no process came free.
        """
        wanted: Callable[[LinkOutcome], bool] = _status(status)
        with self.database.reading() as session:
            if contract is not None and not queries.history(session, contract):
                raise NotFound(f"there is no contract {contract}")
            pairs = sorted(_all_pairs(session, contract), key=_key)
        pairs = [pair for pair in pairs if _key(pair) > after]
        found: list[tuple[str, LinkOutcome]] = []
        for start in range(0, len(pairs), limit + 1):
            part = pairs[start : start + limit + 1]
            answers = self.verdicts.answer([p.question for p in part if p.question is not None], {})
            self.verdicts.keep(answers.fresh)
            outcomes = [(_key(p), linking.outcome(p, answers.comparisons)) for p in part]
            found += [(key, outcome) for key, outcome in outcomes if wanted(outcome)]
            if len(found) > limit:
                break
        return Page([o for _, o in found[:limit]], found[limit - 1][0] if len(found) > limit else None)

    def _views(self, session: Session, names: Sequence[str]) -> Iterator[ContractView]:
        histories = queries.histories(session, names)
        deployed = linking.deployed_versions(session, names)
        names_given = packages.names_by_owner(session, names)
        for name in names:
            history = histories[name]
            if not history:
                continue
            newest = latest(history)
            live = {v.row.seq for v in linking.live(history, deployed.get(name))}
            yield ContractView(
                history[-1],
                Published(newest, newest.row.seq in live, package=names_given.get(name))
                if newest is not None
                else None,
                len(history),
                state_of(history),
            )

    def _live(self, session: Session, contract: str, history: Sequence[Version]) -> set[int]:
        deployed = linking.deployed_versions(session, [contract]).get(contract)
        return {v.row.seq for v in linking.live(history, deployed)}


def pick(history: Sequence[Version], contract: str, version: str) -> Version:
    """The version of that name, or the latest.

    Raises:
        NotFound: no such contract or version. InvalidVersion: neither a version nor "latest".
    """
    if not history:
        raise NotFound(f"there is no contract {contract}")
    if version == "latest":
        found = latest(history)
        if found is None:
            raise NotFound(f"{contract} has no latest version: all are retired or pre-releases")
        return found
    versions.parse(version)
    for candidate in history:
        if candidate.row.version == version:
            return candidate
    raise NotFound(f"{contract} has no version {version}; its last is {history[-1].row.version}")


def number_cursor(text: str) -> int:
    """A cursor that is a number.

    Raises:
        InvalidCursor: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise InvalidCursor(f"{ascii(text)[:60]} is no cursor of this list: start without `after`")
    return int(text)


def _status(status: str | None) -> Callable[[LinkOutcome], bool]:
    states: dict[str, Any] = {"holds": True, "broken": False, "undecided": None}
    if status is None:
        return lambda _: True
    if status not in states:
        raise InvalidRequest(f"status is {ascii(status)[:60]}: it must be one of {', '.join(states)}")
    return lambda outcome: outcome.holds is states[status]


def _key(pair: linking.Pair) -> str:
    producer, consumer = pair.producer, pair.consumer
    return "\t".join((producer.contract, consumer.contract, producer.version, consumer.version, pair.channel))


def _all_pairs(session: Session, contract: str | None) -> Iterator[linking.Pair]:
    names = queries.contract_names(session, service=None, message=None, channel=None, after="", limit=1 << 30)
    ends = linking.live_ends(session, names)
    by_channel: dict[str, list[linking.End]] = {}
    clients: dict[str, list[linking.End]] = {}
    for end in ends:
        if end.role == "consumes":
            for channel in end.channels:
                by_channel.setdefault(channel, []).append(end)
            if end.of is not None:
                clients.setdefault(end.of, []).append(end)
    for producer in ends:
        if producer.role not in linking.WRITERS:
            continue
        near = {id(c): c for channel in producer.channels for c in by_channel.get(channel, ())}
        near |= {id(c): c for c in clients.get(producer.contract, ())}
        for consumer in near.values():
            if contract in (None, producer.contract, consumer.contract):
                yield from linking.pairs(producer, consumer)
