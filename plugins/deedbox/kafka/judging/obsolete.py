"""Obsolete fields in live messages: which ones a topic's contracts mark, and a test for each, made once.

A field is named by where it stands in a message: a JSON pointer with `*` for the items of an array. A place that no such
pointer names in full (below a recursive schema, or members named by a pattern) is left out: it is never said to be
looked for, so nothing is ever concluded from its absence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import orjson
from deedbox.checker.json_schema.obsolete import ITEMS as _ITEMS
from deedbox.checker.pointers import split
from deedbox.kafka.lookup import Channel

if TYPE_CHECKING:
    from deedbox.kafka.inspection import Inspection
    from deedbox.kafka.lookup import Lookup, Version
    from deedbox.kafka.messages import Record

Test: TypeAlias = Callable[[Any], bool]


class Field(NamedTuple):
    """An obsolete field: the contract that marks it, and where it stands in a message."""

    contract: str
    pointer: str


def carries(pointer: str) -> Test:
    """Whether a message has a member at a pointer; a null counts as one."""
    tokens = split(pointer)
    if len(tokens) == 1 and tokens[0] != _ITEMS:
        (name,) = tokens
        return lambda value: type(value) is dict and name in value
    if _ITEMS in tokens:
        return lambda value: _at(value, tokens, 0)
    *above, name = tokens

    def has_member(value: Any) -> bool:
        for token in above:
            if type(value) is not dict or token not in value:
                return False
            value = value[token]
        return type(value) is dict and name in value

    return has_member


def _at(value: Any, tokens: Sequence[str], depth: int) -> bool:
    while depth < len(tokens):
        token = tokens[depth]
        depth += 1
        if token == _ITEMS:
            return type(value) is list and any(_at(item, tokens, depth) for item in value)
        if type(value) is not dict or token not in value:
            return False
        value = value[token]
    return True


class Watch:
    """What is looked for on one topic.

    `fields` are all of them; a message of a contract that has nothing to do with a field is not looked at for it.
    """

    def __init__(self, versions: Iterable[tuple[Version, tuple[str, ...]]]) -> None:
        marked: dict[str, tuple[Version, set[str]]] = {}
        for version, pointers in versions:
            marked.setdefault(version.contract, (version, set()))[1].update(pointers)
        self._marked = {name: held for name, held in marked.items() if held[1]}
        self.fields = tuple(Field(c, p) for c, (_, found) in sorted(self._marked.items()) for p in sorted(found))
        self._all = [(f, carries(f.pointer)) for f in self.fields]
        self._tests: dict[str, list[tuple[Field, Test]]] = {}

    def tests(self, writer: Version | None) -> list[tuple[Field, Test]]:
        """What a message of a contract is looked at for: everything where that is not known."""
        if writer is None:
            return self._all
        found = self._tests.get(writer.contract)
        if found is None:
            found = [pair for pair in self._all if _is_related(self._marked[pair[0].contract][0], writer)]
            self._tests[writer.contract] = found
        return found


def decoded(record: Record, found: Inspection) -> Any:
    """A message's value, also of one that was refused before it was decoded: by its claim, or since nobody judged it.

    Raises:
        ValueError: it is no JSON.
    """
    if found.value is not None:
        return found.value
    body = record.value or b""
    return orjson.loads(body if body[:1] > b"\x08" else body[5 if body[:1] == b"\0" else 17 :])


def _is_related(marking: Version, writer: Version) -> bool:
    return related(marking.contract, marking.of, writer.contract, writer.of)


def related(one: str, one_of: str | None, other: str, other_of: str | None) -> bool:
    """Whether two contracts, each with its `of`, may speak of the same messages: one contract, or two ends of a link."""
    if other in (one, one_of) or other_of == one:
        return True
    return one.partition("/")[2] == other.partition("/")[2]


def watch_of(lookup: Lookup, topic: str) -> Watch | None:
    """What is to be looked for on a topic, by what is registered; None while that cannot be said in full."""
    channel = lookup.channel(topic)
    if not isinstance(channel, Channel):
        return None
    found = []
    for version in channel.versions:
        if version.decoder is None:
            continue
        compiled = lookup.compiled(version)
        if compiled is None:
            if version.trouble:
                continue  # a document that marks nothing which could be found
            return None
        found.append((version, compiled.obsolete))
    return Watch(found)
