"""All contracts of one service as one package, `orders-contracts`: a module for each contract and major.

It has no classes of its own. It requires the packages of its members at exact versions and exports what is in them, so
that a class is the same one however it was imported.

The version is a function of what was packaged and retired, in that order, and of nothing else: any server gives the same
content the same version.
"""

from __future__ import annotations

from dataclasses import dataclass
from string import Template
from typing import TYPE_CHECKING

from deedbox.checker import versions
from deedbox.codegen import naming
from deedbox.codegen.errors import DocumentNotPackageable, ReservedName
from deedbox.codegen.model import Fidelity, Package

if TYPE_CHECKING:
    from collections.abc import Iterable

    from semver import Version


@dataclass(frozen=True, slots=True)
class Change:
    """A version of a contract (`service/name`) that was published or, where `retired`, retired."""

    contract: str
    version: str
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A contract version in a bundle. `distribution`: its package's name, where the contract gives one."""

    contract: str
    version: str
    distribution: str | None = None


@dataclass(frozen=True, slots=True)
class BundleRequest:
    """A bundle as it is wanted.

    Attributes:
        service: whose contracts they are.
        version: of the bundle, a semantic version: see `released`.
        members: its contract versions, at most one of each contract and major.
        prefix: what every distribution of this index starts with; none where empty.
        owner: who answers for the service.
        build: the number of this build of the version, from 1.
    """

    service: str
    version: str
    members: tuple[Member, ...]
    prefix: str = ""
    owner: str = ""
    build: int = 1


def released(changes: Iterable[Change]) -> tuple[str | None, tuple[Member, ...]]:
    """What a service's bundle is after some changes: its version, and its members by contract and version.

    Members are the greatest version of each major of each contract that is neither retired nor a pre-release. The first
    bundle is 1.0.0; each change to it raises the version as semver would: a module that goes, a member that falls back
    to a lower version or a new y of a 0.y.z is a major, a module that comes or a new minor a minor, all else a patch.

    Args:
        changes: of the contracts of one service, in the order in which the registry recorded them.

    Returns:
        (None, ()) where nothing to be bundled was ever published. The version stays where the last member goes.

    Raises:
        InvalidVersion: a version is none.
    """
    known: dict[tuple[str, int], set[str]] = {}
    greatest: dict[tuple[str, int], str] = {}
    version: tuple[int, int, int] | None = None
    for change in changes:
        parsed = versions.parse(change.version)
        if parsed.prerelease is not None:
            continue
        key = (change.contract, parsed.major)
        held = known.setdefault(key, set())
        (held.discard if change.retired else held.add)(change.version)
        before = greatest.pop(key, None)
        after = max(held, key=lambda v: (versions.parse(v), v), default=None)
        if after is not None:
            greatest[key] = after
        if after != before:
            version = (1, 0, 0) if version is None else _raised(version, before, after)
    members = sorted(greatest.items())
    return (
        ".".join(map(str, version)) if version is not None else None,
        tuple(Member(contract, held) for (contract, _), held in members),
    )


def _raised(version: tuple[int, int, int], before: str | None, after: str | None) -> tuple[int, int, int]:
    major, minor, patch = version
    old, new = (versions.parse(v) if v is not None else None for v in (before, after))
    level = _level(old, new)
    if level == "major":
        return major + 1, 0, 0
    return (major, minor + 1, 0) if level == "minor" else (major, minor, patch + 1)


def _level(old: Version | None, new: Version | None) -> str:
    if old is None:
        return "minor"
    if new is None or new < old or (old.major == 0 and new.minor != old.minor):
        return "major"
    if new.minor != old.minor or (old.major == 0 and new.patch != old.patch):
        return "minor"
    return "patch"


