"""A changelog for readers who know the API or the message, and none of our rules: grouped, one entry a cause."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from deedbox.checker.drain.claiming import drained_on
from deedbox.checker.json_schema.obsolete import in_message
from deedbox.checker.policy import MARKED_REMOVALS
from deedbox.checker.versions import parse
from deedbox.cli.plain import plural, printable
from deedbox.cli.reports.markdown import literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from deedbox.checker.documents import Document
    from deedbox.checker.model import Finding
    from deedbox.client.values import Difference

GROUPS = {
    "breaking": "Breaking changes",
    "undecided": "To be looked at",
    "deprecated": "Deprecated",
    "removed": "Removed",
    "added": "Added",
    "changed": "Changed",
}
"""The groups in the order they are told, with their headings."""

_THINGS = frozenset({
    "operation", "api-version", "webhook", "callback", "parameter", "request-body", "request-media-type", "response",
    "error-response", "response-header", "response-media-type", "link", "property", "obsolete-property",
    "pattern-property", "enum-value", "discriminator-value", "channel-operation", "message", "security-alternative",
})  # fmt: skip
"""What a reader calls added or removed; a limit that comes or goes changes the thing that it is about."""
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"})
_MOST_LISTED = 20
_POINTER = re.compile(r" at (/[^\s:]+)(?=:)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One cause: a sentence, and the operations that it reaches where there are several."""

    sentence: str
    reaches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changelog:
    """What there is to tell: by group, and in it by operation or field."""

    title: str
    summary: str
    groups: Mapping[str, Mapping[str, Sequence[Entry]]]


def changelog(
    difference: Difference,
    old: Document,
    new: Document,
    title: str | None = None,
    drains: Iterable[Mapping[str, Any]] = (),
) -> Changelog:
    """The changelog of a comparison. `drains` are the proofs behind removals: see `drains_between`."""
    proofs = {record["pointer"]: drained_on(record) for record in drains}
    groups: dict[str, dict[str, list[Entry]]] = {name: {} for name in GROUPS}
    told: set[tuple[str, str, str, str]] = set()
    for finding in difference.findings:  # worst first: of one cause the worst is told
        cause = (finding.rule, finding.side, finding.location, _sentence(finding))
        if cause not in told:
            told.add(cause)
            several = len(finding.reach) > 1
            proof = proofs.get(in_message(finding.pointer)) if finding.rule in MARKED_REMOVALS else None
            sentence = cause[3] if proof is None else f"{cause[3].removesuffix('.')}: {proof}."
            entry = Entry(sentence, finding.reach if several else ())
            subject = plural(len(finding.reach), "operation") if several else _subject(finding)
            entries = groups[_group(finding)].setdefault(subject, [])
            if entry not in entries:
                entries.append(entry)
    kept = {name: subjects for name, subjects in groups.items() if subjects}
    return Changelog(title or _title(old, new), _summary(difference, kept), kept)


def drains_between(published: Iterable[Mapping[str, Any]], old: str, new: str) -> list[Mapping[str, Any]]:
    """The proofs by which fields were dropped after one version of a contract and up to another, the earlier first."""
    low, high = parse(old), parse(new)
    passed = [(parse(p["version"]), p["drains"]) for p in published if low < parse(p["version"]) <= high]
    return [record for _, drains in sorted(passed, key=itemgetter(0)) for record in drains]


def _group(finding: Finding) -> str:
    if finding.level in ("breaking", "undecided"):
        return finding.level
    rule = finding.rule
    if rule == "deprecated-added" or rule.startswith("sunset-"):
        return "deprecated"
    if rule.endswith("-deprecated") and "no-longer" not in rule:
        return "deprecated"
    thing, _, what = rule.rpartition("-")
    return what if thing in _THINGS and what in ("added", "removed") else "changed"


def _sentence(finding: Finding) -> str:
    from deedbox.checker.apis.findings import reached

    text = finding.message.removesuffix(reached(finding.reach))
    text = _POINTER.sub(lambda found: f", {name}" if (name := _field(found[1])) else found[0], text)
    text = " ".join(printable(text).split())
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def _subject(finding: Finding) -> str:
    """The operation, or the field, that a finding is about."""
    from deedbox.checker.pointers import split

    if finding.reach:
        return finding.reach[0]
    tokens = split(finding.pointer)
    if len(tokens) > 1 and tokens[0] in ("paths", "webhooks"):
        method = tokens[2].upper() if len(tokens) > 2 and tokens[2] in _METHODS else ""
        return f"{method} {tokens[1]}".lstrip()
    if len(tokens) > 1 and tokens[0] in ("channels", "operations"):
        return tokens[1]
    return _field(finding.pointer) or "The whole"


