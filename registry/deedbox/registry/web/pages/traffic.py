"""What travels and what is built: the drain board, the packages."""

from __future__ import annotations

from typing import Any

from deedbox.registry.web.pages.base import Pages, View, number, text


def install(pages: Pages) -> None:
    """Adds the pages."""
    services = pages.services
    draining = services.browsing.draining

    @pages.page("/drains", "drains.html", "drains")
    def drains() -> View:
        """Obsolete fields, and how far they have drained."""
        return View(draining.board(text("contract"), number("offset", 0, 1_000_000)), settled=False)

    @pages.page("/packages", "packages.html", "packages")
    def packages() -> View:
        """What is on the package index."""
        after = text("after")
        page = services.packages.projects(after, number("limit", 100, 500, 1))
        return View({"items": [_project(project) for project in page.items], "next": page.next, "after": after})


def _project(project: Any) -> dict[str, Any]:
    return {
        "name": project.name,
        "owner": project.owner,
        "latest": project.latest,
        "versions": list(project.versions),
        "files": [
            {
                "filename": file.row.filename,
                "version": file.row.version,
                "contract": file.contract,
                "contract_version": file.contract_version,
                "yanked": file.yanked,
                "at": file.at,
            }
            for file in reversed(project.files)
        ][:20],
    }
