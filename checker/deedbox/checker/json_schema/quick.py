"""The quick one of the two validators: `jsonschema-rs`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Schema


def quick_validator(schema: Schema, root: Any, *, formats: bool = False) -> Any:
    """The `jsonschema-rs` validator of a document, or None where it refuses the document.

    Args:
        schema: whose dialect holds, whatever `$schema` the document has.
        root: its document, or another one made of it.
        formats: whether `format` is asserted.
    """
    import jsonschema_rs

    if isinstance(root, dict):
        root = {k: v for k, v in root.items() if k != "$schema"}
    kind = {
        4: jsonschema_rs.Draft4Validator,
        6: jsonschema_rs.Draft6Validator,
        7: jsonschema_rs.Draft7Validator,
        19: jsonschema_rs.Draft201909Validator,
        20: jsonschema_rs.Draft202012Validator,
    }[schema.dialect.rank]
    try:
        return kind(root, validate_formats=formats, offline=True, registry=jsonschema_rs.Registry([]))
    except Exception:  # noqa: BLE001 - a pattern or a reference that only this library refuses
        return None
