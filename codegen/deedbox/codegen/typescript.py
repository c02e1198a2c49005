"""A contract version → an npm package of TypeScript types, by `json-schema-to-typescript` through node.

Node and that module are no part of a Python install: where they are absent, this raises `ToolMissing`.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.checker import versions
from deedbox.checker.canonical import canonical
from deedbox.checker.documents import load_document
from deedbox.checker.json_schema.schema import Schema
from deedbox.checker.pointers import split
from deedbox.codegen import naming, sources
from deedbox.codegen.errors import BuildTimedOut, GenerationFailed, ToolMissing, VersionNotPackageable
from deedbox.codegen.obsolescence import obsolete_places
from deedbox.codegen.preparing import Loosening, prepared
from deedbox.codegen.texts import removed_lines

if TYPE_CHECKING:
    from deedbox.codegen.model import Obsolete, PackageRequest

SECONDS = 60.0
"""What the compiler may take where the caller does not say."""

_SCRIPT = """
const {compile} = require(require.resolve('json-schema-to-typescript', {paths: [process.argv[1]]}))
const {document, name} = JSON.parse(require('fs').readFileSync(0, 'utf8'))
const options = {bannerComment: '', unreachableDefinitions: true, $refOptions: {resolve: {external: false}}}
compile(document, name, options).then(text => process.stdout.write(text), error => { throw error })
"""


@dataclass(frozen=True, slots=True)
class NpmPackage:
    """An npm package: its name, its version (the contract's own), its `package.json`, and the tarball's bytes."""

    name: str
    version: str
    manifest: dict[str, Any]
    content: bytes = field(repr=False)

    @property
    def shasum(self) -> str:
        """SHA-1 of the tarball, in hexadecimal: registries give it to old clients, `integrity` is what others check."""
        return hashlib.sha1(self.content, usedforsecurity=False).hexdigest()

    @property
    def integrity(self) -> str:
        """SHA-512 of the tarball as Subresource Integrity writes it."""
        return "sha512-" + base64.b64encode(hashlib.sha512(self.content).digest()).decode()

    def version_object(self, tarball: str, deprecated: str = "") -> dict[str, Any]:
        """The version as a packument has it under `versions`.

        Args:
            tarball: the URL of the tarball.
            deprecated: what installers say of it, such as why the version was retired; nothing where empty.
        """
        dist = {"tarball": tarball, "shasum": self.shasum, "integrity": self.integrity}
        made = {**self.manifest, "_id": f"{self.name}@{self.version}", "dist": dist}
        return {**made, "deprecated": deprecated} if deprecated else made

    @property
    def filename(self) -> str:
        """As `npm pack` calls it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def npm_package(request: PackageRequest, *, scope: str = "", modules: Path | None = None) -> NpmPackage:
    """The types of a contract version. The same request with the same compiler gives the same bytes.

    Args:
        request: as for `build_package`; its style, enums and build have no meaning here.
        scope: of the package's name: "acme" gives `@acme/billing-order-placed`. A scope belongs to one owner, so that no
            public name can be mistaken for one of yours.
        modules: a folder in or below whose `node_modules` the compiler is; the working folder where None.

    Raises:
        ToolMissing: no node, or no `json-schema-to-typescript`.
        GenerationFailed: the compiler gave up, with what it said.
        BuildTimedOut: it took more than a minute.
        CodegenError, DocumentError: as `build_package`.
    """
    distribution = naming.distribution_name(request.contract, request.distribution, request.prefix)
    if versions.parse(request.version).build is not None:
        raise VersionNotPackageable(
            f"{request.version!r}: npm leaves build metadata out of versions, so two of them would be one: publish it without"
        )
    if scope:
        naming.checked_distribution(scope)
    class_name = naming.class_name(request.contract.rpartition("/")[2])
    source = sources.read(
        load_document(request.document, request.contract), request.format, class_name, request.dialect
    )
    history = [
        (known, sources.read(load_document(before, known), request.format, class_name, request.dialect).schema)
        for known, before in request.history
    ]
    obsolete = obsolete_places(source.schema, request.version, history)
    document, origins = prepared(_marked(source.schema, obsolete), Loosening(), keep_defaults=False)
    marks = {mark.pointer for mark in obsolete}
    for pointer, origin in origins.items():
        place = _at(document, pointer)
        if origin in marks and isinstance(place, dict):
            place["deprecated"] = True
    whole = source.roots[0].pointer == ""
    types = _compiled(_positional(document), class_name if whole else "AnyMessage", modules)
    # A message that is known by its own name as well as by its schema's.
    aliases = {r.class_name: r.pointer.rpartition("/")[2] for r in source.roots if r.pointer}
    types += "".join(f"\nexport type {name} = {of};" for name, of in aliases.items() if name != of)
    digest = request.digest or source.digest
    constants = {"CONTRACT": request.contract, "VERSION": request.version, "DIGEST": digest}
    manifest: dict[str, Any] = {
        "name": f"@{scope}/{distribution}" if scope else distribution,
        "version": request.version,
        "description": request.description or source.title or f"The contract {request.contract}",
        "type": "module",
        "main": "index.js",
        "types": "index.d.ts",
        "files": ["index.js", "index.d.ts", "schema.json"],
        "exports": {".": {"types": "./index.d.ts", "default": "./index.js"}, "./schema.json": "./schema.json"},
    }
    if request.owner:
        manifest["author"] = request.owner
    files = {
        "package.json": json.dumps(manifest, indent=2, ensure_ascii=False) + "\n",
        "index.d.ts": types
        + "".join(f"\nexport declare const {k}: {json.dumps(v)};" for k, v in constants.items())
        + "\n",
        "index.js": "".join(f"export const {k} = {json.dumps(v)};\n" for k, v in constants.items()),
        "schema.json": canonical(source.schema.root).decode(),
        "README.md": _readme(request, obsolete),
    }
    return NpmPackage(str(manifest["name"]), request.version, manifest, _tarball(files))


def _marked(schema: Schema, obsolete: tuple[Obsolete, ...]) -> Schema:
    """The schema with the sentence of each mark as the description that the compiler writes beside it."""
    value = json.loads(canonical(schema.root))
    for mark in obsolete:
        place = _at(value, mark.pointer)
        if isinstance(place, dict):
            place["description"] = mark.sentence
    return Schema(load_document(value, schema.name), schema.dialect.name)


def _at(value: Any, pointer: str) -> Any:
    for token in split(pointer):
        value = value[int(token)] if isinstance(value, list) else value[token]
    return value


def _positional(value: Any) -> Any:
    """2020-12's `prefixItems` as the drafts before it say it, which is what the compiler reads."""
    if isinstance(value, list):
        return [_positional(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {name: _positional(member) for name, member in value.items()}
    if isinstance(made.get("prefixItems"), list):
        rest = made.pop("items", None)
        made["items"] = made.pop("prefixItems")
        if rest is not None:
            made["additionalItems"] = rest
    return made


def _compiled(document: Any, name: str, modules: Path | None) -> str:
    node = shutil.which("node")
    if node is None:
        raise ToolMissing("npm packages are compiled by node, which is not installed", tool="node")
    folder = str((modules or Path.cwd()).resolve())
    try:
        done = subprocess.run(  # noqa: S603 - node, with a script of ours and the document as data
            [node, "-e", _SCRIPT, folder],
            input=json.dumps({"document": document, "name": name}),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BuildTimedOut(f"compiling the types took longer than {SECONDS:g} s and was stopped") from None
    if "MODULE_NOT_FOUND" in done.stderr:
        raise ToolMissing(
            "npm packages are compiled by json-schema-to-typescript, which node does not find: "
            "npm install json-schema-to-typescript",
            tool="json-schema-to-typescript",
        )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if "Error" in line]
        raise GenerationFailed(f"the TypeScript compiler gave up: {said[0][:300] if said else done.returncode}")
    return done.stdout


def _tarball(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, text in sorted(files.items()):
            content = text.encode()
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size, entry.mode, entry.mtime = len(content), 0o644, 499_162_500  # the time that npm pack writes
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), 9, mtime=0)


def _readme(request: PackageRequest, obsolete: tuple[Obsolete, ...]) -> str:
    lines = [f"# {request.contract} {request.version}", "", "Types made from the contract, and `schema.json` itself."]
    if obsolete:
        lines += ["", "## Obsolete", "", *[f"- {mark.sentence}" for mark in obsolete]]
    lines += removed_lines(request)
    return "\n".join(lines) + "\n"
