"""Who may do what, and that it was meant: the one place that every writing action of a page asks."""

from __future__ import annotations

import hmac
import secrets
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from deedbox.registry.errors import Forbidden
from deedbox.registry.web import api
from flask import Response, g, request

Action: TypeAlias = Literal["retire", "replay"]
COOKIE, FIELD = "deedbox-form", "form-token"


def actor() -> str:
    """Who acts, as far as the request says."""
    return api.actor()


def may(who: str, action: Action) -> bool:
    """Whether somebody may do something. Everybody may do everything until there are accounts; this is where to ask."""
    return bool(who and action)


def check(action: Action) -> None:
    """Lets a writing request through, or not. First of all a page does that writes.

    Raises:
        Forbidden: it comes from another site, without the form's token, or its actor may not.
    """
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    origin = request.headers.get("Origin")
    if site not in ("same-origin", "none") or (origin and origin != "null" and urlsplit(origin).netloc != request.host):
        raise Forbidden("this form was sent from another site: open the page here and send it anew")
    kept, sent = request.cookies.get(COOKIE, ""), request.form.get(FIELD, "")
    if not kept or not hmac.compare_digest(kept.encode(), sent.encode()):
        raise Forbidden("the form's token is missing or old: open the page again and send it anew")
    if not may(actor(), action):
        raise Forbidden(f"{actor()} may not {action} here")


def token() -> str:
    """The token to put into a form, `FIELD`; the same for one browser as long as it keeps the cookie."""
    if "form_token" not in g:
        g.form_token = request.cookies.get(COOKIE) or secrets.token_urlsafe(24)
    made: str = g.form_token
    return made


def given() -> bool:
    """Whether the page that is being made has a form with the token."""
    return "form_token" in g


def remember(response: Response) -> Response:
    """Sets the cookie that the token of this response's form is compared with; the page is for this browser alone."""
    response.headers["Cache-Control"] = "no-store"
    response.set_cookie(COOKIE, token(), httponly=True, samesite="Strict", secure=request.is_secure, path="/")
    return response
