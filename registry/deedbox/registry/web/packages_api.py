"""`/api/v1`: packages, the releases that make them, and jobs."""

from __future__ import annotations

from typing import Any, Literal, get_args

from deedbox.registry.services import Services
from deedbox.registry.services.jobs import state_of
from deedbox.registry.services.names import check_name, contract_name
from deedbox.registry.services.packages import Project
from deedbox.registry.services.releases import Wish
from deedbox.registry.storage.jobs import JobRecord
from deedbox.registry.storage.packages import IndexedFile
from deedbox.registry.web import api, bodies, models, render
from deedbox.registry.web.problems import unusable
from deedbox.registry.web.replies import Replies, reply
from flask import Response, url_for
from flask_openapi import APIBlueprint, OpenAPI, Tag
from pydantic import BaseModel, Field

_STYLE = Literal["pydantic", "dataclass", "typeddict"]


class PackagePath(BaseModel):
    """A package."""

    distribution: str = Field(description="Its name, however it is spelt")


class JobPath(BaseModel):
    """A job."""

    id: str = Field(description="A UUID")


class ReleaseBody(BaseModel):
    """How a version's package is wanted."""

    package: str | None = Field(
        None, description="Its name; where left out, the one it had, or one from the contract's"
    )
    style: _STYLE | None = Field(None, description="What the classes are; pydantic where left out")
    open_enums: bool | None = Field(None, description="Read a value that an enum does not name as a fallback")
    id: str | None = Field(None, description="A UUID for the job, made by the client")


class FileReply(BaseModel):
    """One file of a package."""

    filename: str
    version: str
    kind: Literal["wheel", "sdist"]
    url: str
    sha256: str
    size: int
    requires_python: str | None
    build: int = Field(description="The number of this build of the version; 0 for what was uploaded")
    contract: str | None
    contract_version: str | None
    recipe: dict[str, Any] | None = Field(description="What else the bytes depend on: generator, style, …")
    yanked: str | None = Field(description="Why nobody should install it any more; null where anybody may")
    uploaded_at: str
    by: str


class PackageReply(BaseModel):
    """A package."""

    distribution: str
    owner: str = Field(description="The contract or service whose it is, empty for what was uploaded")
    versions: list[str] = Field(description="In the order of PEP 440")
    latest: str | None = Field(description="What installers take by themselves")
    files: list[FileReply]


class PackagesPage(BaseModel):
    """Packages."""

    items: list[PackageReply]
    next: str | None


class AttemptReply(BaseModel):
    """One attempt at a job. A killed worker's has no `state`."""

    number: int
    worker: str
    started_at: str
    ended_at: str | None
    state: Literal["done", "retry", "failed"] | None
    code: str | None
    reason: str | None


class StepReply(BaseModel):
    """A step that is done."""

    name: str
    done_at: str
    attempt: int
    data: dict[str, Any]


class JobReply(BaseModel):
    """A job."""

    id: str
    kind: str
    subject: str
    state: Literal["waiting", "running", "done", "failed"]
    by: str
    created_at: str
    ready_at: str | None = Field(description="When a worker may take it next; null once it has ended")
    code: str | None = Field(description="Why it failed, for programs")
    reason: str | None = Field(description="Why it failed, or its last attempt did")
    attempts: list[AttemptReply]
    steps: list[StepReply]


def blueprint(services: Services, replies: Replies) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("packages_api", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    _packages(routes, services, replies)
    _jobs(routes, services)
    return routes


def describe(app: OpenAPI) -> None:
    """Adds the bodies to the OpenAPI document."""
    api.describe(app, ReleaseBody)


def _packages(routes: APIBlueprint, services: Services, replies: Replies) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="packages", description="What the package index has")]

    @routes.get("/packages", tags=tag, responses={200: PackagesPage})
    def list_packages(query: models.ListQuery) -> Response:
        """Packages, by name."""

        def make() -> Any:
            page = services.packages.projects(query.after or "", query.limit)
            return render.page([_package(project) for project in page.items], page)

        return replies.read(make)

    @routes.get("/packages/<distribution>", tags=tag, responses={200: PackageReply, **api.problems_of(404)})
    def get_package(path: PackagePath) -> Response:
        """One package and its files. Installers ask at `/simple/` instead."""
        return replies.read(lambda: _package(services.packages.project(path.distribution)))


