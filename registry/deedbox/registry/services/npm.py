"""npm packages: making them with a release, where node and its compiler are, and what npm asks for."""

from __future__ import annotations

import base64
import hashlib
import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.checker import versions
from deedbox.checker.errors import CheckerError
from deedbox.registry.errors import NotFound, NotPackageable
from deedbox.registry.storage import npm as stored
from deedbox.registry.storage import packages, queries
from deedbox.registry.storage.npm import NpmPackage, NpmVersion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deedbox.codegen import PackageRequest
    from deedbox.registry.storage.database import Database
    from sqlalchemy.orm import Session

log = logging.getLogger("deedbox.npm")


class Npm:
    """The use cases of npm packages.

    Args:
        database: where they are kept.
        modules: a folder with `node_modules/json-schema-to-typescript`; no packages are made where it is "".
        scope: of their names, without the `@`; none where "".
    """

    def __init__(self, database: Database, modules: str = "", scope: str = "") -> None:
        self.database, self.modules, self.scope = database, modules, scope

    @property
    def offered(self) -> bool:
        """Whether packages are made here: it is wanted, and node and the compiler are there."""
        if not self.modules:
            return False
        compiler = Path(self.modules, "node_modules", "json-schema-to-typescript")
        if shutil.which("node") is None or not compiler.is_dir():
            log.warning("no npm packages are made: node or %s is missing", compiler)
            return False
        return True

    def build(self, request: PackageRequest) -> dict[str, Any]:
        """The npm package of a version: what `keep` takes.

        Raises:
            NotPackageable: the compiler cannot make one.
        """
        from deedbox.codegen import CodegenError
        from deedbox.codegen.typescript import npm_package

        try:
            made = npm_package(request, scope=self.scope, modules=Path(self.modules))
        except (CodegenError, CheckerError) as error:
            raise NotPackageable(f"npm: {error}", reason=error.code) from None
        return {
            "name": made.name,
            "version": made.version,
            "filename": made.filename,
            "manifest": made.manifest,
            "content": made.content,
        }

    def versions(self, name: str) -> list[NpmVersion]:
        """The versions of a package.

        Raises:
            NotFound: none was ever released under this name.
        """
        with self.database.reading() as session:
            found = stored.npm_versions(session, name)
        if not found:
            raise NotFound(f"there is no npm package {ascii(name)[:120]} here")
        return found

    def tarball(self, name: str, filename: str) -> tuple[str, bytes]:
        """The digest and the bytes of one version.

        Raises:
            NotFound: no such file of that package.
        """
        found = next((v for v in self.versions(name) if v.row.filename == filename), None)
        if found is None:
            raise NotFound(f"there is no file {ascii(filename)[:120]} of {ascii(name)[:120]}")
        with self.database.reading() as session:
            content = packages.content(session, found.row.digest)
        assert content is not None, "a foreign key says so"
        return found.row.digest, content


def keep(session: Session, built: Mapping[str, Any]) -> dict[str, Any]:
    """Keeps a package's bytes, and gives what `put_on_index` needs to know of it."""
    content: bytes = built["content"]
    digest = hashlib.sha256(content).hexdigest()
    packages.put_content(session, digest, content)
    return {
        **{key: value for key, value in built.items() if key != "content"},
        "sha256": digest,
        "size": len(content),
        "shasum": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode(),
    }


def put_on_index(session: Session, kept: Mapping[str, Any], publication_seq: int, contract: str, by: str) -> None:
    """Puts a kept package where npm finds it."""
    shown = {"filename": kept["filename"], "sha256": kept["sha256"], "size": kept["size"], "contract": contract}
    entry = queries.add_entry(session, by, "npm-package", f"{kept['name']}@{kept['version']}", shown)
    session.add(
        NpmPackage(
            seq=entry.seq,
            name=kept["name"],
            version=kept["version"],
            filename=kept["filename"],
            digest=kept["sha256"],
            size=kept["size"],
            shasum=kept["shasum"],
            integrity=kept["integrity"],
            manifest=kept["manifest"],
            publication_seq=publication_seq,
        )
    )
    session.flush()


def latest(found: Sequence[NpmVersion]) -> str:
    """What `npm install` takes by itself: the greatest release that is not retired, else the greatest of what is left."""
    usable = [v.row.version for v in found if v.retired is None] or [v.row.version for v in found]
    return versions.greatest(usable) or max(usable, key=versions.parse)
