"""The checker beside other tools on the public unit cases: one run, one table.

Each row asks: is every instance of `a` valid under `b`? Deedbox answers by a whole `compare` (both directions, findings
and their witnesses), the others by their own question. A row that turns on whether `format` asserts is left out.

    make bench-checker                      # all rows
    python benchmarks/checker_cases.py --tools deedbox --disagreements
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

CASES = Path(__file__).resolve().parent.parent.parent / "shared" / "cases" / "json_schema.jsonl"
SECONDS = 5.0
"""After which a tool is killed and the case counted as a time-out."""


def deedbox(case: dict[str, Any]) -> bool | None:
    from deedbox.checker import compare

    return compare(case["a"], case["b"], content_model="open", dialect=case["dialect"]).backward.holds


def jsoncompat(case: dict[str, Any]) -> bool | None:
    import jsoncompat as library

    return bool(library.check_compat(json.dumps(case["a"]), json.dumps(case["b"]), "deserializer"))


def jsonsubschema(case: dict[str, Any]) -> bool | None:
    from jsonsubschema import isSubschema

    return bool(isSubschema(case["a"], case["b"]))


TOOLS: dict[str, Callable[[dict[str, Any]], bool | None]] = {
    "deedbox": deedbox,
    "jsoncompat": jsoncompat,
    "jsonsubschema": jsonsubschema,
}


def work(tool: str, connection: Connection) -> None:
    """Answers cases until told to stop: (answer, milliseconds, error)."""
    ask = TOOLS[tool]
    try:
        ask({"a": {"type": "string"}, "b": {"type": "string"}, "dialect": "draft7"})  # imports, not measured
    except Exception as error:  # noqa: BLE001 - reported with the first case
        print(f"{tool}: {error}", file=sys.stderr)
    connection.send("ready")
    while (case := connection.recv()) is not None:
        start = time.perf_counter()
        try:
            answer, error = ask(case), ""
        except BaseException as raised:  # noqa: BLE001 - a tool's failure is a figure here
            answer, error = None, type(raised).__name__
        connection.send((answer, (time.perf_counter() - start) * 1_000, error))


class Worker:
    """A tool in a process of its own, started again when it dies or must be killed."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.start()

    def start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(self.tool, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.connection.recv()

    def ask(self, case: dict[str, Any]) -> tuple[bool | None, float, str]:
        self.connection.send(case)
        try:
            if self.connection.poll(SECONDS):
                return self.connection.recv()  # type: ignore[no-any-return]
            failure = "time-out"
        except EOFError:
            failure = "crash"
        self.process.kill()
        self.process.join()
        self.start()
        return None, SECONDS * 1_000, failure

    def stop(self) -> None:
        self.connection.send(None)
        self.process.join()


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", nargs="+", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--cases", type=Path, default=CASES, help="a file of rows (default: the shared ones)")
    parser.add_argument("--disagreements", action="store_true", help="name each row where deedbox and the truth differ")
    options = parser.parse_args()
    if not options.cases.exists():
        print(f"the public cases are not here: {options.cases}", file=sys.stderr)
        return 2
    rows = [json.loads(line) for line in options.cases.read_text().splitlines()]
    rows = [row for row in rows if not row["format_dependent"]]
    print(f"{len(rows)} rows, Python {sys.version.split()[0]}")
    header = (
        "tool",
        "right",
        "unsound",
        "false breaking",
        "undecided",
        "error",
        "crash/time-out",
        "median",
        "p99",
        "max",
    )
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for tool in options.tools:
        worker = Worker(tool)
        counts: Counter[str] = Counter()
        times: list[float] = []
        named: list[str] = []
        for row in rows:
            answer, milliseconds, error = worker.ask({k: row[k] for k in ("a", "b", "dialect")})
            times.append(milliseconds)
            if error:
                kind = "crash" if error in ("crash", "time-out") else "error"
            elif answer is None:
                kind = "undecided"
            else:
                kind = "right" if answer is row["truth"] else "unsound" if answer else "false breaking"
            counts[kind] += 1
            if kind != "right":
                named.append(f"{kind}: {row['id']} {error}")
        worker.stop()
        share = f"{100 * counts['right'] / len(rows):.2f}%"
        figures = [counts[k] for k in ("unsound", "false breaking", "undecided", "error", "crash")]
        timing = [statistics.median(times), percentile(times, 0.99), max(times)]
        cells = [tool, share, *map(str, figures), *(f"{t:.2f} ms" for t in timing)]
        print("| " + " | ".join(cells) + " |", flush=True)
        if options.disagreements and tool == "deedbox":
            print("\n".join(named))
    return 0


if __name__ == "__main__":
    sys.exit(main())
