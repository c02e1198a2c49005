"""The table of JSON Schema rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.json_schema.rules import generic

if TYPE_CHECKING:
    from deedbox.checker.rules import Rule

RULES: tuple[Rule, ...] = generic.RULES
"""Every rule, in the order of the pages."""
