"""Everything that a report may name: rules, the gate's refusals, and what is wrong with documents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.errors import DocumentError

_FORMATS = {"json-schema": "JSON Schema", "openapi": "OpenAPI", "asyncapi": "AsyncAPI"}
_GATE_GROUP, _DOCUMENT_GROUP = "The gate", "Documents that cannot be used"
_GATE = {
    "version-too-low": "The declared version promises less change than there is: declare the one named.",
    "version-not-above": "Other content has that version or a later one: declare a version above it.",
    "breaking-change": "It breaks, and no version announces it: declare the next major, or accept it.",
    "link-broken": "A live consumer could no longer read all that a live producer sends.",
    "link-undecided": "For a live producer and consumer, neither proof nor counterexample was found.",
    "field-life": "A field goes before its time: mark it deprecated, stop sending, drain, then drop it.",
    "observed-failing": "Messages that travel now, and are read today, would fail.",
    "broker-unavailable": "The broker did not answer, so nothing was observed.",
    "undecided": "Neither proof nor counterexample was found. The reason says what stopped the proof.",
    "registry-unavailable": "The registry did not answer, so there is no verdict.",
    "unreadable": "A file could not be read.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """What one name means. `why`, `source` and `mirror` are empty where there is no more to say.

    `group` is the document format that the rule is of, as people write it, or what else the name belongs to.
    """

    id: str
    title: str
    group: str
    why: str = ""
    source: str = ""
    mirror: str = ""


@cache
def entries() -> Mapping[str, Entry]:
    """Every name: the rules in the order of their catalogue, then the codes."""
    from deedbox.checker import errors
    from deedbox.checker.rules import catalogue

    found = {
        rule.id: Entry(rule.id, rule.title, _FORMATS[rule.format], rule.why, rule.source, rule.mirror or "")
        for rule in catalogue().values()
    }
    for code, title in _GATE.items():
        found.setdefault(code, Entry(code, title, _GATE_GROUP))
    for kind in _below(errors.DocumentError):
        found.setdefault(kind.code, Entry(kind.code, " ".join((kind.__doc__ or "").split()), _DOCUMENT_GROUP))
    return MappingProxyType(found)


def near(name: str) -> list[str]:
    """Names that someone may have meant, the likeliest first: spelled alike, or with the words that were given."""
    from difflib import get_close_matches

    asked = name.strip().lower().replace("_", "-").replace(" ", "-")
    words = [word for word in asked.split("-") if word]
    alike = get_close_matches(asked, list(entries()), n=3, cutoff=0.75)
    worded = [known for known in entries() if words and all(word in known for word in words)]
    titled = [e.id for e in entries().values() if words and all(word in e.title.lower() for word in words)]
    return list(dict.fromkeys([*alike, *worded, *titled]))[:_MOST_NEAR]


_MOST_NEAR = 8


def describe(name: str) -> str:
    """One sentence on a rule or code, or nothing where there is none of that name."""
    entry = entries().get(name)
    return entry.title if entry is not None else ""


def _below(kind: type[DocumentError]) -> list[type[DocumentError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_below(child))]
