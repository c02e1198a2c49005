"""Compares bodies and responses."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.findings import BREAKS, LOSES
from deedbox.checker.apis.positions import Position, both_said
from deedbox.checker.apis.samples import example_of, sample
from deedbox.checker.openapi import messages
from deedbox.checker.openapi.context import added, both, refuses, removed
from deedbox.checker.openapi.heads import headers
from deedbox.checker.openapi.paths import covers, media_key, media_version
from deedbox.checker.openapi.rules import bodies as rules
from deedbox.checker.openapi.versions import by_media_type

if TYPE_CHECKING:
    from collections.abc import Mapping

    from deedbox.checker.apis.positions import Writer
    from deedbox.checker.openapi.context import Context
    from deedbox.checker.openapi.model import Body, MediaType, Operation, Response

_FORMS = ("application/x-www-form-urlencoded", "multipart/")


def request_body(at: Context) -> None:
    """States what became of the request's body."""
    old, new = at.old.body, at.new.body
    reader: Writer = "provider" if at.new.received else "client"
    if old is None and new is None:
        return
    if old is None:
        assert new is not None
        rule = rules.REQUIRED_BODY_ADDED if new.required else rules.BODY_ADDED
        at.say(
            rule, new.at, "new", "the request must have a body now" if new.required else "the request may have a body now",
            added(reader, required=new.required), new=new.at.value,
            witness=lambda: messages.request(at.old), why="it has no body",
        )  # fmt: skip
        return
    if new is None:
        rule = rules.REQUIRED_BODY_REMOVED if old.required else rules.BODY_REMOVED
        at.say(
            rule, old.at, "old", "the request has no body any more", removed(reader, required=old.required),
            old=old.at.value, witness=lambda: _with_body(at, old), why="nothing reads its body",
        )  # fmt: skip
        return
    if old.required != new.required:
        rule = rules.BODY_REQUIRED if new.required else rules.BODY_OPTIONAL
        at.say(
            rule, new.at, "new", f"the body {'is required now' if new.required else 'may be left out now'}",
            refuses(reader, more=not new.required), old=old.required, new=new.required,
            witness=lambda: messages.request(at.old, with_body=False), why="it has no body",
        )  # fmt: skip
    at.texts(old.at, new.at, "the request's body")
    _request_media(at, old, new, reader)


def _with_body(at: Context, body: Body) -> dict[str, Any]:
    media = next(iter(body.content.values()), None)
    if media is None:
        return messages.request(at.old)
    return messages.request(at.old, body=sample(media.schema, example_of(media.at)), media=media)


def _request_media(at: Context, old: Body, new: Body, reader: Writer) -> None:
    def sent(media: MediaType) -> dict[str, Any]:
        body = sample(media.schema, example_of(media.at))
        return messages.request(at.old, body=body, media=media)

    for media, other in paired(old.content, new.content):
        if other is None:
            if by_media_type(at, media, at.apis[1], removed=True, message=sent(media)):
                continue
            at.say(
                rules.REQUEST_MEDIA_REMOVED, media.at, "old", f"{media.name} is no longer read{_versions(media, new.content)}",
                refuses(reader, more=False), old=media.name, detail=media.name,
                witness=partial(sent, media), why="415: nothing reads that media type",
            )  # fmt: skip
            continue
        _encoding(at, media, other)
        at.texts(media.at, other.at, f"the body as {other.name}")
        said = both_said(media.schema, other.schema, (media.at, other.at))
        if said is not None:
            writer: Writer = "client" if at.new.received else "provider"
            at.positions.append(
                Position(*said, writer, at.label, "the request's body", partial(_asking, at, other), other.name)
            )
    for media in come(old.content, new.content):
        if by_media_type(at, media, at.apis[0], removed=False, message=sent(media)):
            continue
        at.say(
            rules.REQUEST_MEDIA_ADDED, media.at, "new", f"{media.name} is read too", refuses(reader, more=True),
            new=media.name, detail=media.name,
            witness=partial(sent, media), why="415: nothing reads that media type",
        )  # fmt: skip


def responses(at: Context) -> None:
    """States what became of the responses."""
    for status, old in at.old.responses.items():
        new = at.new.responses.get(status) or covering(status, at.new.responses)
        if new is None:
            _response_gone(at, old, within=any(wide(status, s) for s in at.new.responses))
            continue
        headers(at, old, new)
        at.texts(old.at, new.at, f"the response {status}")
        _response_media(at, old, new)
        _links(at, old, new)
    for status, new in at.new.responses.items():
        if status not in at.old.responses:
            before = covering(status, at.old.responses)
            if before is not None:
                if before.status not in at.new.responses or _special(status):
                    # A status that a range stood for has a description of its own now: like with like.
                    headers(at, before, new)
                    _response_media(at, before, new)
            elif any(wide(status, s) for s in at.old.responses):
                at.annotate(
                    rules.RANGE_WIDENED, new.at, "new", f"any status of {status} may be answered now", detail=status
                )
            else:
                at.annotate(rules.RESPONSE_ADDED, new.at, "new", f"{status} may be answered now", detail=status)


def _special(status: str) -> bool:
    return status.isdigit() or status.endswith("XX")


def wide(key: str, status: str) -> bool:
    """Whether a key is a range of statuses, and the status one of it."""
    return key.endswith("XX") and status != key and status[:1] == key[:1]


def covering(status: str, answers: Mapping[str, Response]) -> Response | None:
    """The response whose range includes a status: `2XX` for 200, then `default` (OAS 3.1.1 §4.8.16)."""
    if status == "default":
        return None
    return answers.get(status[:1] + "XX") or answers.get("default")


