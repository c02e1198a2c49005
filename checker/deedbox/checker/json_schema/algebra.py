"""Step 2 of the decision procedure: the set algebra of `jsonschema-rs`. Its YES is a proof, all else says nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

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
        import jsonschema_rs

        if self.schema.measures.objection:
            return None
        root = self.schema.root
        if isinstance(root, dict) and "$schema" in root:
            # A `$schema` of one's own makes the library give up, though the draft is said beside it.
            root = {k: v for k, v in root.items() if k != "$schema"}
        try:
            return jsonschema_rs.canonicalize(
                root,
                draft=draft_number(self.schema.dialect.rank),
                validate_formats=False,
                offline=True,
                registry=jsonschema_rs.Registry([]),
            )
        except Exception:  # noqa: BLE001 - whatever it raises is only a reason to go on
            return None


def proves_inclusion(writer: Operand, reader: Operand) -> bool:
    """Whether the algebra proves that the reader accepts, to the letter, all that the writer does."""
    if writer.form is None or reader.form is None:
        return False
    import jsonschema_rs

    try:
        return bool(reader.form.covers(writer.form) is jsonschema_rs.canonical.Containment.YES)
    except Exception:  # noqa: BLE001 - whatever it raises is only a reason to go on
        return False
