"""Subschemas written out on their own: in 2020-12, without references and annotations.

A probe needs "the values that this subschema accepts" in a document of its own, whichever draft the subschema is in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node

_LIMIT = 200
"""Subschemas that one fragment may have: past it a question to the two places themselves is cheaper."""

_NEVER = frozenset({"definitions", "$defs", "contentSchema"})


class _Refused(Exception):
    """A signal inside this module: recursive, or too large."""


def portable(*nodes: Node) -> dict[str, Any] | bool | None:
    """A 2020-12 schema without references that accepts what all the nodes do; None if recursive or large."""
    writer = _Writer(inline=True)
    try:
        written = [writer.write(node) for node in nodes]
    except _Refused:
        return None
    return written[0] if len(written) == 1 else {"allOf": written}


def portables(nodes: list[Node]) -> list[dict[str, Any] | bool] | None:
    """Each node's own portable form, with one limit for all; None where any has none."""
    writer = _Writer(inline=True)
    try:
        return [writer.write(node) for node in nodes]
    except _Refused:
        return None


def bare(node: Node) -> dict[str, Any] | bool:
    """The subschema without annotations, in 2020-12's spelling, its references as they are written."""
    return _Writer(inline=False).write(node)


class _Writer:
    def __init__(self, *, inline: bool) -> None:
        self.inline, self.count, self.open = inline, 0, set[Any]()

    def write(self, node: Node) -> dict[str, Any] | bool:
        self.count += 1
        if self.inline and (self.count > _LIMIT or node in self.open):
            raise _Refused
        value = node.value
        if isinstance(value, bool):
            return value
        self.open.add(node)
        written: dict[str, Any] = {}
        conjuncts: list[dict[str, Any] | bool] = []
        keywords, dialect = node.keywords(), node.dialect
        for keyword in dialect.references:
            if isinstance(keywords.get(keyword), str):
                conjuncts.append(self._reference(node, keyword, keywords[keyword]))
        for keyword, held in keywords.items():
            if keyword in dialect.applicators:
                if keyword not in _NEVER:
                    self._applicator(node, keyword, held, written)
            elif keyword in dialect.assertions:
                self._assertion(keywords, keyword, held, written)
        self.open.discard(node)
        if conjuncts:
            if not written and len(conjuncts) == 1:
                return conjuncts[0]
            written["allOf"] = conjuncts + written.get("allOf", [])
        return written

    def _reference(self, node: Node, keyword: str, reference: str) -> Any:
        if not self.inline:
            return {keyword: reference}
        targets = node.schema.targets(node.pointer, keyword, reference)
        if len(targets) > 1:
            raise _Refused
        return self.write(targets[0])

    def _assertion(self, keywords: dict[str, Any], keyword: str, held: Any, written: dict[str, Any]) -> None:
        if keyword in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(held, bool):  # draft 4
            bound = keyword.removeprefix("exclusive").lower()
            if held and bound in keywords:
                written[keyword] = keywords[bound]
        else:
            written[keyword] = held

    def _applicator(self, node: Node, keyword: str, held: Any, written: dict[str, Any]) -> None:
        if keyword == "items" and isinstance(held, list):
            written["prefixItems"] = [self.write(node.child(keyword, i)) for i in range(len(held))]
        elif keyword == "additionalItems":
            if isinstance(node.keywords().get("items"), list):
                written["items"] = self.write(node.child(keyword))
        elif keyword == "dependencies":
            for name, dependency in held.items():
                if isinstance(dependency, list):
                    written.setdefault("dependentRequired", {})[name] = dependency
                else:
                    written.setdefault("dependentSchemas", {})[name] = self.write(node.child(keyword, name))
        elif isinstance(held, list):
            written[keyword] = written.get(keyword, []) + [self.write(node.child(keyword, i)) for i in range(len(held))]
        elif node.dialect.applicators[keyword] == "map":
            written.setdefault(keyword, {}).update((name, self.write(node.child(keyword, name))) for name in held)
        else:
            written[keyword] = self.write(node.child(keyword))
