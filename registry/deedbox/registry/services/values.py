"""What the use cases take and give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deedbox.checker.model import Comparison
from deedbox.checker.policy import Acceptance, LinkOutcome
from deedbox.registry.storage.queries import Version

if TYPE_CHECKING:
    from deedbox.codegen import Style

ROLES = ("consumes", "produces", "provides")
KINDS = ("event", "command", "query", "api")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version somebody would like to publish. None is "as before", or the default where there is no before.

    `source` is the document's text; `syntax` names it for messages and says how to read it (`schema.json`,
    `schema.yaml`, or `schema` to find out).
    """

    contract: str
    source: str
    syntax: str = "schema"
    version: str | None = None
    role: str | None = None
    kind: str | None = None
    of: str | None = None
    channels: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    content_model: str | None = None
    format: str | None = None
    dialect: str | None = None
    accepted: tuple[Acceptance, ...] = ()
    package: str | None = None
    """The distribution to release the version as; none where None, whatever was before."""
    package_style: Style = "pydantic"
    package_open_enums: bool = False
    uuid: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A proposal with everything said: what a publication would hold."""

    contract: str
    version: str | None
    role: str
    kind: str
    of: str | None
    channels: tuple[str, ...]
    groups: tuple[str, ...]
    content_model: str
    format: str
    dialect: str | None
    schema_digest: str
    canonical: str
    digest: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The gate's answer to a candidate. `answer` is JSON but for the comparison with the baseline."""

    contract: str
    role: str
    answer: dict[str, Any]
    comparison: Comparison | None
    links: tuple[LinkOutcome, ...]
    compared: tuple[str, str, str] | None = None
    """The verdict row of `comparison`."""

    @property
    def allowed(self) -> bool | None:
        """True, False, or None where the gate could not tell."""
        allowed = self.answer["allowed"]
        assert allowed is None or isinstance(allowed, bool)
        return allowed

    def as_dict(self) -> dict[str, Any]:
        """The result as the API shows it."""
        role: Any = self.role
        return {
            "contract": self.contract,
            "role": self.role,
            **self.answer,
            "comparison": None if self.comparison is None else self.comparison.as_dict(role),
            "links": [link.as_dict() for link in self.links],
        }


@dataclass(frozen=True, slots=True)
class Published:
    """A version, whether this call made it, whether it is live, and what the gate said when it was made.

    `package` is what the contract's packages are called, if it has any; `job` releases this version.
    """

    version: Version
    live: bool
    created: bool = False
    check: CheckResult | None = None
    package: str | None = None
    job: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list, and the cursor of the next one."""

    items: list[Any] = field(default_factory=list)
    next: str | None = None
