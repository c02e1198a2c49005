"""The public labelled pairs: at least 97% of the breaks found, at most 2% false alarms, and every disagreement by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from deedbox.checker import compare

DISAGREEMENTS = {
    "parameters-schema/update-format-for-number-property": "every float is a double: the new provider takes what clients send",
    "response-body-schema/update-pattern-for-string-property": "every string of the new pattern fits the old one, proved",
    "response-body-schema/remove-all-of-option": "the response loses a property that clients may read: policy, as anywhere",
}


def _rows() -> list[dict[str, Any]]:
    import gzip
    import json

    path = Path(__file__).resolve().parents[4] / "shared" / "cases" / "openapi_pairs.jsonl.gz"
    if not path.exists():
        pytest.skip("the public cases are not here (openapi_pairs.jsonl.gz)")
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.mark.cases
def test_the_labelled_pairs() -> None:
    wrong, missed, alarms, breaking, rest = set(), 0, 0, 0, 0
    for row in _rows():
        verdict = compare(row["old"], row["new"], format="openapi").judge("provides").verdict
        expected = row["expected"] == "breaking"
        breaking, rest = breaking + expected, rest + (not expected)
        if expected != (verdict == "breaking") or verdict == "undecided":
            wrong.add(row["id"])
            missed, alarms = missed + expected, alarms + (not expected)
    assert wrong == set(DISAGREEMENTS)
    assert missed <= 0.03 * breaking
    assert alarms <= 0.02 * rest
