"""What is measured of a schema before the algebra sees it.

`jsonschema-rs` cannot be interrupted, and small documents are known to crash it or to take all memory: long chains of
references, products of branches, large enums under subtraction, many members that differ. Past these limits the algebra
is skipped and the search goes on alone, under its budget.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deedbox.checker.json_schema.schema import Node, Schema

MAX_REFERENCE_CHAIN = 100
MAX_BRANCHES = 256
MAX_ENUM = 1_000
MAX_PLACES = 20_000
MAX_PATHS = 20_000
MAX_WORK = 2_000
_CAP = 1 << 20


@dataclass(frozen=True, slots=True)
class Measures:
    """How demanding a schema is: longest chain of in-place applications, largest product of branches at one location,
    largest enum, subschemas, and most ways in which one value is judged in place (each validator walks them all)."""

    chain: int
    branches: int
    enum: int
    places: int
    paths: int

    @property
    def objection(self) -> str:
        """Which limit it exceeds, in words; empty where the algebra may see it."""
        if self.chain > MAX_REFERENCE_CHAIN:
            return f"a chain of {self.chain} references (limit {MAX_REFERENCE_CHAIN})"
        if self.branches > MAX_BRANCHES:
            return f"over {MAX_BRANCHES} combinations of branches at one place"
        if self.enum > MAX_ENUM:
            return f"an enum of {self.enum} values (limit {MAX_ENUM})"
        if self.places > MAX_PLACES:
            return f"{self.places} subschemas (limit {MAX_PLACES})"
        return self.cost

    @property
    def cost(self) -> str:
        """Why no validator should judge even one small value by it, in words; empty where one may."""
        if self.paths > MAX_PATHS:
            return f"one value would be judged in over {MAX_PATHS} ways"
        return ""


def measure(schema: Schema) -> Measures:
    """Measures a schema, in time linear in its size."""
    if schema.size > MAX_PLACES and not schema.references:
        # A tree: the algebra does not see it, and no value is judged in more ways than it has places in line.
        return Measures(chain=0, branches=1, enum=0, places=schema.size, paths=1)
    order, children = _postorder(schema)
    branches: dict[Node, int] = {}
    chain: dict[Node, int] = {}
    paths: dict[Node, int] = {}
    for node in order:
        product, longest, ways = 1, 0, 1
        alternatives: dict[str, int] = {}
        for keyword, below in children[node]:
            # A child not yet measured closes a cycle: the algebra's own recursion check stops there.
            count = branches.get(below, 1)
            longest = max(longest, chain.get(below, 0) + 1)
            ways += paths.get(below, 1)
            if keyword in ("anyOf", "oneOf"):
                alternatives[keyword] = alternatives.get(keyword, 0) + count
            elif keyword in ("if", "dependentSchemas", "dependencies"):
                product *= 1 + count
            else:
                product *= count
        for count in alternatives.values():
            product *= count
        keywords = node.keywords()
        for keyword in ("dependentRequired", "dependencies"):
            held = keywords.get(keyword)
            if isinstance(held, dict):
                product <<= min(sum(isinstance(names, list) for names in held.values()), 20)
        branches[node] = min(product, _CAP)
        chain[node] = longest
        paths[node] = min(ways, _CAP)
    enums = (n.keywords().get("enum") for n in order)
    return Measures(
        chain=max(chain.values(), default=0),
        branches=max(branches.values(), default=1),
        enum=max((len(e) for e in enums if isinstance(e, list)), default=0),
        places=len(order),
        paths=max(paths.values(), default=1),
    )


def work(old: Any, new: Any) -> int:
    """The largest product, over the objects that stand at one place of both documents, of members and members that differ.

    Containment that fails was seen to take time by the fourth power of it: half a minute for 200 properties that all
    changed, where 200 of which one changed take 30 ms.
    """
    largest = 0
    pending = [(old, new)]
    while pending:
        one, other = pending.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            differing = [key for key in one.keys() | other.keys() if not _same(one, other, key)]
            largest = max(largest, len(differing) * max(len(one), len(other)))
            if largest > MAX_WORK:
                return largest
            pending += [(one[key], other[key]) for key in differing if key in one and key in other]
        elif isinstance(one, list) and isinstance(other, list):
            pending += [pair for pair in zip(one, other, strict=False) if pair[0] != pair[1]]
    return largest


def _same(one: dict[str, Any], other: dict[str, Any], key: str) -> bool:
    return key in one and key in other and bool(one[key] == other[key])


def _postorder(schema: Schema) -> tuple[list[Node], dict[Node, list[tuple[str, Node]]]]:
    """Every reachable subschema after those it applies in place, and what each applies in place (`not` included)."""
    children: dict[Node, list[tuple[str, Node]]] = {}
    order: list[Node] = []
    pending: list[tuple[Node, bool]] = [(schema.node, False)]
    while pending:
        node, done = pending.pop()
        if done:
            order.append(node)
            continue
        if node in children:
            continue
        in_place = list(node.in_place())
        below = [(k, n) for k, n in node.subschemas()]
        children[node] = in_place + [(k, n) for k, n in below if k == "not"]
        pending.append((node, True))
        # In-place children are pushed last and so measured first.
        pending += [(n, False) for k, n in below if k != "not"]
        pending += [(n, False) for _, n in children[node]]
    return order, children
