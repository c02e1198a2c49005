"""What a rule says that a dead letter broke, in a sentence: for where the reason was not sent, as it quotes the message."""

from __future__ import annotations

from deedbox.client.mismatches import MISMATCHES

_CAUSES = (
    {
        "type": "{place} is of another type than the contract says",
        "enum": "{place} is none of the values that the contract lists",
        "const": "{place} is not the one value that the contract allows",
        "required": "{place} lacks a member that the contract requires",
        "pattern": "{place} does not have the form that the contract says",
        "format": "{place} does not have the format that the contract says",
        "undeclared-property": "{place} is not declared by the contract",
        "unhandled-version": "messages are written as a version that their consumer has no handler for",
        "not-built": "{place} could not be made into what its consumer's handler takes",
        "not-judged": "{place} could not be judged",
        "not-json": "{place} is no JSON",
        "empty": "{place} is empty, which no JSON text is",
        "too-deep": "{place} is nested too deep to be judged",
        "too-large": "{place} is too large to be judged",
        "wrong-magic": "{place} does not begin as its serializer's format does",
        "no-origin": "{place} does not say where it came from, so that it cannot be sent again",
        "unknown": "{place} was put aside by something that did not say why",
    }
    | dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        "{place} is a number that the contract does not allow",
    )
    | dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"),
        "{place} is shorter or longer than the contract allows",
    )
    | dict.fromkeys(
        ("additionalProperties", "unevaluatedProperties", "propertyNames", "falseSchema", "not"),
        "{place} has a member, or is a value, that the contract does not allow",
    )
    | dict.fromkeys(
        ("additionalItems", "unevaluatedItems", "contains", "minContains", "maxContains", "uniqueItems"),
        "{place} has items that the contract does not allow, or lacks some that it requires",
    )
    | dict.fromkeys(
        ("dependencies", "dependentRequired"),
        "{place} lacks a member that the contract requires beside another one",
    )
    | dict.fromkeys(("anyOf", "oneOf"), "{place} fits none of the forms that the contract offers, or more than one")
)


def cause(rule: str, pointer: str, reason: str) -> str:
    """Why letters are dead, as a sentence without its full stop.

    Args:
        rule: as the guard names it; the keyword of the schema, or what is not as registered.
        pointer: where in the message, empty for all of it.
        reason: as the validator says it, empty where it was not sent.
    """
    if reason:
        return reason
    if rule in MISMATCHES:
        return MISMATCHES[rule]
    place = pointer or "the message"
    if rule in _CAUSES:
        return _CAUSES[rule].format(place=place)
    # Letters of other frameworks have the class of an exception for their rule.
    return f"whoever read {place} failed with {rule}" if "." in rule else f"{place} breaks the rule {rule}"
