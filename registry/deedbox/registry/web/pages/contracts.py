"""Contracts: the list, the page of each contract, version, field and comparison, and retiring."""

from __future__ import annotations

from deedbox.registry.errors import InvalidRequest, NotFound
from deedbox.registry.services.names import contract_name
from deedbox.registry.web.pages import safety, words
from deedbox.registry.web.pages.base import Pages, View, number, once, text
from deedbox.registry.web.replies import lead_to
from flask import Response, request

_CONTRACT = "/contracts/<service>/<name>"


def install(pages: Pages) -> None:
    """Adds the pages."""
    browsing = pages.services.browsing

    @pages.page("/contracts", "contracts.html", "contracts")
    def listed() -> View:
        """Contracts by name."""
        return View(
            browsing.contracts.listed(
                role=text("role"),
                kind=text("kind"),
                channel=text("channel"),
                after=text("after"),
                limit=number("limit", 200, 1000, 1),
            )
        )

    @pages.page(_CONTRACT, "contract.html", "contracts")
    def contract(service: str, name: str) -> View:
        """A contract, as its latest version says it."""
        return View(*browsing.contracts.contract(contract_name(service, name), None, number("part", 1, 1_000, 1)))

    @pages.page(f"{_CONTRACT}/versions/<version>", "contract.html", "contracts")
    def version(service: str, name: str, version: str) -> View:
        """A contract, as one version says it."""
        return View(*browsing.contracts.contract(contract_name(service, name), version, number("part", 1, 1_000, 1)))

    @pages.page(f"{_CONTRACT}/fields/<path:pointer>", "field.html", "contracts")
    def field(service: str, name: str, pointer: str) -> View:
        """One field, through all versions."""
        return _field(service, name, f"/{pointer}")

    @pages.page(f"{_CONTRACT}/fields", "field.html", "contracts")
    def field_by_query(service: str, name: str) -> View:
        """One field whose pointer no path can hold."""
        pointer = request.args.get("pointer", "")
        if not pointer:
            raise InvalidRequest("say which field: ?pointer=/properties/customer", pointer="/pointer")
        return _field(service, name, pointer)

    def _field(service: str, name: str, pointer: str) -> View:
        at_once = bool(text("without"))
        return View(browsing.lives.field(contract_name(service, name), pointer, at_once=at_once), settled=False)

    @pages.app.route("/contracts/<service>")
    def of_service(service: str) -> Response:
        """From a contract's address cut short to its service."""
        return lead_to(words.service_url(service), 302)

    @pages.page(f"{_CONTRACT}/compare/<old>...<new>", "compare.html", "contracts")
    def compare(service: str, name: str, old: str, new: str) -> View:
        """Two versions side by side."""
        return View(*browsing.changes.compare(contract_name(service, name), old, new))

    @pages.app.route(f"{_CONTRACT}/compare")
    def chosen(service: str, name: str) -> Response:
        """From the form of a contract's page to the comparison's own address."""
        old, new = text("old"), text("new")
        if not old or not new:
            raise InvalidRequest("say which two versions: ?old=1.0.0&new=1.1.0", pointer="/old")
        return lead_to(words.compare_url(contract_name(service, name), old, new), 302)

    _retiring(pages)


def _retiring(pages: Pages) -> None:
    services = pages.services

    @pages.app.route(f"{_CONTRACT}/versions/<version>/retirement", methods=["GET", "POST"])
    def retirement(service: str, name: str, version: str) -> Response:
        """Asks for the reason, then retires a version."""
        contract = contract_name(service, name)
        found = services.catalogue.version(contract, version).version
        if found.retired:
            raise NotFound(f"{contract} {version} is retired already: {found.retired_reason}")
        problem = ""
        if request.method == "POST":
            safety.check("retire")
            reason = request.form.get("reason", "").strip()[:10_000]
            if reason:
                services.publishing.retire(contract, version, reason, safety.actor())
                return lead_to(words.contract_url(contract, version))
            problem = "Say why: it stays in the audit feed for good."
        links = services.catalogue.links(contract, None, "", 100).items
        touched = [link.as_dict() for link in links if version in (link.producer_version, link.consumer_version)]
        response = once(
            "retirement.html",
            "contracts",
            422 if problem else 200,
            contract=contract,
            version=version,
            links=[{**link, "state": words.STATE_OF[link["holds"]]} for link in touched],
            problem=problem,
            token=safety.token(),
        )
        return safety.remember(response)
