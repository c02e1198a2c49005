"""Plain text for people: the worst first, each with the message that proves it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
from deedbox.cli.plain import json_text, place_text, plural, printable, shorten
from deedbox.cli.report import LEVELS, LINK_ADVICE, link_sentence, why_beyond

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.model import Finding, Witness
    from deedbox.cli.report import Change, Failure, Located, Publication, Report
    from deedbox.client.values import Link

_COLORS = {
    "breaking": "red",
    "undecided": "yellow",
    "additive": "cyan",
    "patch": "green",
    "identical": "green",
}
MARKS = {False: click.style("broken", fg="red"), None: click.style("undecided", fg="yellow")}
_MOST_LINKS = 10
_VERSION_CODES = frozenset({"version-too-low", "breaking-change", "version-not-above"})
_EXIT_ORDER = {False: 0, None: 1, True: 2}


def render(report: Report) -> str:
    """The report as styled text; what prints it takes the colours away where they are not wanted."""
    blocks = ["\n".join(_failure(failure)) for failure in report.failures]
    changes = sorted(report.changes, key=lambda change: _EXIT_ORDER[change.allowed])
    if report.published:
        # Of what went through, only what is a warning is worth more than its line below.
        changes = [change for change in changes if any(issue.severity != "note" for issue in change.issues())]
    blocks += ["\n".join(_change(change, report.command)) for change in changes]
    if report.published:
        verdicts = {change.name: change.verdict for change in report.changes}
        blocks.append("\n".join(_published(done, verdicts.get(done.contract, "")) for done in report.published))
    elif report.command in ("check", "publish"):
        blocks.append(_summary(report))
    return "\n\n".join(blocks) + "\n"


def _published(publication: Publication, verdict: str) -> str:
    done = click.style("published", fg="green") if publication.created else "unchanged"
    change = f" ({verdict})" if publication.created and verdict else ""
    return f"{done} {printable(publication.contract)} {printable(publication.version)}{change}"


def _failure(failure: Failure) -> Iterator[str]:
    where = failure.name or failure.file
    said = f"{where}: {failure.message}" if where else failure.message
    yield f"{click.style('error', fg='red', bold=True)} {printable(said)}"


def _change(change: Change, command: str) -> Iterator[str]:
    color = _COLORS.get(change.verdict)
    verdict = click.style(change.verdict, fg=color, bold=True)
    title = click.style(printable(_title(change, command)), bold=True)
    yield f"{title}: {verdict}{_outcome(change, command)}"
    broken = any(link.holds is False for link in change.links)
    for refusal in change.refusals:
        if refusal.code == "link-broken" and broken:
            continue  # the link itself is shown below, with its witness
        yield f"  {click.style('refused', fg='red')}: {printable(refusal.message)}"
    if change.verdict == "undecided" and not any(f.finding.level == "undecided" for f in change.findings):
        for direction, reason in change.undecided():
            yield f"  undecided whether {direction} compatibility holds: {printable(reason)}"
    for sentence in change.observed.sentences if change.observed is not None else ():
        yield f"  observed: {printable(sentence)}"
    for located in sorted(change.findings, key=_order):
        yield ""
        yield from _finding(located)
        if command != "diff":
            yield from _acceptance(located.finding, change)
    yield from _links(change)
    if any(refusal.code == "link-broken" for refusal in change.refusals):
        yield f"  {click.style('refused', fg='red')}: {LINK_ADVICE}"


def _links(change: Change) -> Iterator[str]:
    shown = [located.finding.witness for located in change.findings]
    if change.links:
        yield ""
    for link in sorted(change.links, key=lambda link: _EXIT_ORDER[link.holds]):
        if link.holds is not True:
            yield f"  {MARKS[link.holds]} {printable(link_sentence(link))}"
            if link.witness not in shown:
                yield from witness_lines(link.witness, link_sentence(link), "    ")
    good = [_other_side(link, change.name) for link in change.links if link.holds is True]
    if good:
        more = f" and {plural(len(good) - _MOST_LINKS, 'other')}" if len(good) > _MOST_LINKS else ""
        yield f"  fits {printable(', '.join(good[:_MOST_LINKS]))}{more}"


def _other_side(link: Link, name: str) -> str:
    if link.consumer == name:
        return f"{link.producer} {link.producer_version or ''}".rstrip()
    return f"{link.consumer} {link.consumer_version or ''}".rstrip()


def _title(change: Change, command: str) -> str:
    if command == "diff":
        return f"{change.old} → {change.new} ({change.role}, {change.content_model})"
    if command == "can-i-deploy":
        return f"{change.name} ({change.new}) in {change.old}"
    return f"{change.name} ({change.role}) against {change.old}"


def _outcome(change: Change, command: str) -> str:
    if command == "diff":
        return f", deserves a {change.bump} version" if change.bump not in (None, "none") else ""
    words = []
    if change.needed and change.verdict not in ("identical",):
        of_version = any(refusal.code in _VERSION_CODES for refusal in change.refusals)
        words.append(f"needs {change.needed}" if of_version else f"version {change.needed}")
    if change.allowed and change.verdict == "breaking":
        by = {"version": "its version says so", "accepted": "accepted by name"}.get(change.allowed_by)
        words.append(f"allowed: {by}" if by else "allowed")
    return "".join(f", {printable(word)}" for word in words)


def _order(located: Located) -> tuple[int, str, int]:
    level = located.finding.level
    return LEVELS.index(level) if level in LEVELS else len(LEVELS), located.file or "", located.line or 0


def _finding(located: Located) -> Iterator[str]:
    finding = located.finding
    level = click.style(finding.level, fg=_COLORS.get(finding.level))
    where = place_text(located.file, located.line)
    yield f"  {level} {printable(where)} {printable(finding.pointer) or 'the root'} [{finding.rule}]"
    yield f"    {printable(finding.message)}"
    yield from witness_lines(finding.witness, finding.message, "    ")


def _acceptance(finding: Finding, change: Change) -> Iterator[str]:
    """That it is accepted, or was, or how it can be."""
    if finding.level not in ("breaking", "undecided"):
        return
    found = next((a for a in reversed(change.accepted) if a.fingerprint == finding.fingerprint), None)
    over = found is not None and found.until is not None and found.until < datetime.now(UTC).date()
    if found is not None:
        day = f" until {found.until}" if found.until is not None else ""
        yield f"    {'was accepted' if over else 'accepted'} by {printable(found.by)}{day}: {printable(found.reason)}"
    if change.allowed is not True and (found is None or over):
        yield f"    to accept: deedbox accept {finding.fingerprint} --reason '…'"


def witness_lines(witness: Witness | None, message: str, indent: str) -> Iterator[str]:
    """A witness below what was said of it: the message, and why it is rejected where that says more."""
    if witness is not None:
        yield f"{indent}message: {printable(shorten(json_text(witness.value)))}"
    if why := why_beyond(message, witness):
        yield f"{indent}why: {printable(shorten(why))}"


def _summary(report: Report) -> str:
    counts = {
        "refused": sum(change.allowed is False for change in report.changes),
        "undecided": sum(change.allowed is None for change in report.changes),
        "in error": len(report.failures),
        "fine": sum(change.allowed is True for change in report.changes),
    }
    said = ", ".join(f"{count:,} {word}" for word, count in counts.items() if count)
    total = len(report.changes) + len(report.failures)
    nothing = " Nothing was published." if report.command == "publish" else ""
    return f"{plural(total, 'contract')}: {said}.{nothing}"
