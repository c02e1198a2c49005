"""Markdown for a comment on a pull request."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from deedbox.cli.plain import json_text, plural, printable, shorten
from deedbox.cli.report import link_sentence
from deedbox.cli.reports.places import in_repository

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.model import Witness
    from deedbox.cli.report import Change, Issue, Report

_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+|~@&!-])")
_OUTCOMES = {True: "fine", False: "**refused**", None: "**undecided**"}
_MOST = 50
"""Findings a contract: a comment has a limit, and so have readers."""


def render(report: Report) -> str:
    """A table of the contracts, then what is wrong with each, then the rest folded away."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield {True: "### Contracts: fine", False: "### Contracts: refused", None: "### Contracts: undecided"}[
        report.allowed
    ]
    yield ""
    if report.changes:
        yield "| contract | role | against | change | version | |"
        yield "|---|---|---|---|---|---|"
        for change in report.changes:
            cells = (change.name, change.role, change.old, change.verdict, change.needed or change.bump or "")
            yield f"| {' | '.join(literal(cell) for cell in cells)} | {_OUTCOMES[change.allowed]} |"
    for failure in report.failures:
        yield ""
        yield f"- **error** {literal(failure.name or failure.file or '')}: {literal(failure.message)}"
    for change in report.changes:
        yield from _change(change)


def _change(change: Change) -> Iterator[str]:
    issues = list(change.issues())
    loud = [issue for issue in issues if issue.severity != "note"]
    if loud or change.refusals:
        yield ""
        yield f"#### {literal(change.name)}"
        for refusal in change.refusals:
            yield f"- refused: {literal(refusal.message)}"
        for issue in loud[:_MOST]:
            yield from _issue(issue)
        if len(loud) > _MOST:
            yield f"- and {plural(len(loud) - _MOST, 'more finding')}"
    quiet = [issue for issue in issues if issue.severity == "note"]
    good = [link for link in change.links if link.holds]
    if quiet or good:
        summary = [plural(len(quiet), "other change")] if quiet else []
        summary += [f"{plural(len(good), 'link')} that hold{'s' if len(good) == 1 else ''}"] if good else []
        yield ""
        yield f"<details><summary>{html.escape(printable(change.name))}: {', '.join(summary)}</summary>"
        yield ""
        for issue in quiet[:_MOST]:
            yield f"- {literal(issue.message)} ({_place(issue)})"
        for link in good[:_MOST]:
            yield f"- {literal(link_sentence(link))}"
        yield ""
        yield "</details>"


def _issue(issue: Issue) -> Iterator[str]:
    yield f"- **{issue.severity}** {literal(issue.message)} ({_place(issue)})"
    if issue.witness is not None:
        yield from _witness(issue.witness, issue.why)


def _witness(witness: Witness, why: str) -> Iterator[str]:
    text = shorten(json_text(witness.value, indent=2), 2_000)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield ""
    yield f"  {fence}json"
    yield from (f"  {printable(line)}" for line in text.split("\n"))
    yield f"  {fence}"
    if why:
        yield f"  {literal(shorten(why))}"


def _place(issue: Issue) -> str:
    where = ""
    if issue.file is not None:
        where = f"{code(in_repository(issue.file))}{'' if issue.line is None else f' line {issue.line}'}, "
    pointer = f" at {code(issue.pointer)}" if issue.pointer else ""
    return f"{where}{code(issue.rule)}{pointer}"


def literal(text: str) -> str:
    """Someone else's words, with all that Markdown, HTML or a code host would act upon taken literally."""
    return _MARKUP.sub(r"\\\1", printable(text)).replace("\\@", "@\u2060").replace("\\<", "&lt;")


def code(text: str) -> str:
    """Someone else's words in a span of code."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{printable(text)}{pad}{fence}"
