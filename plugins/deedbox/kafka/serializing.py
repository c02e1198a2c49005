"""Making messages of values and values of messages. Imports no client.

What the clients call stands beside their brokers: `kafka_python` and `confluent` each have a `DeedboxSerializer` and a
`DeedboxDeserializer`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from uuid import uuid4

import orjson
from deedbox.kafka.errors import InvalidMessage, UndeclaredContract
from deedbox.kafka.inspection import RETIRED, Inspector, Invalid
from deedbox.kafka.judging.claims import confluent_header, confluent_prefix
from deedbox.kafka.judging.validation import NOT_JUDGED
from deedbox.kafka.lookup import Lookup, Unknown, Version
from deedbox.kafka.messages import (
    CONFLUENT_ID,
    CONTRACT,
    MESSAGE_ID,
    TRACE,
    TRACE_STATE,
    VERSION,
    is_traceparent,
    last,
    new_traceparent,
)

if TYPE_CHECKING:
    from collections.abc import MutableSequence, Sequence

    from deedbox.kafka.counting import Counts
    from deedbox.kafka.tracing import Tracing

Framing: TypeAlias = Literal["headers", "confluent", "confluent-header"]
"""How a message says its schema: by Deedbox's headers alone, or for Confluent's readers too: by the prefix of 0x00 and
the schema's id, or by the header of 0x01 and its GUID."""


class _Made(bytes):
    """A header's value that was made for one message: the next one with the same list of headers gets another."""


