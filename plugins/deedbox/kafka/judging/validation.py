"""A published schema compiled for live messages: whether a value is valid, and where and why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.quick import quick_validator
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.pointers import join
from deedbox.kafka.judging.closed import ClosedReading
from deedbox.kafka.judging.closed_schema import closed_schema

if TYPE_CHECKING:
    from collections.abc import Callable

NOT_JUDGED = "not-judged"
"""The rule of a message that no validator could judge: it is neither valid nor invalid."""
UNDECLARED = "undeclared-property"
"""The rule of the closed reading: a member that its writer's contract does not name."""
_MAX_REASON = 240


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a message: a rule (a keyword of JSON Schema, or one of this room's), where in it, and why."""

    rule: str
    pointer: str
    reason: str

    def fingerprint(self, contract: str) -> str:
        """What faults of one kind share: contract, rule and pointer, array indices apart (12 hexadecimal digits)."""
        place = "/".join("*" if token.isdigit() else token for token in self.pointer.split("/"))
        return sha256("\x00".join((contract, self.rule, place)).encode()).hexdigest()[:12]


class CompiledSchema:
    """A JSON Schema made ready.

    Args:
        text: the document as published.
        dialect: for documents without a known `$schema`.

    Raises:
        CheckerError: the document is no schema.
    """

    def __init__(self, text: bytes | str, dialect: str | None = None) -> None:
        self.schema = Schema(load_document(text), dialect)
        self.hostile = self.schema.measures.objection
        self._validator: Any = None if self.hostile else quick_validator(self.schema, self.schema.root)
        self.is_valid: Callable[[Any], bool] = (
            self._slowly_valid if self._validator is None else self._validator.is_valid
        )
        """Whether a value is valid to the letter."""

    @cached_property
    def closed(self) -> ClosedReading:
        """Its closed reading."""
        return ClosedReading(self.schema)

    @cached_property
    def obsolete(self) -> tuple[str, ...]:
        """Where it marks fields obsolete; see `obsolete_pointers`."""
        from deedbox.checker.json_schema.obsolete import obsolete_pointers

        return obsolete_pointers(self.schema)

    @cached_property
    def is_valid_closed(self) -> Callable[[Any], bool]:
        """Whether a value is valid and every member of it declared; by one call of the validator where possible."""
        closed, valid = self.closed, self.is_valid
        if not closed.needed:
            return valid
        document = closed_schema(self.schema, closed) if self._validator is not None else None
        together = quick_validator(self.schema, document) if document is not None else None
        if together is None:
            return lambda value: valid(value) and closed.admits(value)
        quick: Callable[[Any], bool] = together.is_valid
        return quick

    @cached_property
    def _reference(self) -> Any:
        from deedbox.checker.json_schema.reference import validator

        return validator(self.schema)

    def _slowly_valid(self, value: Any) -> bool:
        return self._slow_fault(value) is None

    def fault(self, value: Any) -> Fault | None:
        """What is wrong with a value to the letter, or None."""
        if self._validator is None:
            return self._slow_fault(value)
        error = next(iter(self._validator.iter_errors(value)), None)
        if error is None:
            return None
        kind = error.kind
        tokens = list(error.instance_path)
        if kind.name == "required":
            tokens.append(kind.property)
        elif kind.name in ("additionalProperties", "unevaluatedProperties") and kind.unexpected:
            tokens.append(kind.unexpected[0])
        # The path ends in the keyword as the schema writes it, but for a subschema `false`, which is no keyword.
        rule = kind.name if kind.name == "falseSchema" else str(error.schema_path[-1])
        return Fault(rule, join("", *tokens), _shortened(error.message))

    def _slow_fault(self, value: Any) -> Fault | None:
        from deedbox.checker.errors import CheckerError
        from deedbox.checker.patterns import PatternError

        try:
            exact = load_document(value).value
            error = next(iter(self._reference.iter_errors(exact)), None)
        except (RecursionError, PatternError, ArithmeticError, CheckerError) as trouble:
            return Fault(NOT_JUDGED, "", _shortened(f"the schema is too demanding to judge it by: {trouble}"))
        if error is None:
            return None
        return Fault(str(error.validator), join("", *error.absolute_path), _shortened(error.message))


def _shortened(message: str) -> str:
    return message if len(message) <= _MAX_REASON else message[: _MAX_REASON - 1] + "…"
