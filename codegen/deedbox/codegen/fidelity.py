"""What classes cannot say, keyword by keyword."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.codegen.model import NotEnforced

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node, Schema

_SENTENCES = {
    "oneOf": "that no second alternative matches as well",
    "not": "what a value must not be",
    "if": "what holds only under a condition",
    "contains": "what some item must be",
    "uniqueItems": "that no two items are equal",
    "dependentRequired": "which properties another one demands",
    "dependentSchemas": "what another property's presence demands",
    "dependencies": "what another property's presence demands",
    "propertyNames": "what properties may be called",
    "patternProperties": "what properties of such names hold, beside declared ones",
    "minProperties": "how many properties there are at least",
    "maxProperties": "how many properties there are at most",
    "unevaluatedProperties": "that no other property is there",
    "unevaluatedItems": "that no other item is there",
}


def not_enforced(schema: Schema) -> tuple[NotEnforced, ...]:
    """Each keyword of a schema that `validate()` enforces and types do not, or not in every position."""
    found: list[NotEnforced] = []
    pending: list[Node] = [schema.node]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node in seen or node.schema is not schema:
            continue
        seen.add(node)
        keywords = node.keywords()
        for keyword, sentence in _SENTENCES.items():
            if (keyword in node.dialect.applicators or keyword in node.dialect.assertions) and keyword in keywords:
                if keyword in ("uniqueItems", "minProperties") and not keywords[keyword]:
                    continue
                found.append(NotEnforced(node.pointer, keyword, f"{keyword}: {sentence}"))
        pending += [below for _, below in node.subschemas()]
    return tuple(sorted(found, key=lambda n: (n.pointer, n.keyword)))
