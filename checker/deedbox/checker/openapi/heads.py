"""Compares parameters, and headers of responses."""

from __future__ import annotations

from contextlib import suppress
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.cursor import target_of
from deedbox.checker.apis.findings import LOSES
from deedbox.checker.apis.positions import Position, both_said
from deedbox.checker.openapi import messages, versions
from deedbox.checker.openapi.context import added, both, refuses, removed
from deedbox.checker.openapi.rules import operations as operation_rules
from deedbox.checker.openapi.rules import parameters as rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.apis.positions import Writer
    from deedbox.checker.openapi.context import Context
    from deedbox.checker.openapi.model import Parameter, Response

_RESERVED = "a/b?c=d"


def parameters(at: Context) -> None:
    """States what became of the parameters."""
    reader: Writer = "provider" if at.new.received else "client"
    for key, old in at.old.parameters.items():
        new = at.new.parameters.get(key)
        if new is None:
            if old.within != "path":  # another template is another path
                _gone(at, old, reader)
        else:
            _both(at, old, new, reader)
    for key, new in at.new.parameters.items():
        if key not in at.old.parameters and new.within != "path":
            rule = rules.REQUIRED_ADDED if new.required else rules.ADDED
            at.say(
                rule, new.at, "new", f"{named(new)} is new{' and required' if new.required else ''}",
                added(reader, required=new.required), new=new.at.value, detail=detail(new),
                witness=partial(messages.request, at.old, without=(new.within, new.name)),
                why=f"it lacks {named(new)}, which is required now",
            )  # fmt: skip


def _gone(at: Context, old: Parameter, reader: Writer) -> None:
    rule = rules.REQUIRED_REMOVED if old.required else rules.REMOVED
    note = ", which was marked deprecated," if old.deprecated else ""
    at.say(
        rule, old.at, "old", f"{named(old)}{note} is gone", removed(reader, required=old.required), old=old.at.value,
        witness=lambda: messages.request(at.old, with_value=(old, messages.value_of(old))),
        why=f"nothing reads {named(old)} any more", detail=detail(old),
    )  # fmt: skip


def _both(at: Context, old: Parameter, new: Parameter, reader: Writer) -> None:
    what = named(new)
    if old.required != new.required:
        rule = rules.BECAME_REQUIRED if new.required else rules.BECAME_OPTIONAL
        at.say(
            rule, new.at, "new", f"{what} {'is required now' if new.required else 'may be left out now'}",
            refuses(reader, more=not new.required), old=old.required, new=new.required, detail=detail(new),
            witness=lambda: messages.request(at.new, without=(new.within, new.name)), why=f"it lacks {what}",
        )  # fmt: skip
    if old.within == "path" and old.name != new.name:
        at.annotate(
            rules.PATH_RENAMED, new.at, "new", f"the variable {old.name} of the path is {new.name} now", level="patch"
        )
    _serialization(at, old, new)
    if old.allow_reserved != new.allow_reserved:
        rule = rules.RESERVED_ALLOWED if new.allow_reserved else rules.RESERVED_REFUSED
        at.say(
            rule, new.at, "new",
            f"{what} {'may' if new.allow_reserved else 'must no longer'} have reserved characters as they are",
            refuses(reader, more=new.allow_reserved), old=old.allow_reserved, new=new.allow_reserved, detail=detail(new),
            witness=lambda: messages.request(at.new, with_value=(new, _RESERVED)),
            why=f"{what} has reserved characters that are not percent-encoded",
        )  # fmt: skip
    if old.allow_empty != new.allow_empty:
        rule = rules.EMPTY_ALLOWED if new.allow_empty else rules.EMPTY_REFUSED
        at.say(
            rule, new.at, "new", f"{what} {'may' if new.allow_empty else 'must no longer'} be sent without a value",
            refuses(reader, more=new.allow_empty), old=old.allow_empty, new=new.allow_empty, detail=detail(new),
            witness=lambda: messages.request(at.new, with_value=(new, "")), why=f"{what} has no value",
        )  # fmt: skip
    _marks(at, old, new)
    if at.new.received and versions.by_parameter(at, old, new):
        return
    at.positions += _positions(
        at, old, new, "client" if at.new.received else "provider",
        lambda value: messages.request(at.new, with_value=(new, value)),
    )  # fmt: skip


def _marks(at: Context, old: Parameter, new: Parameter) -> None:
    if old.deprecated != new.deprecated:
        rule = rules.DEPRECATED if new.deprecated else rules.NOT_DEPRECATED
        at.annotate(
            rule, new.at, "new", f"{named(new)} is {'' if new.deprecated else 'no longer '}marked deprecated",
            detail=detail(new),
        )  # fmt: skip
    days = str(old.at.raw("x-sunset") or ""), str(new.at.raw("x-sunset") or "")
    sunset(at, days, new.at, named(new), lambda: messages.request(at.old, with_value=(old, messages.value_of(old))))
    at.texts(old.at, new.at, named(new))


def sunset(at: Context, days: tuple[str, str], place: Cursor, what: str, shown: Callable[[], Any]) -> None:
    """States that something goes on another day. Days are as RFC 3339 writes them; what is no day is no promise."""
    if days[0] == days[1]:
        return
    before, after = _day(days[0]), _day(days[1])
    if before is not None and after is not None and after < before:
        at.say(
            operation_rules.SUNSET_EARLIER, place, "new", f"{what} goes on {days[1]}, not on {days[0]}",
            {"backward": LOSES}, old=days[0], new=days[1],
            witness=shown, why=f"it is answered until {days[0]} by the old document only",
        )  # fmt: skip
    else:
        at.annotate(
            operation_rules.SUNSET_LATER, place, "new",
            f"{what} goes on {days[1] or 'no set day'}{f', not on {days[0]}' if days[0] else ''}",
        )  # fmt: skip


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _serialization(at: Context, old: Parameter, new: Parameter, answer: Response | None = None) -> None:
    changed = _serialized_otherwise(old, new)
    if changed:
        rule = rules.SERIALIZED_OTHERWISE if answer is None else rules.HEADER_SERIALIZED_OTHERWISE
        at.say(
            rule, new.at, "new", f"{named(new)} is written otherwise: {changed}", both(), detail=detail(new),
            old=[old.style, old.explode, sorted(old.content)], new=[new.style, new.explode, sorted(new.content)],
            witness=partial(_misread, at, old, answer),
            why=f"the text of {named(new)} is read otherwise",
        )  # fmt: skip


