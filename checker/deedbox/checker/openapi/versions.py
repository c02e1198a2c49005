"""How an API tells its versions apart where it is not by route: a query parameter, a header, a media type.

A version that comes or goes is one finding, whatever tells it and however many operations serve it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.findings import BREAKS
from deedbox.checker.openapi import messages
from deedbox.checker.openapi.paths import media_family, media_version
from deedbox.checker.openapi.rules import operations as rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.openapi.context import Context
    from deedbox.checker.openapi.model import Api, MediaType, Operation, Parameter

_NAME = re.compile(r"(?:x-)?(?:[a-z]+[-_.])?(?:api[-_.]?)?(?:version|ver)|v", re.IGNORECASE)
_VALUES = ("enum", "const", "default", "example", "examples", "description")
"""What a schema says of the versions themselves."""


def by_parameter(at: Context, old: Parameter, new: Parameter) -> bool:
    """States the versions that a parameter no longer takes, or takes too; whether that was all there is to say of its schema."""
    if old.within == "path" or not _NAME.fullmatch(new.name):
        return False
    before, after = _listed(old), _listed(new)
    if not before or not after or before == after:
        return False
    told = f"by the {new.within} parameter {new.name}"
    for version in [v for v in before if v not in after]:
        _gone(at, version, told, old, messages.request(at.old, with_value=(old, version)))
    for version in [v for v in after if v not in before]:
        _come(at, version, told, new, messages.request(at.new, with_value=(new, version)))
    return _rest(old) == _rest(new)


def by_media_type(at: Context, media: MediaType, others: Api, *, removed: bool, message: dict[str, Any]) -> bool:
    """States a version that media types tell, where it is gone from (or new in) the whole API and others of its family stay."""
    version, family = media_version(media.name), media_family(media.name)
    if version is None or not at.new.received:
        return False
    known = at.media_versions(others)
    if version in known.get(family, ()) or family not in known:
        return False
    (_gone if removed else _come)(at, version, f"by the media type {media.name}", media, message)
    return True


def media_versions(api: Api) -> dict[str, set[str]]:
    """The versions that an API's media types tell, by what the types have in common."""
    found: dict[str, set[str]] = {}
    for operation in api.operations.values():
        for name in _media_types(operation):
            version = media_version(name)
            if version is not None:
                found.setdefault(media_family(name), set()).add(version)
    return found


def _media_types(operation: Operation) -> Iterator[str]:
    if operation.body is not None:
        yield from operation.body.content
    for response in operation.responses.values():
        yield from response.content


def _gone(at: Context, version: str, told: str, place: Parameter | MediaType, message: dict[str, Any]) -> None:
    at.say(
        rules.VERSION_REMOVED, at.first(f"gone {told} {version}", place.at), "old", f"version {version} of the API, told {told}, is gone",
        {"backward": BREAKS}, old=version, detail=f"{told} {version}", witness=partial(dict, message),
        why="no such version any more",
    )  # fmt: skip


def _come(at: Context, version: str, told: str, place: Parameter | MediaType, message: dict[str, Any]) -> None:
    at.say(
        rules.VERSION_ADDED, at.first(f"come {told} {version}", place.at), "new", f"version {version} of the API, told {told}, is new",
        {"forward": BREAKS}, new=version, detail=f"{told} {version}", witness=partial(dict, message),
        why="an old provider has no such version",
    )  # fmt: skip


def _listed(parameter: Parameter) -> list[str]:
    held = _schema(parameter)
    values = held["enum"] if isinstance(held.get("enum"), list) else [held["const"]] if "const" in held else []
    return [str(value) for value in values]


def _rest(parameter: Parameter) -> dict[str, Any]:
    return {key: value for key, value in _schema(parameter).items() if key not in _VALUES}


def _schema(parameter: Parameter) -> dict[str, Any]:
    value = None if parameter.schema is None else parameter.schema.resolved().value
    return value if isinstance(value, dict) else {}
