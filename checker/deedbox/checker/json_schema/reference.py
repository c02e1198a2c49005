"""`jsonschema`, the reference validator, made to read patterns as ECMA-262 and numbers exactly, and kept off the network.

Stock `jsonschema` searches patterns with Python's `re`, where `\\d` knows every script's digits, `$` matches before a
final newline and some patterns take exponential time; and it computes `multipleOf` in floats.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any

from deedbox.checker.patterns import compile_pattern
from jsonschema import validators
from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY
from referencing.jsonschema import lookup_recursive_ref, specification_with

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.schema import Schema

_BASES = {
    4: validators.Draft4Validator,
    6: validators.Draft6Validator,
    7: validators.Draft7Validator,
    19: validators.Draft201909Validator,
    20: validators.Draft202012Validator,
}


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not compile_pattern(pattern).search(instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for pattern, subschema in patterns.items():
            compiled = compile_pattern(pattern)
            for name, value in instance.items():
                if compiled.search(name):
                    yield from validator.descend(value, subschema, path=name, schema_path=pattern)


def _additional(instance: dict[str, Any], schema: dict[str, Any]) -> Iterator[str]:
    named = schema.get("properties", {})
    patterns = [compile_pattern(p) for p in schema.get("patternProperties", ())]
    for name in instance:
        if name not in named and not any(p.search(name) for p in patterns):
            yield name


def _additional_properties(validator: Any, held: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for name in _additional(instance, schema):
        if held is False:
            yield ValidationError(f"the property {name!r} is not allowed")
        else:
            yield from validator.descend(instance[name], held, path=name)


def _multiple_of(validator: Any, factor: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "number") and (Fraction(instance) / Fraction(factor)).denominator != 1:
        yield ValidationError(f"{instance} is not a multiple of {factor}")


def _unevaluated_properties(validator: Any, held: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    evaluated = _evaluated(validator, instance, schema)
    for name in instance:
        if name in evaluated:
            continue
        if held is False:
            yield ValidationError(f"the property {name!r} is evaluated by nothing and so not allowed")
        else:
            yield from validator.descend(instance[name], held, path=name, schema_path=name)


def _evaluated(validator: Any, instance: dict[str, Any], schema: Any) -> set[str]:
    """Names that the schema, without its own `unevaluatedProperties`, evaluates (2020-12 core §11.3)."""
    if not isinstance(schema, dict):
        return set()
    found = set(instance) & set(schema.get("properties", ()))
    patterns = [compile_pattern(p) for p in schema.get("patternProperties", ())]
    found |= {name for name in instance if any(p.search(name) for p in patterns)}
    if "additionalProperties" in schema:
        found |= set(_additional(instance, schema))
    for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
        if keyword in schema:
            below, target = _follow(validator, keyword, schema[keyword])
            found |= _all_evaluated(below, instance, target)
    for subschema in schema.get("allOf", ()):
        found |= _all_evaluated(validator, instance, subschema)
    for keyword in ("anyOf", "oneOf"):
        for subschema in schema.get(keyword, ()):
            if validator.evolve(schema=subschema).is_valid(instance):
                found |= _all_evaluated(validator, instance, subschema)
    for name, subschema in schema.get("dependentSchemas", {}).items():
        if name in instance:
            found |= _all_evaluated(validator, instance, subschema)
    if "if" in schema:
        if validator.evolve(schema=schema["if"]).is_valid(instance):
            found |= _all_evaluated(validator, instance, schema["if"])
            found |= _all_evaluated(validator, instance, schema.get("then", {}))
        else:
            found |= _all_evaluated(validator, instance, schema.get("else", {}))
    return found


def _all_evaluated(validator: Any, instance: dict[str, Any], schema: Any) -> set[str]:
    if isinstance(schema, dict) and "unevaluatedProperties" in schema:
        return set(instance)  # a valid one has evaluated the rest itself
    return _evaluated(validator.evolve(schema=schema), instance, schema)


def _follow(validator: Any, keyword: str, reference: str) -> tuple[Any, Any]:
    resolver = validator._resolver
    resolved = lookup_recursive_ref(resolver) if keyword == "$recursiveRef" else resolver.lookup(reference)
    return validator.evolve(schema=resolved.contents, _resolver=resolved.resolver), resolved.contents


@cache
def _class(rank: int) -> Any:
    keywords: dict[str, Any] = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "multipleOf": _multiple_of,
    }
    if rank >= 19:
        keywords["unevaluatedProperties"] = _unevaluated_properties
    extend: Any = validators.extend
    return extend(_BASES[rank], keywords)


def validator(schema: Schema) -> Any:
    """A `jsonschema` validator of a document: `is_valid(value)`, `iter_errors(value)`."""
    kind = _class(schema.dialect.rank)
    resource = specification_with(schema.dialect.uri).create_resource(schema.root)
    # Its own resolver would apply the root's identifier to itself, and fetch what it does not know.
    resolver = REGISTRY.with_resource("", resource).resolver(resource.id() or "")
    return kind(schema.root, registry=REGISTRY, _resolver=resolver)
