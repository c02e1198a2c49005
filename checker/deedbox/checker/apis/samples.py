"""Believable values for the parts of a witness that are not in question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker import pointers
from deedbox.checker.apis.cursor import target_of
from deedbox.checker.apis.translation import stand_in

if TYPE_CHECKING:
    from deedbox.checker.apis.cursor import Cursor

_DEPTH = 8
_STANDS = stand_in("")
_STRINGS = {
    "date": "2026-01-31", "date-time": "2026-01-31T12:00:00Z", "time": "12:00:00Z", "email": "ada@example.com",
    "uuid": "9b2c1f3e-5d4a-4c6b-8e7f-0a1b2c3d4e5f", "uri": "https://example.com/", "url": "https://example.com/",
    "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "byte": "QQ==", "duration": "P1D",
}  # fmt: skip


def sample(place: Cursor | None, examples: Any = None) -> Any:
    """A value that a schema very probably accepts: its example, default or first value where it has one.

    It dresses a witness and proves nothing: what is in question is never sampled.
    """
    if examples is not None:
        return examples
    return "text" if place is None else _sample(place.document.value, place.value, 0)


def sampled(root: Any, location: str, *, plain: bool) -> Any:
    """A value of the schema at a location; `plain` as in `dressed`.

    Raises:
        LookupError: there is none.
    """
    return _sample(root, pointers.get(root, location), 0, plain=plain)


def example_of(place: Cursor) -> Any:
    """The first example that stands beside a schema (media type, parameter), or None."""
    if place.raw("example") is not None:
        return place.raw("example")
    examples = place.raw("examples")
    if isinstance(examples, dict):
        for held in examples.values():
            if isinstance(held, dict) and "value" in held:
                return held["value"]
    return None


def _sample(root: Any, schema: Any, depth: int, *, plain: bool = False) -> Any:
    """A value of a schema; `plain`: not the one that its author gave as an example, which may be out of date."""
    if not isinstance(schema, dict) or depth > _DEPTH:
        return {} if depth > _DEPTH else "text"
    reference = schema.get("$ref")
    if isinstance(reference, str):
        target = target_of(reference)
        try:
            return _sample(root, pointers.get(root, target or ""), depth + 1, plain=plain)
        except (LookupError, ValueError):
            return None
    for key in ("const",) if plain else ("example", "default", "const"):
        if key in schema:
            return schema[key]
    for key in ("enum",) if plain else ("examples", "enum"):
        if isinstance(schema.get(key), list) and schema[key]:
            return schema[key][0]
    for key in ("oneOf", "anyOf"):
        if isinstance(schema.get(key), list) and schema[key] and "properties" not in schema:
            return _sample(root, schema[key][0], depth + 1, plain=plain)
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((k for k in kind if k != "null"), "null")
    parts = [_sample(root, part, depth + 1, plain=plain) for part in schema.get("allOf", ()) if isinstance(part, dict)]
    if kind == "object" or "properties" in schema or any(isinstance(part, dict) for part in parts):
        merged: dict[str, Any] = {}
        for part in parts:
            merged |= part if isinstance(part, dict) else {}
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        for name in required if isinstance(required, list) else ():
            merged.setdefault(name, _sample(root, properties.get(name, {}), depth + 1, plain=plain))
        return merged
    if parts:
        return parts[0]
    return _plain(root, schema, kind, depth, plain=plain)


def _plain(root: Any, schema: dict[str, Any], kind: Any, depth: int, *, plain: bool) -> Any:
    if kind == "array":
        least = schema.get("minItems", 0)
        item = schema.get("items", {})
        return [
            _sample(root, item, depth + 1, plain=plain) for _ in range(min(least if isinstance(least, int) else 0, 3))
        ]
    if kind in ("integer", "number"):
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if kind == "null":
        return None
    text = _STRINGS.get(str(schema.get("format")), "text")
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(text))
    if isinstance(least, int) and isinstance(most, int):
        text = text.ljust(min(least, 1_000), "x")[: max(most, 0)]
    return text


def filled_in(root: Any, value: Any, *, plain: bool = False) -> Any:
    """A witness with a believable value wherever one stands for a component that was not in question."""
    if isinstance(value, str) and value.startswith(_STANDS):
        try:
            return _sample(root, pointers.get(root, value[len(_STANDS) :]), 0, plain=plain)
        except (LookupError, ValueError):
            return value
    if isinstance(value, dict):
        return {key: filled_in(root, member, plain=plain) for key, member in value.items()}
    if isinstance(value, list):
        return [filled_in(root, item, plain=plain) for item in value]
    return value


def exactly(value: Any) -> dict[str, Any] | bool:
    """The schema of a witness, with anything at all wherever a value stands for a component that was not in question."""
    if isinstance(value, str) and value.startswith(_STANDS):
        return True
    if isinstance(value, dict):
        members = {key: exactly(member) for key, member in value.items()}
        return {"type": "object", "properties": members, "required": list(members), "additionalProperties": False}
    if isinstance(value, list):
        return {
            "type": "array",
            "prefixItems": [exactly(i) for i in value],
            "minItems": len(value),
            "maxItems": len(value),
        }
    return {"const": value}


def dressed(root: Any, location: str, path: str, value: Any, *, plain: bool = False) -> Any:
    """A value of the schema at a location, with `value` at the end of a resolved path of keywords; `plain`: no examples.

    Raises:
        LookupError: the path does not lead through that schema.
    """
    try:
        schema = pointers.get(root, location)
    except (LookupError, ValueError):
        return value  # no schema was said there
    return _dressed(root, schema, pointers.split(path), value, 0, plain=plain)


def _dressed(root: Any, schema: Any, tokens: list[str], value: Any, depth: int, *, plain: bool) -> Any:
    if not tokens or depth > 100:
        return value
    if not isinstance(schema, dict):
        return value
    key = tokens[0]
    if key == "oneOf" and key not in schema and "anyOf" in schema:
        key = "anyOf"  # as a union is written once it is translated
    if isinstance(schema.get("$ref"), str) and key not in schema:
        target = target_of(schema["$ref"])
        if target is not None:
            return _dressed(root, pointers.get(root, target), tokens, value, depth + 1, plain=plain)
    if key in ("allOf", "anyOf", "oneOf"):
        inner = _dressed(root, schema[key][int(tokens[1])], tokens[2:], value, depth + 1, plain=plain)
        whole = key == "allOf" or "properties" in schema
        own = _sample(root, schema if key == "allOf" else {**schema, key: []}, 0, plain=plain) if whole else None
        return own | inner if isinstance(own, dict) and isinstance(inner, dict) else inner
    if key in ("properties", "patternProperties"):
        inner = _dressed(root, schema[key][tokens[1]], tokens[2:], value, depth + 1, plain=plain)
        own = _sample(root, schema, 0, plain=plain)
        return (own if isinstance(own, dict) else {}) | {tokens[1]: inner}
    inner = _dressed(root, schema[key], tokens[1:], value, depth + 1, plain=plain)
    return {"key": inner} if key in ("additionalProperties", "unevaluatedProperties") else [inner]
