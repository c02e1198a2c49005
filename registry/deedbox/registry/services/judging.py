"""From a proposal to the gate's answer: what it is compared with, whom it is linked to, and whether it may pass."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from deedbox.checker import policy, versions
from deedbox.checker.canonical import digest
from deedbox.checker.formats import APIS, FORMATS
from deedbox.checker.json_schema.dialects import DIALECTS
from deedbox.checker.json_schema.obsolete import in_message
from deedbox.checker.model import CONTENT_MODELS, Comparison, ContentModel, Role
from deedbox.checker.policy import Gate, LinkOutcome, Release
from deedbox.registry import clock
from deedbox.registry.errors import IdentityChanged, InvalidRequest
from deedbox.registry.sandbox.protocol import Checked
from deedbox.registry.services import links as linking
from deedbox.registry.services.names import check_channel, split_contract
from deedbox.registry.services.passages import Passage, passages_for
from deedbox.registry.services.values import KINDS, ROLES, Candidate, CheckResult, Proposal
from deedbox.registry.services.verdicts import Question, Verdicts
from deedbox.registry.storage import queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.queries import Version
from sqlalchemy.orm import Session

DEFAULT_CONTENT_MODEL = "tolerant"


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be known before a candidate can be judged. Two equal plans get the same answer."""

    candidate: Candidate
    history: tuple[tuple[str, bool], ...]
    """Version and whether it is retired."""
    releases: tuple[tuple[str, Question], ...]
    """Versions to compare with."""
    pairs: tuple[linking.Pair, ...]
    passages: tuple[Passage, ...] = ()
    """What is known of the obsolete fields that this contract may drop."""

    @property
    def questions(self) -> list[Question]:
        """All comparisons that the answer needs."""
        asked = [question for _, question in self.releases]
        return asked + [pair.question for pair in self.pairs if pair.question is not None]


class Judge:
    """Judges proposals against what the database holds."""

    def __init__(self, database: Database, verdicts: Verdicts) -> None:
        self.database, self.verdicts = database, verdicts

    def read(self, proposal: Proposal) -> Checked:
        """Reads the proposed document, as what its contract says it is.

        Raises:
            CheckerError: it cannot be used; says where.
            InvalidRequest, InvalidVersion, InvalidName: a field of the proposal cannot be used.
        """
        check_proposal(proposal)
        model, dialect = proposal.content_model, proposal.dialect
        if model is None or dialect is None:
            with self.database.reading() as session:
                before = inherited_from(proposal, queries.history(session, proposal.contract))
            if before is not None:
                model, dialect = model or before.row.content_model, dialect or before.row.dialect
        kept = cast(ContentModel, model or DEFAULT_CONTENT_MODEL)
        return self.verdicts.read_document(proposal, kept, dialect)

    def plan(self, session: Session, candidate: Candidate, history: Sequence[Version]) -> Plan:
        """What judging this candidate takes, as the database stands in this session."""
        by_version = {v.row.version: v for v in history}
        releases = [Release(v.row.version, v.retired) for v in history]
        baseline, others = policy.to_compare(candidate.version, releases)
        compared = [version for version in (baseline, *others) if version is not None]
        return Plan(
            candidate,
            tuple((r.version, r.retired) for r in releases),
            tuple((version, _question(by_version[version], candidate)) for version in compared),
            tuple(linking.pairs_of(session, candidate)),
            passages_for(session, candidate),
        )

    def decide(
        self, plan: Plan, comparisons: Mapping[Question, Comparison], accepted: Sequence[policy.Acceptance]
    ) -> CheckResult:
        """The gate's answer, once all of the plan's questions are answered.

        Raises:
            InvalidVersion: the declared version is none.
        """
        candidate = plan.candidate
        compared = dict(plan.releases)
        releases = [
            Release(version, retired, comparisons[compared[version]] if version in compared else None)
            for version, retired in plan.history
        ]
        outcomes = tuple(linking.outcome(pair, comparisons) for pair in plan.pairs)
        answer = policy.gate(
            cast(Role, candidate.role),
            candidate.version,
            releases,
            outcomes,
            accepted,
            clock.now().date(),
            drained={p.pointer: "gone" if p.opens else p.obstacle for p in plan.passages},
            queued=bool(candidate.channels),
        )
        drains = _used(answer, plan.passages)
        baseline = compared.get(answer.previous) if answer.previous is not None else None
        needed = _free(answer, {version for version, _ in plan.history})
        return CheckResult(
            candidate.contract,
            candidate.role,
            {**answer.as_dict(), "needed": needed, "drains": [passage.as_dict() for passage in drains]},
            comparisons[baseline] if baseline is not None else None,
            tuple(_versioned(outcome, candidate.contract, candidate.version or needed) for outcome in outcomes),
            baseline.key if baseline is not None else None,
        )


