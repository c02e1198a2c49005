"""JUnit XML: a test case a contract, failed where the gate says no, in error where it could not tell."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr  # writes only: nothing is parsed here

from deedbox.cli.plain import json_text, place_text, shorten

if TYPE_CHECKING:
    from deedbox.cli.report import Change, Failure, Report

_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to say (§2.2)."""


def render(report: Report) -> str:
    """The report as one suite."""
    cases = [_failure(failure) for failure in report.failures] + [_change(change) for change in report.changes]
    failures = sum(change.allowed is False for change in report.changes)
    errors = len(report.failures) + sum(change.allowed is None for change in report.changes)
    counts = f'tests="{len(cases)}" failures="{failures}" errors="{errors}" skipped="0"'
    body = "".join(cases)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="deedbox" {counts}>\n'
        f'<testsuite name="deedbox {report.command}" {counts}>\n{body}</testsuite>\n</testsuites>\n'
    )


def _case(name: str, file: str | None, body: str) -> str:
    place = f" file={_attribute(file)}" if file else ""
    start = f'<testcase classname="deedbox" name={_attribute(name)}{place} time="0"'
    return f"{start}>\n{body}</testcase>\n" if body else f"{start}/>\n"


def _change(change: Change) -> str:
    name = f"{change.name} against {change.old}"
    if change.allowed is True:
        return _case(name, change.file, "")
    element = "failure" if change.allowed is False else "error"
    issues = [issue for issue in change.issues() if issue.severity != "note"]
    lines = []
    for issue in issues:
        where = place_text(issue.file, issue.line, issue.column)
        lines.append(f"{where} {issue.pointer or ''} [{issue.rule}] {issue.message}".strip())
        if issue.witness is not None:
            lines.append(f"  message: {shorten(json_text(issue.witness.value))}")
        if issue.why:
            lines.append(f"  why: {shorten(issue.why)}")
    message = "; ".join(r.message for r in change.refusals) or (issues[0].message if issues else change.verdict)
    return _case(name, change.file, _element(element, message, change.verdict, "\n".join(lines)))


def _failure(failure: Failure) -> str:
    name = failure.name or failure.file or failure.code
    return _case(name, failure.file, _element("error", failure.message, failure.code, failure.message))


def _element(tag: str, message: str, kind: str, text: str) -> str:
    return f"<{tag} message={_attribute(message)} type={_attribute(kind)}>{escape(_clean(text))}</{tag}>\n"


def _attribute(text: str) -> str:
    return quoteattr(_clean(text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
