"""What a contract marks as obsolete, since when, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker import versions
from deedbox.checker.pointers import split
from deedbox.codegen.model import Obsolete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from deedbox.checker.json_schema.schema import Node, Schema

_MAPS = ("properties", "definitions", "$defs")
_MARK = b"deprecated"


def history(
    version: str, document: bytes, known: Iterable[str], read: Callable[[str], bytes]
) -> tuple[tuple[str, bytes], ...]:
    """`PackageRequest.history` of a version: as many of the versions below it as it takes to say since when.

    Args:
        version: the one to be packaged.
        document: its text.
        known: versions of the contract, in any order.
        read: gives the text of a known version. Called from the latest down to the first that marks nothing.
    """
    if _MARK not in document:
        return ()
    own = versions.parse(version)
    found: list[tuple[str, bytes]] = []
    for earlier in sorted((v for v in known if versions.parse(v) < own), key=versions.parse, reverse=True):
        text = read(earlier)
        found.append((earlier, text))
        if _MARK not in text:
            break
    return tuple(reversed(found))


def obsolete_places(schema: Schema, version: str, history: Sequence[tuple[str, Schema]]) -> tuple[Obsolete, ...]:
    """Every property and definition that a schema marks `deprecated: true`, a property also by what it refers to.

    Args:
        schema: of the version.
        version: said as `since` where no earlier version has the mark.
        history: earlier versions, oldest first. A mark counts since the first of an unbroken run up to this version.
    """
    earlier = [(known, dict(_marked(before))) for known, before in history]
    found = []
    for pointer, reason in _marked(schema):
        since = version
        for known, marks in reversed(earlier):
            if pointer not in marks:
                break
            since = known
        found.append(Obsolete(pointer, split(pointer)[-1] if pointer else "the message", since, reason))
    return tuple(found)


def _marked(schema: Schema) -> Iterator[tuple[str, str]]:
    pending: list[Node] = [schema.node]
    seen: set[Node] = set()
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        below = [child for _, child in node.subschemas()]
        if isinstance(node.value, dict):
            # Beside an overriding $ref definitions are held all the same.
            below += [
                node.child(keyword, name)
                for keyword in _MAPS
                if isinstance(node.value.get(keyword), dict)
                for name, held in node.value[keyword].items()
                if isinstance(held, dict | bool)
            ]
        pending += reversed(below)
        tokens = split(node.pointer)
        if node.pointer and not (len(tokens) > 1 and tokens[-2] in _MAPS):
            continue
        reason = _reason(node)
        if reason is not None:
            yield node.pointer, reason


def _reason(node: Node) -> str | None:
    """Why a place is obsolete; "" where it is and nobody says why, None where it is not."""
    value, steps = node, 0
    reason = ""
    while isinstance(value.value, dict):
        description = value.value.get("description")
        if not reason and isinstance(description, str):
            reason = " ".join(description.split())
        if value.value.get("deprecated") is True:
            return reason
        target = value.reference()
        steps += 1
        if target is None or steps > 50:
            break
        value = target
    return None
