"""Every pattern of the public cases is read, decided against itself, and means what the fast validator takes it for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.patterns import Language, compile_pattern, find, sample

CASES = Path(__file__).resolve().parents[3].parent / "shared" / "cases"
FILES = ("json_schema.jsonl", "tolerant.jsonl", "schemastore_pairs.jsonl.gz", "iglu_pairs.jsonl.gz")


def _patterns(document: Any, found: dict[str, None]) -> None:
    if isinstance(document, str) and document[:1] == "{":
        try:
            document = json.loads(document)
        except ValueError:
            return
    if isinstance(document, dict):
        if isinstance(document.get("pattern"), str):
            found[document["pattern"]] = None
        if isinstance(document.get("patternProperties"), dict):
            found.update(dict.fromkeys(document["patternProperties"]))
        document = list(document.values())
    if isinstance(document, list):
        for inner in document:
            _patterns(inner, found)


@pytest.fixture(scope="module")
def patterns() -> list[str]:
    import gzip

    if not CASES.exists():
        pytest.skip("the public cases are not here")
    found: dict[str, None] = {}
    for name in FILES:
        data = (CASES / name).read_bytes()
        for line in (gzip.decompress(data) if name.endswith(".gz") else data).splitlines():
            _patterns(json.loads(line), found)
    assert len(found) > 200
    return list(found)


@pytest.mark.cases
def test_all_are_regular_and_included_in_themselves(patterns: list[str]) -> None:
    undecided = []
    for number, pattern in enumerate(patterns):
        language, other = Language.of(pattern), Language.of(patterns[number - 1])
        assert find([language], [language], budget=Budget()).exhausted
        # The same again, but hidden from the glance at equal terms.
        hidden = language.union(other).difference(other.difference(language))
        try:
            assert find([hidden], [language], budget=Budget(nodes=3_000, milliseconds=60_000)).exhausted
        except BudgetExceeded:
            undecided.append(pattern)
    # Counters of hundreds that may begin at every place of a text, three times over.
    assert len(undecided) <= 3, undecided


@pytest.mark.cases
def test_matching_agrees_with_the_fast_validator(patterns: list[str]) -> None:
    texts = {"", "a", "A", "0", "-", " ", "\n", "a-b", "1.2.3", "\xe9", "\u0661", "\xa0", "http://a.b", "\U0001f600"}
    refused = []
    for number, pattern in enumerate(patterns):
        try:
            validator = jsonschema_rs.Draft202012Validator({"pattern": pattern}, offline=True)
        except jsonschema_rs.ValidationError:
            refused.append(pattern)
            continue
        language, other = Language.of(pattern), Language.of(patterns[number - 1])
        own = {
            *sample(language, 4, budget=Budget(milliseconds=60_000)),
            *find([], [language], count=2, budget=Budget(milliseconds=60_000)).strings,
            *find([language], [other], count=2, budget=Budget(milliseconds=60_000)).strings,
            *find([other], [language], count=2, budget=Budget(milliseconds=60_000)).strings,
        }
        for text in own | texts:
            # Its dot takes \r and the line separators; ECMA-262's does not.
            if not set(text) & set("\r\u2028\u2029"):
                assert compile_pattern(pattern).search(text) == validator.is_valid(text), (pattern, text)
    assert len(refused) < 3