class Writing:
    """Makes values into messages of one contract version, checked against its closed reading.

    Args:
        lookup: the registry.
        contract: the producer's, `service/name`.
        version: which; the latest where None.
        refuse: an invalid message raises; else it is sent, and counted. An undeclared member alone is as invalid here, and
            so is what nothing here can judge, and every message once the registry is heard to have retired the version.
        framing: see `Framing`.
        tracing: a span for each message, whose trace it carries on; a trace of its own where None.

    Raises:
        UndeclaredContract: the registry has no such version, or does not answer at the start; or, where messages are to
            be refused, its schema judges none. ValueError: there is no such framing.
    """

    def __init__(
        self,
        lookup: Lookup,
        contract: str,
        version: str | None = None,
        *,
        refuse: bool = False,
        framing: Framing = "headers",
        counts: Counts | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        if framing not in get_args(Framing):
            raise ValueError(f"{framing!r} is no framing: one of {', '.join(get_args(Framing))}")
        self._tracing = tracing
        found = lookup.version(contract, version) if version is not None else lookup.latest(contract)
        if isinstance(found, Unknown):
            raise UndeclaredContract(_missing(contract, version, found))
        self._make_ready(lookup, found, refuse)
        self.version: Version = found
        self._refuse, self._framing = refuse, framing
        self._inspector = Inspector(lookup, closed=True, refuse_undeclared=refuse, counts=counts)
        self._claim = [(CONTRACT, found.contract.encode()), (VERSION, found.version.encode())]
        self._said = list(self._claim)
        if framing == "confluent-header":
            self._said.append((CONFLUENT_ID, confluent_header(found.schema_guid)))
        self._names = {name for name, _ in self._said}

    @staticmethod
    def _make_ready(lookup: Lookup, version: Version, refuse: bool) -> None:
        """Has the schema compiled now: when the first message comes the registry may be away."""
        if version.decoder is None:
            why = f"nothing here reads messages of its format, {version.format}"
        elif lookup.compiled(version) is None:
            why = version.trouble or "its schema cannot be looked up: the registry is away"
        else:
            return
        if refuse:
            raise UndeclaredContract(f"{version} cannot judge what is to be refused: {why}")

    @property
    def needs_headers(self) -> bool:
        """Whether a message without headers does not say what it is."""
        return self._framing != "confluent"

    def write(self, topic: str, headers: MutableSequence[tuple[str, bytes]] | None, value: Any) -> bytes | None:
        """The bytes of a value; headers are added to in place. None, a tombstone, stays None.

        Raises:
            InvalidMessage: by policy, or because the value is nothing that JSON can say (or orjson, which takes integers
                of up to 64 bits).
        """
        if value is None:
            return None
        if self._tracing is None:
            return self._written(topic, headers, value, ())
        own = [pair for pair in headers or () if not isinstance(pair[1], _Made)]
        with self._tracing.sending(topic, self.version, own) as trace:
            return self._written(topic, headers, value, trace)

    def _written(
        self,
        topic: str,
        headers: MutableSequence[tuple[str, bytes]] | None,
        value: Any,
        trace: Sequence[tuple[str, bytes]],
    ) -> bytes:
        if isinstance(value, bytes):
            body = value
        else:
            try:
                body = _json(value)
            except (TypeError, ValueError) as error:
                raise InvalidMessage(self._invalid(f"not JSON: {error}", "not-json"), topic) from None
        found = self._inspector.inspect(topic, self._claim, body)
        if self._refuse and found.status != "valid":
            raise InvalidMessage(found.invalid(body), topic)
        if self._refuse and RETIRED in found.notes:
            raise InvalidMessage(self._invalid(f"{self.version} is retired: write a later version", RETIRED), topic)
        if headers is not None:
            self._identify(headers, trace)
        return confluent_prefix(self.version.schema_id) + body if self._framing == "confluent" else body

    def _identify(self, headers: MutableSequence[tuple[str, bytes]], trace: Sequence[tuple[str, bytes]]) -> None:
        """Says which version it is, which message (unless the caller did), and whose trace it belongs to.

        A `traceparent` that is none is replaced, as W3C Trace Context (§3.2) asks of who passes one on.
        """
        kept = [pair for pair in headers if pair[0] not in self._names and not isinstance(pair[1], _Made)]
        if not is_traceparent(last(kept, TRACE)):
            kept = [pair for pair in kept if pair[0] not in (TRACE, TRACE_STATE)]
            kept += [(name, _Made(value)) for name, value in trace or ((TRACE, new_traceparent()),)]
        if not last(kept, MESSAGE_ID):
            kept = [pair for pair in kept if pair[0] != MESSAGE_ID]
            kept.append((MESSAGE_ID, _Made(str(uuid4()).encode())))
        headers[:] = kept + self._said

    def _invalid(self, reason: str, rule: str) -> Invalid:
        return Invalid(reason, "", None, rule, self.version.contract, self.version.version)


class Reading:
    """Makes messages into values; one that is invalid, or cannot be judged, into an `Invalid`. Never raises.

    Args:
        inspector: how they are judged.
        build: makes the value of a valid message, such as `OrderPlaced.model_validate`.
    """

    def __init__(self, inspector: Inspector, build: Callable[[Any], Any] | None = None) -> None:
        self._inspector, self._build = inspector, build

    def read(self, topic: str, headers: Any, data: bytes | None) -> Any:
        """The value, None for a tombstone, or `Invalid`."""
        try:
            found = self._inspector.inspect(topic, headers or (), data)
        except Exception as error:  # noqa: BLE001 - a client whose deserializer raises reads the same record for ever
            return Invalid(f"{type(error).__name__}: {error}", "", data, NOT_JUDGED)
        if found.status == "tombstone":
            return None
        if found.status != "valid":
            return found.invalid(data)
        if self._build is None:
            return found.value
        try:
            return self._build(found.value)
        except Exception as error:  # noqa: BLE001 - likewise
            said = f"{type(error).__name__}: {error}"
            return Invalid(said, "", data, "not-built", found.contract_name, found.version_number)


def _missing(contract: str, version: str | None, why: Unknown) -> str:
    if why is Unknown.AWAY:
        return f"{contract} {version or 'latest'} cannot be looked up: the registry is away"
    if contract.count("/") != 1:
        return f"{contract!r} names no contract: it is written SERVICE/NAME, such as orders/order-placed"
    if version is None:
        return f"{contract} has no release that is not retired. Publish one before it is sent"
    return f"{contract} {version} is not registered. Publish it before it is sent"


def _json(value: Any) -> bytes:
    """A value as JSON.

    Raises:
        TypeError, ValueError: it is nothing that JSON can say.
    """
    body = orjson.dumps(value, default=_plain)
    if b"null" in body:
        # orjson writes null for what is not a number, or infinite: another message than was meant.
        json.dumps(value, default=_plainer, allow_nan=False)
    return body


def _plain(value: Any) -> Any:
    """What orjson does not know: models of pydantic."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(mode="json", by_alias=True, exclude_unset=True)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _plainer(value: Any) -> Any:
    """What `json` does not know and orjson took, as far as numbers stand in it."""
    dump = getattr(value, "model_dump", None)
    if callable(dump):
        return dump(exclude_unset=True)  # not as JSON: there pydantic, too, writes null
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else None
