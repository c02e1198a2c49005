"""Services, the map, and who fits whom."""

from __future__ import annotations

from typing import Any

from deedbox.registry.services.names import check_name, contract_name
from deedbox.registry.web.pages.base import Pages, View, number, text
from deedbox.registry.web.pages.drawing import badge
from flask import Response


def install(pages: Pages) -> None:
    """Adds the pages, and the badges."""
    browsing = pages.services.browsing

    @pages.page("/services", "services.html", "services")
    def services() -> View:
        """Services by name."""
        return View(browsing.system.services(text("after"), number("limit", 300, 1000, 1)))

    @pages.page("/services/<service>", "service.html", "services")
    def service(service: str) -> View:
        """One service and its neighbours."""
        return View(*browsing.system.service(check_name(service, "service")))

    @pages.page("/map", "map.html", "map")
    def whole_map() -> View:
        """The whole system, or a part of it."""
        data, settled = browsing.system.map(
            group=text("group", 200),
            other=text("other", 200),
            state=text("state", 20),
            query=text("query", 200),
            offset=number("offset", 0, 1 << 30),
            limit=number("limit", 200, 1000, 1),
        )
        return View(data, settled)

    @pages.page("/fits", "fits.html", "fits")
    def fits() -> View:
        """Every sending contract, and how many of its links hold."""
        return View(*browsing.matrix.index(number("offset", 0, 1 << 30), number("limit", 200, 1000, 1)))

    @pages.page("/fits/<service>/<name>", "matrix.html", "fits")
    def matrix(service: str, name: str) -> View:
        """Versions against versions."""
        return View(*browsing.matrix.matrix(contract_name(service, name)))

    @pages.app.route("/badges/<service>/<name>.svg")
    def contract_badge(service: str, name: str) -> Response:
        """The badge of a contract."""
        told: dict[str, Any] = browsing.matrix.badge(contract_name(service, name))
        image = badge(told["contract"], told["message"], told["state"])
        return pages.replies.checked(str(image).encode(), "image/svg+xml")

    @pages.app.route("/badges/<service>/<name>.json")
    def badge_data(service: str, name: str) -> Response:
        """What the badge says."""
        from deedbox.registry.web.replies import reply

        return reply(browsing.matrix.badge(contract_name(service, name)))
