"""The verdicts on the public labelled pairs of OpenAPI documents, beside their labels: `python benchmarks/openapi_pairs.py`.

The label is the opinion of the project that the pairs are from. Each pair where the verdict is another is named.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from pathlib import Path

from deedbox.checker import compare

CASES = Path(__file__).resolve().parent.parent.parent / "shared" / "cases" / "openapi_pairs.jsonl.gz"


def main() -> int:
    """Prints a table, and the pairs in question."""
    if not CASES.exists():
        print(f"the public cases are not here: {CASES}", file=sys.stderr)
        return 2
    pairs: Counter[bool] = Counter()
    said: Counter[bool] = Counter()
    undecided, others = 0, []
    for row in map(json.loads, gzip.decompress(CASES.read_bytes()).splitlines()):
        labelled = row["expected"] == "breaking"
        verdict = compare(row["old"], row["new"], format="openapi").judge("provides").verdict
        pairs[labelled] += 1
        said[labelled] += verdict == "breaking"
        undecided += verdict == "undecided"
        if labelled != (verdict == "breaking"):
            others.append(f"{row['id']}: labelled {row['expected']}, said {verdict}")
    print(f"{pairs.total()} pairs, {undecided} undecided")
    print("| | pairs | said breaking | |\n|---|---|---|---|")
    for labelled, name, what in (
        (True, "labelled breaking", "found"),
        (False, "labelled compatible or no change", "false alarms"),
    ):
        print(f"| {name} | {pairs[labelled]} | {said[labelled]} | {said[labelled] / pairs[labelled]:.1%} {what} |")
    print("\n".join(others))
    return 0


if __name__ == "__main__":
    sys.exit(main())
