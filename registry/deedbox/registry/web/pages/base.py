"""What every page has: one view model shown as HTML and as its `.json` twin, a policy for the browser, and errors."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from deedbox.registry.errors import NotFound
from deedbox.registry.services import Services
from deedbox.registry.web.json_out import dump
from deedbox.registry.web.pages import safety, words
from deedbox.registry.web.replies import JSON, Replies, lead_to
from flask import Flask, Response, current_app, render_template, request
from werkzeug.exceptions import HTTPException

HTML = "text/html; charset=utf-8"
TWIN = ".json"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (("Content-Security-Policy", POLICY), ("Referrer-Policy", "same-origin"))
"""Of every HTML reply. `same-origin`: a form's own referrer is part of what keeps others from posting it."""

_STATIC = Path(__file__).resolve().parents[2] / "static"
_NAVIGATION = (
    ("home", "/", "Home"),
    ("contracts", "/contracts", "Contracts"),
    ("services", "/services", "Services"),
    ("map", "/map", "Map"),
    ("fits", "/fits", "Who fits whom"),
    ("try", "/try", "Try"),
    ("drains", "/drains", "Drains"),
    ("dead-letters", "/dead-letters", "Dead letters"),
    ("packages", "/packages", "Packages"),
    ("audit", "/audit", "Audit"),
    ("api", "/api/v1/docs", "API"),
)

ViewFunction = TypeVar("ViewFunction", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class View:
    """A page before it is drawn. `data` is JSON: the twin shows it as it is, and the template nothing else.

    `settled` says that the data depends on the recorded entries alone, so that the page is good until the next one.
    `writes` says that the page has a form that writes: it is given `token`, and `new_id` for what the form makes.
    """

    data: dict[str, Any]
    settled: bool = True
    writes: bool = False


@dataclass(slots=True)
class Pages:
    """Where pages are registered. Each gets a twin: the same address with `.json` behind it."""

    app: Flask
    services: Services
    replies: Replies
    sections: set[str] = field(default_factory=set)

    def page(
        self, rule: str, template: str, section: str, twin: str | None = None
    ) -> Callable[[ViewFunction], ViewFunction]:
        """Registers a view function that gives a `View`.

        Args:
            rule: the page's address.
            template: its template, which gets the view's data by name.
            section: the entry of the navigation that it belongs to.
            twin: the address of the twin where it is not the page's own with `.json` behind it.
        """
        self.sections.add(section)
        twin_rule = twin or rule + TWIN

        def register(function: ViewFunction) -> ViewFunction:
            name = f"page:{function.__module__.rpartition('.')[2]}.{function.__name__}"

            @wraps(function)
            def html(**arguments: Any) -> Response:
                return self._html(lambda: function(**arguments), template, section, twin)

            @wraps(function)
            def json(**arguments: Any) -> Response:
                try:
                    return self._json(lambda: function(**arguments))
                except NotFound:
                    # What ends in `.json` by its own name, and is no twin.
                    if not arguments:
                        raise
                    last = list(arguments)[-1]
                    return html(**{**arguments, last: arguments[last] + TWIN})

            self.app.add_url_rule(rule, name, html)
            self.app.add_url_rule(twin_rule, name + TWIN, json)
            return function

        return register

    def _html(self, view: Callable[[], View], template: str, section: str, twin: str | None) -> Response:
        def draw(made: View) -> bytes:
            form = {"token": safety.token(), "new_id": str(uuid4())} if made.writes else {}
            return render(template, section, twin or quote(request.path) + TWIN, **form, **made.data).encode()

        response = self._shown(view, draw, HTML, HEADERS)
        return safety.remember(response) if safety.given() else response

    def _json(self, view: Callable[[], View]) -> Response:
        return self._shown(view, lambda made: dump(made.data), JSON, ())

    def _shown(
        self, view: Callable[[], View], draw: Callable[[View], bytes], content_type: str, headers: Any
    ) -> Response:
        made: list[View] = []

        def make() -> tuple[bytes, str]:
            made.append(view())
            if not made[0].settled:
                raise _Unsettled
            return draw(made[0]), content_type

        try:
            return self.replies.read_text(make, headers)
        except _Unsettled:
            return self.replies.checked(draw(made[0]), content_type, headers)


class _Unsettled(Exception):
    """Leaves the way of replies that are remembered."""


def render(template: str, section: str, twin: str | None = None, **data: Any) -> str:
    """The text of a page."""
    query = request.query_string.decode("ascii", "replace")
    return render_template(
        template,
        navigation=_NAVIGATION,
        section=section,
        twin=f"{twin}?{query}" if twin and query else twin,
        asset=asset,
        **words.FUNCTIONS,
        **data,
    )


def once(template: str, section: str, status: int = 200, /, **data: Any) -> Response:
    """A page that nobody may keep: a form, its answer."""
    response = Response(render(template, section, **data), status, content_type=HTML)
    response.headers["Cache-Control"] = "no-store"
    return response


@lru_cache(maxsize=32)
def asset(name: str) -> str:
    """The address of a static file, which changes with its content."""
    return f"/static/{name}?v={hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]}"


def install(app: Flask) -> None:
    """Headers that every page has, and pages for errors that a browser meets."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    @app.after_request
    def guard(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        if response.mimetype == "text/html":
            for name, value in HEADERS:
                response.headers[name] = value
        if request.path.startswith("/static/") and "v" in request.args:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response

    @app.after_request
    def explain(response: Response) -> Response:
        """A problem as a page, where a browser asks for one."""
        if response.mimetype != "application/problem+json" or not wants_page():
            return response
        told = response.get_json()
        if response.status_code == 404 and request.url_rule is None and (shorter := _without_slash()):
            return lead_to(shorter, 308)
        page = Response(render("problem.html", "", problem=told), response.status_code, content_type=HTML)
        for name in ("Retry-After", "Allow"):
            if name in response.headers:
                page.headers[name] = response.headers[name]
        page.headers["Cache-Control"] = "no-store"
        return page


def _without_slash() -> str:
    """The address of the page that is meant by one with a slash too many; empty where there is none."""
    path = request.path.rstrip("/")
    if path == request.path or not path or request.method not in ("GET", "HEAD"):
        return ""
    try:
        current_app.create_url_adapter(request).match(path, "GET")  # type: ignore[union-attr]
    except HTTPException:
        return ""
    query = request.query_string.decode("ascii", "replace")
    return f"{quote(path)}?{query}" if query else quote(path)


_PROGRAMS = re.compile(r"/(api|simple|legacy|files|subjects|schemas|compatibility|config|mode|contexts|exporters)(/|$)")


def wants_page() -> bool:
    """Whether whoever asks is a browser at a page, not a program at an API."""
    best = request.accept_mimetypes.best_match([JSON, "text/html"])
    asked = "text/html" in request.headers.get("Accept", "") and best == "text/html"
    return asked and not _PROGRAMS.match(request.path) and not request.path.endswith(TWIN)


def number(name: str, default: int, most: int, least: int = 0) -> int:
    """A whole number of the query string, from `least` to `most`; the default where it is none."""
    text = request.args.get(name, "")
    return max(least, min(int(text), most)) if text.isascii() and text.isdigit() and len(text) < 12 else default


def text(name: str, most: int = 500) -> str:
    """A text of the query string, shortened."""
    return _cleaned(request.args.get(name, ""), most)


def posted(name: str, most: int = 500) -> str:
    """A text of the form that was sent, shortened."""
    return _cleaned(request.form.get(name, ""), most)


def _cleaned(said: str, most: int) -> str:
    return "".join(c for c in said if c.isprintable())[:most].strip()