def _field(pointer: str) -> str:
    """A place in a schema as people write fields: `customer.lines[].sku`; empty where there is no such name."""
    from deedbox.checker.pointers import split

    tokens, name = split(pointer), ""
    while tokens:
        word, *tokens = tokens
        if word in ("properties", "patternProperties") and tokens:
            name += f".{tokens.pop(0)}"
        elif word in ("items", "prefixItems", "additionalProperties"):
            name += "[]" if word != "additionalProperties" else ".*"
            tokens = tokens[1:] if word == "prefixItems" else tokens
        elif word in ("allOf", "anyOf", "oneOf") and tokens:
            tokens.pop(0)
        elif name or word in ("$defs", "definitions", "components"):
            return ""
    return name.removeprefix(".")


def _title(old: Document, new: Document) -> str:
    before, after = _release(old), _release(new)
    name = after[0] or before[0]
    if before[1] and after[1] and before[1] != after[1]:
        return f"{name or 'Changes'} {before[1]} → {after[1]}"
    return f"{name or 'Changes'}: {old.name} → {new.name}"


def _release(document: Document) -> tuple[str, str]:
    """Title and version, where a document says them."""
    value = document.value if isinstance(document.value, dict) else {}
    info = value.get("info") if isinstance(value.get("info"), dict) else {}
    assert isinstance(info, dict)
    title, version = info.get("title", value.get("title")), info.get("version")
    return title if isinstance(title, str) else "", version if isinstance(version, str) else ""


def _summary(difference: Difference, groups: Mapping[str, Mapping[str, Sequence[Entry]]]) -> str:
    if difference.verdict == "breaking":
        breaks = sum(len(entries) for entries in groups.get("breaking", {}).values())
        return f"Not compatible with the version before: {plural(breaks, 'breaking change')}."
    return {
        "identical": "Nothing changed.",
        "undecided": "Whether this is compatible with the version before could not be decided.",
        "patch": "Compatible with the version before: nothing that is sent or accepted changed.",
    }.get(difference.verdict, "Compatible with the version before.")


def as_markdown(log: Changelog) -> str:
    """The changelog in Markdown. All that comes from the documents is literal."""
    lines = [f"# {literal(log.title)}", "", literal(log.summary)]
    for group, subjects in log.groups.items():
        lines += ["", f"## {GROUPS[group]}"]
        for subject, entries in subjects.items():
            lines += ["", f"### {literal(subject)}", ""]
            for entry in entries:
                lines.append(f"- {literal(entry.sentence)}")
                lines += [f"  - {literal(name)}" for name in _listed(entry.reaches)]
    return "\n".join(lines) + "\n"


def as_html(log: Changelog) -> str:
    """The changelog as one HTML page that needs nothing else, runs no script, and prints."""
    parts = [_HEAD.format(title=_escape(log.title)), f"<h1>{_escape(log.title)}</h1>", f"<p>{_escape(log.summary)}</p>"]
    for group, subjects in log.groups.items():
        parts.append(f'<section class="{group}"><h2>{GROUPS[group]}</h2>')
        for subject, entries in subjects.items():
            parts.append(f"<h3>{_escape(subject)}</h3>\n<ul>")
            for entry in entries:
                below = "".join(f"<li>{_escape(name)}</li>" for name in _listed(entry.reaches))
                parts.append(f"<li>{_escape(entry.sentence)}{f'<ul>{below}</ul>' if below else ''}</li>")
            parts.append("</ul>")
        parts.append("</section>")
    return "\n".join([*parts, "</main></body></html>"]) + "\n"


def _listed(names: Sequence[str]) -> Iterable[str]:
    yield from names[:_MOST_LISTED]
    if len(names) > _MOST_LISTED:
        yield f"and {plural(len(names) - _MOST_LISTED, 'other')}"


def _escape(text: str) -> str:
    return html.escape(printable(text))


_HEAD = """\
<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem 1rem; }}
main {{ max-width: 50rem; margin: 0 auto; overflow-wrap: anywhere; }}
h2 {{ border-bottom: 1px solid; padding-bottom: .2rem; }}
h3 {{ font-family: ui-monospace, monospace; font-size: 1rem; margin-bottom: .2rem; }}
.breaking h2 {{ border-bottom-width: 3px; }}
@media print {{ body {{ margin: 0; }} h2, h3 {{ break-after: avoid; }} li {{ break-inside: avoid; }} }}
</style></head>
<body><main>"""
