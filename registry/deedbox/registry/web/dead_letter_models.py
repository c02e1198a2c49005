"""What reports of dead letters, replay orders, and the replies about them look like."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from deedbox.registry.storage.dead_letters import SAMPLES
from deedbox.registry.storage.replay_orders import STATES
from deedbox.registry.web.field_types import (
    PRINTABLE,
    Cluster,
    Count,
    Label,
    Offset,
    Partition,
    Place,
    Strict,
    Time,
    Topic,
    TopicId,
    Version,
)
from deedbox.registry.web.models import ListQuery
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

_Fingerprint = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE)]
_Contract = Annotated[str, StringConstraints(max_length=201, pattern=PRINTABLE)]
_Origin = Annotated[str, StringConstraints(max_length=249, pattern=PRINTABLE)]
_Reason = Annotated[str, StringConstraints(max_length=2_000, pattern=PRINTABLE)]
_Short = Annotated[str, StringConstraints(max_length=1_000, pattern=PRINTABLE)]
_Content = Annotated[str, StringConstraints(max_length=4_096, pattern=PRINTABLE)]
_Worker = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=PRINTABLE)]
_Letters = Annotated[int, Field(ge=0, lt=1 << 31)]


def _shown(**example: Any) -> ConfigDict:
    """What shows an example of a body in the API's documentation."""
    return ConfigDict(json_schema_extra={"examples": [example]})


_UNSHOWN = ConfigDict(json_schema_extra=None)
"""Of replies that have more than the body whose example they would take over."""


class ReadRangeBody(Strict):
    """Offsets `start` to below `end` of a partition of the dead-letter topic, all of which were read."""

    partition: Partition
    start: Offset
    end: Offset


class ReadSampleBody(Strict):
    """A letter. Its value is sent only where the worker was told to: it may hold personal data."""

    partition: Partition
    offset: Offset
    at: Time | None = None
    origin_partition: Partition | None = None
    origin_offset: Offset | None = None
    key: _Content | None = None
    value: _Content | None = None
    truncated: bool = False


class ReadGroupBody(Strict):
    """Letters of the ranges with one fingerprint, judged as one version, from one topic."""

    fingerprint: _Fingerprint
    contract: _Contract = ""
    version: Version = ""
    rule: Label
    pointer: Place = ""
    reason: _Reason = ""
    origin: _Origin = Field("", description="The topic that they came from")
    count: Count
    replayed: Count = Field(0, description="How many of them had been replayed before, and failed again")
    first_at: Time | None = Field(None, description="When the first of them was sent, in milliseconds since 1970")
    last_at: Time | None = None
    samples: list[ReadSampleBody] = Field(default_factory=list, max_length=SAMPLES, description="Newest first")


class DeadLetterReportBody(Strict):
    """What a worker read of a dead-letter topic."""

    model_config = _shown(
        cluster="MkU3OEVBNTcwNTJENDM2Qk",
        topic="orders.dlt",
        ranges=[{"partition": 0, "start": 10, "end": 25}],
        groups=[
            {
                "fingerprint": "3f9a1c02b7de",
                "contract": "billing/order-placed",
                "version": "1.0.0",
                "rule": "type",
                "pointer": "/amount",
                "reason": "12 is not of type 'string'",
                "origin": "orders",
                "count": 7,
                "first_at": 1764000000000,
                "last_at": 1764000360000,
                "samples": [
                    {
                        "partition": 0,
                        "offset": 24,
                        "at": 1764000360000,
                        "origin_partition": 1,
                        "origin_offset": 99,
                        "key": "AB-104417",
                        "value": '{"amount": 12}',
                    }
                ],
            }
        ],
    )

    cluster: Cluster = Field(description="Kafka's cluster id")
    topic: Topic
    topic_id: TopicId = Field("", description="Kafka's UUID of it, which another topic of the same name has not")
    ranges: list[ReadRangeBody] = Field(
        min_length=1, max_length=10_000, description="Each begins at the position of its partition, or behind it"
    )
    groups: list[ReadGroupBody] = Field(default_factory=list, max_length=500)


class ReportPath(BaseModel):
    """A report, by the id its client gave it."""

    id: str = Field(description="A UUID, made by the client")


class ReportReply(BaseModel):
    """A recorded report."""

    id: str
    number: int
    at: str
    by: str


class PositionsQuery(BaseModel):
    """Of which dead-letter topic."""

    cluster: str
    topic: str
    topic_id: str = ""


class PositionReply(BaseModel):
    """The offset from which on nothing of a partition was reported."""

    partition: int
    next: int


class PositionsPage(BaseModel):
    """Positions by partition. A partition that is not there was never reported."""

    items: list[PositionReply]
    next: None


class LettersQuery(ListQuery):
    """Which letters."""

    topic: str | None = Field(None, description="The dead-letter topic")
    contract: str | None = Field(None, description="What they were judged as, `service/name`")


