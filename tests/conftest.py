"""What every test may ask for, and the loud word at the end about what was left out."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT.parent / "shared" / "cases"
UNDER_CI = os.environ.get("CI", "").lower() in ("1", "true", "yes")


def public_cases(name: str) -> Iterator[dict[str, Any]]:
    """The rows of a file of public cases; skips the test where the folder is absent."""
    path = CASES / name
    if not path.exists():
        pytest.skip(f"the public cases are not here ({name})")
    data = path.read_bytes()
    for line in (gzip.decompress(data) if path.suffix == ".gz" else data).splitlines():
        yield json.loads(line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Says loudly what was left out: a green run of fewer tests must not look like a green run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("LEFT OUT", sep="!", red=True)
        for reason in sorted({str(report.longrepr[2]) for report in skipped}):
            terminalreporter.line(f"  {reason}")
        terminalreporter.line(f"{len(skipped)} tests were left out; the rest is what passed.")
