"""The gate without a registry: one document against one other, with the checker's own policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from deedbox.checker.policy import Refusal
from deedbox.cli import guarded
from deedbox.client.values import CheckResult, Difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.checker.documents import Document
    from deedbox.checker.model import ContentModel, Role
    from deedbox.checker.policy import Acceptance
    from deedbox.cli.project import Contract


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a contract is compared with, and its version where that is known."""

    document: Document
    version: str | None


def judge_here(
    contract: Contract, new: Document, baseline: Baseline | None, acceptances: Sequence[Acceptance]
) -> CheckResult:
    """The gate's answer for one contract against one earlier document. Links are the registry's to know.

    Raises:
        DocumentError: one of the documents cannot be used.
    """
    from deedbox.checker import versions
    from deedbox.checker.formats import detect
    from deedbox.checker.policy import Release, default_role, gate

    role = cast("Role", contract.role) or default_role(contract.format or detect(new))
    today = datetime.now(UTC).date()  # UTC: acceptances end at the same moment on every machine
    if baseline is None:
        check_alone(contract, new)
        return _result(contract, role, gate(role, contract.version, (), (), acceptances, today), None)
    comparison = guarded.compare(
        baseline.document,
        new,
        format=contract.format or detect(new),
        content_model=cast("ContentModel", contract.content_model),
        dialect=contract.dialect,
        contract=contract.full_name,
    )
    before = baseline.version or _UNKNOWN
    declared = contract.version if baseline.version is not None else None
    lowered = declared is not None and versions.parse(declared) < versions.parse(before)
    history = (Release(before, retired=False, comparison=comparison),)
    answer = gate(role, None if lowered else declared, history, (), acceptances, today, queued=bool(contract.channels))
    result = _result(contract, role, answer, Difference.of(comparison, role))
    if lowered:
        refusal = Refusal("version-not-above", f"{declared} is below {before}, which is there already")
        return replace(result, declared=declared, allowed=False, refusals=(refusal, *result.refusals))
    return result if baseline.version is not None else _without_version(result, contract, baseline.document.name)


_UNKNOWN = "9999999.0.0"
"""Stands for a version that nobody said, and is not shown."""


def _without_version(result: CheckResult, contract: Contract, name: str) -> CheckResult:
    refusals = tuple(
        replace(refusal, message=f"this breaks {name}: undo it, or accept its findings by name")
        if refusal.code == "breaking-change"
        else replace(refusal, message=refusal.message.replace(_UNKNOWN, name))
        for refusal in result.refusals
    )
    return replace(result, previous=None, declared=contract.version, needed=None, refusals=refusals)


def check_alone(contract: Contract, document: Document) -> None:
    """Refuses a document that is no schema, or leads nowhere.

    Raises:
        DocumentError: with the place.
    """
    from deedbox.checker.formats import detect

    guarded.compare(document, document, format=contract.format or detect(document), dialect=contract.dialect)


def _result(contract: Contract, role: Role, answer: object, difference: Difference | None) -> CheckResult:
    from deedbox.checker.policy import Gate

    assert isinstance(answer, Gate)
    return CheckResult(
        contract=contract.full_name,
        role=role,
        verdict=answer.verdict,
        bump=answer.bump,
        previous=answer.previous,
        declared=answer.declared,
        needed=answer.needed,
        allowed=answer.allowed,
        allowed_by=answer.allowed_by,
        refusals=answer.refusals,
        difference=difference,
    )