def resolve(proposal: Proposal, document: Checked, history: Sequence[Version]) -> Candidate:
    """The proposal with everything said, taking what it leaves open from the version before.

    Raises:
        InvalidRequest: role or kind missing at the first publication, or none that the format has.
        IdentityChanged: another role or format than the contract has.
    """
    before = inherited_from(proposal, history)
    row = before.row if before is not None else None
    format_ = document.format
    api = format_ in APIS
    if row is None:
        for name in ("role",) if api else ("role", "kind"):
            if getattr(proposal, name) is None:
                allowed = ", ".join(ROLES if name == "role" else KINDS)
                raise InvalidRequest(f"{proposal.contract} is new: say its {name} ({allowed})", pointer=f"/{name}")
    role = proposal.role or (row.role if row else "")
    for name, value in (("role", role), ("format", format_)):
        if row is not None and value != getattr(row, name):
            raise IdentityChanged(
                f"{proposal.contract} has the {name} {getattr(row, name)!r}, not {value!r}: nothing would compare with "
                f"what was published before; use a contract of another name",
                pointer=f"/{name}",
            )
    channels = proposal.channels if proposal.channels is not None else tuple(row.channels) if row else ()
    groups = proposal.groups if proposal.groups is not None else tuple(row.groups) if row else ()
    kind = proposal.kind or (row.kind if row else "api")
    _check_role(format_, role, kind)
    of = proposal.of if proposal.of is not None else row.of if row else None
    model = proposal.content_model or (row.content_model if row else DEFAULT_CONTENT_MODEL)
    dialect = proposal.dialect or (row.dialect if row else None)
    channels = tuple(sorted(set(channels)))
    return Candidate(
        contract=proposal.contract,
        version=proposal.version,
        role=role,
        kind=kind,
        of=of,
        channels=channels,
        groups=tuple(sorted(set(groups))),
        content_model=model,
        format=format_,
        dialect=dialect,
        schema_digest=document.digest,
        canonical=document.canonical,
        digest=digest(
            {
                "schema": document.digest,
                "role": role,
                "kind": kind,
                "channels": list(channels),
                "of": of,
                "content_model": model,
                "format": format_,
                "dialect": dialect,
            }
        ),
    )


def _check_role(format_: str, role: str, kind: str) -> None:
    """An OpenAPI document describes an API, which is provided or called; AsyncAPI has both directions within."""
    if format_ == "openapi" and role == "produces":
        raise InvalidRequest(
            "an OpenAPI contract is of a side: 'provides' for the service that answers, 'consumes' for a client",
            pointer="/role",
            allowed=["provides", "consumes"],
        )
    if format_ == "openapi" and kind != "api":
        raise InvalidRequest(f"an OpenAPI contract is of kind 'api', not {kind!r}", pointer="/kind", allowed=["api"])


def inherited_from(proposal: Proposal, history: Sequence[Version]) -> Version | None:
    """The version that a proposal follows: the same one, else its predecessor, else the latest, else the last."""
    by_version = {v.row.version: v for v in history}
    if proposal.version is not None:
        if proposal.version in by_version:
            return by_version[proposal.version]
        before = versions.predecessor(proposal.version, by_version)
        if before is not None:
            return by_version[before]
    return latest(history) or (history[-1] if history else None)


def latest(history: Sequence[Version]) -> Version | None:
    """The greatest unretired release; pre-releases never are."""
    by_version = {v.row.version: v for v in history if not v.retired}
    greatest = versions.greatest(by_version)
    return by_version[greatest] if greatest is not None else None


def check_proposal(proposal: Proposal) -> None:
    """Refuses fields that no publication could have.

    Raises:
        InvalidRequest, InvalidVersion, InvalidName: which, and what is allowed.
    """
    split_contract(proposal.contract)
    if proposal.version is not None:
        versions.parse(proposal.version)
        if len(proposal.version) > 200:
            raise InvalidRequest("a version is at most 200 characters long", pointer="/version")
    for name, allowed in (
        ("role", ROLES), ("kind", KINDS), ("content_model", CONTENT_MODELS), ("format", FORMATS),
        ("dialect", tuple(DIALECTS)),
    ):  # fmt: skip
        value = getattr(proposal, name)
        if value is not None and value not in allowed:
            raise InvalidRequest(
                f"{name} is {ascii(value)[:100]}: it must be one of {', '.join(allowed)}",
                pointer=f"/{name}",
                allowed=list(allowed),
            )
    if proposal.of is not None:
        split_contract(proposal.of, "contract in 'of'")
    for channel in proposal.channels or ():
        check_channel(channel)


def text_digest(text: str, media_type: str) -> str:
    """The address of a published text."""
    return hashlib.sha256(f"{media_type}\n{text}".encode()).hexdigest()


def _question(old: Version, new: Candidate) -> Question:
    return Question(
        old.schema_digest,
        new.schema_digest,
        new.format,
        cast(ContentModel, new.content_model),
        old.row.dialect,
        new.dialect,
        new.contract,
    )


def _free(answer: Gate, taken: set[str]) -> str:
    """The needed version, or the next patch after it where that one is taken (by what was retired, say)."""
    if answer.declared is not None or answer.verdict == "new":
        return answer.needed
    version = answer.needed
    while version in taken:
        version = versions.needed(version, "patch")
    return version


def _used(answer: Gate, passages: Sequence[Passage]) -> list[Passage]:
    """The proofs by which marked fields go."""
    if answer.judgement is None:
        return []
    gone = {in_message(f.pointer) for f in answer.judgement.findings if f.rule in policy.MARKED_REMOVALS}
    return [passage for passage in passages if passage.opens and passage.pointer in gone]


def _versioned(outcome: LinkOutcome, contract: str, version: str) -> LinkOutcome:
    changed: dict[str, Any] = {}
    if outcome.producer == contract and not outcome.producer_version:
        changed["producer_version"] = version
    if outcome.consumer == contract and not outcome.consumer_version:
        changed["consumer_version"] = version
    return replace(outcome, **changed) if changed else outcome
