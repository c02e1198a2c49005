"""Step 4 of the decision procedure: no witness is shown that two validators have not both confirmed."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.patterns import UnusablePattern
from deedbox.checker.pointers import join

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Schema

_MAX_WHY = 240


class Reader:
    """A document as a reader of messages: what it accepts, and why it does not."""

    def __init__(self, schema: Schema, *, format_assertion: bool = False) -> None:
        self.schema, self._formats = schema, format_assertion

    @cached_property
    def location(self) -> Location:
        """What it declares at the root, for its closed reading."""
        return Location([self.schema.node])

    @cached_property
    def _reference(self) -> Any:
        from deedbox.checker.json_schema.reference import validator

        return validator(self.schema)

    @cached_property
    def _fast(self) -> Any:
        """The `jsonschema-rs` validator, or None where it must not or cannot take the document."""
        from deedbox.checker.json_schema.quick import quick_validator

        if self.schema.measures.objection:
            return None
        return quick_validator(self.schema, self.schema.root, formats=self._formats)

    def accepts(self, value: Any, *, closed: bool = False) -> bool | None:
        """Whether it accepts a message, to the letter or (closed) also by its closed reading.

        None where the two validators disagree, where `jsonschema` cannot judge it, or where judging would take too long.
        """
        if self.schema.measures.cost:
            return None
        try:
            letter = bool(self._reference.is_valid(value))
        except (RecursionError, UnusablePattern, ArithmeticError, TypeError, AttributeError):
            # `jsonschema` raises what it pleases on keywords that its draft's metaschema lets through.
            return None
        second = self.quickly(value)
        if second is not None and second is not letter:  # without a second answer the reference alone decides
            if not (self._formats and letter):
                return None
            letter = False  # asserted formats are judged by jsonschema-rs alone
        if not letter or not closed:
            return letter
        try:
            return self.location.refusal(value) is None
        except UnusablePattern:
            return None

    def quickly(self, value: Any) -> bool | None:
        """Whether `jsonschema-rs` accepts a message to the letter; None where it takes not the schema or not a number in it."""
        try:
            return None if self._fast is None else bool(self._fast.is_valid(value))
        except (ValueError, TypeError):
            return None

    def why(self, value: Any) -> str:
        """Why it rejects a message, in one sentence with the place in the message."""
        pointer, message = self._fault(value)
        return f"at {pointer}: {message}" if pointer else message

    def fault_location(self, value: Any) -> str:
        """Pointer in the schema document, through no reference, of the subschema that rejects a message; the root's if unknown."""
        if self._fast is None:
            return ""
        fault = next(iter(self._fast.iter_errors(value)), None)
        tokens = [str(t) for t in fault.schema_path][:-1] if fault else []
        return join("", *tokens) if "$ref" not in tokens and "$dynamicRef" not in tokens else ""

    def _fault(self, value: Any) -> tuple[str, str]:
        if self._fast is not None:
            fault = next(iter(self._fast.iter_errors(value)), None)
            if fault is not None:
                return join("", *fault.instance_path), _shortened(fault.message)
        else:
            fault = next(iter(self._reference.iter_errors(value)), None)
            if fault is not None:
                return join("", *fault.absolute_path), _shortened(fault.message)
        refused = self.location.refusal(value)
        if refused is not None:
            return refused, "it is not declared, and the reader is read closed"
        return "", "the reader rejects it"


def _shortened(message: str) -> str:
    return message if len(message) <= _MAX_WHY else message[: _MAX_WHY - 1] + "…"


def presentable(value: Any) -> Any:
    """A message as callers get it: fractions as floats where a float says them exactly.

    A `Decimal` stays where no float has its value.
    """
    from decimal import Decimal

    if isinstance(value, Decimal):
        return float(value) if Decimal(repr(float(value))) == value else value
    if isinstance(value, dict):
        return {k: presentable(v) for k, v in value.items()}
    if isinstance(value, list):
        return [presentable(v) for v in value]
    return value


def shown(value: Any, limit: int = 80) -> str:
    """A value as a sentence shows it: JSON, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except TypeError:
        text = canonical(value).decode()
    return text if len(text) <= limit else text[: limit - 1] + "…"