def _misread(at: Context, old: Parameter, answer: Response | None) -> dict[str, Any]:
    value = messages.value_of(old)
    if answer is None:
        return messages.request(at.old, with_value=(old, value))
    return messages.response(at.old, answer, header=(old, value))


def at_response(parameter: Parameter) -> bool:
    """Whether it is a response's header and no parameter."""
    return "in" not in parameter.at.value


def _serialized_otherwise(old: Parameter, new: Parameter) -> str:
    if bool(old.content) != bool(new.content):
        return "by a media type" if new.content else "by a style"
    if old.content:
        gone = sorted(old.content.keys() - new.content.keys())
        return f"{', '.join(old.content)} was, {', '.join(new.content)} is its media type" if gone else ""
    kinds = _kinds(old.schema) | _kinds(new.schema)
    if old.style != new.style and (kinds or new.within == "path"):
        return f"style {old.style} is {new.style} now"
    if old.style != new.style:
        # A plain value looks the same in these styles (OAS 3.1.1 §4.8.12.4).
        plain = {"form", "spaceDelimited", "pipeDelimited", "deepObject", "tabDelimited"}
        return "" if {old.style, new.style} <= plain else f"style {old.style} is {new.style} now"
    if old.explode != new.explode and kinds:
        return f"explode was {str(old.explode).lower()} and is {str(new.explode).lower()}"
    return ""


def _kinds(schema: Cursor | None) -> set[str]:
    """Which of array and object a schema's values may be."""
    from deedbox.checker import pointers

    found: set[Any] = set()
    if schema is None:
        return found
    pending: list[Any] = [schema.value]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if not isinstance(value, dict) or id(value) in seen:
            continue
        seen.add(id(value))
        kind = value.get("type")
        declared = {k for k in (kind if isinstance(kind, list) else [kind]) if isinstance(k, str)}
        found |= declared & {"array", "object"}
        if kind is None and not {"enum", "const", "$ref", "allOf", "anyOf", "oneOf"} & value.keys():
            found |= {"array", "object"}
        if isinstance(value.get("$ref"), str):
            with suppress(LookupError, ValueError):
                pending.append(pointers.get(schema.document.value, target_of(value["$ref"]) or ""))
        for key in ("allOf", "anyOf", "oneOf"):
            pending += value.get(key) or ()
    return found


def headers(at: Context, old: Response, new: Response) -> None:
    """States what became of a response's headers."""
    reader: Writer = "client" if at.new.received else "provider"
    status = new.status
    for key, before in old.headers.items():
        after = new.headers.get(key)
        what = f"the header {before.name} of {status}"
        if after is None:
            at.say(
                rules.HEADER_REMOVED, before.at, "old", f"{what} is gone", removed(reader, required=before.required),
                old=before.at.value, detail=key,
                witness=lambda: messages.response(at.new, new), why=f"it lacks {before.name}",
            )  # fmt: skip
            continue
        if before.required != after.required:
            rule = rules.HEADER_REQUIRED if after.required else rules.HEADER_OPTIONAL
            at.say(
                rule, after.at, "new", f"{what} {'is always there now' if after.required else 'may be missing now'}",
                refuses(reader, more=not after.required), old=before.required, new=after.required, detail=key,
                witness=lambda: messages.response(at.new, new), why=f"it lacks {before.name}",
            )  # fmt: skip
        _serialization(at, before, after, old)
        _marks(at, before, after)
        at.positions += _positions(
            at, before, after, "provider" if at.new.received else "client",
            partial(_headed, at, new, after),
        )  # fmt: skip
    for key, after in new.headers.items():
        if key not in old.headers:
            at.say(
                rules.HEADER_ADDED, after.at, "new", f"the header {after.name} of {status} is new",
                added(reader, required=after.required), new=after.at.value, detail=key,
                witness=lambda: messages.response(at.old, old), why=f"it lacks {after.name}",
            )  # fmt: skip


def _headed(at: Context, answer: Response, header: Parameter, value: Any) -> dict[str, Any]:
    return messages.response(at.new, answer, header=(header, value))


def _positions(at: Context, old: Parameter, new: Parameter, writer: Writer, embed: Any) -> list[Position]:
    if not old.content and not new.content:
        pairs = [both_said(old.schema, new.schema, (old.at, new.at))]
    else:
        kept = [(media, new.content[name]) for name, media in old.content.items() if name in new.content]
        pairs = [both_said(one.schema, other.schema, (one.at, other.at)) for one, other in kept]
    return [Position(*pair, writer, at.label, named(new), embed) for pair in pairs if pair is not None]


def named(parameter: Parameter) -> str:
    """How a message calls it."""
    if at_response(parameter):
        return f"the header {parameter.name}"
    kind = "form field" if parameter.within == "formData" else f"{parameter.within} parameter"
    return f"the {kind} {parameter.name}"


def detail(parameter: Parameter) -> str:
    """What tells it from others that are written at the same place."""
    return f"{parameter.within}:{parameter.name}"
