"""Imports a package that is in memory, to measure what its classes do, and forgets it again."""

from __future__ import annotations

import importlib
import sys
import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deedbox.codegen.errors import GenerationFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

_TOP = "_deedbox_build"
"""The package it is imported below: nothing that is installed is called so."""


@contextmanager
def loaded(files: Mapping[str, bytes], module: str) -> Iterator[ModuleType]:
    """A module of a package, for the length of a `with` block.

    Runs generated code, so only ever in the process that builds.

    Raises:
        GenerationFailed: it cannot be imported.
    """
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, content in files.items():
            place = Path(folder, _TOP, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        kept, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        sys.path.insert(0, folder)
        importlib.invalidate_caches()
        try:
            yield _imported(f"{_TOP}.{module}")
        finally:
            sys.path.remove(folder)
            sys.dont_write_bytecode = kept
            for name in [n for n in sys.modules if n == _TOP or n.startswith(_TOP + ".")]:
                del sys.modules[name]


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise GenerationFailed(f"cannot be imported: {type(error).__name__}: {str(error)[:300]}") from error
