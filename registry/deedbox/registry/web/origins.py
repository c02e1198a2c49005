"""Requests that a page of another site makes a visitor's browser send: none of them may write."""

from __future__ import annotations

from urllib.parse import urlsplit

from deedbox.registry.errors import Forbidden
from flask import Flask, request

_READING = ("GET", "HEAD", "OPTIONS")


def install(app: Flask) -> None:
    """Refuses writing requests of other sites, on every route.

    A form or a script of any site can post to a server that only its visitor reaches, without ever seeing an answer.
    Clients that are no browsers send neither of the two headers.
    """

    @app.before_request
    def check() -> None:
        if request.method not in _READING:
            check_origin()


def check_origin() -> None:
    """Lets a request through that comes from a page of this server, or from no page.

    Raises:
        Forbidden: it comes from another site.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    # Browsers say the first only to servers that they trust (https, this machine); behind a proxy the second may differ.
    own = site in ("same-origin", "none") if site else not origin or urlsplit(origin).netloc == request.host
    if not own:
        raise Forbidden("this was sent by a page of another site: open the page here and do it there")
