"""Every pair of the real schemas, published and checked: verdicts, what stayed undecided, milliseconds, missed witnesses.

For each pair the old schema is published to a registry of its own on SQLite and the new one checked against it over
HTTP; beside it `compare` is timed alone, in this process. A known witness (valid under old, not under new) that was not
found out is counted as missed: there must be none.

    make bench-real
    python benchmarks/real_schemas.py --no-registry --slowest 5
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from deedbox.checker import DocumentError, compare

CASES = Path(__file__).resolve().parent.parent.parent / "shared" / "cases"
FILES = {"SchemaStore": "schemastore_pairs.jsonl.gz", "Iglu": "iglu_pairs.jsonl.gz"}


def rows_of(name: str) -> list[dict[str, Any]]:
    with gzip.open(CASES / name, "rt") as lines:
        return [json.loads(line) for line in lines]


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def timings(times: list[float]) -> str:
    return f"{statistics.median(times):.1f} | {percentile(times, 0.99):.1f} | {max(times):.1f}"


def compared(rows: list[dict[str, Any]], content_model: str) -> dict[str, Any]:
    """`compare` alone, with each known witness asked for (it is one to the letter, so in the open model)."""
    verdicts: Counter[str] = Counter()
    times: list[float] = []
    slow: list[tuple[float, str]] = []
    undecided = missed = 0
    for row in rows:
        start = time.perf_counter()
        try:
            comparison = compare(
                row["old"],
                row["new"],
                content_model=content_model,
                dialect=row["dialect"],  # type: ignore[arg-type]
            )
        except DocumentError as error:
            verdicts["refused"] += 1
            print(f"refused: {row['id']}: {error}")
            continue
        times.append((time.perf_counter() - start) * 1_000)
        slow.append((times[-1], row["id"]))
        verdicts[comparison.judge("consumes").verdict] += 1
        for direction, inclusion in (("backward", comparison.backward), ("forward", comparison.forward)):
            if inclusion.holds is None:
                undecided += 1
                print(f"undecided: {row['id']} {direction}: {inclusion.reason}")
        if content_model == "open" and row["backward_witness_found"] and comparison.backward.holds is not False:
            missed += 1
            print(f"missed: {row['id']}")
    return {"verdicts": verdicts, "times": times, "undecided": undecided, "missed": missed, "slow": sorted(slow)[::-1]}


def through_the_registry(rows: list[dict[str, Any]]) -> tuple[Counter[str], list[float], int]:
    """Publishes each old schema and checks each new one, over HTTP."""
    from deedbox.client import Problem, RegistryClient
    from deedbox.registry.serving import run_in_background

    verdicts: Counter[str] = Counter()
    times: list[float] = []
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        server = run_in_background(f"sqlite:///{folder}/real.db")
        try:
            client = RegistryClient(server.url)
            for number, row in enumerate(rows):
                contract = f"real/pair-{number}"
                fields = {
                    "role": "consumes", "kind": "event", "dialect": row["dialect"], "content_model": "open",
                    "format": "json-schema",
                }  # fmt: skip
                try:
                    client.publish(contract, {"schema": row["old"], **fields})
                    start = time.perf_counter()
                    result = client.check([{"contract": contract, "schema": row["new"], **fields}])[0]
                    times.append((time.perf_counter() - start) * 1_000)
                except Problem as problem:
                    verdicts[f"refused: {problem.code}"] += 1
                    continue
                verdicts[result.verdict] += 1
                if row["backward_witness_found"] and result.verdict != "breaking":
                    missed += 1
                    print(f"missed by the registry: {row['id']}: {result.verdict}")
        finally:
            server.stop()
    return verdicts, times, missed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-registry", action="store_true", help="only compare, in this process")
    parser.add_argument("--slowest", type=int, default=0, help="name the slowest pairs")
    options = parser.parse_args()
    if not CASES.exists():
        print(f"the public cases are not here: {CASES}", file=sys.stderr)
        return 2
    lines, missed = [], 0
    for corpus, name in FILES.items():
        rows = rows_of(name)
        known = sum(bool(row["backward_witness_found"]) for row in rows)
        for model in ("open", "tolerant"):
            found = compared(rows, model)
            missed += found["missed"]
            verdicts = ", ".join(f"{v} {n}" for v, n in found["verdicts"].most_common())
            missing = f"{found['missed']} of {known}" if model == "open" else "–"
            lines.append(
                f"| {corpus}, {model} | {len(rows)} | {verdicts} | {found['undecided']} of {2 * len(rows)} | {missing} | "
                f"{timings(found['times'])} |"
            )
            for milliseconds, pair in found["slow"][: options.slowest]:
                print(f"{milliseconds:.0f} ms: {pair} ({model})")
        if not options.no_registry:
            counts, times, lost = through_the_registry(rows)
            missed += lost
            verdicts = ", ".join(f"{v} {n}" for v, n in counts.most_common())
            undecided = counts["undecided"]
            lines.append(
                f"| {corpus}, published and checked over HTTP | {len(rows)} | {verdicts} | {undecided} | {lost} of {known} | "
                f"{timings(times)} |"
            )
    print(
        "\n| corpus, content model | pairs | verdicts (consumes) | undecided directions | missed witnesses | p50 ms | p99 | max |"
    )
    print("|---|---|---|---|---|---|---|---|")
    print("\n".join(lines))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