def _jobs(routes: APIBlueprint, services: Services) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="jobs", description="Slow work: asked for, then asked after")]

    @routes.post(
        "/contracts/<service>/<name>/versions/<version>/packages",
        tags=tag,
        request_body={**api.body_of("ReleaseBody"), "required": False},
        responses={202: JobReply, **api.problems_of(400, 403, 404, 409)},
    )
    def release(path: models.OneVersionPath) -> Response:
        """Builds the package of a version and puts it on the index: the first, or a new build, or after a failure."""
        wish, id_ = _wish()
        contract = contract_name(path.service, path.name)
        record = services.releases.request(contract, path.version, wish, api.actor(), id_)
        return reply(_job(record), 202, Location=f"{api.PREFIX}/jobs/{record.job.id}")

    @routes.post("/services/<service>/packages", tags=tag, responses={202: JobReply, **api.problems_of(404)})
    def bundle(path: models.ServicePath) -> Response:
        """Bundles the packages of a service. That is done by itself after each release; this is for after a failure."""
        record = services.bundles.request(check_name(path.service, "service"), api.actor())
        return reply(_job(record), 202, Location=f"{api.PREFIX}/jobs/{record.job.id}")

    @routes.get("/jobs/<id>", tags=tag, responses={200: JobReply, **api.problems_of(404)})
    def get_job(path: JobPath) -> Response:
        """How a job stands. `Retry-After` says when to ask again where it has not ended."""
        record = services.jobs.job(path.id.lower())
        headers = {"Retry_After": "1"} if record.queued is not None else {}
        return reply(_job(record), 200, **headers)


def _wish() -> tuple[Wish, str | None]:
    body = bodies.fields("package", "style", "open_enums", "id", empty=True)
    style: Any = body.text("style") or "pydantic"
    if style not in get_args(_STYLE):
        raise unusable(f"must be one of {', '.join(get_args(_STYLE))}", "/style")
    open_enums = body.value("open_enums")
    if open_enums is not None and not isinstance(open_enums, bool):
        raise unusable("must be true or false", "/open_enums")
    return Wish(body.text("package"), style, bool(open_enums)), body.text("id")


def _package(project: Project) -> dict[str, Any]:
    return {
        "distribution": project.name,
        "owner": project.owner,
        "versions": list(project.versions),
        "latest": project.latest,
        "files": [_file(file) for file in project.files],
    }


def _file(file: IndexedFile) -> dict[str, Any]:
    row = file.row
    return {
        "filename": row.filename,
        "version": row.version,
        "kind": row.kind,
        "url": url_for("simple_file", project=row.project, filename=row.filename),
        "sha256": row.digest,
        "size": row.size,
        "requires_python": row.requires_python,
        "build": row.build,
        "contract": file.contract,
        "contract_version": file.contract_version,
        "recipe": row.recipe,
        "yanked": file.yanked,
        "uploaded_at": file.at,
        "by": file.by,
    }


def _job(record: JobRecord) -> dict[str, Any]:
    job, ended = record.job, {outcome.attempt: outcome for outcome in record.outcomes}
    last = record.outcomes[-1] if record.outcomes else None
    return {
        "id": job.id,
        "kind": job.kind,
        "subject": job.subject,
        "state": state_of(record),
        "by": job.by,
        "created_at": job.at,
        "ready_at": record.queued.ready_at if record.queued is not None else None,
        "code": (last.code or None) if last is not None else None,
        "reason": (last.reason or None) if last is not None else None,
        "attempts": [
            {
                "number": attempt.number,
                "worker": attempt.worker,
                "started_at": attempt.at,
                "ended_at": ended[attempt.number].at if attempt.number in ended else None,
                "state": ended[attempt.number].state if attempt.number in ended else None,
                "code": (ended[attempt.number].code or None) if attempt.number in ended else None,
                "reason": (ended[attempt.number].reason or None) if attempt.number in ended else None,
            }
            for attempt in record.attempts
        ],
        "steps": [
            {"name": step.name, "done_at": step.at, "attempt": step.attempt, "data": step.data} for step in record.steps
        ],
    }
