"""GitLab code quality: an array of issues, for the merge request's widget."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from deedbox.cli.plain import json_text, shorten
from deedbox.cli.reports.places import in_repository

if TYPE_CHECKING:
    from deedbox.cli.report import Issue, Report

_SEVERITIES = {"error": "critical", "warning": "major", "note": "info"}


def render(report: Report) -> str:
    """The issues, each with a fingerprint that no other of them has."""
    seen: set[str] = set()
    return json_text([_entry(issue, seen) for issue in report.issues()], indent=2) + "\n"


def _entry(issue: Issue, seen: set[str]) -> dict[str, Any]:
    description = f"{issue.contract}: {issue.message}" if issue.contract else issue.message
    if issue.witness is not None:
        description += f" Message that proves it: {shorten(json_text(issue.witness.value))}"
    identity = "\0".join((issue.contract, issue.rule, issue.pointer or "", issue.fingerprint or issue.message))
    fingerprint = hashlib.sha256(identity.encode()).hexdigest()
    while fingerprint in seen:  # GitLab drops all but one of the same fingerprint
        fingerprint = hashlib.sha256(fingerprint.encode()).hexdigest()
    seen.add(fingerprint)
    return {
        "description": description,
        "check_name": issue.rule,
        "fingerprint": fingerprint,
        "severity": _SEVERITIES[issue.severity],
        "location": {
            "path": in_repository(issue.file) if issue.file else "deedbox.toml",
            "lines": {"begin": issue.line or 1},
        },
    }
