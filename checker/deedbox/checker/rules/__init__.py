"""The catalogue of rules: what each finding says happened, why it matters, and the clause it rests on.

A rule is an entry of a format's table, beside the small function that states its facts. The pages and
`deedbox explain` are made from the entries here, and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.model import Kind


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of fact about a change.

    `title` says in one sentence what happened, `why` why it matters and what to do, `source` names the clause of the
    format's specification (or of this project's policy). `mirror` is the id of the rule that fires when old and new
    change places: a rule that says the same both ways names itself, None needs a written waiver in the symmetry test.
    """

    id: str
    format: str
    kind: Kind
    title: str
    why: str
    source: str
    mirror: str | None


@cache
def catalogue() -> Mapping[str, Rule]:
    """Every rule by its id, in the order of the tables."""
    from deedbox.checker.asyncapi import rules as asyncapi
    from deedbox.checker.json_schema import rules as json_schema
    from deedbox.checker.openapi import rules as openapi

    return MappingProxyType({rule.id: rule for rule in (*json_schema.RULES, *openapi.RULES, *asyncapi.RULES)})
