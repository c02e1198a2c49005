"""The pages for browsers: a module a page over reading models of `services.browsing`, each page with a `.json` twin."""

from __future__ import annotations

from deedbox.registry.services import Services
from deedbox.registry.web.pages import base, contracts, dead_letters, history, reference, system, traffic, trying
from deedbox.registry.web.pages.base import Pages
from deedbox.registry.web.replies import Replies
from flask_openapi import OpenAPI


def install(app: OpenAPI, services: Services, replies: Replies) -> None:
    """Adds the pages, and the headers that every page has."""
    base.install(app)
    reference.install(app, replies)
    pages = Pages(app, services, replies)
    for module in (history, contracts, system, trying, traffic, dead_letters):
        module.install(pages)