class SampleReply(BaseModel):
    """One of the newest letters of a group."""

    partition: int
    offset: int
    at: int | None
    version: str
    origin: str
    origin_partition: int | None
    origin_offset: int | None
    key: str | None
    value: str | None
    truncated: bool


class GroupReply(BaseModel):
    """Letters of one fingerprint. What is wrong is as the newest report says it."""

    cluster: str
    topic: str
    fingerprint: str
    contract: str
    versions: list[str]
    rule: str
    pointer: str
    reason: str
    origins: list[str]
    count: int
    replayed: int
    first_at: int | None
    last_at: int | None
    samples: list[SampleReply]


class GroupsPage(BaseModel):
    """Groups, those that were reported last first."""

    items: list[GroupReply]
    next: str | None


class OrderBody(Strict):
    """Which letters are to be sent again."""

    model_config = _shown(
        id="1c7b6a52-6f0e-4a55-9c1f-5be0a4c1f301",
        cluster="MkU3OEVBNTcwNTJENDM2Qk",
        topic="orders.dlt",
        fingerprint="3f9a1c02b7de",
    )

    id: str = Field(description="A UUID, made by the client")
    cluster: Cluster
    topic: Topic
    fingerprint: _Fingerprint


class OrderPath(BaseModel):
    """An order."""

    id: str


class OrdersQuery(ListQuery):
    """Which orders."""

    state: list[str] = Field(
        default_factory=list, description=f"Repeated, any of {', '.join(STATES)}; all where there is none"
    )
    topic: str | None = Field(None, description="The dead-letter topic")
    cluster: str | None = None


class ExampleBody(Strict):
    """A letter that was not sent, or would not be, and why."""

    partition: Partition
    offset: Offset
    reason: _Short


class EndBody(Strict):
    """The offset before which the letters of a partition stood that the dry run read."""

    partition: Partition
    end: Offset


class ResultBody(Strict):
    """What came of a task. Of a dry run, `replayed` and `quarantined` are what would be."""

    model_config = _shown(
        worker="worker-1",
        read=7,
        replayed=4,
        quarantined=0,
        failing=3,
        skipped=0,
        examples=[{"partition": 0, "offset": 12, "reason": "type at /amount"}],
        ends=[{"partition": 0, "end": 25}],
    )

    worker: _Worker
    read: _Letters
    replayed: _Letters
    quarantined: _Letters
    failing: _Letters
    skipped: _Letters
    examples: list[ExampleBody] = Field(default_factory=list, max_length=20)
    ends: list[EndBody] = Field(default_factory=list, max_length=10_000)
    error: _Reason | None = Field(None, description="Why it did not come to its end")


class ResultReply(ResultBody):
    """A recorded result."""

    model_config = _UNSHOWN

    digest: str = Field(description="Of the whole result: what a confirmation names")
    at: str
    by: str


class ConfirmationBody(Strict):
    """What was seen of the dry run."""

    model_config = _shown(digest="9b74c9897bac770ffc029102a200c5de33c0c6bf4a3f4d0a8a4c3b2f1e0d9c8b")

    digest: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=PRINTABLE)]


class ConfirmationReply(ConfirmationBody):
    """A recorded confirmation."""

    model_config = _UNSHOWN

    at: str
    by: str


class CancellationBody(Strict):
    """Why nobody is to go on."""

    model_config = _shown(reason="the sender is mended first")

    reason: Annotated[str, StringConstraints(min_length=1, max_length=1_000, pattern=PRINTABLE)]


class CancellationReply(CancellationBody):
    """A recorded cancellation."""

    model_config = _UNSHOWN

    at: str
    by: str


class HeldReply(BaseModel):
    """Which worker has an order, for which task, and until when."""

    worker: str
    task: Literal["dry-run", "replay"]
    until: str


class OrderReply(OrderBody):
    """An order as it stands."""

    model_config = _UNSHOWN

    state: Literal["asked", "tried", "confirmed", "done", "cancelled", "failed"]
    at: str
    by: str
    trial: ResultReply | None
    confirmation: ConfirmationReply | None
    cancellation: CancellationReply | None
    outcome: ResultReply | None
    claim: HeldReply | None = Field(description="While its lease runs")


class OrdersPage(BaseModel):
    """Orders, in their order."""

    items: list[OrderReply]
    next: str | None


class ClaimBody(Strict):
    """Who takes an order, for how long."""

    model_config = _shown(worker="worker-1", seconds=60)

    worker: _Worker
    seconds: Annotated[int, Field(ge=1, le=3_600)] = 60


class ClaimReply(BaseModel):
    """What its worker is to do, and until when nobody else may take it."""

    order: OrderReply
    task: Literal["dry-run", "replay"]
    until: str


class TaskPath(OrderPath):
    """A task of an order."""

    task: Literal["dry-run", "replay"]
