"""All that was found of two API documents, as a `Comparison`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.canonical import digest
from deedbox.checker.model import Comparison, ContentModel, Direction, Finding, Inclusion

if TYPE_CHECKING:
    from deedbox.checker.apis.findings import Findings
    from deedbox.checker.apis.schemas import Decided
    from deedbox.checker.documents import Document


def comparison_of(
    document_format: str,
    content_model: ContentModel,
    old: Document,
    new: Document,
    findings: Findings,
    decided: Decided,
) -> Comparison:
    """The comparison: a direction holds where every position and every rule lets it."""
    listed = tuple(findings.findings())
    old_digest, new_digest = digest(old.value), digest(new.value)
    identical = old_digest == new_digest
    equal: bool | None = all(f.level == "patch" or f.kind == "annotation" for f in listed)
    if any(e is False for e in decided.equal):
        equal = False
    elif equal and any(e is None for e in decided.equal):
        equal = None
    return Comparison(
        format=document_format,
        content_model=content_model,
        old_digest=old_digest,
        new_digest=new_digest,
        backward=_inclusion("backward", listed, decided, identical=identical),
        forward=_inclusion("forward", listed, decided, identical=identical),
        equal=equal,
        findings=listed,
    )


def _inclusion(direction: Direction, listed: tuple[Finding, ...], decided: Decided, *, identical: bool) -> Inclusion:
    if identical:
        return Inclusion(True, "identical")
    own = [f for f in listed if f.direction == direction and f.kind == "inclusion" and f.level == "breaking"]
    broken = [f for f in own if f.witness is not None]
    if own:
        return Inclusion(False, witness=broken[0].witness if broken else None)
    answers = decided.holds[direction]
    for answer in answers:
        if answer.holds is False:
            return answer
    for answer in answers:
        if answer.holds is None:
            return answer
    return Inclusion(
        True, "search" if any(a.proof == "search" for a in answers) else "algebra" if answers else "identical"
    )
