"""Witnesses that people can read: fillers give way to what the schemas themselves suggest, where that changes no answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from deedbox.checker.json_schema.inclusion.evaluation import holds
from deedbox.checker.json_schema.inclusion.formats import SAMPLES
from deedbox.checker.json_schema.inclusion.values import sort_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.closing import Location
    from deedbox.checker.json_schema.inclusion.terms import Term, Terms

_MOST: Final = 16
"""Places of a message that are looked at."""
_FILLERS: Final = frozenset({"a", "b", "c", "aa", "abc", ""})
_BY_NAME: Final = (
    ("email", "ada@example.com"),
    ("url", "https://example.com/"),
    ("uri", "https://example.com/"),
    ("date", "2026-01-31"),
    ("currency", "EUR"),
    ("country", "NL"),
    ("name", "Ada"),
)


def readable(terms: Terms, goal: Term, value: Any, location: Location) -> Any:
    """The value, or one like it that is of the goal too and says more.

    Args:
        terms: of the search.
        goal: what the value is a value of.
        value: what was found.
        location: all that applies at the root, for what it suggests.

    Raises:
        BudgetExceeded: as the checks of values do.
    """
    for path, name, place in list(_fillers(value, (), "", location)):
        for better in _suggestions(name, place, _at(value, path)):
            changed = _with(value, path, better)
            if holds(terms, goal, changed):
                value = changed
                break
    return value


def _fillers(
    value: Any, path: tuple[str | int, ...], name: str, location: Location
) -> Iterator[tuple[tuple[str | int, ...], str, Location]]:
    """The places of values that stand for any value: path, name, and what applies there."""
    pending: list[tuple[Any, tuple[str | int, ...], str, Location]] = [(value, path, name, location)]
    seen = 0
    while pending and seen < _MOST:
        value, path, name, location = pending.pop()
        seen += 1
        if isinstance(value, dict):
            pending += [(v, (*path, n), n, location.member(n)) for n, v in reversed(value.items())]
        elif isinstance(value, list):
            pending += [(v, (*path, i), name, location.item(i)) for i, v in enumerate(value[:3])]
        elif (isinstance(value, str) and value in _FILLERS) or (value is not True and value == 0):
            yield path, name, location


def _suggestions(name: str, location: Location, value: Any) -> Iterator[Any]:
    sort = sort_of(value)
    for node in location.nodes:
        schema = node.value
        if not isinstance(schema, dict):
            continue
        examples = schema.get("examples")
        suggested = examples[:2] if isinstance(examples, list) else []
        if "default" in schema:
            suggested.append(schema["default"])
        suggested += SAMPLES.get(str(schema.get("format")), ())[:1]
        for one in suggested:
            if sort_of(one) == sort and one not in ("", value):
                yield one
    if isinstance(value, str):
        lowered = name.lower()
        for part, sample in _BY_NAME:
            if part in lowered:
                yield sample
                return


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _with(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy of a value with another one at a path; what the path does not touch is shared."""
    if not path:
        return new
    changed = value.copy()
    changed[path[0]] = _with(value[path[0]], path[1:], new)
    return changed
