"""Logs: one JSON object a line, on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any

from flask import Flask, Response, g, has_request_context, request

access = logging.getLogger("deedbox.access")


class JsonLines(logging.Formatter):
    """A record as one line of JSON, with the id of the request it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if has_request_context():
            line["request_id"] = g.get("request_id", "")
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: str) -> None:
    """Sends Deedbox's logs to stderr from a level on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
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
