"""What is registered, looked up over HTTP and kept: versions for ever (they never change), the rest for a while.

Where the registry is away, what was known last is still used; what was never known is `Unknown.AWAY`, which is not the
same as not being registered. A registry that did not answer is left alone for a while, so that no message waits for it.
"""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import RLock
from typing import Any, Generic, TypeVar
from uuid import UUID

from deedbox.checker.errors import CheckerError
from deedbox.checker.versions import greatest, parse
from deedbox.client import ClientError, Problem, RegistryClient, UnexpectedReply, is_unavailable
from deedbox.kafka.judging.decoding import DECODERS, Decoder
from deedbox.kafka.judging.validation import CompiledSchema

log = logging.getLogger("deedbox.kafka.lookup")

K = TypeVar("K")
V = TypeVar("V")


class Unknown(Enum):
    """Why there is no answer."""

    ABSENT = "absent"
    """The registry says that there is none."""
    AWAY = "away"
    """The registry does not answer, and it was never asked before."""


@dataclass(eq=False)
class Version:
    """One registered version. `retired` and `channels` are as last heard; the rest never changes."""

    contract: str
    version: str
    role: str
    format: str
    content_model: str
    dialect: str | None
    schema_id: int
    schema_guid: UUID
    schema_digest: str
    channels: frozenset[str]
    retired: bool
    of: str | None = None
    trouble: str = field(default="", compare=False)
    """Why its schema cannot judge messages here; empty where it can."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Version:
        """Reads the API's form.

        Raises:
            UnexpectedReply: it is another.
        """
        try:
            return cls(
                data["contract"],
                data["version"],
                data["role"],
                data["format"],
                data["content_model"],
                data.get("dialect"),
                int(data["schema_id"]),
                UUID(data["schema_guid"]),
                data["schema_digest"],
                frozenset(data["channels"]),
                data.get("retired_at") is not None,
                data.get("of"),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise UnexpectedReply(
                f"the registry describes a version in another way ({type(error).__name__}: {error}): are it and this "
                "client of one release?",
                url="",
            ) from None

    @property
    def decoder(self) -> Decoder | None:
        """What decodes its messages; None where nothing here does."""
        return DECODERS.get(self.format)

    @property
    def closes(self) -> bool:
        """Whether its writers promise to send only what they declare."""
        return self.content_model != "open"

    def __str__(self) -> str:
        return f"{self.contract} {self.version}"


@dataclass(frozen=True)
class Channel:
    """What is registered for a topic: every version of every contract that names it."""

    topic: str
    versions: tuple[Version, ...]

    def default(self) -> Version | None:
        """What a message that says nothing is taken for: the greatest unretired release of the only producer's contract.

        Without a producer it is that of the only consumer. None where there is none, or more than one.
        """
        for role in ("produces", "consumes"):
            contracts = {v.contract for v in self.versions if v.role == role}
            if contracts:
                return latest([v for v in self.versions if v.contract in contracts]) if len(contracts) == 1 else None
        return None

    def by_schema(self, schema: int | UUID) -> Version | None:
        """The version whose schema has this id or GUID: a producer's before a consumer's, an unretired one first."""
        found = [v for v in self.versions if schema in (v.schema_id, v.schema_guid)]
        return min(found, key=lambda v: (v.role != "produces", v.retired, v.contract), default=None)


def latest(versions: list[Version]) -> Version | None:
    """The greatest release of one contract's versions, unretired where there is one; None without a release."""
    for some in ([v for v in versions if not v.retired], versions):
        number = greatest(v.version for v in some)
        if number is not None:
            return next(v for v in some if v.version == number)
    return None


