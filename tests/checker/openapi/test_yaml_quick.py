"""The quick way through YAML gives what the careful reader gives, and leaves to it whatever it does not handle."""

from __future__ import annotations

from pathlib import Path

import pytest
from deedbox.checker import load_document, yaml_text
from deedbox.checker.errors import DocumentError

CASES = sorted((Path(__file__).resolve().parents[3] / "fixtures" / "rules").glob("*api/*/*/*.yaml"))
TEXTS = [
    "a: 1\nb: [true, False, ~, null, '', \"1\", 0x1f, 0o17, 1.50, 1e3, .5, no, on, 012]\n",
    "- 'single ''quoted'''\n- \"double \\u00e9\"\n- |\n  block\n  text\n- >-\n  folded\n  text\n- plain text\n",
    "? a\n: {x: [], y: {}, z: [[1], {q: 2}]}\n", "x", "{}", "--- 3\n...\n", "a:\nb: \n", "é: ü\n",
]  # fmt: skip
UNUSUAL = [
    "a: &x {k: 1}\nb: *x\n", "a: &x {k: 1}\nb: {<<: *x, j: 2}\n", "a: !!str 1\n", "'<<': 1\n", "a: &x 1\n",
    "a: 1\na: 2\n", "a: .nan\n", "a: 1\n---\nb: 2\n", "", "? [1]\n: 2\n", "a: !odd 1\n", "a:\n\t- 1\n", "a: [1\n", "a: *nowhere\n",
    "[" * 250 + "]" * 250, "a: " + "9" * 2000 + "\n",
]  # fmt: skip


@pytest.mark.parametrize("text", [p.read_text() for p in CASES[::9]] + TEXTS)
def test_both_ways_give_the_same(text: str) -> None:
    quick = yaml_text._plain_document(text, "t.yaml")
    careful = yaml_text._Reader(text, "t.yaml").document()
    assert quick == careful
    assert repr(quick) == repr(careful)  # 1 and true, 1 and 1.0, and the order of keys


@pytest.mark.parametrize("text", UNUSUAL)
def test_what_is_unusual_is_read_with_care(text: str) -> None:
    try:
        expected: object = yaml_text._Reader(text, "t.yaml").document()
    except DocumentError as error:
        expected = (type(error), error.line, error.message)
    try:
        found: object = load_document(text, "t.yaml").value
    except DocumentError as error:
        found = (type(error), error.line, error.message)
    assert found == expected
    if isinstance(expected, tuple):
        assert expected[1] is not None or "digits" in str(expected)


def test_libyaml_is_used_where_it_is_there() -> None:
    """`yaml` itself does not export the class: asking it for one silently gave the parser in Python, ten times slower."""
    cyaml = pytest.importorskip("yaml.cyaml")
    assert yaml_text._Parser is cyaml.CParser
