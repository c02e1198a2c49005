"""JSON: of `diff` one object, of `check` one a contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.cli.plain import json_text

if TYPE_CHECKING:
    from deedbox.cli.report import Change, Failure, Report


def render(report: Report) -> str:
    """The report as JSON, indented by two."""
    return json_text(as_object(report), indent=2) + "\n"


def as_object(report: Report) -> dict[str, Any]:
    """The report as a JSON value."""
    if report.command == "diff":
        return _difference(report.changes[0]) if report.changes else {"error": _failure(report.failures[0])}
    if report.command == "can-i-deploy":
        return _deployment(report.changes[0])
    results = [_result(change) for change in report.changes]
    results += [{"contract": f.name, "file": f.file, "allowed": None, "error": _failure(f)} for f in report.failures]
    published = [
        {
            "contract": p.contract,
            "version": p.version,
            "created": p.created,
            "digest": p.digest,
            "bump": p.bump,
        }
        for p in report.published
    ]
    return {
        "allowed": report.allowed,
        "results": results,
        **({"published": published} if report.command == "publish" else {}),
    }


def _deployment(change: Change) -> dict[str, Any]:
    return {
        "allowed": change.allowed,
        "service": change.name,
        "environment": change.old,
        "links": [link.as_dict() for link in change.links],
    }


def _difference(change: Change) -> dict[str, Any]:
    findings = [
        {**found.finding.as_dict(), "file": found.file, "line": found.line, "column": found.column}
        for found in change.findings
    ]
    return {
        "verdict": change.verdict,
        "bump": change.bump,
        "role": change.role,
        "content_model": change.content_model,
        "backward": change.backward.as_dict() if change.backward else None,
        "forward": change.forward.as_dict() if change.forward else None,
        "findings": findings,
    }


def _result(change: Change) -> dict[str, Any]:
    return {
        "contract": change.name,
        "file": change.file,
        "against": change.old,
        **_difference(change),
        "previous": change.previous,
        "declared": change.declared,
        "needed": change.needed,
        "allowed": change.allowed,
        "allowed_by": change.allowed_by,
        "refusals": [refusal.as_dict() for refusal in change.refusals],
        "links": [link.as_dict() for link in change.links],
        **({"observed": change.observed.data} if change.observed is not None else {}),
    }


def _failure(failure: Failure) -> dict[str, Any]:
    return {
        "code": failure.code,
        "message": failure.message,
        "file": failure.file,
        "pointer": failure.pointer,
        "line": failure.line,
        "column": failure.column,
    }
