"""Imports a package from memory, to measure what its classes do, and forgets it again."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from deedbox.codegen.errors import GenerationFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import ModuleType

_PREFIX = "_deedbox_build"


class _Source(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds modules in files in memory, below one made-up package."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.modules: dict[str, tuple[str, bool]] = {}
        for path, content in files.items():
            if path.endswith(".py"):
                parts = path.removesuffix(".py").split("/")
                package = parts[-1] == "__init__"
                name = ".".join([_PREFIX, *(parts[:-1] if package else parts)])
                self.modules[name] = (content.decode(), package)
                while "." in name:
                    name = name.rpartition(".")[0]
                    self.modules.setdefault(name, ("", True))

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:  # noqa: ARG002 - the finders' signature
        if fullname not in self.modules:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=self.modules[fullname][1])

    def get_source(self, fullname: str) -> str:
        return self.modules[fullname][0]

    def is_package(self, fullname: str) -> bool:
        return self.modules[fullname][1]


@contextmanager
def loaded(files: Mapping[str, bytes], module: str) -> Iterator[ModuleType]:
    """A module of a package in memory, for the length of a `with` block.

    Runs generated code, so only ever in the process that builds.

    Raises:
        GenerationFailed: it cannot be imported.
    """
    source = _Source(files)
    sys.meta_path.insert(0, source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                yield importlib.import_module(f"{_PREFIX}.{module}")
            except (
                ImportError,
                SyntaxError,
                NameError,
                TypeError,
                ValueError,
                AttributeError,
                RecursionError,
            ) as error:
                raise GenerationFailed(f"cannot be imported: {type(error).__name__}: {str(error)[:300]}") from error
    finally:
        sys.meta_path.remove(source)
        for name in [n for n in sys.modules if n == _PREFIX or n.startswith(_PREFIX + ".")]:
            del sys.modules[name]
