"""Publishing and retiring versions, and asking the gate without publishing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from deedbox.checker import versions
from deedbox.checker.formats import APIS
from deedbox.registry import verdict_text
from deedbox.registry.errors import (
    Busy,
    GateRefused,
    IdTaken,
    NotFound,
    PreconditionFailed,
    Undecided,
    VersionTaken,
)
from deedbox.registry.sandbox.protocol import Checked
from deedbox.registry.services import links as linking
from deedbox.registry.services.judging import Judge, check_proposal, latest, resolve, text_digest
from deedbox.registry.services.names import check_uuid
from deedbox.registry.services.releases import Releases, Wish
from deedbox.registry.services.values import Candidate, CheckResult, Proposal, Published
from deedbox.registry.services.verdicts import Answers, Verdicts
from deedbox.registry.storage import obsolete, queries, refusals
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Acceptance, Publication, PublicationChannel, Retirement
from deedbox.registry.storage.queries import Version
from sqlalchemy.orm import Session

log = logging.getLogger("deedbox.publishing")

_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class _Writing:
    """What a write transaction has to know. `basis` is the last entry that the judgement has seen."""

    proposal: Proposal
    document: Checked
    candidate: Candidate
    check: CheckResult
    history: Sequence[Version]
    basis: int
    by: str
    uuid: str | None
    marks: Sequence[str]
    """Fields that the document marks as obsolete."""


class Publishing:
    """The use cases that write versions."""

    def __init__(self, database: Database, judge: Judge, verdicts: Verdicts, releases: Releases) -> None:
        self.database, self.judge, self.verdicts, self.releases = database, judge, verdicts, releases

    def publish(self, proposal: Proposal, by: str, *, if_match: int | None = None, only_new: bool = False) -> Published:
        """Publishes a version, once: the same content under the same version is the row that exists.

        Documents are compared before the write transaction; in it, what they were compared with must still be what
        holds, else all of it is done again.

        Args:
            proposal: what to publish.
            by: who is recorded.
            if_match: the state of the contract that the caller has seen (`Published` and contract ETags carry it).
            only_new: refuse where the contract exists.

        Raises:
            GateRefused, Undecided: the gate's answer, with the whole CheckResult.
            VersionTaken: by other content. IdTaken: the id names another publication.
            PreconditionFailed: `if_match` is not the state any more; says what was missed.
            CheckerError, InvalidRequest, InvalidName, InvalidVersion, IdentityChanged: it cannot be published at all.
            NotPackageable, PackageNameTaken: it cannot be released as the package that it asks for.
            Busy, StorageUnavailable: nothing was written.
        """
        check_proposal(proposal)
        self._check_package(proposal)
        uuid = check_uuid(proposal.uuid) if proposal.uuid is not None else None
        document = self.judge.read(proposal)
        for _ in range(_ATTEMPTS):
            with self.database.reading() as session:
                # Read first: what is added while the rest is read counts as added since.
                basis = queries.last_seq(session)
                history = queries.history(session, proposal.contract)
                candidate = resolve(proposal, document, history)
                same = _already(candidate, history, uuid)
                if same is not None:
                    # Before the precondition: a repeated request must not fail on what its first try wrote.
                    existing = self._existing(session, same, history)
                    break
                check_precondition(history, proposal.contract, if_match, only_new)
                plan = self.judge.plan(session, candidate, history)
            answers = self.verdicts.answer(plan.questions, {candidate.schema_digest: candidate.canonical})
            check = self.judge.decide(plan, answers.comparisons, proposal.accepted)
            marks = _marks(candidate)
            writing = _Writing(proposal, document, candidate, check, history, basis, by, uuid, marks)
            published = self._write(writing, answers)
            if published is not None:
                return published
        else:
            raise Busy(f"{proposal.contract} changed {_ATTEMPTS} times while this was being compared: try again")
        if proposal.package is None or existing.version.retired:
            return existing
        wish = _wish(proposal)
        return replace(existing, job=self.releases.ensure(existing.version.row, wish, by), package=proposal.package)

    def check(self, proposals: Sequence[Proposal]) -> list[CheckResult]:
        """The gate's answer to each proposal, as the registry stands. Writes nothing but verdict rows.

        Raises:
            CheckerError, InvalidRequest, InvalidName, InvalidVersion, IdentityChanged: it cannot be judged at all.
            Busy, StorageUnavailable: as they say.
        """
        results = []
        for proposal in proposals:
            self._check_package(proposal)
            document = self.judge.read(proposal)
            with self.database.reading() as session:
                history = queries.history(session, proposal.contract)
                candidate = resolve(proposal, document, history)
                plan = self.judge.plan(session, candidate, history)
            answers = self.verdicts.answer(plan.questions, {candidate.schema_digest: candidate.canonical})
            results.append(self.judge.decide(plan, answers.comparisons, proposal.accepted))
            self.verdicts.keep(answers.fresh)
        return results

    def retire(self, contract: str, version: str, reason: str, by: str) -> tuple[Published, bool]:
        """Puts a tombstone on a version; a second one changes nothing.

        Returns:
            The version, and whether this call retired it.

        Raises:
            NotFound: no such version.
            Busy, StorageUnavailable: nothing was written.
        """
        with self.database.writing() as session:
            history = queries.history(session, contract)
            found = next((v for v in history if v.row.version == version), None)
            if found is None:
                raise NotFound(f"{contract} has no version {version}")
            if not found.retired:
                entry = queries.add_entry(session, by, "retirement", f"{contract}@{version}", {"reason": reason})
                session.add(Retirement(seq=entry.seq, publication_seq=found.row.seq, reason=reason))
                session.flush()
                self.releases.retired(session, found.row, by)
                log.info("retired %s %s", contract, version)
            return self._existing(session, found, queries.history(session, contract)), not found.retired

    def _write(self, writing: _Writing, answers: Answers) -> Published | None:
        """Writes the version down; None where what it was judged by has changed."""
        check, candidate = writing.check, writing.candidate
        if check.allowed is not True:
            with self.database.writing() as session:
                queries.put_verdicts(session, answers.fresh)
                refusals.add(session, candidate, check, writing.by)
            raise _refusal(check)
        with self.database.writing() as session:
            name = candidate.contract.partition("/")[2]
            if queries.touched_since(
                session, writing.basis, candidate.contract, name, candidate.of, candidate.channels
            ):
                made = None
            else:
                if writing.uuid is not None and (taken := queries.by_uuid(session, writing.uuid)) is not None:
                    raise IdTaken(f"the id {writing.uuid} is that of {taken.row.contract} {taken.row.version}")
                made = _insert(session, writing)
            queries.put_verdicts(session, answers.fresh)
            if made is None:
                return None
            published = Published(made, _is_live(session, made, [*writing.history, made]), True, check)
            if writing.proposal.package is not None:
                # In the same transaction: a version is never there without the release that it asked for.
                wish = _wish(writing.proposal)
                job = self.releases.start(session, made.row, wish, writing.by)
                published = replace(published, job=job, package=writing.proposal.package)
        log.info("published %s %s (schema id %d)", candidate.contract, made.row.version, made.row.schema_id)
        return published

    def _check_package(self, proposal: Proposal) -> None:
        if proposal.package is not None:
            self.releases.check_wish(proposal.contract, _wish(proposal))

    def _existing(self, session: Session, found: Version, history: Sequence[Version]) -> Published:
        found = next(v for v in history if v.row.seq == found.row.seq)
        return Published(found, _is_live(session, found, history), False, stored_check(session, found))


def _wish(proposal: Proposal) -> Wish:
    return Wish(proposal.package, proposal.package_style, proposal.package_open_enums)


def stored_check(session: Session, version: Version) -> CheckResult:
    """What the gate said when a version was published."""
    kept = dict(version.row.gate)
    link_rows, compared, text = kept.pop("links"), kept.pop("compared"), kept.pop("undecided")
    if compared is not None and text is None:
        text = queries.verdicts(session, [tuple(compared)])[tuple(compared)]
    return CheckResult(
        version.row.contract,
        version.row.role,
        kept,
        verdict_text.decode(text) if text is not None else None,
        tuple(linking.from_dict(link) for link in link_rows),
    )


def check_precondition(history: Sequence[Version], contract: str, if_match: int | None, only_new: bool) -> None:
    """Compare-and-set on the state of a contract.

    Raises:
        PreconditionFailed: with what was written since.
    """
    if only_new and history:
        raise PreconditionFailed(f"{contract} exists already", missed=[v.row.version for v in history])
    if if_match is None:
        return
    state = state_of(history)
    if state != if_match:
        missed = [v for v in history if v.row.seq > if_match]
        told = ", ".join(f"{v.row.version} by {v.by}" for v in missed) or "a retirement"
        raise PreconditionFailed(
            f"{contract} has changed since you read it: {told}; read it again and decide anew"
            if history
            else f"{contract} does not exist",
            missed=[{"version": v.row.version, "by": v.by, "at": v.at} for v in missed],
            current=state,
        )


def state_of(history: Sequence[Version]) -> int:
    """The state of a contract: the sequence number of the last publication or retirement in it, 0 before the first."""
    return max((v.last_seq for v in history), default=0)


def _already(candidate: Candidate, history: Sequence[Version], uuid: str | None) -> Version | None:
    """The version that a candidate is, if it was published.

    Raises:
        VersionTaken: its version was, with other content.
    """
    if uuid is not None:
        for version in history:
            if version.row.uuid == uuid and version.row.digest == candidate.digest:
                return version
    if candidate.version is None:
        last = latest(history)
        return last if last is not None and last.row.digest == candidate.digest else None
    found = next((v for v in history if v.row.version == candidate.version), None)
    if found is None or found.row.digest == candidate.digest:
        return found
    raise VersionTaken(
        f"{candidate.contract} {candidate.version} was published on {found.at[:10]} by {found.by} with other content "
        f"({found.row.digest[:12]}, yours is {candidate.digest[:12]}): publish under another version",
        taken_by=found.row.digest,
        yours=candidate.digest,
    )


def _insert(session: Session, writing: _Writing) -> Version:
    proposal, candidate, check, by = writing.proposal, writing.candidate, writing.check, writing.by
    version = candidate.version or check.answer["needed"]
    versions.parse(version)
    media_type = media_type_of(writing.document)
    schema = queries.put_schema(session, candidate.schema_digest, candidate.format, candidate.canonical)
    source = text_digest(proposal.source, media_type)
    queries.put_source(session, source, media_type, proposal.source)
    service, _, name = candidate.contract.partition("/")
    subject = f"{candidate.contract}@{version}"
    shown: dict[str, Any] = {
        "digest": candidate.digest,
        "schema_digest": candidate.schema_digest,
        "schema_id": schema.id,
        "role": candidate.role,
        "verdict": check.answer["verdict"],
        "bump": check.answer["bump"],
        "previous": check.answer["previous"],
    }
    entry = queries.add_entry(session, by, "publication", subject, shown)
    row = Publication(
        seq=entry.seq,
        uuid=writing.uuid,
        contract=candidate.contract,
        service=service,
        name=name,
        version=version,
        ordinal=len(writing.history) + 1,
        digest=candidate.digest,
        schema_id=schema.id,
        source_digest=source,
        role=candidate.role,
        kind=candidate.kind,
        of=candidate.of,
        channels=list(candidate.channels),
        groups=list(candidate.groups),
        content_model=candidate.content_model,
        format=candidate.format,
        dialect=candidate.dialect,
        bump=check.answer["bump"],
        gate={
            **check.answer,
            "links": [linking.as_row(link) for link in check.links],
            "compared": check.compared,
            "undecided": _undecided_text(check),
        },
    )
    session.add(row)
    session.flush()
    session.add_all(PublicationChannel(seq=row.seq, channel=channel) for channel in candidate.channels)
    obsolete.add(session, candidate.contract, row.seq, writing.marks)
    if check.answer["allowed_by"] == "accepted":
        _insert_acceptances(session, proposal, check, row, by, subject)
    session.flush()
    return Version(row, entry.at, by, candidate.schema_digest, None, None, None)


def _marks(candidate: Candidate) -> Sequence[str]:
    # Before the write transaction: the schema is walked for it. What travels on no channel has no queue to drain from.
    if candidate.format != "json-schema" or not candidate.channels:
        return ()
    return obsolete.marks_of(candidate.canonical, candidate.dialect)


def media_type_of(document: Checked) -> str:
    """The media type that a document's text is handed out under."""
    if document.syntax == "yaml":
        return "application/yaml"
    return "application/json" if document.format in APIS else "application/schema+json"


