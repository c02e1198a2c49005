"""The search alone on the public cases: right, unsound, false-breaking, undecided, and how long it takes.

python benchmarks/inclusion_cases.py [--show] [--only TEXT]
"""

from __future__ import annotations

import argparse
import json
import time
from decimal import Decimal
from pathlib import Path

from deedbox.checker.budget import Budget
from deedbox.checker.documents import load_document
from deedbox.checker.errors import DocumentError
from deedbox.checker.json_schema.inclusion import Reading, Search
from deedbox.checker.json_schema.schema import Schema

CASES = Path(__file__).resolve().parents[2] / "shared" / "cases" / "json_schema.jsonl"


def rows():
    """The rows that are scored."""
    with CASES.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line, parse_float=Decimal)
            if not row["format_dependent"]:
                yield row


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--show", action="store_true", help="print each row that is not decided as its truth says")
    parser.add_argument("--only", default="", help="rows whose id has this text")
    arguments = parser.parse_args()
    counts = dict.fromkeys(("right", "unsound", "false-breaking", "undecided", "invalid"), 0)
    times = []
    for row in rows():
        if arguments.only not in row["id"]:
            continue
        try:
            a = Schema(load_document(row["a"]), row["dialect"])
            b = Schema(load_document(row["b"]), row["dialect"])
        except DocumentError as error:
            counts["invalid"] += 1
            if arguments.show:
                print("INVALID", row["id"], row["truth"], error)
            continue
        begun = time.perf_counter()
        outcome = Search().find([Reading(a.node)], [Reading(b.node)], Budget())
        taken = time.perf_counter() - begun
        times.append((taken * 1000, row["id"]))
        if outcome.status == "unknown":
            verdict = "undecided"
        elif (outcome.status == "empty") == row["truth"]:
            verdict = "right"
        else:
            verdict = "unsound" if outcome.status == "empty" else "false-breaking"
        counts[verdict] += 1
        if arguments.show and verdict != "right":
            print(verdict, row["id"], outcome.reason or outcome.value, "|", row["truth_basis"], "|", row["note"])
            print("   a:", json.dumps(row["a"], default=float)[:600])
            print("   b:", json.dumps(row["b"], default=float)[:600])
            print("   witness:", row["witness"])
    times.sort()
    print(counts)
    ms = [t for t, _ in times]
    print(
        f"median {ms[len(ms) // 2]:.3f} ms, p99 {ms[int(len(ms) * 0.99)]:.2f} ms, max {ms[-1]:.1f} ms at {times[-1][1]}"
    )


if __name__ == "__main__":
    main()
