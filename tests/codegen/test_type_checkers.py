"""What mypy and pyright say of code that uses packages: a mark in a comment says which of them is to complain, and how."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import sysconfig
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from deedbox.codegen import PackageRequest, build_package, wheel_bytes

if TYPE_CHECKING:
    from pathlib import Path

DOCUMENT: dict[str, Any] = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "placed_at": {"type": "string"},
        "note": {"type": ["string", "null"]},
        "status": {"enum": ["new", "paid"]},
        "customer_name": {"type": "string", "deprecated": True, "description": "Use customer instead."},
        "line": {"$ref": "#/$defs/Line"},
        "old_line": {"$ref": "#/$defs/OldLine"},
    },
    "$defs": {
        "Line": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string"}}},
        "OldLine": {"type": "object", "deprecated": True, "description": "Use Line.", "properties": {"x": {}}},
    },
}

CLASSES = """
from $module import Line, MISSING, Message, Status, dump, is_valid, parse, upgrade, validate

held: Message = parse(b"{}")
text: str = held.id
number: int = held.id  # both: int
absent: str = held.placed_at  # both: MISSING
if held.placed_at is not MISSING:
    there: str = held.placed_at
if held.note is not MISSING and held.note is not None:
    note: str = held.note
if held.line is not MISSING:
    sku: str = held.line.sku
print(held.nothing)  # both: nothing
print(held.customer_name)  # both: customer_name is obsolete since 2.3.0: Use customer instead
print(held.old_line)  # both: old_line is obsolete since 2.3.0: Use Line
Message(id=3)  # both: id|str
Message(id="a", line=Line(sku="b"), status=Status.new)
Message(id="a", status="sold")  # both: Status
value: dict[str, object] = dump(held)
dump("text")  # both: str|Literal|text
validate({"id": "a"})
flag: bool = is_valid(17)
other: int = upgrade(held)  # both: Message
"""

TYPED_DICTS = """
from $module import Line, Message, dump, parse

held: Message = parse(b"{}")
text: str = held["id"]
number: int = held["id"]  # both: str|Literal|text
made: Message = {"id": "a", "line": {"sku": "b"}}
wrong: Message = {"id": 3}  # both: int|3
less: Line = {}  # both: sku
print(held["nothing"])  # both: nothing
dump(made)
"""

OBSOLETE_CLASS = """
from $module import OldLine  # both: OldLine is obsolete

OldLine(x=1)  # pyright: OldLine is obsolete
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with code that uses packages of each style, and an environment `env` that has them installed.

    In a folder of `site-packages` type checkers believe only what says so, by `py.typed` (PEP 561).
    """
    folder = tmp_path_factory.mktemp("typed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "env")], check=True, timeout=120)
    (site,) = (folder / "env").glob("lib/python*/site-packages")
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")  # what packages require
    for style in ("pydantic", "dataclass", "typeddict"):
        package = build_package(PackageRequest(f"{style}/message", "2.3.0", DOCUMENT, style=style))  # type: ignore[arg-type]
        with zipfile.ZipFile(io.BytesIO(wheel_bytes(package).content)) as archive:
            archive.extractall(site)
        code = TYPED_DICTS if style == "typeddict" else CLASSES
        (folder / f"use_{style}.py").write_text(code.replace("$module", package.module))
        if style != "typeddict":
            (folder / f"old_{style}.py").write_text(OBSOLETE_CLASS.replace("$module", package.module))
    settings = {"typeCheckingMode": "strict", "pythonVersion": "3.11", "include": ["*.py"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings | {"reportDeprecated": "error"}))
    return folder


def expected(folder: Path, checker: str) -> dict[tuple[str, int], str]:
    """File and line → the pattern of what the checker is to say there."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            mark = re.search(r"# (both|mypy|pyright): (.*)", line)
            if mark and mark[1] in ("both", checker):
                found[path.name, number] = mark[2]
    return found


def compare(said: list[tuple[str, int, str]], wanted: dict[tuple[str, int], str], output: str) -> None:
    assert {(file, line) for file, line, _ in said} == set(wanted), output
    for place, pattern in wanted.items():
        assert any(re.search(pattern, words) for *where, words in said if tuple(where) == place), (place, output)


def test_mypy(project: Path) -> None:
    files = sorted(path.name for path in project.glob("*.py"))
    command = [sys.executable, "-m", "mypy", "--strict", "--enable-error-code", "deprecated", "--config-file="]
    command += ["--python-executable", str(project / "env/bin/python"), *files]
    done = subprocess.run(
        command, cwd=project, env={"PATH": ""}, capture_output=True, text=True, check=False, timeout=180
    )
    lines = [re.match(r"([^:]+):(\d+): error: (.*)", line) for line in done.stdout.splitlines()]
    said = [(m[1], int(m[2]), m[3]) for m in lines if m]
    compare(said, expected(project, "mypy"), done.stdout + done.stderr)


def test_pyright(project: Path, modules: Path) -> None:
    pyright = modules / "node_modules" / ".bin" / "pyright"
    command = [str(pyright), "--outputjson", "--pythonpath", str(project / "env/bin/python")]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, timeout=180)
    said = [
        (found["file"].rpartition("/")[2], found["range"]["start"]["line"] + 1, found["message"])
        for found in json.loads(done.stdout)["generalDiagnostics"]
        if found["severity"] == "error"
    ]
    compare(said, expected(project, "pyright"), done.stdout)
