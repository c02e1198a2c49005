"""The house itself: one namespace over four roots, rooms that keep their distance, files that stay readable."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tomllib
from pathlib import Path

import deedbox
import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE_ROOTS = ("checker", "codegen", "plugins", "registry")
CODE = sorted(p for root in SOURCE_ROOTS for p in (ROOT / root).rglob("*.py"))


def test_deedbox_is_a_namespace_over_all_rooms() -> None:
    assert getattr(deedbox, "__file__", None) is None
    found = {Path(p).resolve() for p in deedbox.__path__}
    assert {ROOT / root / "deedbox" for root in SOURCE_ROOTS} <= found


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_no_root_closes_the_namespace(root: str) -> None:
    offender = ROOT / root / "deedbox" / "__init__.py"
    assert not offender.exists(), f"{offender} would hide the other rooms"


def test_one_init_file_would_hide_the_other_rooms(tmp_path: Path) -> None:
    """Why the test above matters: with one, the rooms of the other roots cannot be imported."""
    for root, init in (("one", True), ("two", False)):
        room = tmp_path / root / "deedbox" / root
        room.mkdir(parents=True)
        (room / "__init__.py").touch()
        if init:
            (room.parent / "__init__.py").touch()
    code = f"import sys; sys.path[:] = [{str(tmp_path / 'one')!r}, {str(tmp_path / 'two')!r}]; import deedbox.two"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr


def test_wheel_takes_every_root() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert sorted(packages) == [f"{root}/deedbox" for root in SOURCE_ROOTS]


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 1000, "no file of a thousand lines"
    assert path.stem not in ("utils", "util", "helpers", "misc", "common")


def test_the_bare_install_needs_no_server() -> None:
    """What a CI job installs: neither Flask, SQLAlchemy nor a Kafka client."""
    needed = [
        requirement.partition(";")[0].strip().lower()
        for requirement in importlib.metadata.requires("deedbox") or ()
        if "extra ==" not in requirement
    ]
    assert needed
    assert not [r for r in needed if r.startswith(("flask", "sqlalchemy", "kafka", "alembic", "granian", "pydantic"))]


def test_the_checker_opens_no_socket_and_imports_no_server() -> None:
    code = (
        "import sys, socket\n"
        "def refuse(*a, **k): raise AssertionError('the checker opened a socket')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse; socket.create_connection = refuse\n"
        "from deedbox.checker import compare\n"
        "a = {'type': 'object', 'properties': {'a': {'type': 'string'}}}\n"
        "b = {'type': 'object', 'properties': {'a': {'type': 'integer'}}}\n"
        "assert compare(a, b).backward.holds is False\n"
        "loaded = {m.partition('.')[0] for m in sys.modules}\n"
        "assert not loaded & {'flask', 'sqlalchemy', 'kafka', 'httpx2', 'requests'}, loaded\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
