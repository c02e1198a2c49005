"""Short ways to write a table's entries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.rules.rule import Rule

if TYPE_CHECKING:
    from deedbox.checker.model import Kind

FORMAT = "openapi"
OAS = "OpenAPI 3.1.1 "


def rule(identity: str, kind: Kind, title: str, why: str, source: str, mirror: str | None) -> Rule:
    """An entry of the OpenAPI table."""
    return Rule(identity, FORMAT, kind, title, why, source, mirror)
