"""GitHub Actions workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.cli.plain import json_text, plural, printable, shorten
from deedbox.cli.reports.places import in_repository

if TYPE_CHECKING:
    from deedbox.cli.report import Issue, Report

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}

_A_STEP = 10
"""GitHub shows that many annotations of each kind from one step, and drops the rest in silence."""


def render(report: Report) -> str:
    """One line an issue, the worst first, no more of a kind than GitHub shows, and how many are left out."""
    lines = []
    issues = report.issues()
    for severity, command in _COMMANDS.items():
        kind = [issue for issue in issues if issue.severity == severity]
        shown = kind if len(kind) <= _A_STEP else kind[: _A_STEP - 1]
        lines += [_line(command, issue) for issue in shown]
        if len(kind) > len(shown):
            rest = plural(len(kind) - len(shown), "more finding")
            lines.append(f"::{command} title=deedbox::and {rest}: see the log")
    return "".join(line + "\n" for line in lines)


def _line(command: str, issue: Issue) -> str:
    properties = {}
    if issue.file is not None:
        properties["file"] = in_repository(issue.file)
        if issue.line is not None:
            properties["line"] = str(issue.line)
            if issue.column is not None:
                properties["col"] = str(issue.column)
    properties["title"] = f"{issue.contract}: {issue.rule}" if issue.contract else issue.rule
    text = issue.message
    if issue.witness is not None:
        text += f"\nmessage: {shorten(json_text(issue.witness.value))}"
    if issue.why:
        text += f"\nwhy: {shorten(issue.why)}"
    parameters = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    return f"::{command} {parameters}::{_escape(text)}"


def _escape(text: str) -> str:
    return printable(text, newlines=True).replace("%", "%25").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
