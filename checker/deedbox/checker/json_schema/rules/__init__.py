"""The table of JSON Schema rules, and of the small functions that state their facts.

To add a rule: write its entry and its function in the module of its family, put the entry into the module's `RULES`
and the function into `CHECKS` beside the keywords that can bring it about, and give it a case under `fixtures/rules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from deedbox.checker.json_schema.rules import (
    arrays,
    combinators,
    generic,
    limits,
    marks,
    members,
    properties,
    strings,
    types,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair
    from deedbox.checker.rules.rule import Rule

Check: TypeAlias = "Callable[[Pair], Iterator[Fact]]"

FAMILIES: tuple[tuple[str, tuple[Rule, ...]], ...] = (
    ("Types", types.RULES),
    ("Listed values", values.RULES),
    ("Bounds, lengths and counts", limits.RULES),
    ("Patterns and formats", strings.RULES),
    ("Properties", properties.RULES),
    ("Other properties", members.RULES),
    ("Items", arrays.RULES),
    ("Alternatives, negation, conditions", combinators.RULES),
    ("Annotations", marks.RULES),
    ("What no one keyword explains", generic.RULES),
)
"""The rules by what they are about, in the order of the pages."""

RULES: tuple[Rule, ...] = tuple(rule for _, rules in FAMILIES for rule in rules)
"""Every rule, in that order."""

CHECKS: tuple[tuple[Check, frozenset[str]], ...] = tuple(
    (check, frozenset(keywords.split()))
    for check, keywords in (
        (types.types, "type enum const anyOf oneOf"),
        (values.listed_values, "enum const type minimum maximum exclusiveMinimum exclusiveMaximum minLength maxLength"),
        (limits.numbers, "minimum maximum exclusiveMinimum exclusiveMaximum type"),
        (limits.multiples, "multipleOf type"),
        (limits.lengths, "minLength maxLength"),
        (strings.patterns, "pattern"),
        (strings.formats, "format"),
        (properties.named_properties, "properties patternProperties additionalProperties"),
        (properties.required, "required"),
        (properties.dependent_required, "dependentRequired dependencies required"),
        (members.pattern_properties, "patternProperties"),
        (members.other_properties, "additionalProperties unevaluatedProperties"),
        (members.property_names, "propertyNames"),
        (limits.property_counts, "minProperties maxProperties"),
        (arrays.prefix_items, "items prefixItems additionalItems unevaluatedItems"),
        (arrays.other_items, "items prefixItems additionalItems unevaluatedItems"),
        (limits.item_counts, "minItems maxItems"),
        (arrays.uniqueness, "uniqueItems"),
        (arrays.containment, "contains minContains maxContains"),
        (combinators.negations, "not"),
        (combinators.conditions, "if then else"),
        (combinators.dependent_schemas, "dependentSchemas dependencies"),
        (marks.deprecation, "deprecated"),
        (marks.texts_and_hints, " ".join((*marks.ADDITIVE, *marks.PATCH))),
    )
)
"""Each check, with the keywords that must differ for it to have anything to say."""
