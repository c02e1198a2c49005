"""The table of OpenAPI rules. Facts about schemas have the rules of JSON Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.openapi.rules import bodies, operations, parameters, security

if TYPE_CHECKING:
    from deedbox.checker.rules import Rule

RULES: tuple[Rule, ...] = (*operations.RULES, *parameters.RULES, *bodies.RULES, *security.RULES)
"""Every rule, in the order of the pages."""
