"""What requests and replies look like, for the OpenAPI document. Replies are built by `render` and not validated here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Cursor = Field(None, description="`next` of the page before", max_length=2000)
Limit = Field(100, ge=1, le=1000, description="How many at most")


class ServicePath(BaseModel):
    """A service."""

    service: str


class ContractPath(BaseModel):
    """A contract: `service/name`."""

    service: str
    name: str


class VersionPath(ContractPath):
    """A version of a contract."""

    version: str = Field(description="A semantic version, or `latest`")


class OneVersionPath(ContractPath):
    """A version of a contract, by number."""

    version: str = Field(description="A semantic version")


class SpanPath(ContractPath):
    """Two versions of a contract."""

    old: str
    new: str


class DigestPath(BaseModel):
    """A schema by content."""

    digest: str = Field(description="SHA-256 of the canonical form, in hexadecimal")


class DeploymentPath(BaseModel):
    """A deployment, by the id its client gave it."""

    id: str = Field(description="A UUID, made by the client")


class ListQuery(BaseModel):
    """A stretch of a list."""

    limit: int = Limit
    after: str | None = Cursor


class ContractsQuery(ListQuery):
    """Which contracts."""

    service: str | None = None
    role: str | None = None
    kind: str | None = None
    channel: str | None = None
    message: str | None = Field(None, description="The name after the slash")


class LinksQuery(ListQuery):
    """Which links."""

    contract: str | None = Field(None, description="`service/name`: the links at either end of it")
    status: str | None = Field(None, description="`holds`, `broken` or `undecided`")


class ImpactQuery(BaseModel):
    """Which field."""

    pointer: str = Field(
        description="Its resolved pointer in the schema, `/properties/customer`, or its place in a message, `/customer`"
    )


class CompareQuery(BaseModel):
    """How to compare."""

    role: Literal["consumes", "produces", "provides", "both"] | None = Field(None, description="The contract's own")
    content_model: Literal["tolerant", "open", "closed"] | None = Field(None, description="The newer version's own")


class DeploymentsQuery(BaseModel):
    """Which deployments."""

    environment: str | None = None


class CanDeployQuery(BaseModel):
    """Whether what may be deployed where."""

    service: str
    environment: str
    contracts: list[str] = Field(
        default_factory=list, description="`name=version`, repeated; the latest of each contract where there is none"
    )


class Witness(BaseModel):
    """A message that proves a finding."""

    value: Any
    why: str


class Inclusion(BaseModel):
    """Whether all that one side may write can be read by the other."""

    holds: bool | None
    proof: str
    reason: str
    witness: Witness | None


class Finding(BaseModel):
    """One fact about a change."""

    rule: str
    kind: str
    pointer: str
    location: str
    level: str
    direction: str
    message: str
    witness: Witness | None
    fingerprint: str
    side: str


class ComparisonReply(BaseModel):
    """Two documents compared, as one role sees it."""

    verdict: Literal["breaking", "additive", "patch", "identical", "undecided"]
    bump: Literal["major", "minor", "patch", "none"] | None
    role: str
    content_model: str
    backward: Inclusion
    forward: Inclusion
    findings: list[Finding]


class LinkReply(BaseModel):
    """A producer's version and a consumer's on one channel."""

    producer: str
    producer_version: str
    consumer: str
    consumer_version: str
    channel: str
    holds: bool | None
    reason: str
    witness: Witness | None


class ImpactReply(BaseModel):
    """A field of a contract's latest version: whom it reaches, and what its removal would break.

    `verdict`, `bump`, `findings` and `links` are of the removal; they are null and empty where the field is no property
    that can be taken away by itself.
    """

    contract: str
    version: str
    role: str
    pointer: str = Field(description="The resolved pointer in the schema")
    place: str | None = Field(description="Where it stands in a message; null where no pointer says so")
    field: str
    type: str
    presence: str
    obsolete_since: str | None
    others: list[dict[str, Any]] = Field(
        description="Who on the other side declares it, and whether it is required there"
    )
    drains: list[dict[str, Any]] = Field(description="Its life as an obsolete field, and its state")
    verdict: str | None
    bump: str | None
    findings: list[dict[str, Any]]
    links: list[LinkReply] = Field(description="Each live link, as it would be")


class RefusalReply(BaseModel):
    """One reason for the gate's no."""

    code: str
    message: str
    findings: list[str] = Field(description="Fingerprints")


class DrainedReply(BaseModel):
    """An obsolete field that a version dropped, and the proof that it could go."""

    pointer: str = Field(description="Where it stood in a message")
    evidence: str = Field(description="Id of the evidence: `/api/v1/fields/evidence/{id}`")
    digest: str
    state: str
    as_of: int = Field(description="When it was so, in milliseconds since 1970")


class CheckReply(BaseModel):
    """The gate's answer."""

    contract: str
    role: str
    verdict: Literal["breaking", "additive", "patch", "identical", "undecided", "new"]
    bump: Literal["major", "minor", "patch", "none"] | None
    previous: str | None
    declared: str | None
    needed: str
    allowed: bool | None
    allowed_by: Literal["", "version", "accepted"]
    refusals: list[RefusalReply]
    drains: list[DrainedReply] = Field(description="Proofs by which obsolete fields may go")
    comparison: ComparisonReply | None
    links: list[LinkReply]


