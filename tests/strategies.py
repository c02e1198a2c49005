"""Random schemas and values over a small world, so that pairs often meet: few names, few numbers, few strings."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "c")
STRINGS = ("", "a", "ab", "b", "aab")
PATTERNS = ("^a", "b$", "^a*$", "a|b", "^[ab]{2}$")
NUMBERS = (-1, 0, 1, 2, 3, 4, 0.5, 1.5)

names = st.sampled_from(NAMES)
scalars = st.none() | st.booleans() | st.sampled_from(NUMBERS) | st.sampled_from(STRINGS)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
types = st.sampled_from(["null", "boolean", "integer", "number", "string", "array", "object"])
small = st.integers(0, 3)


def _keywords(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    optional = {
        "type": types | st.lists(types, min_size=1, max_size=3, unique=True),
        "enum": st.lists(scalars, min_size=1, max_size=3, unique_by=repr),
        "const": scalars,
        "minimum": st.sampled_from(NUMBERS),
        "maximum": st.sampled_from(NUMBERS),
        "exclusiveMinimum": st.sampled_from(NUMBERS),
        "exclusiveMaximum": st.sampled_from(NUMBERS),
        "multipleOf": st.sampled_from([1, 2, 3, 0.5]),
        "minLength": small,
        "maxLength": small,
        "pattern": st.sampled_from(PATTERNS),
        "minItems": small,
        "maxItems": small,
        "uniqueItems": st.booleans(),
        "items": inner,
        "prefixItems": st.lists(inner, min_size=1, max_size=2),
        "contains": inner,
        "minContains": small,
        "maxContains": small,
        "properties": st.dictionaries(names, inner, min_size=1, max_size=3),
        "patternProperties": st.dictionaries(st.sampled_from(PATTERNS), inner, min_size=1, max_size=2),
        "additionalProperties": inner,
        "propertyNames": inner,
        "required": st.lists(names, min_size=1, max_size=2, unique=True),
        "minProperties": small,
        "maxProperties": small,
        "dependentRequired": st.dictionaries(names, st.lists(names, max_size=2, unique=True), min_size=1, max_size=2),
        "dependentSchemas": st.dictionaries(names, inner, min_size=1, max_size=1),
        "allOf": st.lists(inner, min_size=1, max_size=2),
        "anyOf": st.lists(inner, min_size=1, max_size=3),
        "oneOf": st.lists(inner, min_size=1, max_size=3),
        "not": inner,
        "if": inner,
        "then": inner,
        "else": inner,
        "unevaluatedProperties": inner,
        "unevaluatedItems": inner,
        "deprecated": st.just(True),
        "title": st.sampled_from(["A", "B"]),
    }

    @st.composite
    def draw(draw: st.DrawFn) -> dict[str, Any]:
        chosen = draw(st.lists(st.sampled_from(sorted(optional)), min_size=0, max_size=4, unique=True))
        return {keyword: draw(optional[keyword]) for keyword in chosen}

    return draw()


schemas: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.builds(lambda t: {"type": t}, types) | st.builds(lambda c: {"const": c}, scalars),
    _keywords,
    max_leaves=6,
)
"""Schemas in 2020-12."""


@st.composite
def changed(draw: st.DrawFn) -> tuple[Any, Any]:
    """A schema and one near to it: a keyword of it, or of a place in it, replaced, added or taken away."""
    old = draw(schemas)
    if isinstance(old, bool):
        return old, draw(schemas)
    new = dict(old)
    donor = draw(schemas)
    action = draw(st.sampled_from(["take", "give", "wrap", "other"]))
    if action == "take" and new:
        del new[draw(st.sampled_from(sorted(new)))]
    elif action == "give" and isinstance(donor, dict):
        new |= donor
    elif action == "wrap":
        new = {draw(st.sampled_from(["allOf", "anyOf", "oneOf"])): [new, donor]}
    else:
        return old, donor
    return old, new
