"""Logs: one JSON object a line, on stderr."""

from __future__ import annotations

import logging
import sys
from typing import Any

from deedbox.client.logs import JsonLines
from flask import Flask, Response, g, has_request_context, request

access = logging.getLogger("deedbox.access")


class RequestLines(JsonLines):
    """With the id of the request that a line belongs to."""

    def context(self) -> dict[str, Any]:
        """See `JsonLines.context`."""
        return {"request_id": g.get("request_id", "")} if has_request_context() else {}


def configure(level: str) -> None:
    """Sends Deedbox's logs to stderr from a level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RequestLines())
    root = logging.getLogger("deedbox")
    root.handlers[:] = [handler]
    root.propagate = False
    root.setLevel(level.upper())


def install(app: Flask) -> None:
    """Logs each request: writes and failures at `info`, reads at `debug`."""

    @app.after_request
    def log_request(response: Response) -> Response:
        quiet = request.method in ("GET", "HEAD") and response.status_code < 500
        level = logging.DEBUG if quiet else logging.INFO
        if access.isEnabledFor(level):
            fields = {"method": request.method, "path": request.path, "status": response.status_code}
            access.log(level, "request", extra={"fields": fields})
        return response
