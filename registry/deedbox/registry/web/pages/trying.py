"""Trying a message. It writes nothing, so a form from anywhere may ask."""

from __future__ import annotations

from deedbox.registry.services.names import split_contract
from deedbox.registry.web.pages.base import Pages, View, once, text
from deedbox.registry.web.replies import reply
from flask import Response, request


def install(pages: Pages) -> None:
    """Adds the page."""
    trying = pages.services.browsing.trying

    @pages.page("/try", "try.html", "try")
    def form() -> View:
        """The empty form."""
        return View(trying.form(text("contract", 201)))

    def attempt() -> dict[str, object]:
        contract = request.form.get("contract", "").strip()
        if contract:
            split_contract(contract)
        view: dict[str, object] = trying.attempt(contract, request.form.get("message", ""))
        return view

    @pages.app.route("/try", methods=["POST"])
    def attempted() -> Response:
        """Who accepts a message."""
        view = attempt()
        return once("try.html", "try", 422 if view["problem"] else 200, **view)

    @pages.app.route("/try.json", methods=["POST"])
    def attempted_twin() -> Response:
        """The same as JSON."""
        return reply(attempt())
