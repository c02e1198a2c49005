"""A package in memory → a wheel's bytes, by `flit_core`. The same package gives the same bytes."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from deedbox.codegen.errors import InvalidName
from deedbox.codegen.generating import generator_version
from deedbox.codegen.model import Wheel

if TYPE_CHECKING:
    from deedbox.codegen.model import Package

REQUIRES_PYTHON = ">=3.11"


def wheel_bytes(package: Package) -> Wheel:
    """The wheel of a package: pure Python, with the number of its build as build tag (binary distribution format).

    Raises:
        InvalidName: a file's path would leave the package.
    """
    from flit_core.common import Metadata  # type: ignore[import-untyped]
    from flit_core.wheel import WheelBuilder  # type: ignore[import-untyped]

    metadata = Metadata(
        {
            "name": package.distribution,
            "version": package.version,
            "summary": package.summary,
            "description": package.readme,
            "description_content_type": "text/markdown",
            "requires_python": REQUIRES_PYTHON,
            "requires_dist": list(package.requires),
            "author": package.owner or None,
            "keywords": ",".join(package.keywords) or None,
            "classifiers": ["Typing :: Typed"],
        }
    )

    class Builder(WheelBuilder):  # type: ignore[misc] # it has no types
        """From memory, at a fixed time."""

        def __init__(self, target: io.BytesIO) -> None:
            super().__init__(None, SimpleNamespace(name=package.module), metadata, {}, target, None)
            self.source_time_stamp = None  # flit_core's own constant, not the environment's

        def copy_module(self) -> None:
            for path, content in sorted(package.files.items()):
                if path.startswith(("/", ".")) or ".." in path.split("/"):
                    raise InvalidName(f"{path!r} would leave the package", name=path)
                with self._write_to_zip(path) as file:
                    file.write(content.decode())

        def add_data_directory(self) -> None:
            """There is none."""

        def write_metadata(self) -> None:
            with self._write_to_zip(f"{self.dist_info}/WHEEL") as file:
                file.write(
                    f"Wheel-Version: 1.0\nGenerator: deedbox ({generator_version()})\nRoot-Is-Purelib: true\n"
                    f"Build: {package.build}\nTag: py3-none-any\n"
                )
            with self._write_to_zip(f"{self.dist_info}/METADATA") as file:
                metadata.write_metadata_file(file)

        @property
        def wheel_filename(self) -> str:
            stem = super().wheel_filename.removesuffix("-py3-none-any.whl")
            return f"{stem}-{package.build}-py3-none-any.whl"

    target = io.BytesIO()
    builder: Any = Builder(target)
    builder.build()
    text = io.StringIO()
    metadata.write_metadata_file(text)
    return Wheel(
        filename=builder.wheel_filename,
        content=target.getvalue(),
        metadata=text.getvalue().encode(),
        distribution=package.distribution,
        version=package.version,
        requires_python=REQUIRES_PYTHON,
        package=package,
    )
