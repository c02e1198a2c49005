"""The catalogue of rules: what each finding says happened, why it matters, and the clause it rests on.

A rule is an entry of a format's table, beside the small function that states its facts. The pages and
`deedbox explain` are made from the entries here, and from nothing else.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.rules.rule import Rule


@cache
def catalogue() -> Mapping[str, Rule]:
    """Every rule by its id, in the order of the tables."""
    from deedbox.checker.asyncapi import rules as asyncapi
    from deedbox.checker.json_schema import rules as json_schema
    from deedbox.checker.openapi import rules as openapi

    return MappingProxyType({rule.id: rule for rule in (*json_schema.RULES, *openapi.RULES, *asyncapi.RULES)})
