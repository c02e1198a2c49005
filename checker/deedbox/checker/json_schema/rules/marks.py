"""Rules about what judges no message: marks, defaults, texts, media types, the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.rules.definition import annotation, listing, shown
from deedbox.checker.json_schema.sameness import text_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair
    from deedbox.checker.json_schema.sides import Side
    from deedbox.checker.model import Level
    from deedbox.checker.rules.rule import Rule

_V = "JSON Schema 2020-12 validation "

DEPRECATED_ADDED = annotation(
    "deprecated-added",
    "Something is marked obsolete.",
    "The first step of its life's end: writers should stop sending it, readers still accept it. It may go under a later "
    "major version.",
    _V + "§9.3 (deprecated)",
    mirror="deprecated-removed",
)
DEPRECATED_REMOVED = annotation(
    "deprecated-removed",
    "Something is no longer marked obsolete.",
    "Whoever had stopped sending it should know that it stays.",
    _V + "§9.3 (deprecated)",
    mirror="deprecated-added",
)


def _changed(keyword: str, rule: str, title: str, why: str, source: str) -> tuple[str, Rule]:
    return keyword, annotation(rule, title, why, source, mirror=rule)


_TEXT = "It changes nothing for any program that keeps to the schema."
ADDITIVE = dict((
    _changed("default", "default-changed", "A default is another, or one was added or removed.",
             "A default fills in nothing by itself, but readers and generated code use it for what is missing.",
             _V + "§9.2 (default)"),
    _changed("readOnly", "read-only-changed", "Something is said to be read-only, or no longer.",
             "Whoever writes it may find it ignored or refused by the owner of the data.", _V + "§9.4 (readOnly)"),
    _changed("writeOnly", "write-only-changed", "Something is said to be write-only, or no longer.",
             "Whoever reads it may find it missing.", _V + "§9.4 (writeOnly)"),
    _changed("contentMediaType", "content-media-type-changed", "The media type that a string holds is another.",
             "No validator refuses a string for it, but code that decodes the string may fail.",
             _V + "§8.4 (contentMediaType)"),
    _changed("contentEncoding", "content-encoding-changed", "The encoding of what a string holds is another.",
             "No validator refuses a string for it, but code that decodes the string may fail.",
             _V + "§8.3 (contentEncoding)"),
    _changed("contentSchema", "content-schema-changed", "The schema of what a string holds is another.",
             "No validator looks into the string, but code that decodes it may fail.", _V + "§8.5 (contentSchema)"),
))  # fmt: skip
PATCH = dict((
    _changed("title", "title-changed", "A title is another.", _TEXT, _V + "§9.1 (title)"),
    _changed("description", "description-changed", "A description is another.",
             _TEXT + " Read it all the same: it may say that the meaning has changed, which no checker sees.",
             _V + "§9.1 (description)"),
    _changed("examples", "examples-changed", "Examples are others.", _TEXT, _V + "§9.5 (examples)"),
    _changed("$comment", "comment-changed", "A comment is another.", _TEXT, "JSON Schema 2020-12 core §8.3 ($comment)"),
))  # fmt: skip
DIALECT_CHANGED = annotation(
    "dialect-changed",
    "The schema is written in another draft.",
    "By itself this changes nothing. Where a keyword means something else in the new draft, that is a finding of its own.",
    "JSON Schema 2020-12 core §8.1.1 ($schema)",
    mirror="dialect-changed",
)
RULES = (DEPRECATED_ADDED, DEPRECATED_REMOVED, *ADDITIVE.values(), *PATCH.values(), DIALECT_CHANGED)


def deprecation(at: Pair) -> Iterator[Fact]:
    """Compares whether the location is marked obsolete."""
    old, new = any(v is True for v in at.old.values("deprecated")), any(v is True for v in at.new.values("deprecated"))
    if old == new:
        return
    where: dict[str, Any] = {"old": at.old.holder("deprecated"), "new": at.new.holder("deprecated")}
    if new:
        yield at.fact(DEPRECATED_ADDED, "it is marked obsolete now", **where, level="additive")
    else:
        yield at.fact(DEPRECATED_REMOVED, "it is not marked obsolete any more", **where, level="additive")


def texts_and_hints(at: Pair) -> Iterator[Fact]:
    """Compares every other annotation as it stands."""
    tables: tuple[tuple[dict[str, Rule], Level], ...] = ((ADDITIVE, "additive"), (PATCH, "patch"))
    for table, level in tables:
        for keyword, rule in table.items():
            if keyword not in at.old.by and keyword not in at.new.by:
                continue
            old, new = _distinct(at.old, keyword), _distinct(at.new, keyword)
            if old.keys() == new.keys():
                continue
            noun = "`" + keyword + "`"
            message = f"{noun} was {listing(old.values()) or 'absent'} and is {listing(new.values()) or 'absent'}"
            where: dict[str, Any] = {"old": at.old.holder(keyword), "new": at.new.holder(keyword)}
            yield at.fact(rule, message, **where, level=level)


def _distinct(side: Side, keyword: str) -> dict[str, Any]:
    """The keyword's values; of a mark (readOnly, writeOnly) `false` says the same as nothing."""
    mark = keyword in ("readOnly", "writeOnly")
    return {text_key(v): v for v in side.values(keyword) if not (mark and v is False)}


def dialect(at: Pair) -> Iterator[Fact]:
    """Says where two documents are in different drafts. Asked of the roots alone."""
    old, new = at.old.starts[0].node.dialect, at.new.starts[0].node.dialect
    if old is not new:
        message = f"the draft was {shown(old.name)} and is {shown(new.name)}"
        yield at.fact(DIALECT_CHANGED, message, old=at.old.starts[0], new=at.new.starts[0], level="patch")
