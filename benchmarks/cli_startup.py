"""How soon the command line starts: `deedbox --help` and `deedbox diff`, as multiples of `python -c pass`.

The three are run in turn, again and again, so that a busy machine slows all of them; medians are compared.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOLD = {"deedbox --help": 8.0, "deedbox diff": 20.0}
"""The most that each may take, in multiples of the bare interpreter."""

_OLD = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"id": {"type": "string"}, "status": {"enum": ["paid", "sent", "refunded"]}},
    "required": ["id", "status"],
}


def measure(rounds: int = 15) -> dict[str, float]:
    """Median seconds of each command over alternated runs, the first round left out."""
    with tempfile.TemporaryDirectory() as folder:
        old, new = Path(folder, "old.json"), Path(folder, "new.json")
        old.write_text(json.dumps(_OLD))
        _OLD["properties"]["status"]["enum"] = ["paid", "sent"]  # type: ignore[index]
        new.write_text(json.dumps(_OLD))
        program = [sys.executable, "-m", "deedbox.cli.main"]
        commands = {
            "python -c pass": ([sys.executable, "-c", "pass"], 0),
            "deedbox --help": ([*program, "--help"], 0),
            "deedbox diff": ([*program, "diff", str(old), str(new)], 1),
        }
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(rounds + 1):
            for name, (command, code) in commands.items():
                began = time.perf_counter()
                done = subprocess.run(command, capture_output=True, check=False)
                if turn:
                    seconds[name].append(time.perf_counter() - began)
                if done.returncode != code:
                    raise SystemExit(f"{name} ended with {done.returncode}: {done.stderr.decode()}")
    return {name: statistics.median(times) for name, times in seconds.items()}


def main() -> int:
    """Prints the table; the exit code is 1 where a ratio is not held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    found = measure(parser.parse_args().rounds)
    bare = found["python -c pass"]
    print("| command | median ms | times `python -c pass` | hold |")
    print("|---|---|---|---|")
    missed = False
    for name, seconds in found.items():
        hold = HOLD.get(name)
        ratio = seconds / bare
        missed = missed or (hold is not None and ratio > hold)
        print(f"| `{name}` | {seconds * 1000:.1f} | {ratio:.1f} | {f'≤ {hold:g}' if hold else ''} |")
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
