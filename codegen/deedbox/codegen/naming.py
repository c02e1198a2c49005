"""Names: of distributions, modules and classes, and the PEP 440 form of a semantic version.

A name is derived, checked and then reserved: what is derived from a contract may not be what somebody else's package is
called. See docs/packages.md for why (dependency confusion).
"""

from __future__ import annotations

import keyword
import re
import sys
import unicodedata

from deedbox.checker import versions
from deedbox.codegen.errors import InvalidName, ReservedName, VersionNotPackageable

MAX_LENGTH = 100
"""Of a distribution's name: index paths and file names stay portable."""

_DISTRIBUTION = re.compile(r"[A-Z0-9]|[A-Z0-9][A-Z0-9._-]*[A-Z0-9]", re.IGNORECASE)
_PRERELEASE = re.compile(r"(alpha|a|beta|b|rc|dev)(?:\.?(\d+))?")
_PHASE = {"alpha": "a", "a": "a", "beta": "b", "b": "b", "rc": "rc", "dev": ".dev"}

# What generated packages import, and what installs them: a contract called so would be installed in its place.
RESERVED = frozenset({
    "annotated-types", "build", "deedbox", "distlib", "flit-core", "hatchling", "jsonschema", "jsonschema-rs", "packaging",
    "pip", "pydantic", "pydantic-core", "pydantic-settings", "setuptools", "twine", "typing-extensions",
    "typing-inspection", "uv", "virtualenv", "wheel",
})  # fmt: skip

BUNDLE = "contracts"
"""A service's bundle is `service-contracts`; no package of one contract ends so."""

TAKEN = frozenset({
    "Any", "ContractViolation", "NoConversion", "NotRepresentable", "ContractModel", "OpenEnum", "BaseModel", "Field",
    "Enum", "StrEnum", "Literal", "Annotated", "CONTRACT", "VERSION", "DIGEST", "CLASSES", "MISSING",
})  # fmt: skip
"""What modules of a package call other things: no class of a message is called so."""


def normalise(name: str) -> str:
    """A distribution's name as indexes compare it (PEP 503): lower case, runs of `-`, `_` and `.` as one `-`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def distribution_name(contract: str, given: str | None = None, prefix: str = "") -> str:
    """The distribution of a contract: the given name, else `service-name`, after the index's prefix.

    Raises:
        InvalidName: it is none that an installer takes, or a given one lacks the prefix.
        ReservedName: it is the standard library's, or that of something packages depend on.
    """
    start = checked_distribution(prefix) + "-" if prefix else ""
    if given is None:
        parts = [_ascii(part) for part in contract.split("/")]
        if not all(parts):
            raise InvalidName(
                f"no package name can be made of {contract!r}: each part needs a letter or a digit of ASCII; "
                'say one with package = "…" in deedbox.toml',
                name=contract,
            )
        return _of_one_contract(checked_distribution(start + "-".join(parts)))
    name = _of_one_contract(checked_distribution(given))
    if not name.startswith(start):
        raise InvalidName(
            f"packages of this index start with {start!r}, so that no public name can be mistaken for one: "
            f"call it {start + name!r}",
            name=given,
        )
    return name


def bundle_name(service: str, prefix: str = "") -> str:
    """The distribution of all contracts of a service together: `orders-contracts`, after the index's prefix.

    Raises:
        InvalidName: the service's name has no letter or digit of ASCII.
    """
    start = checked_distribution(prefix) + "-" if prefix else ""
    name = _ascii(service)
    if not name:
        raise InvalidName(
            f"no package name can be made of the service {service!r}: it needs a letter or a digit of ASCII",
            name=service,
        )
    return checked_distribution(f"{start}{name}-{BUNDLE}")


def _of_one_contract(name: str) -> str:
    if name.endswith(f"-{BUNDLE}"):
        raise ReservedName(
            f"{name!r} is what the contracts of a service together are called: "
            'choose another with package = "…" in deedbox.toml',
            name=name,
        )
    return name


def checked_distribution(name: str) -> str:
    """A distribution's name, normalised.

    Raises:
        InvalidName, ReservedName: see `distribution_name`.
    """
    if not _DISTRIBUTION.fullmatch(name):
        raise InvalidName(
            f"{name!r} is no package name: letters, digits, '-', '_' and '.' of ASCII, a letter or digit at both ends",
            name=name,
        )
    normal = normalise(name)
    if len(normal) > MAX_LENGTH:
        raise InvalidName(f"a package name of {len(normal)} characters: {MAX_LENGTH} at most", name=name)
    if not normal[0].isalpha() or keyword.iskeyword(module_of(normal)):
        raise InvalidName(
            f"{name!r} gives no module that Python can import: start it with a letter, and let it be no keyword",
            name=name,
        )
    if normal in RESERVED or module_of(normal) in sys.stdlib_module_names:
        raise ReservedName(
            f"{normal!r} is the name of something that Python or this package needs: choose another", name=normal
        )
    return normal


def module_of(distribution: str) -> str:
    """The top module of a distribution: its normalised name with `_`."""
    return normalise(distribution).replace("-", "_")


def major_of(version: str) -> str:
    """The module of a version's major: `v2`. Versions of one major replace each other, majors live side by side."""
    return f"v{versions.parse(version).major}"