class PublicationReply(BaseModel):
    """One version of a contract."""

    contract: str
    service: str
    name: str
    version: str
    ordinal: int
    digest: str = Field(description="Of schema, role, kind, channels, of, content model, format and dialect")
    schema_digest: str
    schema_id: int = Field(description="What Confluent's clients write behind the byte 0x00")
    schema_guid: str = Field(description="What they write behind the byte 0x01")
    id: str | None
    role: str
    kind: str
    of: str | None
    channels: list[str]
    groups: list[str]
    content_model: str
    format: str
    dialect: str | None
    published_at: str
    by: str
    retired_at: str | None
    retired_reason: str | None
    live: bool
    bump: str | None
    package: str | None = Field(description="What the packages of the contract are called, if it has any")
    drains: list[DrainedReply] = Field(description="Obsolete fields that it dropped, each with its proof")


class PublishedReply(PublicationReply):
    """A version, and what the gate said when it was published."""

    check: CheckReply
    job: str | None = Field(description="The job that releases it as a package: /api/v1/jobs/{id}")


class ContractReply(BaseModel):
    """A contract, as its last version says it."""

    contract: str
    service: str
    name: str
    role: str
    kind: str
    of: str | None
    channels: list[str]
    groups: list[str]
    content_model: str
    format: str
    latest: PublicationReply | None
    versions: int


class ServiceReply(BaseModel):
    """A service."""

    service: str
    owner: str
    description: str
    described_at: str | None
    by: str | None


class EventReply(BaseModel):
    """One entry of the audit feed."""

    id: int
    at: str
    by: str
    kind: str
    subject: str
    data: dict[str, Any]


class DeploymentReply(BaseModel):
    """A deployment."""

    id: str
    environment: str
    service: str
    service_version: str
    contracts: dict[str, str]
    at: str
    by: str


class CanDeployReply(BaseModel):
    """Whether a service may be deployed."""

    allowed: bool | None
    links: list[LinkReply]


class ChecksReply(BaseModel):
    """The gate's answers. `allowed` is false where one is, else null where one is."""

    allowed: bool | None
    results: list[CheckReply]


class ServicesPage(BaseModel):
    """Services."""

    items: list[ServiceReply]
    next: str | None


class ContractsPage(BaseModel):
    """Contracts."""

    items: list[ContractReply]
    next: str | None


class VersionsPage(BaseModel):
    """Versions of a contract."""

    items: list[PublicationReply]
    next: str | None


class LinksPage(BaseModel):
    """Links."""

    items: list[LinkReply]
    next: str | None


class EventsPage(BaseModel):
    """The audit feed. `next` is always there: what happens next comes behind it."""

    items: list[EventReply]
    next: str


class DeploymentsPage(BaseModel):
    """What runs now."""

    items: list[DeploymentReply]
    next: None


class Problem(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str


class AcceptedBody(BaseModel):
    """A finding accepted by name."""

    fingerprint: str
    rule: str | None = None
    reason: str | None = None
    by: str | None = None
    until: str | None = Field(None, description="The last day it is accepted, as 2026-12-31")


class PublishBody(BaseModel):
    """A version to publish. What is left out is as in the version before."""

    document: Any = Field(alias="schema", description="The document: an object, a boolean, or its JSON or YAML text")
    version: str | None = Field(None, description="Worked out where it is not said")
    role: Literal["consumes", "produces", "provides"] | None = None
    kind: Literal["event", "command", "query", "api"] | None = None
    of: str | None = Field(None, description="The other side, `service/name`, where the name alone does not say")
    channels: list[str] | None = None
    groups: list[str] | None = None
    content_model: Literal["tolerant", "open", "closed"] | None = None
    format: Literal["json-schema"] | None = None
    dialect: Literal["draft4", "draft6", "draft7", "draft2019-09", "draft2020-12"] | None = None
    accepted: list[AcceptedBody] | None = None
    package: str | None = Field(
        None, description="Release the version as this package. Not as before where left out: each publication says it"
    )
    package_style: Literal["pydantic", "dataclass", "typeddict"] | None = Field(
        None, description="What the classes of the package are; pydantic where left out"
    )
    package_open_enums: bool | None = Field(
        None, description="Whether the package reads a value that an enum does not name as a fallback"
    )
    id: str | None = Field(None, description="A UUID, made by the client")


class CheckedBody(PublishBody):
    """A version to check."""

    contract: str = Field(description="`service/name`")


class CheckBody(BaseModel):
    """Versions to check."""

    contracts: list[CheckedBody] = Field(min_length=1)


class ServiceBody(BaseModel):
    """What is said of a service."""

    owner: str = Field(max_length=200)
    description: str = Field("", max_length=10_000)


class RetirementBody(BaseModel):
    """Why a version is retired."""

    reason: str = Field(min_length=1, max_length=10_000)


class DeploymentBody(BaseModel):
    """What an environment runs now."""

    environment: str
    service: str
    service_version: str = Field(max_length=200)
    contracts: dict[str, str] = Field(default_factory=dict, description="Version by contract name")
