"""`/api/v1/replay-orders`: asking for dead letters to be sent again, and carrying it out."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services import Services
from deedbox.registry.services.browsing.dead_letters import order_view
from deedbox.registry.services.catalogue import number_cursor
from deedbox.registry.services.replay_orders import COUNTS, Result, Written
from deedbox.registry.web import api, bodies, render
from deedbox.registry.web.dead_letter_models import (
    CancellationBody,
    ClaimBody,
    ClaimReply,
    ConfirmationBody,
    OrderBody,
    OrderPath,
    OrderReply,
    OrdersPage,
    OrdersQuery,
    ResultBody,
    TaskPath,
)
from deedbox.registry.web.replies import reply
from flask import Response
from flask_openapi import APIBlueprint, OpenAPI, Tag

_ORDER = "/replay-orders/<id>"


def blueprint(services: Services) -> APIBlueprint:
    """The routes over these services."""
    routes = APIBlueprint("replay_orders", __name__, url_prefix=api.PREFIX, abp_responses=api.problems_of(422, 503))
    _asking(routes, services)
    _carrying_out(routes, services)
    return routes


def _asking(routes: APIBlueprint, services: Services) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="replay-orders", description="Dead letters that are to be sent again")]
    orders = services.replay_orders

    @routes.post(
        "/replay-orders",
        tags=tag,
        request_body=api.body_of("OrderBody"),
        responses={202: OrderReply, 200: OrderReply, **api.problems_of(400, 404, 409)},
    )
    def post_order() -> Response:
        """Orders the letters of a fingerprint to be sent again: on trial first. The same id is answered with 200."""
        body = bodies.strict(OrderBody)
        made = orders.order(body.id, body.cluster, body.topic, body.fingerprint, api.actor())
        where = f"{api.PREFIX}/replay-orders/{made.record.order.uuid}"
        return reply(order_view(made.record), 202 if made.created else 200, Location=where)

    @routes.get("/replay-orders", tags=tag, responses={200: OrdersPage, **api.problems_of(400)})
    def list_orders(query: OrdersQuery) -> Response:
        """Orders, in their order."""
        page = orders.orders(
            states=tuple(query.state),
            topic=query.topic,
            cluster=query.cluster,
            after=number_cursor(query.after or "0"),
            limit=query.limit,
        )
        return reply(render.page([order_view(record) for record in page.items], page))

    @routes.get(_ORDER, tags=tag, responses={200: OrderReply, **api.problems_of(404)})
    def get_order(path: OrderPath) -> Response:
        """An order as it stands."""
        return reply(order_view(orders.get(path.id)))

    @routes.post(
        f"{_ORDER}/confirmation",
        tags=tag,
        request_body=api.body_of("ConfirmationBody"),
        responses={201: OrderReply, 200: OrderReply, **api.problems_of(400, 404, 409, 412)},
    )
    def confirm(path: OrderPath) -> Response:
        """Says that what the dry run found is to be done. Its digest names what was seen."""
        return _written(orders.confirm(path.id, bodies.strict(ConfirmationBody).digest, api.actor()))

    @routes.post(
        f"{_ORDER}/cancellation",
        tags=tag,
        request_body=api.body_of("CancellationBody"),
        responses={201: OrderReply, 200: OrderReply, **api.problems_of(400, 404, 409)},
    )
    def cancel(path: OrderPath) -> Response:
        """Ends an order that is not done."""
        return _written(orders.cancel(path.id, bodies.strict(CancellationBody).reason, api.actor()))


def _carrying_out(routes: APIBlueprint, services: Services) -> None:
    tag: list[Tag | dict[str, Any]] = [Tag(name="replay-orders", description="Dead letters that are to be sent again")]
    orders = services.replay_orders

    @routes.post(
        f"{_ORDER}/claims",
        tags=tag,
        request_body=api.body_of("ClaimBody"),
        responses={200: ClaimReply, **api.problems_of(400, 404, 409)},
    )
    def claim(path: OrderPath) -> Response:
        """Takes an order for a while, or keeps it for longer."""
        body = bodies.strict(ClaimBody)
        taken = orders.claim(path.id, body.worker, body.seconds)
        return reply({"order": order_view(taken.record), "task": taken.task, "until": taken.until})

    @routes.put(
        f"{_ORDER}/results/<task>",
        tags=tag,
        request_body=api.body_of("ResultBody"),
        responses={201: OrderReply, 200: OrderReply, **api.problems_of(400, 404, 409)},
    )
    def put_result(path: TaskPath) -> Response:
        """Records what came of a task. The same content again is answered with 200."""
        body = bodies.strict(ResultBody)
        result = Result(
            worker=body.worker,
            **{name: getattr(body, name) for name in COUNTS},
            examples=tuple(example.model_dump() for example in body.examples),
            ends=tuple(end.model_dump() for end in body.ends),
            error=body.error,
        )
        return _written(orders.result(path.id, path.task, result, api.actor()))


def describe(app: OpenAPI) -> None:
    """Adds the bodies to the OpenAPI document."""
    for model in (OrderBody, ClaimBody, ResultBody, ConfirmationBody, CancellationBody):
        api.describe(app, model)


def _written(made: Written) -> Response:
    return reply(order_view(made.record), 201 if made.created else 200)
