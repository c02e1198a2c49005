"""What a message is: which contract and version, whether valid, and if not, where and why. Knows no client."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from deedbox.kafka.judging import claims
from deedbox.kafka.judging.decoding import Decoder
from deedbox.kafka.judging.validation import NOT_JUDGED, UNDECLARED, CompiledSchema, Fault
from deedbox.kafka.lookup import Channel, Lookup, Unknown, Version, latest
from deedbox.kafka.messages import CONFLUENT_ID, CONTRACT, VERSION, Headers, Record

if TYPE_CHECKING:
    from deedbox.kafka.counting import Counts

Status: TypeAlias = Literal["valid", "invalid", "unjudged", "tombstone"]
"""`unjudged`: the registry is away and never said; or, where there is a fault, the version is known and nothing here can
ever judge by it. `tombstone`: a null value."""

RETIRED, WRONG_CHANNEL, NO_PRODUCER = "retired-version", "undeclared-channel", "undeclared-producer"
"""Notes on traffic that is not as registered: the version is retired; its contract does not name this channel; it is
no producer's contract, so whoever sends it is registered nowhere."""

MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Invalid:
    """What a deserializer returns for a message that must not be handled as if it were one.

    `rule` and `pointer` as in `Fault`, `raw` the value's bytes, contract and version as far as known.
    """

    reason: str
    pointer: str
    raw: bytes | None
    rule: str = ""
    contract: str = ""
    version: str = ""

    def __str__(self) -> str:
        at = f" at {self.pointer}" if self.pointer else ""
        about = f"{self.contract} {self.version}".strip()
        return f"{about + ': ' if about else ''}{self.reason}{at} ({self.rule})"

    @property
    def fingerprint(self) -> str:
        """What faults of one kind share."""
        return Fault(self.rule, self.pointer, self.reason).fingerprint(self.contract)


class Inspection(NamedTuple):
    """What was found out about one message.

    `version` is what it was written as (None where unknown), `value` the decoded body (None where it could not be),
    `undeclared` the pointer of a member that its writer's contract does not name, `notes` what else is not as
    registered, `claim` the contract and version it says it is, where those are not known.
    """

    status: Status
    version: Version | None
    value: Any
    fault: Fault | None = None
    undeclared: str | None = None
    notes: tuple[str, ...] = ()
    claim: tuple[str, str] = ("", "")

    @property
    def contract_name(self) -> str:
        """The contract it was written as, or said to be."""
        return self.version.contract if self.version is not None else self.claim[0]

    @property
    def version_number(self) -> str:
        """The version it was written as, or said to be."""
        return self.version.version if self.version is not None else self.claim[1]

    def invalid(self, raw: bytes | None) -> Invalid:
        """The value that stands for it where it is invalid."""
        fault = self.fault or Fault(NOT_JUDGED, "", "the registry is away, and never said what it is")
        return Invalid(fault.reason, fault.pointer, raw, fault.rule, self.contract_name, self.version_number)


class _Route:
    """How messages with one claim on one topic are judged, until `expires`.

    Where `fault` is set, or `status` is not `valid`, that is the answer for all of them.
    """

    __slots__ = (
        "claim", "closed", "decode", "decoder", "expires", "fault", "is_valid", "judge", "key", "made", "notes", "open", "plain",
        "read", "schema", "skip", "status", "topic", "version",
    )  # fmt: skip

    def __init__(self, topic: str, claim: claims.Claim, made: float, expires: float) -> None:
        self.topic, self.read, self.made = topic, claim, made
        self.key: Any = None
        """Under which it is kept."""
        self.open = False
        """Whether a publication since could judge its messages otherwise: they do not say by which they were written,
        or say one that was not there."""
        self.claim = (_shown(claim.contract), _shown(claim.version))
        self.expires, self.skip = expires, claim.skip
        self.version: Version | None = None
        self.judge: Version | None = None
        """Whose schema messages are judged by."""
        self.schema: CompiledSchema | None = None
        self.decoder: Decoder | None = None
        self.fault: Fault | None = None
        self.status: Status = "valid"
        self.notes: tuple[str, ...] = ()
        self.closed = False
        """Whether members that are not declared are looked for."""
        self.is_valid: Callable[[Any], bool] = bool
        """Whether there is nothing to say of a value: it is valid, and has no such member where they are looked for."""
        self.decode: Callable[[bytes], Any] = bytes
        self.plain = False
        """Whether a valid message needs no more than its value said: no note, a version that is known."""

    def stopped(self, status: Status, fault: Fault | None = None) -> _Route:
        """This route, where messages need not be looked at."""
        self.status, self.fault = status, fault
        return self

    def answer(
        self, status: Status, value: Any = None, fault: Fault | None = None, undeclared: str | None = None
    ) -> Inspection:
        """An inspection's result."""
        return Inspection(status, self.version, value, fault, undeclared, self.notes, self.claim)


