"""Contracts: the list, and the page of each contract and version."""

from __future__ import annotations

from deedbox.registry.services.names import contract_name
from deedbox.registry.web.pages.base import Pages, View, number, text


def install(pages: Pages) -> None:
    """Adds the pages."""
    contracts = pages.services.browsing.contracts

    @pages.page("/contracts", "contracts.html", "contracts")
    def listed() -> View:
        """Contracts by name."""
        return View(
            contracts.listed(
                role=text("role"),
                kind=text("kind"),
                channel=text("channel"),
                after=text("after"),
                limit=number("limit", 200, 1000),
            )
        )

    @pages.page("/contracts/<service>/<name>", "contract.html", "contracts")
    def contract(service: str, name: str) -> View:
        """A contract, as its latest version says it."""
        return View(*contracts.contract(contract_name(service, name), None))

    @pages.page("/contracts/<service>/<name>/versions/<version>", "contract.html", "contracts")
    def version(service: str, name: str, version: str) -> View:
        """A contract, as one version says it."""
        return View(*contracts.contract(contract_name(service, name), version))
