"""Messages to measure classes with: valid ones made from a schema, broken ones made from those.

Made, then judged: a maker guided by the schema proposes, the validator decides which proposals are valid and which are
broken. So the maker may be simple, and nothing here is believed because it was meant to be so. Fixed seeds: the same
schema gives the same messages, so that a build can be repeated byte by byte.
"""

from __future__ import annotations

import copy
import random
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from deedbox.checker.budget import Budget, BudgetExceeded
from deedbox.checker.canonical import canonical
from deedbox.checker.errors import CheckerError
from deedbox.checker.patterns import Language, find
from deedbox.codegen import places

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from deedbox.checker.json_schema.schema import Node

MESSAGES = 24
"""Valid messages made of one root, at most."""
BROKEN = 60
"""Broken ones made of them, at most."""
_PROPOSALS = 160
_DEEP = 7
_TOO_DEEP = 24
_PLACES = 4_000
_NODES = 3_000
_END = object()

_FORMATS = {
    "date-time": "2026-01-31T10:00:00Z", "date": "2026-01-31", "time": "10:00:00Z", "duration": "P1DT2H",
    "email": "ada@example.org", "idn-email": "ada@example.org", "hostname": "example.org", "idn-hostname": "example.org",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.org/a", "uri-reference": "/a", "iri": "https://example.org/a",
    "iri-reference": "/a", "uuid": "3f9a1c02-b7de-4c1a-9d35-6b0a5e0f7a11", "uri-template": "/a/{b}", "json-pointer": "/a",
    "relative-json-pointer": "1/a", "regex": "^a+$",
}  # fmt: skip
_TYPES = ("object", "string", "integer", "number", "array", "boolean", "null")
_WORDS = ("a", "text", "Order 17", "x" * 12, "0")


class _Dead(Exception):
    """A proposal that leads nowhere: never leaves the maker."""


def valid_messages(
    root: Node, is_valid: Callable[[Any], bool], examples: Iterable[Any] = (), *, seed: int = 0
) -> list[Any]:
    """Up to `MESSAGES` different messages that the validator accepts, the given examples first where it does.

    Another seed gives other messages: classes fitted to those of seed 0 are judged on others.
    """
    found: dict[bytes, Any] = {}

    def keep(message: Any) -> None:
        key = canonical(message)
        if key not in found and is_valid(message):
            found[key] = message

    for example in examples:
        keep(copy.deepcopy(example))
    maker = _Maker(root, seed)
    for message in maker.proposals():
        if len(found) >= MESSAGES:
            break
        keep(message)
    if not found:
        keep_found(root, keep)
    return list(found.values())


def keep_found(root: Node, keep: Callable[[Any], None]) -> None:
    """One message from the checker's search, where the maker found none."""
    from deedbox.checker.json_schema.inclusion import Reading, Search

    # Nodes alone bound the search: an answer that depends on the clock would make builds differ.
    outcome = Search().find([Reading(root)], [], Budget(nodes=50_000, milliseconds=10_000))
    if outcome.status == "found":
        keep(outcome.value)


def admits_nothing(root: Node) -> bool:
    """Whether it is proved that no message satisfies a schema."""
    from deedbox.checker.json_schema.inclusion import Reading, Search

    return (
        root.value is False
        or Search().find([Reading(root)], [], Budget(nodes=50_000, milliseconds=10_000)).status == "empty"
    )


def broken_messages(valid: Sequence[Any], is_valid: Callable[[Any], bool]) -> list[Any]:
    """Up to `BROKEN` different messages that the validator rejects, each a valid one changed at one place."""
    found: dict[bytes, Any] = {}
    mutants = [_mutants(message, random.Random(i)) for i, message in enumerate(valid)]  # noqa: S311 - no secret
    tried = 0
    while mutants and len(found) < BROKEN and tried < _PLACES:
        for source in list(mutants):
            mutant = next(source, _END)
            if mutant is _END:
                mutants.remove(source)
                continue
            tried += 1
            key = canonical(mutant)
            if key not in found and not is_valid(mutant):
                found[key] = mutant
    return list(found.values())[:BROKEN]


def _mutants(message: Any, chance: random.Random) -> Iterator[Any]:
    found = list(_places(message, ()))[:400]
    chance.shuffle(found)
    for path, value in [((), message), *found]:
        for changed in _changes(value, chance):
            yield _with(message, path, changed)
        if path and isinstance(path[-1], str):
            yield _without(message, path)


