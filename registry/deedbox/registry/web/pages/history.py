"""Home, search and audit."""

from __future__ import annotations

from deedbox.registry.web.pages.base import Pages, View, number, text
from flask import request


def install(pages: Pages) -> None:
    """Adds the three pages."""
    history = pages.services.browsing.history

    @pages.page("/", "home.html", "home", "/index.json")
    def home() -> View:
        """How things stand."""
        # Refusals and guards' reports are no entries: they come without anybody being told.
        return View(history.home(), settled=False)

    @pages.page("/search", "search.html", "search")
    def search() -> View:
        """What has these words."""
        return View(history.search(text("q", 200)))

    @pages.page("/audit", "audit.html", "audit")
    def audit() -> View:
        """Every recorded fact."""
        before = number("before", 0, 1 << 60) or None
        kinds = [kind for kind in request.args.getlist("kind") if kind][:10]
        return View(history.audit(before=before, kinds=kinds, about=text("about"), limit=number("limit", 100, 1000, 1)))
