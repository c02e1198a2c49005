"""SARIF 2.1.0 (OASIS), for code scanning."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from deedbox.cli.plain import json_text, shorten
from deedbox.cli.reports.places import in_repository

if TYPE_CHECKING:
    from deedbox.cli.report import Issue, Report


def render(report: Report) -> str:
    """The report as one run."""
    issues = report.issues()
    rules = list(dict.fromkeys(issue.rule for issue in issues))
    run = {
        "tool": {
            "driver": {
                "name": "deedbox",
                "version": version("deedbox"),
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
        "invocations": [{"executionSuccessful": not report.failures}],
        "results": [_result(issue, rules.index(issue.rule)) for issue in issues],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json_text(log, indent=2) + "\n"


def _rule(rule: str) -> dict[str, Any]:
    from deedbox.cli.catalogue import describe

    text = describe(rule)
    return {"id": rule, "shortDescription": {"text": text}} if text else {"id": rule}


def _result(issue: Issue, rule_index: int) -> dict[str, Any]:
    message = f"{issue.contract}: {issue.message}" if issue.contract else issue.message
    if issue.witness is not None:
        message += f"\nMessage: {shorten(json_text(issue.witness.value))}"
    if issue.why:
        message += f"\nWhy: {shorten(issue.why)}"
    result: dict[str, Any] = {
        "ruleId": issue.rule,
        "ruleIndex": rule_index,
        "level": issue.severity,
        "message": {"text": message},
    }
    location: dict[str, Any] = {}
    if issue.file is not None:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(in_repository(issue.file)), "uriBaseId": "SRCROOT"}}
        if issue.line is not None:
            column = {} if issue.column is None else {"startColumn": issue.column}
            place["region"] = {"startLine": issue.line, **column}
        location["physicalLocation"] = place
    if issue.contract:
        location["logicalLocations"] = [{"fullyQualifiedName": f"{issue.contract}#{issue.pointer or ''}"}]
    if location:
        result["locations"] = [location]
    if issue.fingerprint:
        result["partialFingerprints"] = {"deedbox/v1": issue.fingerprint}
    if issue.witness is not None:
        result["properties"] = {"witness": issue.witness.value}
    return result
