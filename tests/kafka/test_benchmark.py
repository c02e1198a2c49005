"""The benchmark of judging runs: its registry is a stand-in, which must say all that the real one says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_benchmark_of_judging_runs() -> None:
    small = ("--seconds", "0.2", "--messages", "5000", "--schemas", "20")
    command = [sys.executable, "benchmarks/guard.py", *small]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert said.stderr == ""
    names = [line[:12].strip() for line in said.stdout.splitlines()]
    assert {"10 fields", "60 nested", "union of 4"} <= set(names)
    assert "peak memory, 20 schemas" in said.stdout