def code_distribution(base: str, version: str) -> str:
    """The distribution that has the code of a version's major: `billing-order-placed-v2`."""
    return f"{base}-{major_of(version)}"


def contract_module(contract: str, base: str) -> str:
    """What a contract's module is called among those of its service: its name without the service's.

    Where that gives no name that Python can import, it is the module of its package.
    """
    name = _ascii(contract.rpartition("/")[2]).replace("-", "_")
    return name if name.isidentifier() and not keyword.iskeyword(name) else module_of(base)


def pep440(version: str) -> str:
    """The PEP 440 form of a semantic version: `2.0.0-rc.1` is `2.0.0rc1`, `2.0.0-alpha` is `2.0.0a0`.

    alpha, beta and rc are ordered alike in both. Build metadata becomes a local version (PEP 440, "Local version
    identifiers"), which most public indexes refuse.

    Raises:
        InvalidVersion: it is no semantic version.
        VersionNotPackageable: its pre-release has no such form.
    """
    parsed = versions.parse(version)
    form = f"{parsed.major}.{parsed.minor}.{parsed.patch}"
    if parsed.prerelease is not None:
        match = _PRERELEASE.fullmatch(parsed.prerelease)
        if match is None:
            raise VersionNotPackageable(
                f"{version!r} has no PEP 440 form, so no installer could order it: a pre-release that is packaged is "
                "-alpha.N, -beta.N, -rc.N or -dev.N"
            )
        form += f"{_PHASE[match[1]]}{int(match[2] or 0)}"
    return f"{form}+{parsed.build.lower().replace('-', '.')}" if parsed.build is not None else form


def class_name(name: str) -> str:
    """A class name from any text: `order-placed` → `OrderPlaced`.

    Raises:
        InvalidName: it has neither letter nor digit of ASCII.
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[A-Z]", _ascii(name, keep_case=True))
    if not words:
        raise InvalidName(f"no class name can be made of {name!r}: it has no letter or digit of ASCII", name=name)
    joined = "".join(word[:1].upper() + word[1:] for word in words)
    if joined[0].isdigit():
        joined = f"The{joined}"
    return f"{joined}Message" if keyword.iskeyword(joined) or joined in TAKEN else joined


def _ascii(text: str, *, keep_case: bool = False) -> str:
    """The letters and digits of a text, accents dropped, everything else as single hyphens."""
    plain = unicodedata.normalize("NFKD", text)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")
    return plain if keep_case else plain.lower()