def _insert_acceptances(
    session: Session, proposal: Proposal, check: CheckResult, row: Publication, by: str, subject: str
) -> None:
    found = {f.fingerprint for f in check.comparison.findings} if check.comparison is not None else set()
    for accepted in proposal.accepted:
        if accepted.fingerprint not in found:
            continue
        until = accepted.until.isoformat() if accepted.until is not None else None
        data = {"fingerprint": accepted.fingerprint, "rule": accepted.rule, "reason": accepted.reason}
        entry = queries.add_entry(session, by, "acceptance", subject, {**data, "by": accepted.by, "until": until})
        session.add(Acceptance(seq=entry.seq, publication_seq=row.seq, **data, accepted_by=accepted.by, until=until))
        session.flush()


def _undecided_text(check: CheckResult) -> str | None:
    """A comparison that no verdict row holds, since it is undecided and was accepted so."""
    comparison = check.comparison
    if comparison is None or None not in (comparison.backward.holds, comparison.forward.holds):
        return None
    return verdict_text.encode(comparison)


def _refusal(check: CheckResult) -> GateRefused | Undecided:
    messages = "; ".join(refusal["message"] for refusal in check.answer["refusals"])
    kind = GateRefused if check.allowed is False else Undecided
    return kind(f"{check.contract}: {messages}", check=check)


def _is_live(session: Session, version: Version, history: Sequence[Version]) -> bool:
    contract = version.row.contract
    deployed = linking.deployed_versions(session, [contract]).get(contract)
    return any(v.row.seq == version.row.seq for v in linking.live(history, deployed))
