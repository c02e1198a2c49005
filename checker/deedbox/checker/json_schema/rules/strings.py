"""Rules about patterns and formats of strings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.rules.definition import annotation, inclusion, listing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes

_PATTERN = "JSON Schema 2020-12 validation §6.3.3 (pattern)"
_FORMAT = "JSON Schema 2020-12 validation §7 (format)"

PATTERN_ADDED = inclusion(
    "pattern-added",
    "Strings must match a pattern, where they need not before.",
    "Strings that do not match are refused.",
    _PATTERN,
    mirror="pattern-removed",
)
PATTERN_REMOVED = inclusion(
    "pattern-removed",
    "Strings need no longer match a pattern.",
    "Readers on the old version refuse strings that do not match theirs.",
    _PATTERN,
    mirror="pattern-added",
)
PATTERN_CHANGED = inclusion(
    "pattern-changed",
    "Strings must match another pattern.",
    "The proof compares the two patterns as sets of strings: where each level is additive, the new one only says it "
    "differently or lets more through.",
    _PATTERN,
    mirror="pattern-changed",
)
FORMAT_CHANGED = annotation(
    "format-changed",
    "The format that strings are said to have is another, or one was added or removed.",
    "A format refuses nothing unless it is asserted, so this breaks no promise of the schema. Code that parses the "
    "string by its format may fail all the same.",
    _FORMAT,
    mirror="format-changed",
)
ASSERTED_FORMAT_CHANGED = inclusion(
    "asserted-format-changed",
    "An asserted format is another, or one was added or removed.",
    "With `format` asserted, strings that do not have it are refused.",
    _FORMAT,
    mirror="asserted-format-changed",
)
RULES = (PATTERN_ADDED, PATTERN_REMOVED, PATTERN_CHANGED, FORMAT_CHANGED, ASSERTED_FORMAT_CHANGED)


def patterns(at: Pair) -> Iterator[Fact]:
    """Compares the patterns that strings must match, all of them."""
    if "string" not in at.shared_types or at.listed:
        return
    gone, come = _differing(at, "pattern")
    if not gone and not come:
        return
    probes: Probes = {}
    if come:
        probes["backward"] = at.probe({"type": "string", "not": _all("pattern", come)})
    if gone:
        probes["forward"] = at.probe({"type": "string", "not": _all("pattern", gone)})
    where: dict[str, Any] = {"old": at.old.holder("pattern"), "new": at.new.holder("pattern")}
    if gone and come:
        message = f"strings had to match {listing(gone)} and have to match {listing(come)}"
        yield at.fact(PATTERN_CHANGED, message, **where, probes=probes)
    elif come:
        yield at.fact(PATTERN_ADDED, f"strings have to match {listing(come)} now", **where, probes=probes)
    else:
        yield at.fact(PATTERN_REMOVED, f"strings need not match {listing(gone)} any more", **where, probes=probes)


def formats(at: Pair) -> Iterator[Fact]:
    """Compares the formats, which judge strings only where they are asserted."""
    gone, come = _differing(at, "format")
    if not gone and not come:
        return
    old, new = at.old.values("format"), at.new.values("format")
    message = f"the format was {listing(old) or 'none'} and is {listing(new) or 'none'}"
    where: dict[str, Any] = {"old": at.old.holder("format"), "new": at.new.holder("format")}
    if not at.options.format_assertion:
        yield at.fact(FORMAT_CHANGED, message, **where, level="additive")
        return
    if at.listed:
        return
    probes: Probes = {}
    if come:
        probes["backward"] = at.probe({"not": _all("format", come)})
    if gone:
        probes["forward"] = at.probe({"not": _all("format", gone)})
    yield at.fact(ASSERTED_FORMAT_CHANGED, message, **where, probes=probes)


def _differing(at: Pair, keyword: str) -> tuple[list[str], list[str]]:
    old, new = dict.fromkeys(at.old.values(keyword)), dict.fromkeys(at.new.values(keyword))
    return [text for text in old if text not in new], [text for text in new if text not in old]


def _all(keyword: str, texts: list[str]) -> dict[str, Any]:
    return {keyword: texts[0]} if len(texts) == 1 else {"allOf": [{keyword: text} for text in texts]}
