"""Facts about two versions of an API, gathered by cause: one finding, however many operations it reaches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from deedbox.checker.json_schema.comparing import fingerprint
from deedbox.checker.model import Direction, Finding, Kind, Level, Witness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.rules.rule import Rule

_LISTED = 3

Weight: TypeAlias = "tuple[Level, Kind]"
"""The level that a fact has in a direction, and whether an inclusion fails or a policy is broken by it."""

BREAKS: Weight = ("breaking", "inclusion")
"""What was accepted is refused, or what is sent is not understood."""
LOSES: Weight = ("breaking", "policy")
"""Nothing is refused, but something that was there is gone."""
ADDS: Weight = ("additive", "inclusion")
"""Nobody is broken."""


@dataclass(frozen=True, slots=True)
class ApiFact:
    """One difference. `at` is the place it is shown at, in the document named by `side`.

    `weights` has each direction in which it means something; an annotation has "policy". `witness` makes the message that shows
    it, when it is asked for. `old` and `new` are the values for the fingerprint.
    """

    rule: Rule
    pointer: str
    location: str
    side: Literal["new", "old"]
    message: str
    weights: Mapping[Direction, Weight]
    old: Any = None
    new: Any = None
    witness: Callable[[], Witness | None] | None = None
    detail: str = ""


_RANK: dict[Level, int] = {"breaking": 0, "undecided": 1, "additive": 2, "patch": 3}


@dataclass(slots=True)
class _Cause:
    """What is known of one cause: the first fact, the worst weight and its witness by direction, and where it reaches."""

    fact: ApiFact
    weights: dict[Direction, tuple[Weight, Callable[[], Witness | None] | None]] = field(default_factory=dict)
    reach: dict[str, None] = field(default_factory=dict)

    def weigh(self, fact: ApiFact) -> None:
        for direction, weight in fact.weights.items():
            known = self.weights.get(direction)
            better = known is not None and known[0][0] == weight[0] and known[1] is None and fact.witness is not None
            if known is None or better or _RANK[weight[0]] < _RANK[known[0][0]]:
                self.weights[direction] = (weight, fact.witness)


class Findings:
    """Gathers facts. The same rule at the same written place is one cause, with every operation that it reaches."""

    def __init__(self, contract: str) -> None:
        self.contract = contract
        self._causes: dict[tuple[str, str, str, str], _Cause] = {}

    def add(self, fact: ApiFact, reach: str = "") -> None:
        """Adds a fact that an operation (or message) has."""
        key = (fact.rule.id, fact.side, fact.location, fact.detail)
        cause = self._causes.setdefault(key, _Cause(fact))
        cause.weigh(fact)
        if reach:
            cause.reach[reach] = None

    def at(
        self,
        rule: Rule,
        place: Cursor,
        side: Literal["new", "old"],
        message: str,
        weights: Mapping[Direction, Weight],
        *,
        reach: str = "",
        old: Any = None,
        new: Any = None,
        witness: Callable[[], Witness | None] | None = None,
        detail: str = "",
    ) -> None:
        """Adds a fact about a place."""
        self.add(ApiFact(rule, place.pointer, place.location, side, message, weights, old, new, witness, detail), reach)

    def __bool__(self) -> bool:
        return bool(self._causes)

    def findings(self) -> Iterator[Finding]:
        """Every finding, one per cause and direction."""
        for cause in self._causes.values():
            fact = cause.fact
            reach = tuple(cause.reach)
            made: dict[int, Witness | None] = {}
            for direction, ((level, kind), make) in cause.weights.items():
                witness = None
                if level == "breaking" and make is not None:
                    if id(make) not in made:
                        made[id(make)] = make()
                    witness = made[id(make)]
                yield Finding(
                    rule=fact.rule.id,
                    kind=kind,
                    pointer=fact.pointer,
                    location=fact.location,
                    level=level,
                    direction=direction,
                    message=fact.message + reached(reach),
                    witness=witness,
                    fingerprint=fingerprint(
                        fact.rule.id + (f":{fact.detail}" if fact.detail else ""),
                        self.contract,
                        fact.pointer,
                        fact.old,
                        fact.new,
                    ),
                    side=fact.side,
                    reach=reach,
                )


def reached(reach: tuple[str, ...]) -> str:
    """Where a shared cause is felt, for the end of a message; nothing where one operation alone has it."""
    if len(reach) < 2:
        return ""
    named = ", ".join(reach[:_LISTED])
    more = f" and {len(reach) - _LISTED} more" if len(reach) > _LISTED else ""
    return f" (in {len(reach)} places: {named}{more})"
