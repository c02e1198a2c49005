"""Short ways to write a table's entries, and to show values in messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.canonical import canonical
from deedbox.checker.rules.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deedbox.checker.model import Kind

FORMAT = "json-schema"
_SHOWN = 60
_LISTED = 5


def inclusion(rule: str, title: str, why: str, source: str, *, mirror: str | None) -> Rule:
    """A rule whose level a proof decides."""
    return _rule(rule, "inclusion", title, why, source, mirror)


def annotation(rule: str, title: str, why: str, source: str, *, mirror: str | None) -> Rule:
    """A rule about what judges no message."""
    return _rule(rule, "annotation", title, why, source, mirror)


def policy(rule: str, title: str, why: str, source: str, *, mirror: str | None) -> Rule:
    """A rule about what the schemas let pass and the project's policy does not."""
    return _rule(rule, "policy", title, why, source, mirror)


def _rule(rule: str, kind: Kind, title: str, why: str, source: str, mirror: str | None) -> Rule:
    return Rule(rule, FORMAT, kind, title, why, source, mirror)


def rest_rules(keyword: str, what: str, source: str) -> tuple[Rule, Rule, Rule, Rule]:
    """The four rules of a keyword for the rest: closed, opened, narrowed, widened."""
    return (
        inclusion(f"{keyword}-closed", f"{what} are refused now.",
                  "A closed reader refuses whatever its writers add, and breaks at each addition: leave it open, unless "
                  "unknown content is dangerous.", source, mirror=f"{keyword}-opened"),
        inclusion(f"{keyword}-opened", f"{what} are no longer refused.",
                  "Readers on the old version still refuse them.", source, mirror=f"{keyword}-closed"),
        inclusion(f"{keyword}-narrowed", f"{what} have a schema now.",
                  "What was free before is refused where it does not fit.", source, mirror=f"{keyword}-widened"),
        inclusion(f"{keyword}-widened", f"{what} have no schema any more.",
                  "Readers on the old version refuse what does not fit theirs.", source, mirror=f"{keyword}-narrowed"),
    )  # fmt: skip


def shown(value: Any) -> str:
    """A JSON value for a message, cut where it is long."""
    text = canonical(value).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def listing(values: Iterable[Any]) -> str:
    """Values for a message: the first few, and how many more."""
    texts = [shown(value) for value in values]
    head = ", ".join(texts[:_LISTED])
    return head if len(texts) <= _LISTED else f"{head} and {len(texts) - _LISTED} more"


def are(count: int) -> str:
    """The verb for so many things."""
    return "is" if count == 1 else "are"