def build_bundle(request: BundleRequest) -> Package:
    """The bundle's package. Quick, and runs nothing of anybody else's: it can be built in the server's own process.

    Raises:
        DocumentNotPackageable: it has no member, or two of one contract and major.
        InvalidName, ReservedName: of a package; of two members whose names are one to an installer.
        VersionNotPackageable, InvalidVersion: of a version.
    """
    if not request.members:
        raise DocumentNotPackageable(f"{request.service} has no version to bundle: publish one, not a pre-release")
    distribution = naming.bundle_name(request.service, request.prefix)
    version = naming.pep440(request.version)
    members = [_Placed.of(member, request.prefix) for member in request.members]
    _check_distinct(members, distribution)
    module = naming.module_of(distribution)
    files = {"__init__.py": _root(request, members, module), "py.typed": ""}
    for member in members:
        files[f"{member.module}/__init__.py"] = _contract(member)
        files[f"{member.module}/{member.major}.py"] = _module(member)
    return Package(
        files={f"{module}/{path}": text.encode() for path, text in sorted(files.items())},
        distribution=distribution,
        version=version,
        module=module,
        classes=(),
        requires=tuple(f"{m.code} =={naming.pep440(m.version)}" for m in members),
        summary=f"The contracts of {request.service}",
        readme=_readme(request, members, distribution, module),
        owner=request.owner,
        fidelity=Fidelity(),
        obsolete=(),
        build=request.build,
        keywords=("contract", "dto", request.service),
    )


@dataclass(frozen=True, slots=True)
class _Placed:
    contract: str
    version: str
    base: str
    module: str
    major: str

    @classmethod
    def of(cls, member: Member, prefix: str) -> _Placed:
        base = naming.distribution_name(member.contract, member.distribution, prefix)
        return cls(
            member.contract,
            member.version,
            base,
            naming.contract_module(member.contract, base),
            naming.major_of(member.version),
        )

    @property
    def code(self) -> str:
        return naming.code_distribution(self.base, self.version)

    @property
    def source(self) -> str:
        return f"{naming.module_of(self.base)}.{self.major}"


def _check_distinct(members: list[_Placed], bundle: str) -> None:
    """Refuses names that an installer, or an import, would take one for the other."""
    owners: dict[str, str] = {bundle: "the bundle itself"}
    places: dict[tuple[str, str], str] = {}
    for member in members:
        for name in (member.base, member.code):
            if owners.setdefault(name, member.contract) != member.contract:
                raise ReservedName(
                    f"{member.contract} and {owners[name]} would both be the package {name!r}: give one of them "
                    'another name with package = "…" in deedbox.toml',
                    name=name,
                )
        place = (member.module, member.major)
        if place in places:
            raise DocumentNotPackageable(
                f"{places[place]} and {member.contract} {member.version} would both be the module "
                f"{member.module}.{member.major}: a bundle has one version of a major"
            )
        places[place] = f"{member.contract} {member.version}"


_ROOT = Template('''"""The contracts of $service, version $version. Made from the registry: do not edit."""

from __future__ import annotations

__version__ = $version_text
SERVICE = $service_text
VERSION = $version_text
"""Of this bundle: raised by what was published and retired in it, as semver would."""
CONTRACTS: dict[str, str] = {$contracts}
"""Module below this one → contract and version."""
''')


def _root(request: BundleRequest, members: list[_Placed], module: str) -> str:
    contracts = "".join(
        f"\n    {f'{module}.{m.module}.{m.major}'!r}: {f'{m.contract} {m.version}'!r}," for m in members
    )
    return _ROOT.substitute(
        service=request.service,
        version=request.version,
        version_text=repr(request.version),
        service_text=repr(request.service),
        contracts=contracts + "\n",
    )


def _contract(member: _Placed) -> str:
    return f'"""The contract {member.contract}, a module for each major."""\n'


def _module(member: _Placed) -> str:
    # `import *` exports again what the other module's `__all__` names, to people and to type checkers.
    return (
        f'"""{member.contract} {member.version}: what `{member.source}` exports."""\n\n'
        f"from {member.source} import *\n"
        f"from {member.source} import __all__ as __all__\n"
    )


def _readme(request: BundleRequest, members: list[_Placed], distribution: str, module: str) -> str:
    first = members[0]
    lines = [
        f"# The contracts of {request.service}, {request.version}",
        "",
        "```python",
        f"from {module}.{first.module} import {first.major}",
        "```",
        "",
        f"`{distribution}` has no classes of its own: it requires the packages of these versions and exports what is in",
        f"them. `{module}.{first.module}.{first.major}` is `{first.source}`.",
        "",
        "| contract | version | module | package |",
        "|---|---|---|---|",
        *[
            f"| `{m.contract}` | {m.version} | `{module}.{m.module}.{m.major}` | `{m.code}` |"
            for m in sorted(members, key=lambda m: (m.contract, m.major))
        ],
        "",
        "Its version is raised by what was published and retired, as semver would: a major where a module goes, a minor",
        "where one comes or has a new minor, else a patch.",
        "",
    ]
    return "\n".join(lines)