class _Kept(Generic[K, V]):
    """The most recent `limit` values by key."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._limit:
            self._values.popitem(last=False)


class Lookup:
    """The registry as messages need it. Safe to share between threads.

    Args:
        client: with little patience: see `connect`.
        fresh_seconds: how long a channel's contracts, and "there is none", are believed.
        away_seconds: how long a registry that did not answer is left alone; doubled up to 16 times this.
        most_versions: versions kept in mind.
        most_schemas: compiled schemas kept in mind.
    """

    def __init__(
        self,
        client: RegistryClient,
        *,
        fresh_seconds: float = 60.0,
        away_seconds: float = 2.0,
        most_versions: int = 50_000,
        most_schemas: int = 2_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client, self.fresh_seconds, self._clock = client, fresh_seconds, clock
        self._away_seconds = self._pause = away_seconds
        self._away_until = 0.0
        self._away = self._heard = False
        self._lock = RLock()
        self._versions: _Kept[tuple[str, str], tuple[float, Version | Unknown]] = _Kept(most_versions)
        self._channels: _Kept[str, tuple[float, Channel]] = _Kept(most_versions)
        self._ids: _Kept[Any, tuple[float, tuple[str, str] | Unknown]] = _Kept(most_versions)
        self._compiled: _Kept[tuple[str, str | None], CompiledSchema] = _Kept(most_schemas)

    @property
    def is_away(self) -> bool:
        """Whether the registry did not answer when it was last asked."""
        return self._away

    def channel(self, topic: str, believed: float | None = None) -> Channel | Unknown:
        """What is registered for a topic; as last heard while the registry is away. An unknown topic has no versions.

        `believed`: how many seconds what was heard is believed, here and below; None for as long as usual.
        """
        with self._lock:
            kept = self._channels.get(topic)
            if kept is not None and self._fresh(kept[0], believed):
                return kept[1]

            def ask() -> Channel:
                contracts = list(self.client.contracts(channel=topic))
                found = [Version.from_dict(v) for c in contracts for v in self.client.versions(c["contract"])]
                return Channel(topic, tuple(self._known(v) for v in found if topic in v.channels))

            heard = self._ask(ask)
            if heard is None:
                return kept[1] if kept is not None else Unknown.AWAY
            self._channels.put(topic, (self._clock(), heard))
            return heard

    def version(self, contract: str, version: str, believed: float | None = None) -> Version | Unknown:
        """One version of a contract (`service/name`)."""
        key = (contract, version)
        with self._lock:
            kept = self._versions.get(key)
            if kept is not None and (isinstance(kept[1], Version) or self._fresh(kept[0], believed)):
                return kept[1]
            if not _is_version(version) or not _is_contract(contract):
                return Unknown.ABSENT

            def ask() -> Version | Unknown:
                data = _or_none(lambda: self.client.publication(contract, version))
                return Version.from_dict(data) if data is not None else Unknown.ABSENT

            heard = self._ask(ask)
            if heard is None:
                return kept[1] if kept is not None else Unknown.AWAY
            if isinstance(heard, Version):
                return self._known(heard)
            self._versions.put(key, (self._clock(), heard))
            return heard

    def latest(self, contract: str) -> Version | Unknown:
        """A contract's latest release, asked for anew each time."""
        with self._lock:
            if not _is_contract(contract):
                return Unknown.ABSENT
            heard = self._ask(lambda: _or_none(lambda: self.client.publication(contract)) or Unknown.ABSENT)
            if heard is None or isinstance(heard, Unknown):
                return heard or Unknown.AWAY
            return self._known(Version.from_dict(heard))

    def by_schema(self, topic: str, schema: int | UUID, believed: float | None = None) -> Version | Unknown:
        """The version that a Confluent schema id or GUID stands for: on the topic's own contracts first."""
        with self._lock:
            channel = self.channel(topic, believed)
            if isinstance(channel, Channel) and (here := channel.by_schema(schema)) is not None:
                return here
            kept = self._ids.get(schema)
            if kept is not None and (not isinstance(kept[1], Unknown) or self._fresh(kept[0], believed)):
                return kept[1] if isinstance(kept[1], Unknown) else self.version(*kept[1])
            heard = self._ask(lambda: _or_none(lambda: self.client.schema_usage(schema)) or Unknown.ABSENT)
            if heard is None:
                return Unknown.AWAY
            self._ids.put(schema, (self._clock(), heard))
            return heard if isinstance(heard, Unknown) else self.version(*heard)

    def compiled(self, version: Version) -> CompiledSchema | None:
        """A version's schema made ready; None while it is not to be had, or (`version.trouble`) cannot be used."""
        key = (version.schema_digest, version.dialect)
        with self._lock:
            found = self._compiled.get(key)
            if found is not None or version.trouble:
                return found
            text = self._ask(lambda: self.client.schema(version.contract, version.version))
            if text is None:
                return None
            try:
                found = CompiledSchema(text, version.dialect)
            except CheckerError as error:
                version.trouble = str(error)
                return None
            self._compiled.put(key, found)
            return found

    def _known(self, heard: Version) -> Version:
        """The one object for a version, brought up to date."""
        kept = self._versions.get((heard.contract, heard.version))
        if kept is not None and isinstance(kept[1], Version):
            kept[1].retired, kept[1].channels = heard.retired, heard.channels
            heard = kept[1]
        self._versions.put((heard.contract, heard.version), (self._clock(), heard))
        return heard

    def _fresh(self, since: float, believed: float | None = None) -> bool:
        seconds = self.fresh_seconds if believed is None else min(believed, self.fresh_seconds)
        return self._clock() - since < seconds

    def _ask(self, question: Callable[[], V]) -> V | None:
        """An answer, or None where the registry is away, which a refusal is taken for once it has answered.

        Raises:
            Problem: it refuses the first thing that it is asked.
        """
        if self._clock() < self._away_until:
            return None
        try:
            answer = question()
        except ClientError as error:
            # A refusal at the start is a matter of settings, for who started this; later, messages must go on.
            if isinstance(error, Problem) and not is_unavailable(error) and not self._heard:
                raise
            if not self._away:
                log.warning("%s (it is asked again and again; until then messages are judged by what was heard)", error)
            self._pause = min(self._pause * 2, self._away_seconds * 16)
            self._away_until = self._clock() + self._pause
            self._away = True
            return None
        if self._away:
            log.warning("the registry answers again")
        self._pause = self._away_seconds
        self._away, self._heard = False, True
        return answer


def connect(url: str, *, actor: str = "deedbox-guard") -> RegistryClient:
    """A client that gives up soon: messages must not wait for the registry."""
    from deedbox.client.transport import Patience

    return RegistryClient(url, actor=actor, patience=Patience(connect=1.0, read=5.0, attempts=1))


def _or_none(question: Callable[[], V | None]) -> V | None:
    """An answer about what a message claims; None too where the registry finds that no sensible question."""
    try:
        return question()
    except Problem as problem:
        if problem.status in (400, 404, 414, 422):
            return None
        raise


_LONGEST_VERSION, _LONGEST_CONTRACT = 200, 201
"""Characters of what a registry takes. Longer claims are not asked about: a request that fails for what a message says would
look like a registry that is away."""


def _is_version(text: str) -> bool:
    try:
        parse(text)
    except CheckerError:
        return False
    return len(text) <= _LONGEST_VERSION


def _is_contract(text: str) -> bool:
    service, slash, name = text.partition("/")
    named = service and slash and name and len(text) <= _LONGEST_CONTRACT
    return bool(named) and "/" not in name and text.isprintable()
