"""The values that go into code generation and come out of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Style: TypeAlias = Literal["pydantic", "dataclass", "typeddict"]
STYLES: tuple[Style, ...] = get_args(Style)


@dataclass(frozen=True, slots=True)
class PackageRequest:
    """One contract version, and how its package is wanted.

    Attributes:
        contract: `service/name`.
        version: its semantic version.
        document: the document, as bytes, text or a parsed JSON value.
        format: "json-schema", "openapi" or "asyncapi".
        dialect: for JSON Schema documents whose `$schema` is missing or unknown, as `compare` takes it.
        digest: SHA-256 of the publication, in hexadecimal; that of the document's canonical form where empty.
        distribution: the package's name, derived from the contract where None.
        prefix: what every distribution of this index starts with, such as "acme"; none where empty.
        style: what the classes are.
        open_enums: whether a value that an enum does not name becomes a fallback, and is no error.
        history: earlier versions of the contract, oldest first, as (version, document): they say since when a field is
            obsolete.
        removed: fields that this version dropped, each with what let it go: in words, for the package's README.
        description: one line about the contract.
        owner: who answers for it.
        build: the number of this build of the version, from 1. A rebuild is a new build and never replaces one.
    """

    contract: str
    version: str
    document: Any
    format: str = "json-schema"
    dialect: str | None = None
    digest: str = ""
    distribution: str | None = None
    prefix: str = ""
    style: Style = "pydantic"
    open_enums: bool = False
    history: tuple[tuple[str, Any], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    description: str = ""
    owner: str = ""
    build: int = 1


@dataclass(frozen=True, slots=True)
class Loosened:
    """A place that the classes hold as any value at all, because the generator could not say it without refusing valid
    messages. `pointer` leads to the subschema, `reason` is what was seen."""

    pointer: str
    reason: str


@dataclass(frozen=True, slots=True)
class NotEnforced:
    """A keyword that `validate()` enforces and the classes cannot: where, and in words."""

    pointer: str
    keyword: str
    message: str


@dataclass(frozen=True, slots=True)
class Fidelity:
    """How well the classes say what the schema says, measured when the package was built.

    Attributes:
        messages: valid messages tried: the document's examples and generated ones.
        accepted: how many of them the classes take.
        round_tripped: how many come out of `dump(parse(…))` equal to what went in.
        broken: messages tried that the schema rejects.
        rejected: how many of them the classes alone reject; `validate()` rejects all.
        loosened: places that the classes hold as any value.
        not_enforced: keywords that only `validate()` enforces.
    """

    messages: int = 0
    accepted: int = 0
    round_tripped: int = 0
    broken: int = 0
    rejected: int = 0
    loosened: tuple[Loosened, ...] = ()
    not_enforced: tuple[NotEnforced, ...] = ()

    @property
    def lossless(self) -> bool:
        """Whether every message tried came out as it went in."""
        return self.round_tripped == self.messages


@dataclass(frozen=True, slots=True)
class Obsolete:
    """A field or a class marked `deprecated: true`.

    Attributes:
        pointer: of the subschema, through no reference.
        name: the property's, or the class's.
        since: the first version of those known that marks it.
        reason: why, and what to use instead; empty where the document does not say.
    """

    pointer: str
    name: str
    since: str
    reason: str

    @property
    def sentence(self) -> str:
        """What a warning says."""
        return f"{self.name} is obsolete since {self.since}" + (f": {self.reason}" if self.reason else "")


@dataclass(frozen=True, slots=True)
class Package:
    """A package in memory.

    Attributes:
        files: path in the distribution → content. Empty where the package only names another (see `umbrella`).
        distribution: the name to install it by, normalised (PEP 503).
        version: its PEP 440 version.
        module: what to import: `billing_order_placed.v2`.
        classes: the class of each root: one for a JSON Schema, one a message or component elsewhere.
        requires: what it depends on, as PEP 508 requirements.
        summary, readme, owner: its metadata; the readme is Markdown.
        fidelity: what its classes were measured to do.
        obsolete: what is marked so in it.
        build: see `PackageRequest.build`.
        keywords: of its metadata.
    """

    files: Mapping[str, bytes]
    distribution: str
    version: str
    module: str
    classes: tuple[str, ...]
    requires: tuple[str, ...]
    summary: str
    readme: str
    owner: str
    fidelity: Fidelity
    obsolete: tuple[Obsolete, ...]
    build: int
    keywords: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wheel:
    """A built wheel: its file name, its bytes, and its `METADATA` as an index serves it apart (PEP 658)."""

    filename: str
    content: bytes = field(repr=False)
    metadata: bytes = field(repr=False)
    distribution: str
    version: str
    requires_python: str
    package: Package = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the wheel's bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def metadata_sha256(self) -> str:
        """Of the metadata's bytes, in hexadecimal."""
        return hashlib.sha256(self.metadata).hexdigest()