def _places(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if path:
        yield path, value
    members: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield from _places(member, (*path, key))


def _changes(value: Any, chance: random.Random) -> list[Any]:
    changes: list[Any] = []
    if isinstance(value, dict):
        changes += [{**value, "not-declared": True}, [], "text", None]
    elif isinstance(value, list):
        changes += [{}, [*value, None], [*value, {"not-declared": True}], [*value, *value], [], "text"]
    elif isinstance(value, str):
        changes += [17, None, True, "", value + " no such value \u00e9", ["text"], {}, "x" * 70_000]
    elif isinstance(value, bool):
        changes += ["true", None, 1, {}]
    elif isinstance(value, int | float | Decimal):
        changes += [str(value), None, True, -1_000_001, 10**12 + 1, Decimal("0.5"), [], {}]
    else:
        changes += [0, "text", False, {}, []]
    chance.shuffle(changes)
    return changes


def _with(message: Any, path: tuple[str | int, ...], value: Any) -> Any:
    if not path:
        return value
    copied: Any = dict(message) if isinstance(message, dict) else list(message)
    copied[path[0]] = _with(message[path[0]], path[1:], value)
    return copied


def _without(message: Any, path: tuple[str | int, ...]) -> Any:
    copied: Any = dict(message) if isinstance(message, dict) else list(message)
    if len(path) == 1:
        del copied[path[0]]
    else:
        copied[path[0]] = _without(message[path[0]], path[1:])
    return copied


class _Maker:
    """Proposes messages for a schema: the least, the one with everything, one with each optional property, random ones."""

    def __init__(self, root: Node, seed: int) -> None:
        self.root, self.seed = root, seed
        self.chance = random.Random(0)  # noqa: S311 - no secret
        self.optional = 0.0
        """How likely an optional property is present."""
        self.first = True
        """Whether the first alternative is taken, instead of any."""
        self.only: str | None = None
        self.spent = 0
        self.strings: dict[Any, tuple[str, ...]] = {}

    def proposals(self) -> Iterator[Any]:
        """Up to `_PROPOSALS` messages, by a fixed plan."""
        for proposal in range(_PROPOSALS):
            self.chance.seed(self.seed * _PROPOSALS + proposal)
            self.first = proposal < 2 and self.seed == 0
            self.optional = (0.0, 1.0, 0.05, 0.5, 0.15, 0.3, 0.02, 0.0)[proposal % 8 if proposal > 1 else proposal]
            self.spent = 0
            try:
                yield self.value((self.root,), 0)
            except (_Dead, CheckerError, BudgetExceeded):
                continue

    def value(self, nodes: tuple[Node, ...], depth: int) -> Any:
        self.spent += 1
        if depth > _TOO_DEEP or self.spent > _NODES:
            raise _Dead
        merged = self.expanded(nodes)
        facets = [node.keywords() for node in merged]
        types = set(_TYPES)
        constants: list[Any] | None = None
        for facet in facets:
            kind = facet.get("type")
            if kind is not None:
                allowed = {kind} if isinstance(kind, str) else set(kind)
                types &= allowed | ({"integer"} if "number" in allowed else set())
            for listed in [[facet["const"]]] if "const" in facet else [facet["enum"]] if "enum" in facet else []:
                if constants is None:
                    constants = listed
                else:
                    keys = {canonical(v) for v in listed}
                    constants = [v for v in constants if canonical(v) in keys]
        if constants is not None:
            constants = [c for c in constants if _type_of(c) & types]
            if not constants:
                raise _Dead
            return copy.deepcopy(constants[0] if self.first else self.chance.choice(constants))
        kind = self.kind(types, facets, depth)
        if kind == "object":
            return self.object(merged, facets, depth)
        if kind == "array":
            return self.array(merged, facets, depth)
        if kind == "string":
            return self.string(facets)
        if kind in ("integer", "number"):
            return self.number(facets, whole=kind == "integer")
        return None if kind == "null" else (self.first or self.chance.random() < 0.5)

    def kind(self, types: set[str], facets: list[dict[str, Any]], depth: int) -> str:
        if not types:
            raise _Dead
        held = {keyword for facet in facets for keyword in facet}
        hints = {
            "object": {"properties", "required", "additionalProperties", "patternProperties", "minProperties"},
            "array": {"items", "prefixItems", "minItems", "contains"},
            "string": {"pattern", "minLength", "maxLength", "format"},
            "number": {"minimum", "maximum", "multipleOf"},
        }
        if types == set(_TYPES):  # what it says about one type hints at which is meant
            hinted = [kind for kind, keywords in hints.items() if keywords & held]
            return str(self.pick(hinted or ["string", "integer", "object", "boolean", "array"]))
        choices = [kind for kind in _TYPES if kind in types]
        if depth > _DEEP and len(choices) > 1:
            choices = [kind for kind in choices if kind not in ("object", "array")] or choices
        return str(self.pick(choices))

    def pick(self, choices: list[Any]) -> Any:
        return choices[0] if self.first else self.chance.choice(choices)

    def expanded(self, nodes: tuple[Node, ...]) -> list[Node]:
        """The subschemas that are to hold together: references followed, an alternative taken of each choice."""
        found: dict[Node, None] = {}
        pending = list(nodes)
        while pending:
            node = pending.pop(0)
            if node in found:
                continue
            if node.value is False:
                raise _Dead
            found[node] = None
            keywords = node.keywords()
            for keyword in node.dialect.references:
                if isinstance(keywords.get(keyword), str):
                    pending.append(node.schema.targets(node.pointer, keyword, keywords[keyword])[-1])
            pending += [node.child("allOf", i) for i in range(len(keywords.get("allOf", ())))]
            for keyword in ("anyOf", "oneOf"):
                if keywords.get(keyword):
                    count = len(keywords[keyword])
                    # Deep down the last alternative is as likely to end a recursion as any: the budget decides.
                    pending.append(node.child(keyword, 0 if self.first else self.chance.randrange(count)))
            if "if" in keywords and "if" in node.dialect.applicators:
                if "then" in keywords and (self.first or self.chance.random() < 0.5):
                    pending += [node.child("if"), node.child("then")]
                elif "else" in keywords:
                    pending.append(node.child("else"))
        return list(found)

    def object(self, merged: list[Node], facets: list[dict[str, Any]], depth: int) -> dict[str, Any]:
        required = [name for facet in facets for name in _names(facet.get("required"))]
        declared = [name for facet in facets for name in facet.get("properties", ())]
        names = dict.fromkeys(required)
        share = self.optional if depth < _DEEP else 0.0
        for name in declared:
            if name not in names and share and self.chance.random() < share:
                names[name] = None
        least = max((int(f["minProperties"]) for f in facets if "minProperties" in f), default=0)
        for name in declared:
            if len(names) < least:
                names.setdefault(name)
        self.extra_names(facets, names, least)
        for facet in facets:
            for keyword in ("dependentRequired", "dependencies"):
                for name, needed in (facet.get(keyword) or {}).items():
                    if name in names and isinstance(needed, list):
                        names |= dict.fromkeys(needed)
        made = {}
        for name in names:
            below = places.of_property(merged, name)
            try:
                made[name] = self.value(below, depth + 1)
            except _Dead:
                if name in required:
                    raise
        return made

    def extra_names(self, facets: list[dict[str, Any]], names: dict[str, None], least: int) -> None:
        """Adds names that are not declared: where too few are, and sometimes where the object is open."""
        patterns = [p for facet in facets for p in facet.get("patternProperties", ())]
        is_open = not any(
            facet.get(keyword) is False
            for facet in facets
            for keyword in ("additionalProperties", "unevaluatedProperties")
        )
        wanted = max(least - len(names), 0)
        if not wanted and not (self.optional and self.chance.random() < 0.25):
            return
        candidates: list[str] = []
        if patterns:
            candidates += self.matching(self.pick(patterns), wanted or 1)
        naming = [f["propertyNames"] for f in facets if isinstance(f.get("propertyNames"), dict)]
        if is_open:
            if naming and isinstance(naming[0].get("pattern"), str):
                candidates += self.matching(naming[0]["pattern"], wanted or 1)
            elif naming and isinstance(naming[0].get("enum"), list):
                candidates += [name for name in naming[0]["enum"] if isinstance(name, str)]
            else:
                candidates += [f"extra{i or ''}" for i in range(wanted or 1)]
        for name in candidates:
            if len(names) < max(least, len(names) + 1 if not wanted else least):
                names.setdefault(name)
                if not wanted:
                    return

    def array(self, merged: list[Node], facets: list[dict[str, Any]], depth: int) -> list[Any]:
        least = max((int(f["minItems"]) for f in facets if "minItems" in f), default=0)
        most = min((int(f["maxItems"]) for f in facets if "maxItems" in f), default=least + 3)
        if least > 200:
            raise _Dead
        extra = 0 if depth >= _DEEP else (1 if self.first else self.chance.randrange(3))
        length = min(least + (extra if least == 0 or not self.first else 0), most)
        made: list[Any] = []
        for node in merged:
            keywords = node.keywords()
            if "contains" in keywords and "contains" in node.dialect.applicators:
                for _ in range(int(keywords.get("minContains", 1))):
                    made.append(self.value((node.child("contains"), *places.of_item(merged, len(made))), depth + 1))
        unique = any(f.get("uniqueItems") is True for f in facets)
        seen = {canonical(item) for item in made}
        for _ in range(length * (4 if unique else 1)):
            if len(made) >= length:
                break
            try:
                item = self.value(places.of_item(merged, len(made)), depth + 1)
            except _Dead:
                if len(made) < least:
                    raise
                break
            key = canonical(item)
            if not unique or key not in seen:
                seen.add(key)
                made.append(item)
        return made

    def string(self, facets: list[dict[str, Any]]) -> str:
        least = max((int(f["minLength"]) for f in facets if "minLength" in f), default=0)
        most = min((int(f["maxLength"]) for f in facets if "maxLength" in f), default=None)
        patterns = tuple(f["pattern"] for f in facets if isinstance(f.get("pattern"), str))
        if least > 10_000:
            raise _Dead
        if patterns:
            key = (patterns, least, most)
            if key not in self.strings:
                found = find(
                    [Language.of(p) for p in patterns],
                    [],
                    min_length=least,
                    max_length=most,
                    count=4,
                    budget=Budget(nodes=20_000, milliseconds=5_000),
                )
                self.strings[key] = found.strings
            if not self.strings[key]:
                raise _Dead
            return str(self.pick(list(self.strings[key])))
        for facet in facets:
            text = _FORMATS.get(facet.get("format", ""))
            if text is not None and least <= len(text) and (most is None or len(text) <= most):
                return text
        words = [w for w in _WORDS if least <= len(w) and (most is None or len(w) <= most)]
        return str(self.pick(words)) if words else "a" * least

    def matching(self, pattern: str, count: int) -> list[str]:
        key = (pattern, count)
        if key not in self.strings:
            self.strings[key] = find(
                [Language.of(pattern)],
                [],
                min_length=1,
                count=max(count, 2),
                budget=Budget(nodes=20_000, milliseconds=5_000),
            ).strings
        return list(self.strings[key])

    def number(self, facets: list[dict[str, Any]], *, whole: bool) -> Any:
        low: Any = None
        high: Any = None
        step: Any = 1 if whole else None
        for facet in facets:
            for keyword, value in facet.items():
                if not isinstance(value, int | Decimal) or isinstance(value, bool):
                    continue
                above = value + (1 if whole else Decimal("0.5"))
                below = value - (1 if whole else Decimal("0.5"))
                if keyword == "minimum":
                    low = _most(low, above if facet.get("exclusiveMinimum") is True else value, max)
                elif keyword == "exclusiveMinimum":
                    low = _most(low, above, max)
                elif keyword == "maximum":
                    high = _most(high, below if facet.get("exclusiveMaximum") is True else value, min)
                elif keyword == "exclusiveMaximum":
                    high = _most(high, below, min)
                elif keyword == "multipleOf" and value:
                    step = value if step in (None, 1) else step * value
        start = low if low is not None else (min(high, 0) if high is not None else 0)
        if step:
            start = -(-start // step) * step
        choices = [start]
        choices += [start + (step or 1) * k for k in (1, 2, 17)]
        if not whole and step is None:
            choices.append(start + Decimal("0.25"))
        choices = [c for c in choices if high is None or c <= high] or [start]
        value = self.pick(choices)
        return int(value) if value == int(value) else value


def _most(old: Any, new: Any, better: Callable[[Any, Any], Any]) -> Any:
    return new if old is None else better(old, new)


def _names(required: Any) -> list[str]:
    return required if isinstance(required, list) else []


def _type_of(value: Any) -> set[str]:
    if value is None:
        return {"null"}
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    if isinstance(value, float | Decimal):
        return {"number"}
    return {"string"} if isinstance(value, str) else {"array"} if isinstance(value, list) else {"object"}
