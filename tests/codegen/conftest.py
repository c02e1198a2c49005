"""The compilers and type checkers of other worlds, where node is."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import UNDER_CI

PACKAGES = ("json-schema-to-typescript@15", "typescript@5", "pyright@1")


def absent(what: str) -> None:
    """Skips, and fails under CI: there everything is to be tried."""
    if UNDER_CI:
        pytest.fail(f"{what}, and this is CI")
    pytest.skip(what)


@pytest.fixture(scope="session")
def modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the compilers and pyright: that of DEEDBOX_TEST_NODE, else installed with npm."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        absent("node and npm are not here")
    if given := os.environ.get("DEEDBOX_TEST_NODE"):
        return Path(given)
    folder = tmp_path_factory.mktemp("node")
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=folder)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        absent("npm could not install the TypeScript compilers and pyright")
    return folder
