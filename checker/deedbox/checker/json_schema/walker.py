"""The walker: pairs the places of two schemas by instance location and asks the rules about each pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.json_schema.facts import Fact
from deedbox.checker.json_schema.probes import Probe, probe_schema

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Schema
    from deedbox.checker.model import ContentModel

__all__ = ["Fact", "Probe", "probe_schema", "walk"]


def walk(
    old: Schema, new: Schema, *, content_model: ContentModel = "tolerant", format_assertion: bool = False
) -> list[Fact]:
    """What the two schemas say differently, in the order of the new document.

    Args:
        old: the earlier version.
        new: the later one.
        content_model: under the closed model a reader refuses names that it does not declare: such facts are asked about
            then only.
        format_assertion: whether a `format` refuses values; otherwise it is an annotation.
    """
    return []
