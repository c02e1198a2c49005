"""The field page: what became of one field from version to version, who reads it, and what if it goes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from deedbox.checker import pointers
from deedbox.checker.canonical import canonical, digest
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.obsolete import plain_place
from deedbox.checker.model import Comparison, ContentModel, Role
from deedbox.registry.errors import NotFound
from deedbox.registry.services import links as linking
from deedbox.registry.services.browsing.contracts import (
    Contracts,
    Read,
    field_view,
    known,
    obsolete_since,
    other_views,
    read_version,
)
from deedbox.registry.services.browsing.draining import Draining
from deedbox.registry.services.browsing.fields import Field, field_at, fields_of, message_pointer, named
from deedbox.registry.services.browsing.overview import Overview, Snapshot
from deedbox.registry.services.verdicts import Question, Verdicts
from deedbox.registry.storage import browsing
from deedbox.registry.storage.database import Database

_MOST_VERSIONS = 300
_MOST_ASKED = 20
_LARGE = 40_000
"""Characters of a schema up to which a removal is worked out unasked."""
_WATCHED = ("type", "presence", "constraints", "description", "title", "examples")


class Lives:
    """The reading model of field pages."""

    def __init__(
        self, database: Database, verdicts: Verdicts, overview: Overview, contracts: Contracts, draining: Draining
    ) -> None:
        self._database, self._verdicts, self._draining = database, verdicts, draining
        self._overview, self._contracts = overview, contracts

    def field(self, contract: str, pointer: str, *, at_once: bool = False) -> dict[str, Any]:
        """One field of a contract, as its shown version has it, else as the last version that had it.

        Args:
            contract: `service/name`.
            pointer: its resolved pointer, `/properties/customer`.
            at_once: work out what its removal would mean of a large schema too, which takes seconds.

        Raises:
            NotFound: no such contract, or no version of it has this field. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        head = known(snapshot, contract)
        with self._database.reading() as session:
            read = read_version(session, contract, None)
            texts = dict(browsing.schema_texts(session, {v.row.schema_id for v in read.history[-_MOST_VERSIONS:]}))
            field = read.fields.at(pointer)
            there = field is not None
            if field is None:
                field = _last(read, texts, pointer)
            since = obsolete_since(session, read) if there else {}
            others = self._contracts.others(session, snapshot, contract)
        later = there and len(read.text) > _LARGE and not at_once
        return {
            "contract": contract,
            "service": head.service,
            "name": head.name,
            "role": head.role,
            "version": read.version.row.version,
            "there": there,
            "field": field_view(field),
            "obsolete_since": since.get(field.pointer),
            "events": _events(read, texts, field),
            "others": other_views(others, field.path),
            "all_others": len(others),
            "drains": self._draining.of_field(contract, field.path),
            "last_seen": self._draining.last_seen(contract, field.path),
            "without": self._without(snapshot, read, field) if there and not later else None,
            "later": later,
        }

    def impact(self, contract: str, pointer: str) -> dict[str, Any]:
        """Whom a field of the latest version reaches, and what its removal would break.

        Args:
            contract: `service/name`.
            pointer: its resolved pointer, `/properties/customer`, or its place in a message, `/customer`.

        Raises:
            NotFound: no such contract, or the version has no such field. Busy, StorageUnavailable: as they say.
        """
        known(self._overview.current(), contract)
        with self._database.reading() as session:
            read = read_version(session, contract, None)
        at_place = (row for row in read.fields if named(row.path) and message_pointer(row.path) == pointer)
        field = read.fields.at(pointer) or next(at_place, None)
        if field is None:
            shown = ascii(pointer)[1:-1][:200]
            raise NotFound(f"{contract} {read.version.row.version} has no field at {shown}")
        told = self.field(contract, field.pointer, at_once=True)
        without = told["without"] or {"verdict": None, "bump": None, "findings": [], "links": []}
        return {
            "contract": contract,
            "version": told["version"],
            "role": told["role"],
            "pointer": field.pointer,
            "place": message_pointer(field.path) if named(field.path) else None,
            "field": field.label,
            "type": field.type,
            "presence": field.presence,
            "obsolete_since": told["obsolete_since"],
            "others": told["others"],
            "drains": [{"pointer": drain["pointer"], "state": drain["state"]} for drain in told["drains"]],
            **without,
        }

    def _without(self, snapshot: Snapshot, read: Read, field: Field) -> dict[str, Any] | None:
        """What removing a field would mean: the bump, and each live link."""
        row = read.version.row
        value = without(load_document(read.text, "schema.json").value, field.written)
        if value is None or row.format != "json-schema":
            return None
        changed = digest(value)
        own = Question(
            read.version.schema_digest, changed, row.format, cast(ContentModel, row.content_model),
            row.dialect, row.dialect, row.contract,
        )  # fmt: skip
        pairs = snapshot.pairs(contract=row.contract)[:_MOST_ASKED]
        asked = [
            linking.pairs(replace(p.producer, schema_digest=changed), p.consumer)
            if p.producer.contract == row.contract
            else linking.pairs(p.producer, replace(p.consumer, schema_digest=changed))
            for p in pairs
        ]
        links = [found[0] for found in asked if found]
        questions = [own, *(p.question for p in links if p.question is not None)]
        # Hypothetical documents leave no verdict rows.
        answers = self._verdicts.answer(questions, {changed: canonical(value).decode()}).comparisons
        judgement = answers[own].judge(cast(Role, row.role))
        return {
            "verdict": judgement.verdict,
            "bump": judgement.bump,
            "findings": [finding.as_dict() for finding in judgement.findings if finding.level != "patch"][:10],
            "links": [_link(pair, answers) for pair in links],
        }


