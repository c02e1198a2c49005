"""Rules about `enum` and `const`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema.rules.definition import are, inclusion, listing, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair

_SOURCE = "JSON Schema 2020-12 validation §6.1.2 (enum), §6.1.3 (const)"

VALUE_REMOVED = inclusion(
    "enum-value-removed",
    "A listed value is no longer accepted.",
    "Whoever still sends it is refused. Keep the value in the reader's list until no writer sends it.",
    _SOURCE,
    mirror="enum-value-added",
)
VALUE_ADDED = inclusion(
    "enum-value-added",
    "One more value is accepted in a list of values.",
    "Readers on the old version refuse it: update them before any writer sends it.",
    _SOURCE,
    mirror="enum-value-removed",
)
ADDED = inclusion(
    "enum-added",
    "Values are restricted to a list, where they were free.",
    "Whoever sends a value that is not on the list is refused.",
    _SOURCE,
    mirror="enum-removed",
)
REMOVED = inclusion(
    "enum-removed",
    "Values are free, where they were restricted to a list.",
    "Readers on the old version refuse every value that was not on the list.",
    _SOURCE,
    mirror="enum-added",
)
CONST_CHANGED = inclusion(
    "const-changed",
    "The one value that is accepted here is another.",
    "Neither side can read the other's messages. Accept both values (`enum`) while writers change over.",
    _SOURCE,
    mirror="const-changed",
)
RULES = (VALUE_REMOVED, VALUE_ADDED, ADDED, REMOVED, CONST_CHANGED)


def listed_values(at: Pair) -> Iterator[Fact]:
    """Compares the values that both sides' lists leave."""
    old, new = at.old_values, at.new_values
    where: dict[str, Any] = {"old": at.old.holder("enum", "const"), "new": at.new.holder("enum", "const")}
    if old is None and new is None:
        return
    if old is None:
        assert new is not None
        message = f"only {listing(new.values())} {are(len(new))} accepted now"
        yield at.fact(ADDED, message, **where, probes={"backward": at.probe({"not": {"enum": list(new.values())}})})
    elif new is None:
        message = f"other values than {listing(old.values())} are accepted now"
        yield at.fact(REMOVED, message, **where, probes={"forward": at.probe({"not": {"enum": list(old.values())}})})
    else:
        gone = [value for key, value in old.items() if key not in new]
        come = [value for key, value in new.items() if key not in old]
        if gone and come and len(old) == len(new) == 1:
            yield at.fact(
                CONST_CHANGED,
                f"the value was {shown(gone[0])} and is {shown(come[0])}",
                probes={"backward": at.probe({"enum": gone}), "forward": at.probe({"enum": come})},
                **where,
            )
            return
        if gone:
            message = f"{listing(gone)} {are(len(gone))} no longer accepted"
            yield at.fact(VALUE_REMOVED, message, **where, probes={"backward": at.probe({"enum": gone})})
        if come:
            message = f"{listing(come)} {are(len(come))} accepted now"
            yield at.fact(VALUE_ADDED, message, **where, probes={"forward": at.probe({"enum": come})})
