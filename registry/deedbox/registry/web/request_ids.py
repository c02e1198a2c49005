"""The id of a request: the client's own where it can be one, else a new one. It is in the reply and in the log."""

from __future__ import annotations

import os
import re
from typing import Any

from flask import Flask, Response, g, request

HEADER = "X-Request-Id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,100}")


def request_id(environ: dict[str, Any]) -> str:
    """The id of the request in a WSGI environment."""
    sent = environ.get("HTTP_X_REQUEST_ID")
    if sent is not None and _REQUEST_ID.fullmatch(sent):
        return str(sent)
    return os.urandom(16).hex()


def install(app: Flask) -> None:
    """Gives every request its id."""

    @app.before_request
    def take() -> None:
        g.request_id = request_id(request.environ)

    @app.after_request
    def give(response: Response) -> Response:
        response.headers[HEADER] = g.get("request_id", "")
        return response