def without(value: Any, written: str) -> Any:
    """A schema without one property, which is not required any more either; None where the place is no property."""
    tokens = pointers.split(written)
    if len(tokens) < 2 or tokens[-2] != "properties":
        return None
    value = deepcopy(value)
    above = pointers.get(value, pointers.join("", *tokens[:-2]))
    del above["properties"][tokens[-1]]
    required = above.get("required")
    if isinstance(required, list) and tokens[-1] in required:
        above["required"] = [name for name in required if name != tokens[-1]]
        if not above["required"]:  # draft 4 takes no empty list
            del above["required"]
    return value


def _last(read: Read, texts: dict[int, str], pointer: str) -> Field:
    """The field as the last version that had it has it."""
    for version in reversed(read.history[-_MOST_VERSIONS:]):
        found = fields_of(texts[version.row.schema_id], version.row.format, version.row.dialect).at(pointer)
        if found is not None:
            return found
    raise NotFound(f"no version of {read.version.row.contract} has a field at {ascii(pointer)[1:-1][:200]}")


def _events(read: Read, texts: dict[int, str], field: Field) -> list[dict[str, Any]]:
    """What changed about the field, by version: added, changed, marked obsolete, removed."""
    events: list[dict[str, Any]] = []
    before: Field | None = None
    written: str | None = None
    for version in read.history[-_MOST_VERSIONS:]:
        text = texts[version.row.schema_id]
        wrote, written = written, _written(text, field) if version.row.format == "json-schema" else None
        if written is not None and written == wrote:
            continue  # no need to read all of a schema that says the same of it
        now = field_at(text, version.row.format, version.row.dialect, field.path)
        for kind, detail in _change(before, now):
            events.append(
                {"version": version.row.version, "at": version.at, "by": version.by, "kind": kind, "detail": detail}
            )
        before = now
    return events


def _written(text: str, field: Field) -> str | None:
    """All that a schema says of a field, as text; None where it says so elsewhere too, by references or branches."""
    if not named(field.path) or not field.path:
        return None
    value = json.loads(text)
    *above, last = pointers.split(message_pointer(field.path))
    told, parent = plain_place(value, pointers.join("", *above))
    told_of_it, place = plain_place(value, message_pointer(field.path))
    if not (told and told_of_it):
        return None
    required = isinstance(parent, dict) and last in parent.get("required", ())
    found = json.dumps([required, place])
    return None if '"$ref"' in found else found


def _change(before: Field | None, now: Field | None) -> Sequence[tuple[str, str]]:
    if now is None:
        return [("removed", "")] if before is not None else []
    if before is None:
        return [("added", f"{now.type}, {now.presence}"), *([("obsolete", "")] if now.obsolete else [])]
    found = []
    for name in _WATCHED:
        old, new = getattr(before, name), getattr(now, name)
        if old != new:
            found.append(("changed", f"{name}: {_said(old)} → {_said(new)}"))
    if now.obsolete != before.obsolete:
        found.append(("obsolete" if now.obsolete else "no longer obsolete", ""))
    return found


def _said(value: Any) -> str:
    text = "; ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return text[:120] or "nothing"


def _link(pair: linking.Pair, answers: dict[Question, Comparison] | Any) -> dict[str, Any]:
    outcome = linking.outcome(pair, answers)
    state = {True: "holds", False: "broken", None: "undecided"}[outcome.holds]
    return {**outcome.as_dict(), "state": state}
