"""Dead letters: their kinds, each with samples, and the orders to send them again, which a worker carries out."""

from __future__ import annotations

from uuid import uuid4

from deedbox.registry.errors import NotFound, OrderOpen
from deedbox.registry.services.browsing.dead_letters import order_view
from deedbox.registry.services.names import check_channel
from deedbox.registry.web.pages import safety, words
from deedbox.registry.web.pages.base import Pages, View, number, posted, text
from deedbox.registry.web.replies import lead_to
from flask import Response, request

_ORDER = "/replay-orders/<id>"


def install(pages: Pages) -> None:
    """Adds the pages."""
    services, letters = pages.services, pages.services.browsing.letters

    @pages.page("/dead-letters", "dead_letters.html", "dead-letters")
    def board() -> View:
        """What is dead, by cause."""
        return View(letters.board(number("before", 0, 1 << 60) or None), settled=False)

    @pages.page("/dead-letters/<topic>/<path:fingerprint>", "dead_letter_group.html", "dead-letters")
    def group(topic: str, fingerprint: str) -> View:
        """One kind of dead letter, and the form that orders it to be tried."""
        if "\x00" in fingerprint:
            raise NotFound("no fingerprint has a null character")
        view = letters.group(check_channel(topic), fingerprint, request.args.get("cluster", ""))
        return View(view, settled=False, writes=True)

    @pages.page(_ORDER, "replay_order.html", "dead-letters")
    def order(id: str) -> View:
        """How an order stands, and the forms that confirm and cancel it."""
        return View(letters.order(services.replay_orders.get(id)), settled=False, writes=True)

    @pages.app.route(f"{_ORDER}/progress")
    def progress(id: str) -> Response:
        """Whether an order stands otherwise than `since`: its page, or nothing to show."""
        record = services.replay_orders.get(id)
        if text("since") == words.progress(order_view(record)):
            return Response(status=204)
        return lead_to(words.order_url(record.order.uuid))

    @pages.app.route("/replay-orders")
    @pages.app.route(f"{_ORDER}/confirmation")
    @pages.app.route(f"{_ORDER}/cancellation")
    def elsewhere(id: str = "") -> Response:
        """Where forms are sent to there is nothing to see: leads to what they were on."""
        return lead_to(words.order_url(services.replay_orders.get(id).order.uuid) if id else "/dead-letters")

    _writing(pages)


def _writing(pages: Pages) -> None:
    orders = pages.services.replay_orders

    @pages.app.route("/replay-orders", methods=["POST"])
    def ask() -> Response:
        """Orders a dry run. A second click has the same id, and leads to the same order."""
        safety.check("replay")
        said = {name: request.form.get(name, "") for name in ("cluster", "topic", "fingerprint")}
        try:
            made = orders.order(posted("id") or str(uuid4()), **said, by=safety.actor())
        except OrderOpen as error:
            return lead_to(words.order_url(error.extra["order"]))
        return lead_to(words.order_url(made.record.order.uuid))

    @pages.app.route(f"{_ORDER}/confirmation", methods=["POST"])
    def confirm(id: str) -> Response:
        """Has done what the dry run found, which the form names by its digest."""
        safety.check("replay")
        made = orders.confirm(id, posted("digest"), safety.actor())
        return lead_to(words.order_url(made.record.order.uuid))

    @pages.app.route(f"{_ORDER}/cancellation", methods=["POST"])
    def cancel(id: str) -> Response:
        """Ends an order."""
        safety.check("replay")
        made = orders.cancel(id, posted("reason", 1_000) or "cancelled in the browser", safety.actor())
        return lead_to(words.order_url(made.record.order.uuid))
