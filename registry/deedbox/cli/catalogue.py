"""Everything that a report may name: rules, the gate's refusals, and what is wrong with documents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.errors import DocumentError

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
    """What one name means. `why` and `source` are empty where there is no more to say."""

    id: str
    title: str
    why: str = ""
    source: str = ""


@cache
def entries() -> Mapping[str, Entry]:
    """Every name: the rules in the order of their catalogue, then the codes."""
    from deedbox.checker import errors
    from deedbox.checker.rules import catalogue

    found = {rule.id: Entry(rule.id, rule.title, rule.why, rule.source) for rule in catalogue().values()}
    for code, title in _GATE.items():
        found.setdefault(code, Entry(code, title))
    for kind in _below(errors.DocumentError):
        found.setdefault(kind.code, Entry(kind.code, " ".join((kind.__doc__ or "").split())))
    return MappingProxyType(found)


def describe(name: str) -> str:
    """One sentence on a rule or code, or nothing where there is none of that name."""
    entry = entries().get(name)
    return entry.title if entry is not None else ""


def _below(kind: type[DocumentError]) -> list[type[DocumentError]]:
    return [found for child in kind.__subclasses__() for found in (child, *_below(child))]