@dataclass(slots=True)
class _Batch:
    """What is found out about a batch: of each message, and what there is to count."""

    values: bool
    """Whether valid messages are wanted with their decoded bodies."""
    found: list[Inspection] = field(default_factory=list)
    plain: dict[_Route, int] = field(default_factory=dict)
    """Messages of which there is no more to say than that they are valid."""
    special: list[tuple[str, Inspection]] = field(default_factory=list)
    """All others, by topic."""

    def add(self, topic: str, found: Inspection) -> None:
        """Takes note of a message that is counted by itself."""
        self.found.append(found)
        self.special.append((topic, found))


class Inspector:
    """Judges messages. Safe to share between threads.

    Args:
        lookup: what is registered.
        reader: the consumer's own version, against whose schema messages are judged, to the letter; None judges each
            by the version it was written as.
        defaults: topic → the version of messages that do not say theirs, where the registry's channel does not decide.
        closed: also looks for members that the writer's contract does not name. Where its content model is `closed` they
            are looked for in any case, and make a message invalid.
        refuse_undeclared: such a member makes a message invalid.
        counts: where messages are counted.
    """

    def __init__(
        self,
        lookup: Lookup,
        *,
        reader: Version | None = None,
        defaults: dict[str, Version] | None = None,
        closed: bool = False,
        refuse_undeclared: bool = False,
        counts: Counts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lookup, self.reader, self.counts, self._clock = lookup, reader, counts, clock
        self._defaults = defaults or {}
        self._closed, self._refuse = closed, refuse_undeclared
        self._routes: dict[Any, _Route] = {}

    def inspect(self, topic: str, headers: Headers, value: bytes | None) -> Inspection:
        """Judges one message. Never raises for what the message is."""
        return self.inspect_all((Record(topic, -1, -1, None, value, headers),))[0]

    def inspect_all(
        self, records: Sequence[Record], counts: Counts | None = None, *, values: bool = True
    ) -> list[Inspection]:
        """Judges a batch and counts it, here where `counts` is given. Never raises for what the messages are.

        Without `values`, valid messages are given without their decoded bodies, which who only counts them does not need.
        """
        counts = counts or self.counts
        now = self._clock()
        batch = _Batch(values)
        # Most messages claim what the one before did. They are judged together, a run at a time: throughput rests on it.
        route, run = _NO_ROUTE, list[bytes]()
        topic, contract, version, confluent, head = "", _UNSEEN, _UNSEEN, _UNSEEN, _UNSEEN
        contract_name, version_name, confluent_name = CONTRACT, VERSION, CONFLUENT_ID
        for record in records:
            value = record.value
            if not value:
                self._judge_run(route, run, batch)
                run = []
                batch.add(record.topic, _EMPTY if value is not None else _TOMBSTONE)
                continue
            headers = record.headers
            get = dict(headers).get if headers else _NONE.get
            first = value[0]
            # The headers that `claims.read` looks at, and the bytes before a body: all that a route depends on.
            said = None if first > 8 else value[: 5 if first == 0 else 17]
            if (
                get(contract_name) != contract
                or get(version_name) != version
                or get(confluent_name) != confluent
                or said != head
                or record.topic != topic
            ):
                self._judge_run(route, run, batch)
                run = []
                topic, head = record.topic, said
                contract, version, confluent = get(contract_name), get(version_name), get(confluent_name)
                route = self._route((topic, contract, version, confluent, head), headers, value, now)
            run.append(value)
        self._judge_run(route, run, batch)
        if counts is not None:
            for route, count in batch.plain.items():
                assert route.version is not None
                counts.add_valid(route.topic, route.version, count)
            counts.add_all(batch.special)
        return batch.found

    def _judge_run(self, route: _Route, values: list[bytes], batch: _Batch) -> None:
        """Judges messages of one route, in their order."""
        if not values:
            return
        longest = max(map(len, values))
        if not route.plain or longest > MAX_BYTES:
            for value in values:
                batch.add(route.topic, self._judge(route, value))
            return
        # A few at a time, so that what was decoded is still in the processor's cache when it is judged.
        step = max(_AT_ONCE // longest, 1)
        for start in range(0, len(values), step):
            self._judge_some(route, values[start : start + step], batch)

    def _judge_some(self, route: _Route, values: list[bytes], batch: _Batch) -> None:
        bodies = values if not route.skip else [value[route.skip :] for value in values]
        decoded: list[Any] = []
        broken: list[int] = []
        decoding = map(route.decode, bodies)
        while len(decoded) < len(bodies):
            try:
                decoded.extend(decoding)
            except ValueError:  # what came before is there: the next one is what could not be decoded
                broken.append(len(decoded))
                decoded.append(None)
        verdicts = list(map(route.is_valid, decoded))
        for i in broken:
            verdicts[i] = False
        if batch.values:
            new, kind, version, claim = _new, Inspection, route.version, route.claim
            answers = [new(kind, ("valid", version, value, None, None, (), claim)) for value in decoded]
        else:
            answers = [route.answer("valid")] * len(decoded)
        if not all(verdicts):
            for i, valid in enumerate(verdicts):
                if not valid:
                    answers[i] = self._judge(route, values[i])
                    batch.special.append((route.topic, answers[i]))
        batch.found += answers
        batch.plain[route] = batch.plain.get(route, 0) + sum(verdicts)

    def _judge(self, route: _Route, value: bytes) -> Inspection:
        """One message in full, whatever it is.

        Against a message no more is believed than was heard just now: what lets it through may have been published since.
        """
        found = self._judged(route, value)
        if found.status == "invalid" and route.open:
            now = self._clock()
            newer = self._routes.get(route.key, route)
            if now - newer.made >= _DOUBT:
                newer = self._made(route.read, route.topic, now, _DOUBT)
                newer.key = route.key
                self._routes[route.key] = newer
            if newer is not route:
                return self._judged(newer, value)
        return found

    def _judged(self, route: _Route, value: bytes) -> Inspection:
        if route.fault is not None or route.status != "valid":
            return route.answer(route.status, None, route.fault)
        if len(value) > MAX_BYTES:
            return route.answer("invalid", None, Fault("too-large", "", f"{len(value)} bytes, of {MAX_BYTES} at most"))
        assert route.schema is not None
        assert route.decoder is not None
        try:
            decoded = route.decode(value[route.skip :])
        except ValueError as error:
            return route.answer("invalid", None, route.decoder.explain(error))
        if not route.schema.is_valid(decoded):
            fault = route.schema.fault(decoded)
            if fault is None:  # the quick answer and the one that explains differ: neither is believed
                fault = Fault(NOT_JUDGED, "", "the validator contradicts itself about this message")
            return route.answer("unjudged" if fault.rule == NOT_JUDGED else "invalid", decoded, fault)
        if not route.closed or route.schema.closed.admits(decoded):
            return route.answer("valid", decoded)
        pointer = route.schema.closed.refusal(decoded) or ""
        if not (self._refuse or (route.judge is not None and route.judge.content_model == "closed")):
            return route.answer("valid", decoded, None, pointer)
        fault = Fault(UNDECLARED, pointer, f"{pointer.rpartition('/')[2]!r} is not declared by {route.judge}")
        return route.answer("invalid", decoded, fault, pointer)

    def _route(self, key: tuple[Any, ...], headers: Headers, value: bytes, now: float) -> _Route:
        kept = self._routes.get(key)
        if kept is not None and kept.expires > now:
            return kept
        route = self._made(claims.read(headers, value), key[0], now)
        if len(self._routes) >= _MAX_ROUTES:
            self._routes.clear()  # hostile claims can make any number: what is in use comes back at once
        route.key = key
        self._routes[key] = route
        return route

    def _made(self, claim: claims.Claim, topic: str, now: float, believed: float | None = None) -> _Route:
        route = _Route(topic, claim, now, now + self.lookup.fresh_seconds)
        if claim.fault:
            return route.stopped("invalid", Fault("wrong-magic", "", claim.fault))
        # Also brings what is known of the topic's versions up to date: retirements, and the channels they name.
        channel = self.lookup.channel(topic, believed)
        writer = self._writer(claim, topic, channel, believed)
        unsaid = (claim.version, claim.schema_id, claim.guid) == (None, None, None) and topic not in self._defaults
        route.open = self.reader is None and (unsaid or isinstance(writer, Fault))
        if isinstance(writer, Fault):
            if self.reader is None:
                return route.stopped("invalid", writer)
            route.notes = (writer.rule,)  # a reader can judge by its own contract what it cannot name
        elif isinstance(writer, Version):
            route.version = writer
            route.notes = (
                *((RETIRED,) if writer.retired else ()),
                *((WRONG_CHANNEL,) if writer.channels and topic not in writer.channels else ()),
                *((NO_PRODUCER,) if writer.role != "produces" else ()),
            )
        judge = self.reader or route.version
        if judge is None:
            route.expires = now + _SOON
            return route.stopped("unjudged")
        route.decoder = judge.decoder
        route.schema = self.lookup.compiled(judge) if route.decoder is not None else None
        if route.decoder is None or judge.trouble:
            why = judge.trouble or f"nothing here reads messages of its format, {judge.format}"
            return route.stopped("unjudged", Fault(NOT_JUDGED, "", f"{judge} judges no messages: {why}"))
        if route.schema is None:
            route.expires = now + _SOON
            return route.stopped("unjudged")
        route.judge = judge
        route.closed = judge.content_model == "closed" or (self._closed and judge.closes)
        route.decode = route.decoder.decode
        route.is_valid = route.schema.is_valid_closed if route.closed else route.schema.is_valid
        route.plain = route.version is not None and not route.notes
        return route

    def _writer(
        self, claim: claims.Claim, topic: str, channel: Channel | Unknown, believed: float | None
    ) -> Version | Unknown | Fault:
        if claim.contract is not None:
            contract = _shown(claim.contract)
            if claim.version is None:
                return self._latest(contract, channel)
            number = _shown(claim.version)
            found = self.lookup.version(contract, number, believed)
            if found is Unknown.ABSENT:
                return Fault("unknown-version", "", f"{contract or '?'} {number or '?'} is not registered")
            return found
        schema = claim.schema_id if claim.schema_id is not None else claim.guid
        if schema is not None:
            found = self.lookup.by_schema(topic, schema, believed)
            if found is Unknown.ABSENT:
                return Fault("unknown-schema", "", f"nobody has published a schema with the id {schema}")
            return found
        if topic in self._defaults:
            return self._defaults[topic]
        if isinstance(channel, Unknown):
            return channel
        return channel.default() or Fault("no-contract", "", _ambiguous(channel))

    def _latest(self, contract: str, channel: Channel | Unknown) -> Version | Unknown | Fault:
        """The version of a message that names its contract alone."""
        if isinstance(channel, Channel):
            found = latest([v for v in channel.versions if v.contract == contract])
            if found is not None:
                return found
        heard = self.lookup.latest(contract)
        if heard is Unknown.ABSENT:
            return Fault("unknown-contract", "", f"{contract or '?'} is not registered")
        return heard


_NONE: dict[str, bytes | None] = {}
_UNSEEN: bytes | None = b"\xff (no message before)"
_TOMBSTONE = Inspection("tombstone", None, None)
_EMPTY = Inspection("invalid", None, None, Fault("empty", "", "the value is empty, which no JSON text is"))
_SOON = 1.0
"""Seconds after which what could not be found out is tried again."""
_DOUBT = 1.0
"""Seconds that what was heard is believed against a message."""
_AT_ONCE = 4096
"""Bytes of messages that are decoded before they are judged."""
_new = tuple.__new__
_MAX_ROUTES = 20_000
_MOST_SHOWN = 1_000
"""Bytes of a claim that are looked at and said again: no contract or version has so many."""


def _ambiguous(channel: Channel) -> str:
    names: Sequence[str] = sorted({v.contract for v in channel.versions})
    if not names:
        return f"the message names no contract, and none is registered for {channel.topic}"
    return f"the message names no contract, and {channel.topic} has several: {', '.join(names[:5])}"


def _shown(text: bytes | None) -> str:
    return text[:_MOST_SHOWN].decode("utf-8", "replace") if text is not None else ""


_NO_ROUTE = _Route("", claims.NO_CLAIM, 0.0, 0.0)
