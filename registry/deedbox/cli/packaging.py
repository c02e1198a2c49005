"""`package`: what is to be built, from the registry or from a file, and the building of it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from deedbox.checker.drain.claiming import drained_on
from deedbox.checker.errors import CheckerError
from deedbox.checker.formats import detect
from deedbox.cli.checking import read_contract
from deedbox.cli.errors import CliError, ExtraMissing, SourceUnreadable, UsageError
from deedbox.cli.exits import Exit
from deedbox.cli.nearest import did_you_mean
from deedbox.cli.progress import track
from deedbox.cli.project import NAME
from deedbox.client.folders import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.cli.project import Contract, Project
    from deedbox.client import RegistryClient
    from deedbox.codegen import PackageRequest, Wheel


class NotPackaged(CliError):
    """A contract version that no package can be made of, or whose build was stopped. `exit` says which."""

    code = "not-packaged"

    def __init__(self, message: str, exit: Exit) -> None:
        super().__init__(message)
        self.exit = exit


@dataclass(frozen=True, slots=True)
class Wanted:
    """A contract to be packaged: its full name, and what the project file says of it, if anything."""

    name: str
    contract: Contract | None


@dataclass(frozen=True, slots=True)
class Shape:
    """How packages are wanted: as `PackageRequest` has it, and as the project file says where None."""

    style: str | None
    open_enums: bool | None
    prefix: str

    def of(self, contract: Contract | None) -> tuple[str, bool]:
        """What the classes of a contract are, and whether its enums are open."""
        style, open_enums = self.style, self.open_enums
        if style is None:
            style = contract.package_style if contract is not None else "pydantic"
        if open_enums is None:
            open_enums = contract is not None and contract.package_open_enums
        return style, open_enums


def select(project: Project | None, names: Sequence[str], version: str | None) -> list[Wanted]:
    """The contracts that are named, by `service/name` or by the project's own name; else all that have a `package`.

    Raises:
        UsageError: nothing is named, a name is none, or a version is given for several.
    """
    wanted = _select(project, names)
    if version is not None and len(wanted) > 1:
        raise UsageError(f"--version {version} is for one contract, and these are {len(wanted)}: name the one")
    return wanted


def _select(project: Project | None, names: Sequence[str]) -> list[Wanted]:
    known = {c.full_name: c for c in project.contracts} if project is not None else {}
    if not names:
        wanted = [Wanted(name, contract) for name, contract in known.items() if contract.package is not None]
        if not wanted:
            where = (
                "no deedbox.toml here or above" if project is None else f'{project.shown} has none with package = "…"'
            )
            raise UsageError(f"no contract is named, and {where}")
        return wanted
    found: dict[str, Wanted] = {}
    for name in names:
        full = name if "/" in name or project is None else f"{project.service}/{name}"
        parts = full.split("/")
        if len(parts) != 2 or not all(NAME.match(part) for part in parts):
            raise UsageError(f"{name!r} names no contract: write service/name")
        if "/" not in name and full not in known:
            hint = did_you_mean(name, [c.name for c in known.values()])
            raise UsageError(f"{project.shown if project else 'deedbox.toml'} has no contract {name!r}.{hint}")
        found[full] = Wanted(full, known.get(full))
    return list(found.values())


def from_file(wanted: Wanted, version: str | None, shape: Shape) -> PackageRequest:
    """The package of a contract file, at the version that is given or that the project file declares.

    Raises:
        UsageError: there is no such file in the project, or no version.
        SourceUnreadable, DocumentError: it, or a file that it refers to, cannot be read.
    """
    contract = wanted.contract
    if contract is None:
        raise UsageError(f"--local builds what the project file names, and it does not name {wanted.name}")
    version = version or contract.version
    if version is None:
        raise UsageError(f'{wanted.name} declares no version: add version = "…" in the project file, or say --version')
    document = read_contract(contract)
    data = text_of(document).encode()
    return _request(wanted, shape, version, data, contract.format or detect(document), contract.dialect)


def from_registry(wanted: Wanted, version: str | None, shape: Shape, client: RegistryClient) -> PackageRequest:
    """The package of a published version, the latest where none is given.

    Raises:
        UsageError: there is none.
        ClientError: the registry does not answer.
    """
    from deedbox.codegen import history

    published = client.publication(wanted.name, version or "latest")
    if published is None:
        what = f"no version {version} of {wanted.name}" if version else f"no version of {wanted.name} that is a release"
        raise UsageError(f"{client.url} has {what}: `deedbox publish` it, or build the file with --local")
    found = str(published["version"])
    document = client.schema(wanted.name, found)
    known = (str(v["version"]) for v in client.versions(wanted.name))
    earlier = history(found, document, known, lambda v: client.schema(wanted.name, v))
    service = client.service(str(published["service"])) or {}
    request = _request(wanted, shape, found, document, str(published["format"]), published.get("dialect"))
    return replace(
        request,
        digest=str(published["digest"]),
        history=earlier,
        removed=tuple((drain["pointer"], drained_on(drain)) for drain in published.get("drains", ())),
        owner=str(service.get("owner") or ""),
        distribution=published.get("package") or request.distribution,
    )


def _request(wanted: Wanted, shape: Shape, version: str, data: bytes, format: str, dialect: Any) -> PackageRequest:
    from deedbox.codegen import PackageRequest

    style, open_enums = shape.of(wanted.contract)
    return PackageRequest(
        contract=wanted.name,
        version=version,
        document=data,
        format=format,
        dialect=dialect,
        distribution=wanted.contract.package if wanted.contract is not None else None,
        prefix=shape.prefix,
        style=style,  # type: ignore[arg-type] # one of the choices of --style
        open_enums=open_enums,
    )


def build_all(requests: Sequence[PackageRequest]) -> list[Wheel]:
    """The wheels of some packages: of each its code's first, as the other requires it.

    Raises:
        ExtraMissing: code generation is not installed.
        NotPackaged: one cannot be built, and so none is.
    """
    from importlib.util import find_spec

    for module, package in (("datamodel_code_generator", "datamodel-code-generator"), ("flit_core", "flit-core")):
        if find_spec(module) is None:
            raise ExtraMissing("package", "codegen", package)
    from deedbox.codegen import CodegenError, build
    from deedbox.codegen.errors import BuildTimedOut

    wheels: list[Wheel] = []
    for request in track(requests, "Building"):
        try:
            wheels += build(request)
        except (CodegenError, CheckerError) as error:
            stopped = isinstance(error, BuildTimedOut)
            raise NotPackaged(
                f"{request.contract} {request.version}: {error}", Exit.UNKNOWN if stopped else Exit.WRONG
            ) from None
    return wheels


class File(Protocol):
    """A file by its name and content: a wheel that was built here, or one that is on an index."""

    @property
    def filename(self) -> str:
        """Its name, without a folder."""
        ...

    @property
    def content(self) -> bytes:
        """Its bytes."""
        ...


def write_all(files: Sequence[File], folder: Path) -> list[Path]:
    """Writes files, each whole or not at all.

    Raises:
        SourceUnreadable: the folder cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for file in files:
            with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as part:
                part.write(file.content)
            Path(part.name).chmod(0o644)
            paths.append(Path(part.name).replace(folder / file.filename))
    except OSError as error:
        raise SourceUnreadable(os.fspath(folder), error.strerror or str(error)) from None
    return paths


def summary(wheel: Wheel) -> list[str]:
    """What was measured of a package's classes, and what is obsolete in it, as lines for people."""
    fidelity = wheel.package.fidelity
    lines = [
        f"{wheel.distribution} {wheel.version}: {fidelity.round_tripped} of {fidelity.messages} valid messages come out as "
        f"they went in; of {fidelity.broken} broken ones the classes alone refuse {fidelity.rejected}, validate() all"
    ]
    return [*lines, *(f"  {mark.sentence}" for mark in wheel.package.obsolete)]
