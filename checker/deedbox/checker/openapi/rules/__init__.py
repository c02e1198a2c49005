"""The table of OpenAPI rules. Facts about schemas have the rules of JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.openapi.rules import bodies, hints, operations, parameters, security

if TYPE_CHECKING:
    from deedbox.checker.rules.rule import Rule

FAMILIES: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("OpenAPI: operations", operations.RULES),
    ("OpenAPI: parameters and headers", parameters.RULES),
    ("OpenAPI: bodies and responses", bodies.RULES),
    ("OpenAPI: beside the schemas", hints.RULES),
    ("OpenAPI: security", security.RULES),
)
"""The rules by what they are about, in the order of the pages."""

RULES: tuple[Rule, ...] = tuple(rule for _, rules in FAMILIES for rule in rules)
"""Every rule, in that order."""
