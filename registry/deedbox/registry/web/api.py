"""`/api/v1`: services, contracts, versions, the gate, links, deployments and the audit feed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from deedbox.registry.errors import InvalidName, InvalidRequest, NotFound
from deedbox.registry.services import Services
from deedbox.registry.services.browsing.views import entry_view
from deedbox.registry.services.catalogue import number_cursor
from deedbox.registry.services.names import check_name, contract_name, split_contract
from deedbox.registry.web import bodies, models, render
from deedbox.registry.web.problems import MEDIA_TYPE
from deedbox.registry.web.replies import Replies, if_match, only_new, reply
from flask import Response, current_app, request
from flask_openapi import APIBlueprint, OpenAPI, Tag
from flask_openapi.models import Schema
from pydantic import BaseModel
from werkzeug.exceptions import MethodNotAllowed

PREFIX = "/api/v1"
_CONTRACT = "/contracts/<service>/<name>"
_VERSIONS = f"{_CONTRACT}/versions"

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def problems_of(*statuses: int) -> dict[str | int | HTTPStatus, Any]:
    """The problems that a route may answer with, for the OpenAPI document."""
    return {status: dict(_PROBLEM) for status in statuses}


def body_of(model: str) -> dict[str, Any]:
    """A JSON body of a model that `describe` adds, for the OpenAPI document."""
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}}


def actor() -> str:
    """Who writes, as the request says."""
    name = "".join(c if c.isprintable() else " " for c in request.headers.get("Deedbox-Actor", "")).strip()
    return name[:200] or "anonymous"


def blueprint(services: Services, replies: Replies) -> APIBlueprint:
    """The routes over these services."""
    api = APIBlueprint("api", __name__, url_prefix=PREFIX, abp_responses=problems_of(422, 503))
    _services(api, services, replies)
    _contracts(api, services, replies)
    _writing(api, services)
    _links(api, services, replies)
    _deployments(api, services)
    return api


def _services(api: APIBlueprint, services: Services, replies: Replies) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="services", description="Who publishes")]

    @api.get("/services", tags=tag, responses={200: models.ServicesPage})
    def list_services(query: models.ListQuery) -> Response:
        """Services, by name."""

        def make() -> Any:
            page = services.catalogue.services(query.after or "", query.limit)
            return render.page([render.service(view) for view in page.items], page)

        return replies.read(make)

    @api.get("/services/<service>", tags=tag, responses={200: models.ServiceReply, **problems_of(404)})
    def get_service(path: models.ServicePath) -> Response:
        """One service. Its ETag is what `If-Match` takes."""
        states: list[int] = []

        def make() -> Any:
            view = services.catalogue.service(check_name(path.service, "service"))
            states.append(view.described[0].seq if view.described else 0)
            return render.service(view)

        return replies.read(make, lambda: states[0])

    @api.put(
        "/services/<service>",
        tags=tag,
        request_body=body_of("ServiceBody"),
        responses={200: models.ServiceReply, 201: models.ServiceReply, **problems_of(400, 412)},
    )
    def put_service(path: models.ServicePath) -> Response:
        """Says whose a service is. `If-Match` is needed where that was said before."""
        body = bodies.fields("owner", "description")
        owner = body.required("owner", lambda name: body.text(name, 200))
        view, created = services.deployments.describe_service(
            path.service, owner, body.text("description", 10_000) or "", actor(), if_match()
        )
        where = {"Location": f"{PREFIX}/services/{path.service}"} if created else {}
        return reply(render.service(view), 201 if created else 200, **where)


def _contracts(api: APIBlueprint, services: Services, replies: Replies) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="contracts", description="What is registered")]
    catalogue = services.catalogue

    @api.get("/contracts", tags=tag, responses={200: models.ContractsPage})
    def list_contracts(query: models.ContractsQuery) -> Response:
        """Contracts, by name."""

        def make() -> Any:
            page = catalogue.contracts(
                query.after or "",
                query.limit,
                service=query.service,
                role=query.role,
                kind=query.kind,
                channel=query.channel,
                message=query.message,
            )
            return render.page([render.contract(view) for view in page.items], page)

        return replies.read(make)

    @api.get(_CONTRACT, tags=tag, responses={200: models.ContractReply, **problems_of(404)})
    def get_contract(path: models.ContractPath) -> Response:
        """One contract. Its ETag is what `If-Match` takes when a version is published."""
        states: list[int] = []

        def make() -> Any:
            view = catalogue.contract(contract_name(path.service, path.name))
            states.append(view.state)
            return render.contract(view)

        return replies.read(make, lambda: states[0])

    @api.get(_VERSIONS, tags=tag, responses={200: models.VersionsPage, **problems_of(400, 404)})
    def list_versions(path: models.ContractPath, query: models.ListQuery) -> Response:
        """Versions of a contract, in the order of their publication."""

        def make() -> Any:
            after = number_cursor(query.after or "0")
            page = catalogue.versions(contract_name(path.service, path.name), after, query.limit)
            return render.page([render.publication(version) for version in page.items], page)

        return replies.read(make)

    @api.get(f"{_VERSIONS}/<version>", tags=tag, responses={200: models.PublicationReply, **problems_of(404)})
    def get_version(path: models.VersionPath) -> Response:
        """One version, or the latest: the greatest unretired release."""
        return replies.read(
            lambda: render.publication(catalogue.version(contract_name(path.service, path.name), path.version))
        )

    @api.get(
        f"{_VERSIONS}/<version>/schema",
        tags=tag,
        responses={
            200: {"content": {"application/schema+json": {"schema": {}}, "application/yaml": {"schema": {}}}},
            **problems_of(404),
        },
    )
    def get_source(path: models.VersionPath) -> Response:
        """The document of a version, exactly as it was published."""

        def make() -> tuple[bytes, str]:
            source = catalogue.source(contract_name(path.service, path.name), path.version)
            return source.text.encode(), source.media_type

        return replies.read_text(make) if path.version == "latest" else replies.immutable(make)

    @api.get(
        "/schemas/<digest>",
        tags=tag,
        responses={200: {"content": {"application/json": {"schema": {}}}}, **problems_of(404)},
    )
    def get_schema(path: models.DigestPath) -> Response:
        """A schema by its digest, in canonical form."""
        return replies.immutable(lambda: (catalogue.schema(path.digest).canonical.encode(), "application/json"))

    @api.get(
        f"{_CONTRACT}/compare/<old>...<new>",
        tags=tag,
        responses={200: models.ComparisonReply, **problems_of(404)},
    )
    def compare_versions(path: models.SpanPath, query: models.CompareQuery) -> Response:
        """What changed from one version to another, for a role."""
        contract = contract_name(path.service, path.name)
        own_role, comparison = catalogue.compare(contract, path.old, path.new, query.content_model)
        role: Any = query.role or own_role
        return reply(comparison.as_dict(role))

    @api.route("/contracts/<path:rest>", methods=["GET", "POST", "PUT", "DELETE"])
    def wrong_name(rest: str) -> Response:
        parts = rest.split("/")
        if len(parts) > 2 and parts[2] not in ("versions", "compare"):
            raise InvalidName(f"{ascii(rest)[:120]} is not SERVICE/NAME: neither holds a slash", allowed="SERVICE/NAME")
        methods = _other_methods()
        if methods:
            raise MethodNotAllowed(methods)
        raise NotFound(f"{ascii(request.path)[:200]} leads nowhere: /api/v1/docs lists what there is")


def _other_methods() -> list[str]:
    """The methods by which this path leads elsewhere than to where this request was led."""
    adapter = current_app.create_url_adapter(request)
    assert adapter is not None, "there is a request"
    return [m for m in ("GET", "POST", "PUT") if adapter.match(method=m)[0] != request.endpoint]


def _writing(api: APIBlueprint, services: Services) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="gate", description="Publishing, retiring, and asking beforehand")]
    publishing = services.publishing

    @api.post(
        _VERSIONS,
        tags=tag,
        request_body=body_of("PublishBody"),
        responses={201: models.PublishedReply, 200: models.PublishedReply, **problems_of(400, 409, 412, 413)},
    )
    def publish(path: models.ContractPath) -> Response:
        """Publishes a version, if the gate allows it. The same content under the same version is answered with 200."""
        proposal = bodies.proposal(contract_name(path.service, path.name))
        made = publishing.publish(proposal, actor(), if_match=if_match(), only_new=only_new())
        row = made.version.row
        where = f"{PREFIX}/contracts/{row.contract}/versions/{row.version}"
        return reply(render.published(made), 201 if made.created else 200, Location=where)

    @api.post(
        f"{_VERSIONS}/<version>/retirement",
        tags=tag,
        request_body=body_of("RetirementBody"),
        responses={201: models.PublicationReply, 200: models.PublicationReply, **problems_of(400, 404)},
    )
    def retire(path: models.OneVersionPath) -> Response:
        """Retires a version: it stays readable, and is no longer live."""
        body = bodies.fields("reason")
        reason = body.required("reason", lambda name: body.text(name, 10_000) or None)
        contract = contract_name(path.service, path.name)
        version, created = publishing.retire(contract, path.version, reason, actor())
        return reply(render.publication(version), 201 if created else 200)

    @api.post(
        "/check",
        tags=tag,
        request_body=body_of("CheckBody"),
        responses={200: models.ChecksReply, **problems_of(400, 413)},
    )
    def check() -> Response:
        """What the gate would say to each of these versions. Publishes nothing."""
        results = publishing.check(bodies.proposals())
        answers = [result.allowed for result in results]
        allowed = False if False in answers else None if None in answers else True
        return reply({"allowed": allowed, "results": [result.as_dict() for result in results]})


def _links(api: APIBlueprint, services: Services, replies: Replies) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="links", description="Who reads what whom writes, and the audit feed")]
    catalogue = services.catalogue

    @api.get("/links", tags=tag, responses={200: models.LinksPage, **problems_of(404)})
    def list_links(query: models.LinksQuery) -> Response:
        """Links between live versions: does each consumer read all that its producers write?"""
        if query.contract is not None:
            split_contract(query.contract)
        page = catalogue.links(query.contract, query.status, query.after or "", query.limit)
        return reply(render.page([link.as_dict() for link in page.items], page))

    @api.get(f"{_CONTRACT}/impact", tags=tag, responses={200: models.ImpactReply, **problems_of(404)})
    def get_impact(path: models.ContractPath, query: models.ImpactQuery) -> Response:
        """Whom a field reaches, and what its removal would break."""
        return reply(services.browsing.lives.impact(contract_name(path.service, path.name), query.pointer))

    @api.get("/events", tags=tag, responses={200: models.EventsPage, **problems_of(400)})
    def list_events(query: models.ListQuery) -> Response:
        """The audit feed: every recorded fact, in the order of its recording."""

        def make() -> Any:
            page = catalogue.events(number_cursor(query.after or "0"), query.limit)
            return render.page([entry_view(entry) for entry in page.items], page)

        return replies.read(make)


def _deployments(api: APIBlueprint, services: Services) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="deployments", description="What runs where")]
    deployments = services.deployments

    @api.put(
        "/deployments/<id>",
        tags=tag,
        request_body=body_of("DeploymentBody"),
        responses={201: models.DeploymentReply, 200: models.DeploymentReply, **problems_of(400, 404, 409)},
    )
    def put_deployment(path: models.DeploymentPath) -> Response:
        """Records what an environment runs now. The same id with the same content is answered with 200."""
        body = bodies.fields("environment", "service", "service_version", "contracts")
        view = deployments.record(
            path.id,
            body.required("environment", body.text),
            body.required("service", body.text),
            body.required("service_version", lambda name: body.text(name, 200)),
            body.mapping("contracts"),
            actor(),
        )
        return reply(render.deployment(view), 201 if view.created else 200)

    @api.get("/deployments", tags=tag, responses={200: models.DeploymentsPage})
    def list_deployments(query: models.DeploymentsQuery) -> Response:
        """What runs now."""
        views = deployments.current(query.environment)
        return reply({"items": [render.deployment(view) for view in views], "next": None})

    @api.get("/can-i-deploy", tags=tag, responses={200: models.CanDeployReply, **problems_of(404)})
    def can_deploy(query: models.CanDeployQuery) -> Response:
        """Whether a service's contracts fit what else runs in an environment."""
        contracts = {}
        for item in query.contracts:
            name, equals, version = item.partition("=")
            if not equals:
                raise InvalidRequest(f"contracts={ascii(item)[:80]}: write NAME=VERSION", pointer="/contracts")
            contracts[name] = version
        answer = deployments.can_deploy(query.service, query.environment, contracts)
        return reply({"allowed": answer.allowed, "links": [link.as_dict() for link in answer.links]})


def describe(app: OpenAPI, model: type[BaseModel]) -> None:
    """Adds a body that is parsed by `bodies` to the OpenAPI document."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        app.components_schemas[name] = Schema(**definition)
    app.components_schemas[model.__name__] = Schema(**schema)
