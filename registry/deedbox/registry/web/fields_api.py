"""`/api/v1/fields`: the lives of obsolete fields, evidence about them, waivers, revocations, policies of channels."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal, TypeVar

from deedbox.checker.drain.evidence import Policy
from deedbox.registry.errors import InvalidRequest
from deedbox.registry.services import Services
from deedbox.registry.services.drains import FieldView, Submitted
from deedbox.registry.services.names import split_contract
from deedbox.registry.storage.drains import DrainEvidence
from deedbox.registry.web import api, bodies
from deedbox.registry.web.problems import unusable
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

# No null character: PostgreSQL keeps it in no text.
_PRINTABLE = r"^[^\x00]*$"
_Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=_PRINTABLE)]
_Topic = Annotated[str, StringConstraints(min_length=1, max_length=249, pattern=_PRINTABLE)]
_Group = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=_PRINTABLE)]
_MOST = 1 << 62
_Model = TypeVar("_Model", bound=BaseModel)


class FieldQuery(BaseModel):
    """A field: a contract that marks it, and where it stands in a message."""

    contract: str = Field(description="`service/name`")
    pointer: str = Field(description="JSON pointer into a message; `*` stands for the items of an array")


class FieldsQuery(BaseModel):
    """Which fields."""

    contract: str | None = Field(None, description="Only those that this contract marks")


class EvidencePath(BaseModel):
    """Evidence by its id."""

    id: str


class ChannelPath(BaseModel):
    """A channel."""

    channel: str


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EvidenceBody(_Strict):
    """A reading of a cluster, as `deedbox drain` sends it; its shape is that of the evidence it becomes."""

    contract: _Text
    pointer: str = Field(max_length=500)
    reading: dict[str, Any]


class WaiverBody(_Strict):
    """A consumer or a group that is left out of account for one field."""

    contract: _Text
    pointer: str = Field(max_length=500)
    waived: _Group = Field(description="A consumer, `service/name`, or a consumer group")
    reason: _Text
    until: date | None = Field(None, description="The last day on which it holds")


class RevocationBody(_Strict):
    """Why a proof no longer holds."""

    reason: _Text


class PolicyBody(_Strict):
    """How the fields of a channel drain."""

    grace_seconds: int = Field(3600, ge=0, le=366 * 86_400)
    opens_at: Literal["gone", "consumed"] = "gone"
    copies: list[_Topic] = Field([], max_length=100, description="Topics that hold copies of its records")
    overdue_days: int = Field(90, ge=0, le=36_500)


class FieldReply(BaseModel):
    """An obsolete field: its state, who may write it, who reads it, the newest evidence and what it claims."""

    contract: str
    pointer: str
    state: str
    marked_in: str
    marked_at: int
    stopped_at: int | None
    dropped_at: int | None
    overdue: bool
    channels: list[str]
    producers: list[dict[str, Any]]
    consumers: list[dict[str, Any]]
    policy: dict[str, Any]
    evidence: str | None
    digest: str | None
    revoked: str | None
    claim: dict[str, Any] | None


class FieldsReply(BaseModel):
    """Obsolete fields, by contract and pointer."""

    items: list[FieldReply]
    next: str | None


class EvidenceReply(BaseModel):
    """Recorded evidence and the claim it allows."""

    id: str
    seq: int
    digest: str
    claim: dict[str, Any]


class WholeEvidenceReply(EvidenceReply):
    """Recorded evidence in full: the claim can be made again from it."""

    at: str
    by: str
    evidence: dict[str, Any]


class RevocationReply(BaseModel):
    """A proof that no longer holds, by the id of its evidence."""

    id: str
    revoked: Literal[True]


def blueprint(services: Services) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("fields", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    tag: list[Tag | dict[str, Any]] = [Tag(name="fields", description="The lives of obsolete fields")]
    drains = services.drains

    @routes.get("/fields", tags=tag, responses={200: FieldsReply})
    def list_fields(query: FieldsQuery) -> Response:
        """Obsolete fields and their states."""
        if query.contract is not None:
            split_contract(query.contract)
        return reply({"items": [_field(view) for view in drains.fields(query.contract)], "next": None})

    @routes.get("/fields/one", tags=tag, responses={200: FieldReply, **api.problems_of(404)})
    def get_field(query: FieldQuery) -> Response:
        """One obsolete field."""
        return reply(_field(drains.field(query.contract, query.pointer)))

    @routes.post(
        "/fields/evidence",
        tags=tag,
        request_body=api.body_of("EvidenceBody"),
        responses={201: EvidenceReply, 200: EvidenceReply, **api.problems_of(400, 404, 409, 413)},
    )
    def record() -> Response:
        """Records a reading of a cluster, with all that the registry knows; answers with the claim it allows."""
        body = _body(EvidenceBody)
        row, created = drains.record(body.contract, body.pointer, _reading(body.reading), api.actor())
        where = {"Location": f"{api.PREFIX}/fields/evidence/{row.uuid}"}
        return reply(_evidence(row), 201 if created else 200, **where)

    @routes.get("/fields/evidence/<id>", tags=tag, responses={200: WholeEvidenceReply, **api.problems_of(404)})
    def get_evidence(path: EvidencePath) -> Response:
        """Recorded evidence in full."""
        row, at, by = drains.evidence(path.id)
        return reply({**_evidence(row), "at": at, "by": by, "evidence": json.loads(row.evidence)})

    @routes.post(
        "/fields/evidence/<id>/revocation",
        tags=tag,
        request_body=api.body_of("RevocationBody"),
        responses={201: RevocationReply, 200: RevocationReply, **api.problems_of(400, 404)},
    )
    def revoke(path: EvidencePath) -> Response:
        """Says that a proof no longer holds."""
        created = drains.revoke(path.id, _body(RevocationBody).reason, api.actor())
        return reply({"id": path.id, "revoked": True}, 201 if created else 200)

    @routes.post(
        "/fields/waivers",
        tags=tag,
        request_body=api.body_of("WaiverBody"),
        responses={201: WaiverBody, **api.problems_of(400, 404)},
    )
    def waive() -> Response:
        """Leaves a consumer or a group out of account for one field, in writing."""
        body = _body(WaiverBody)
        drains.waive(body.contract, body.pointer, body.waived, body.reason, body.until, api.actor())
        return reply(body.model_dump(mode="json"), 201)

    @routes.post("/fields/reminders", tags=tag, responses={200: FieldsReply})
    def remind() -> Response:
        """Says once, in the feed, of each field that is obsolete for longer than its policy; answers with all of them."""
        return reply({"items": [_field(view) for view in drains.remind(api.actor())], "next": None})

    @routes.put(
        "/channels/<channel>/policy",
        tags=tag,
        request_body=api.body_of("PolicyBody"),
        responses={200: PolicyBody, **api.problems_of(400)},
    )
    def put_policy(path: ChannelPath) -> Response:
        """Says how the fields of a channel drain."""
        body = _body(PolicyBody)
        policy = Policy(body.grace_seconds * 1000, body.opens_at, tuple(body.copies), body.overdue_days * 86_400_000)
        drains.set_policy(path.channel, policy, api.actor())
        return reply(body.model_dump(mode="json"))

    return routes


def describe(app: OpenAPI) -> None:
    """Adds the bodies to the OpenAPI document."""
    for model in (EvidenceBody, WaiverBody, RevocationBody, PolicyBody):
        api.describe(app, model)


def _body(model: type[_Model]) -> _Model:
    text = bodies.body_text()
    bodies.Members(text, "")  # says where it is no JSON object, as for every other body
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _unusable(error, "") from None


_SUBMITTED = TypeAdapter(Submitted)


def _reading(value: dict[str, Any]) -> Submitted:
    _bounded(value)
    try:
        return _SUBMITTED.validate_python(value)
    except ValidationError as error:
        raise _unusable(error, "/reading") from None


def _unusable(error: ValidationError, at: str) -> InvalidRequest:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    pointer = at + "".join(f"/{step}" for step in first["loc"])
    return unusable(first["msg"][:1].lower() + first["msg"][1:], pointer)


def _bounded(value: Any, at: str = "/reading") -> None:
    """Refuses what no database keeps: numbers of more than 63 bits, and the null character."""
    pending = [(at, value)]
    while pending:
        place, item = pending.pop()
        if isinstance(item, dict):
            pending += [(f"{place}/{key}", below) for key, below in item.items()]
        elif isinstance(item, list):
            pending += [(f"{place}/{n}", below) for n, below in enumerate(item)]
        elif isinstance(item, str) and ("\x00" in item or len(item) > 1_000):
            raise unusable("a text of at most 1,000 characters, none of them null", place)
        elif isinstance(item, int) and not -_MOST < item < _MOST:
            raise unusable("a number of at most 62 bits", place)


def _evidence(row: DrainEvidence) -> dict[str, Any]:
    return {"id": row.uuid, "seq": row.seq, "digest": row.digest, "claim": row.claim}


def _field(view: FieldView) -> dict[str, Any]:
    life, row = view.life, view.row
    return {
        "contract": life.contract,
        "pointer": life.pointer,
        "state": view.state,
        "marked_in": life.marked_in,
        "marked_at": life.marked_at,
        "stopped_at": life.stopped_at,
        "dropped_at": life.dropped_at,
        "overdue": view.overdue,
        "channels": list(life.channels),
        "producers": [asdict(writer) for writer in life.producers],
        "consumers": [asdict(reader) for reader in life.consumers],
        "policy": asdict(life.policy),
        "evidence": row.uuid if row is not None else None,
        "digest": row.digest if row is not None else None,
        "revoked": view.revoked,
        "claim": row.claim if row is not None else None,
    }
