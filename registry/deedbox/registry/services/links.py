"""Who reads what whom writes: pairs of a producer's and a consumer's live versions, and whether each holds.

Messages meet on a channel. An API has none: its provider is the producer, and a client the consumer that names the
provider in its `of`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from deedbox.checker import versions
from deedbox.checker.canonical import canonical
from deedbox.checker.model import Comparison, ContentModel, Witness
from deedbox.checker.policy import API_FORMATS, LinkOutcome
from deedbox.registry.services.values import Candidate
from deedbox.registry.services.verdicts import Question
from deedbox.registry.storage import queries
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.queries import Version
from sqlalchemy.orm import Session

_OPPOSITE = {("consumes", False): "produces", ("consumes", True): "provides", ("produces", False): "consumes",
             ("provides", True): "consumes"}  # fmt: skip
"""The other side's role, by the own role and whether the contract is an API."""
WRITERS = frozenset({"produces", "provides"})


@dataclass(frozen=True, slots=True)
class End:
    """One side of a link."""

    contract: str
    version: str
    role: str
    name: str
    of: str | None
    channels: tuple[str, ...]
    schema_digest: str
    format: str
    content_model: str
    dialect: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A producer's version and a consumer's on one channel (empty for an API).

    No question: `reason` says why it cannot be asked.
    """

    producer: End
    consumer: End
    channel: str
    question: Question | None
    reason: str = ""


def live(history: Sequence[Version], deployed: set[str] | None = None) -> list[Version]:
    """The live versions of a contract.

    Where its service has deployments on record, the versions that those name; else each unretired version that is the
    highest of its major. Pre-releases are live only where they are deployed.
    """
    if deployed is not None:
        return [v for v in history if v.row.version in deployed]
    highest: dict[int, Version] = {}
    for version in history:
        if version.retired or not versions.is_release(version.row.version):
            continue
        parsed = versions.parse(version.row.version)
        known = highest.get(parsed.major)
        if known is None or parsed > versions.parse(known.row.version):
            highest[parsed.major] = version
    return [highest[major] for major in sorted(highest)]


def deployed_versions(session: Session, contracts: Iterable[str]) -> dict[str, set[str]]:
    """Versions that deployments name, by contract; no key for contracts that no deployment of their service names."""
    names = set(contracts)
    found: dict[str, set[str]] = {}
    if not names:
        return found
    services = {name.partition("/")[0] for name in names}
    for deployment, _ in queries.current_deployments(session, services=services):
        for name, version in deployment.contracts.items():
            contract = f"{deployment.service}/{name}"
            if contract in names:
                found.setdefault(contract, set()).add(version)
    return found


def pairs_of(session: Session, candidate: Candidate) -> list[Pair]:
    """The links a candidate would have with what is live now, in a fixed order."""
    api = candidate.format in API_FORMATS
    role = _OPPOSITE.get((candidate.role, api))
    if role is None:
        return []
    name = candidate.contract.partition("/")[2]
    others = (
        queries.api_counterparts(session, candidate.contract, role, candidate.of)
        if api
        else queries.counterparts(session, candidate.contract, name, role, candidate.of, candidate.channels)
    )
    own = End(
        candidate.contract,
        candidate.version or "",
        candidate.role,
        name,
        candidate.of,
        candidate.channels,
        candidate.schema_digest,
        candidate.format,
        candidate.content_model,
        candidate.dialect,
    )
    ends = live_ends(session, others)
    if candidate.role in WRITERS:
        return [pair for end in ends for pair in pairs(own, end)]
    return [pair for end in ends for pair in pairs(end, own)]


def live_ends(session: Session, contracts: Sequence[str]) -> list[End]:
    """The live versions of contracts, as ends of links."""
    deployed = deployed_versions(session, contracts)
    histories = queries.histories(session, contracts)
    return [end_of(version) for name in contracts for version in live(histories[name], deployed.get(name))]


def end_of(version: Version | BriefVersion) -> End:
    """A published version as an end of a link."""
    row = version.row
    return End(
        row.contract,
        row.version,
        row.role,
        row.name,
        row.of,
        tuple(row.channels),
        version.schema_digest,
        row.format,
        row.content_model,
        row.dialect,
    )


def pairs(producer: End, consumer: End) -> list[Pair]:
    """The links between two ends: one for each channel they share, none where they do not mean one another.

    A client and its provider have one link, on no channel.
    """
    if producer.role == "provides" or consumer.format in API_FORMATS:
        if producer.role != "provides" or consumer.of != producer.contract:
            return []
        if producer.format != consumer.format:
            return [Pair(producer, consumer, "", None, f"{producer.format} and {consumer.format} cannot be compared")]
        # The client's document is what it relies on: all its requests must be read, all the answers be readable to it.
        model = cast(ContentModel, producer.content_model)
        return [Pair(producer, consumer, "", Question(
            consumer.schema_digest, producer.schema_digest, producer.format, model, consumer.dialect, producer.dialect
        ))]  # fmt: skip
    if not _meet(producer, consumer):
        return []
    question, reason = _asked(producer, consumer)
    shared = sorted(set(producer.channels) & set(consumer.channels))
    return [Pair(producer, consumer, channel, question, reason) for channel in shared]


def outcome(pair: Pair, comparisons: Mapping[Question, Comparison]) -> LinkOutcome:
    """What the comparison says of a pair: may all that the producer writes be read?"""
    holds, reason, witness = None, pair.reason, None
    if pair.question is not None:
        inclusion = comparisons[pair.question].backward
        holds, witness = inclusion.holds, inclusion.witness
        reason = inclusion.reason or (witness.why if witness is not None else "")
    return LinkOutcome(
        pair.producer.contract,
        pair.producer.version,
        pair.consumer.contract,
        pair.consumer.version,
        pair.channel,
        holds,
        reason,
        witness,
    )


def _meet(producer: End, consumer: End) -> bool:
    if producer.of is None and consumer.of is None:
        return producer.name == consumer.name
    # One `of` is enough, and one that names somebody else rules the pair out.
    return producer.of in (None, consumer.contract) and consumer.of in (None, producer.contract)


def _asked(producer: End, consumer: End) -> tuple[Question | None, str]:
    if producer.format != consumer.format:
        return None, f"{producer.format} and {consumer.format} cannot be compared"
    # The writer's model says whether it keeps to what it declares, the reader's only whether it refuses all else.
    model = cast(ContentModel, producer.content_model)
    if consumer.content_model == "closed":
        if model == "open":
            return None, "an open producer and a closed consumer: no one content model says both"
        model = "closed"
    elif model == "closed":
        model = "tolerant"
    return Question(
        producer.schema_digest, consumer.schema_digest, producer.format, model, producer.dialect, consumer.dialect
    ), ""


def as_row(link: LinkOutcome) -> dict[str, Any]:
    """A link as a publication row keeps it; the witness as text, since JSON columns would round its numbers."""
    kept = link.as_dict()
    witness = kept.pop("witness")
    return {**kept, "witness": None if witness is None else canonical(witness).decode()}


def from_dict(kept: Mapping[str, Any]) -> LinkOutcome:
    """The link that `as_row` kept."""
    text = kept["witness"]
    witness = None if text is None else Witness(**json.loads(text, parse_float=Decimal))
    return LinkOutcome(**{**kept, "witness": witness})
