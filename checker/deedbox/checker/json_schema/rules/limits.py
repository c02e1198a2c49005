"""Rules about bounds: of numbers, lengths and counts, and multiples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.json_schema import facets
from deedbox.checker.json_schema.rules.definition import inclusion, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deedbox.checker.json_schema.facts import Fact
    from deedbox.checker.json_schema.places import Pair, Probes
    from deedbox.checker.json_schema.sides import Side
    from deedbox.checker.rules.rule import Rule


def _ends(least: str, most: str, what: str, source: str, sources: str) -> tuple[Rule, Rule, Rule, Rule]:
    """The four rules of a pair of bounds: least raised and lowered, most lowered and raised."""
    stricter = "Whoever still sends what is now out of bounds is refused: keep the reader's bound until no writer does."
    looser = "Readers on the old version refuse what is newly within bounds: update them before any writer sends it."
    return (
        inclusion(f"{least}-raised", f"The least {what} was raised, or one was set.", stricter, source,
                  mirror=f"{least}-lowered"),
        inclusion(f"{least}-lowered", f"The least {what} was lowered, or none is set any more.", looser, source,
                  mirror=f"{least}-raised"),
        inclusion(f"{most}-lowered", f"The greatest {what} was lowered, or one was set.", stricter, sources,
                  mirror=f"{most}-raised"),
        inclusion(f"{most}-raised", f"The greatest {what} was raised, or none is set any more.", looser, sources,
                  mirror=f"{most}-lowered"),
    )  # fmt: skip


_V = "JSON Schema 2020-12 validation "
NUMBER = _ends("minimum", "maximum", "number", _V + "§6.2.4, §6.2.5 (minimum, exclusiveMinimum)",
               _V + "§6.2.2, §6.2.3 (maximum, exclusiveMaximum)")  # fmt: skip
LENGTH = _ends("min-length", "max-length", "length of the string", _V + "§6.3.2 (minLength)", _V + "§6.3.1 (maxLength)")
ITEMS = _ends("min-items", "max-items", "number of items", _V + "§6.4.2 (minItems)", _V + "§6.4.1 (maxItems)")
PROPERTIES = _ends("min-properties", "max-properties", "number of properties", _V + "§6.5.2 (minProperties)",
                   _V + "§6.5.1 (maxProperties)")  # fmt: skip
MULTIPLE_NARROWED = inclusion(
    "multiple-of-narrowed",
    "Numbers must be multiples of more than before.",
    "Numbers between the new steps are refused: keep the reader's step until no writer sends them.",
    _V + "§6.2.1 (multipleOf)",
    mirror="multiple-of-widened",
)
MULTIPLE_WIDENED = inclusion(
    "multiple-of-widened",
    "Numbers need be multiples of less than before.",
    "Readers on the old version refuse numbers between their steps.",
    _V + "§6.2.1 (multipleOf)",
    mirror="multiple-of-narrowed",
)
MULTIPLE_CHANGED = inclusion(
    "multiple-of-changed",
    "Numbers must be multiples of another number, and neither step divides the other.",
    "Each side refuses numbers of the other's.",
    _V + "§6.2.1 (multipleOf)",
    mirror="multiple-of-changed",
)
RULES = (*NUMBER, MULTIPLE_NARROWED, MULTIPLE_WIDENED, MULTIPLE_CHANGED, *LENGTH, *ITEMS, *PROPERTIES)


def numbers(at: Pair) -> Iterator[Fact]:
    """Compares the tightest bounds of numbers."""
    if not ({"integer", "fraction"} & at.shared_types) or at.listed:
        return
    for lower in (True, False):
        old, new = facets.bound(at.old, lower=lower), facets.bound(at.new, lower=lower)
        before = old.tightness() if old else None
        after = new.tightness() if new else None
        if before == after:
            continue
        word = "least" if lower else "greatest"
        message = f"the {word} number was {_bound_text(old)} and is {_bound_text(new)}"
        where: dict[str, Any] = {"old": old and old.part, "new": new and new.part}
        if new is not None and (before is None or (after is not None and after > before)):
            yield at.fact(NUMBER[0 if lower else 2], message, **where, probes={"backward": at.probe(new.outside())})
        else:
            assert old is not None
            yield at.fact(NUMBER[1 if lower else 3], message, **where, probes={"forward": at.probe(old.outside())})


def _bound_text(bound: facets.Bound | None) -> str:
    if bound is None:
        return "free"
    return (("above " if bound.lower else "below ") if bound.exclusive else "") + shown(bound.value)


def multiples(at: Pair) -> Iterator[Fact]:
    """Compares the steps of numbers."""
    if not ({"integer", "fraction"} & at.shared_types) or at.listed:
        return
    old, new = facets.step(at.old), facets.step(at.new)
    if old == new:
        return
    where: dict[str, Any] = {"old": at.old.holder("multipleOf"), "new": at.new.holder("multipleOf")}
    narrower = new is not None and (old is None or (new / old).denominator == 1)
    wider = old is not None and (new is None or (old / new).denominator == 1)
    probes: Probes = {}
    if not wider:
        probes["backward"] = at.probe(_no_multiple(at.new))
    if not narrower:
        probes["forward"] = at.probe(_no_multiple(at.old))
    rule = MULTIPLE_NARROWED if narrower else MULTIPLE_WIDENED if wider else MULTIPLE_CHANGED
    steps = [" and ".join(shown(v) for v in side.values("multipleOf")) or "anything" for side in (at.old, at.new)]
    yield at.fact(rule, f"numbers were multiples of {steps[0]} and are multiples of {steps[1]}", **where, probes=probes)


def _no_multiple(side: Side) -> dict[str, Any]:
    return {"type": "number", "not": {"allOf": [{"multipleOf": value} for value in side.values("multipleOf")]}}


def _counts(
    kind: str, suffix: str, what: str, rules: tuple[Rule, Rule, Rule, Rule]
) -> Callable[[Pair], Iterator[Fact]]:
    least, most = f"min{suffix}", f"max{suffix}"

    def check(at: Pair) -> Iterator[Fact]:
        if kind not in at.shared_types or (kind == "string" and at.listed):
            return
        old, old_part = facets.smallest(at.old, least)
        new, new_part = facets.smallest(at.new, least)
        old_where = old_part or at.old.main
        if new != old:
            message = f"{what} was at least {old} and is at least {new}"
            narrower = new > old
            probe = at.probe({"type": kind, most: max(new, old) - 1})
            yield at.fact(
                rules[0 if narrower else 1], message, old=old_where, new=new_part,
                probes={"backward" if narrower else "forward": probe},
            )  # fmt: skip
        old_most, old_part = facets.largest(at.old, most)
        new_most, new_part = facets.largest(at.new, most)
        if old_most != new_most:
            message = f"{what} was {_most_text(old_most)} and is {_most_text(new_most)}"
            narrower = new_most is not None and (old_most is None or new_most < old_most)
            tighter = new_most if narrower else old_most
            assert tighter is not None
            yield at.fact(
                rules[2 if narrower else 3], message, old=old_part, new=new_part,
                probes={"backward" if narrower else "forward": at.probe({"type": kind, least: tighter + 1})},
            )  # fmt: skip

    check.__doc__ = f"Compares the least and the greatest of {what}."
    return check


def _most_text(most: int | None) -> str:
    return "unlimited" if most is None else f"at most {most}"


lengths = _counts("string", "Length", "the length", LENGTH)
item_counts = _counts("array", "Items", "the number of items", ITEMS)
property_counts = _counts("object", "Properties", "the number of properties", PROPERTIES)