def _response_gone(at: Context, old: Response, *, within: bool) -> None:
    status = old.status
    if within:
        at.annotate(rules.RANGE_NARROWED, old.at, "old", f"fewer statuses of {status} are answered", detail=status)
        return
    successful = status[:1] in ("1", "2", "3")
    if status == "default":
        # It described what is not named. Alone it was the whole answer.
        successful = len(at.old.responses) == 1 and not any(s[:1] == "2" for s in at.new.responses)
    if successful:
        at.say(
            rules.RESPONSE_REMOVED, old.at, "old", f"{status} is answered no more", {"backward": LOSES},
            old=status, detail=status,
            witness=lambda: messages.response(at.old, old), why="it is what clients wait for, and never sent",
        )  # fmt: skip
    else:
        at.annotate(rules.ERROR_REMOVED, old.at, "old", f"{status} is no longer described", detail=status)


def _response_media(at: Context, old: Response, new: Response) -> None:
    writer: Writer = "provider" if at.new.received else "client"
    for media, other in paired(old.content, new.content):
        if other is None:
            if by_media_type(at, media, at.apis[1], removed=True, message=_accepting(at.old, media)):
                continue
            at.say(
                rules.RESPONSE_MEDIA_REMOVED, media.at, "old",
                f"{media.name} is no longer sent with {new.status}{_versions(media, new.content)}",
                {"backward": BREAKS}, old=media.name, detail=f"{new.status} {media.name}",
                witness=partial(_accepting, at.old, media),
                why="406: nothing sends that media type",
            )  # fmt: skip
            continue
        _encoding(at, media, other)
        at.texts(media.at, other.at, f"the body as {other.name}")
        said = both_said(media.schema, other.schema, (media.at, other.at))
        if said is not None:
            where = f"the body of {new.status}"
            at.positions.append(
                Position(*said, writer, at.label, where, partial(_answering, at, new, other), other.name)
            )
    for media in come(old.content, new.content):
        if by_media_type(at, media, at.apis[0], removed=False, message=_accepting(at.new, media)):
            continue
        at.say(
            rules.RESPONSE_MEDIA_ADDED, media.at, "new", f"{media.name} is sent with {new.status} too",
            {"forward": BREAKS}, new=media.name, detail=f"{new.status} {media.name}",
            witness=partial(_accepting, at.new, media),
            why="406: nothing sends that media type",
        )  # fmt: skip


def _asking(at: Context, media: MediaType, value: Any) -> dict[str, Any]:
    return messages.request(at.new, body=value, media=media)


def _answering(at: Context, answer: Response, media: MediaType, value: Any) -> dict[str, Any]:
    return messages.response(at.new, answer, body=value, media=media)


def _accepting(operation: Operation, media: MediaType) -> dict[str, Any]:
    return messages.request(operation) | {"headers": {"Accept": media.name}}


def paired(old: Mapping[str, MediaType], new: Mapping[str, MediaType]) -> list[tuple[MediaType, MediaType | None]]:
    """Each old media type with the new one that stands for it: the same, differently spelled, or a range that covers it."""
    keys = {media_key(name): media for name, media in new.items()}
    found = []
    for name, media in old.items():
        other = new.get(name) or keys.get(media_key(name))
        if other is None:
            other = next((m for n, m in new.items() if covers(n, name)), None)
        found.append((media, other))
    return found


def come(old: Mapping[str, MediaType], new: Mapping[str, MediaType]) -> list[MediaType]:
    """The new media types that nothing old stood for."""
    keys = {media_key(name) for name in old}
    return [m for name, m in new.items() if media_key(name) not in keys and not any(covers(wide, name) for wide in old)]


def _versions(media: MediaType, others: Mapping[str, MediaType]) -> str:
    """A word on the versions that media types tell apart."""
    version = media_version(media.name)
    left = sorted({v for name in others if (v := media_version(name)) is not None})
    return f": version {version} is gone, {', '.join(left)} left" if version is not None and left else ""


def _encoding(at: Context, old: MediaType, new: MediaType) -> None:
    if not new.name.lower().startswith(_FORMS):
        return
    for name in old.encoding.keys() | new.encoding.keys():
        before = _written(old, name)
        after = _written(new, name)
        changed = [key for key in before if before[key] != after[key] and None not in (before[key], after[key])]
        if changed:
            at.say(
                rules.ENCODING_CHANGED, new.at, "new", f"the part {name} is written otherwise: another {', '.join(changed)}",
                both(), old=before, new=after, witness=partial(_asking, at, old, sample(old.schema, example_of(old.at))), why=f"the part {name} is read otherwise",
                detail=name,
            )  # fmt: skip


def _written(media: MediaType, name: str) -> dict[str, Any]:
    """How a part is written, with the defaults that the specification gives (OAS 3.1.1 §4.8.15); None where they depend."""
    at = media.encoding.get(name)
    held: dict[str, Any] = at.value if at is not None else {}
    style = held.get("style", "form")
    return {
        "contentType": held.get("contentType"),
        "style": style,
        "explode": held.get("explode", style == "form"),
        "allowReserved": held.get("allowReserved", False),
    }


def _links(at: Context, old: Response, new: Response) -> None:
    for name, link in old.links.items():
        other = new.links.get(name)
        if other is None:
            at.annotate(rules.LINK_REMOVED, link, "old", f"the link {name} of {old.status} is gone", detail=name)
        elif {k: v for k, v in link.value.items() if k != "description"} != {
            k: v for k, v in other.value.items() if k != "description"
        }:
            at.annotate(
                rules.LINK_CHANGED, other, "new", f"the link {name} of {new.status} leads elsewhere", detail=name
            )
    for name, link in new.links.items():
        if name not in old.links:
            at.annotate(rules.LINK_ADDED, link, "new", f"the link {name} of {new.status} is new", detail=name)
