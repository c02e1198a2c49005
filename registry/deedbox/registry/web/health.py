"""`/livez`, `/readyz`, `/health`: for whoever decides whether this process gets requests."""

from __future__ import annotations

from importlib.metadata import version

from deedbox.registry.errors import RegistryError
from deedbox.registry.services import Services
from deedbox.registry.storage import migrate
from deedbox.registry.web.problems import problem
from deedbox.registry.web.replies import reply
from flask import Flask, Response


def install(app: Flask, services: Services) -> None:
    """Adds the three routes."""

    @app.route("/livez")
    def livez() -> Response:
        """The process answers."""
        return reply({"status": "ok"})

    @app.route("/readyz")
    def readyz() -> Response:
        """The database answers too, and is at this release's revision."""
        try:
            current = migrate.is_current(services.database)
        except RegistryError as error:
            return problem("storage-unavailable", error.message, {"Retry-After": "2"})
        if not current:
            return problem(
                "storage-unavailable", "the database is not at this release's revision", {"Retry-After": "2"}
            )
        return reply({"status": "ok"})

    @app.route("/health")
    def health() -> Response:
        """What runs, and whether its database answers."""
        answer = {"status": "ok", "version": version("deedbox"), "database": services.database.engine.dialect.name}
        try:
            answer["entries"] = str(services.database.generation())
        except RegistryError as error:
            return reply({**answer, "status": "unavailable", "detail": error.message}, 503)
        return reply(answer)
