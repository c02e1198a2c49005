"""Every rule that a guard or a consumer can name has a sentence for the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from deedbox.client.mismatches import MISMATCHES
from deedbox.kafka.handlers import NotBuilt, Unhandled
from deedbox.kafka.judging.validation import NOT_JUDGED, UNDECLARED
from deedbox.registry.services.browsing.causes import cause

_PLUGIN = Path(__file__).parents[2] / "plugins/deedbox/kafka"
_NAMED = {name for path in _PLUGIN.rglob("*.py") for name in re.findall(r"Fault\(\s*\"([a-z-]+)\"", path.read_text())}
_KEYWORDS = [
    "type",
    "enum",
    "const",
    "required",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "additionalItems",
    "unevaluatedItems",
    "contains",
    "minContains",
    "maxContains",
    "uniqueItems",
    "dependencies",
    "dependentRequired",
    "anyOf",
    "oneOf",
    "not",
    "falseSchema",
]


def test_the_plugin_names_rules() -> None:
    assert {"too-large", "wrong-magic", "empty", "unknown-version"} <= _NAMED


@pytest.mark.parametrize(
    "rule",
    sorted({*_NAMED, *MISMATCHES, *_KEYWORDS, "not-json", NOT_JUDGED, UNDECLARED, NotBuilt.rule, Unhandled.rule}),
)
def test_a_rule_is_said_in_a_sentence(rule: str) -> None:
    assert "breaks the rule" not in cause(rule, "/amount", "")


def test_what_nobody_here_named_is_said_as_it_is() -> None:
    assert cause("odd", "", "") == "the message breaks the rule odd"
    assert cause("java.lang.X", "/a", "") == "whoever read /a failed with java.lang.X"
    assert cause("odd", "/a", "as it was sent") == "as it was sent"
