"""Step 2 of the decision procedure: the set algebra of `jsonschema-rs`. Its YES is a proof, all else says nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.precheck import MAX_WORK, work
from deedbox.checker.json_schema.schema import Schema

_DRAFT_NAMES = {4: "Draft4", 6: "Draft6", 7: "Draft7", 19: "Draft201909", 20: "Draft202012"}


def draft_number(rank: int) -> int:
    """The constant by which `jsonschema-rs` knows a draft."""
    import jsonschema_rs

    number: int = getattr(jsonschema_rs, _DRAFT_NAMES[rank])
    return number


class Operand:
    """A schema as the algebra takes it, canonicalized at most once; `form` is None where it must not or cannot see it."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    @cached_property
    def form(self) -> Any:
        """Its canonical form, or None."""
        if self.schema.measures.objection:
            return None
        root = self.schema.root
        if isinstance(root, dict) and "$schema" in root:
            # A `$schema` of one's own makes the library give up, though the draft is said beside it.
            root = {k: v for k, v in root.items() if k != "$schema"}
        return _canonical(root, self.schema.dialect.rank)


def _canonical(root: Any, rank: int) -> Any:
    import jsonschema_rs

    try:
        return jsonschema_rs.canonicalize(
            root, draft=draft_number(rank), validate_formats=False, offline=True, registry=jsonschema_rs.Registry([])
        )
    except Exception:  # noqa: BLE001 - whatever it raises is only a reason to go on: a reference out of a part, say
        return None


def proves_inclusion(writer: Operand, reader: Operand) -> bool:
    """Whether the algebra proves that the reader accepts, to the letter, all that the writer does."""
    if writer.schema.measures.objection or reader.schema.measures.objection:
        return False
    if work(writer.schema.root, reader.schema.root) > MAX_WORK:
        # A part of a document that refers to another part means nothing alone.
        if writer.schema.references or reader.schema.references or writer.schema.dialect is not reader.schema.dialect:
            return False
        return _covers_each(writer.schema.root, reader.schema.root, writer.schema.dialect.rank)
    return _covers(writer.form, reader.form)


def _covers(writer: Any, reader: Any) -> bool:
    if writer is None or reader is None:
        return False
    import jsonschema_rs

    try:
        return bool(reader.covers(writer) is jsonschema_rs.canonical.Containment.YES)
    except Exception:  # noqa: BLE001 - whatever it raises is only a reason to go on
        return False


def _covers_each(writer: Any, reader: Any, rank: int) -> bool:
    """Whether two schemas that differ under their `properties` alone hold for each of these.

    A property's schema only ever takes values away, and which names are declared is the same on both sides: so the
    whole is contained where each of them is.
    """
    if not (isinstance(writer, dict) and isinstance(reader, dict)):
        return False
    old, new = writer.get("properties"), reader.get("properties")
    if not (isinstance(old, dict) and isinstance(new, dict)) or old.keys() != new.keys():
        return False
    # Python takes 1 and true for equal, canonical JSON does not.
    if canonical({**writer, "properties": None}) != canonical({**reader, "properties": None}):
        return False
    return all(
        (work(old[name], new[name]) > MAX_WORK and _covers_each(old[name], new[name], rank))
        or _covers(_canonical(old[name], rank), _canonical(new[name], rank))
        for name in old
    )
