"""The entrance: readings become one goal, and its answer an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from deedbox.checker.budget import BudgetExceeded
from deedbox.checker.json_schema.closing import Location
from deedbox.checker.json_schema.inclusion.closed import Closings
from deedbox.checker.json_schema.inclusion.compiling import Compiler
from deedbox.checker.json_schema.inclusion.evaluation import holds
from deedbox.checker.json_schema.inclusion.places import Places
from deedbox.checker.json_schema.inclusion.readable import readable
from deedbox.checker.json_schema.inclusion.results import EMPTY, FOUND
from deedbox.checker.json_schema.inclusion.tableau import Tableau
from deedbox.checker.patterns import MatchUndecided, NotRegular, PatternError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.checker.budget import Budget
    from deedbox.checker.json_schema.inclusion.terms import Term
    from deedbox.checker.json_schema.schema import Node


@dataclass(frozen=True, slots=True)
class Reading:
    """A schema and how it is read: to the letter, or (`closed`) also by its closed reading (`closing.Location`)."""

    node: Node
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`empty`: proved that there is no such value; `found`: `value` is one; `unknown`: `reason` says what stopped it."""

    status: Literal["empty", "found", "unknown"]
    value: Any = None
    reason: str = ""


class Search:
    """Searches that share what they have compiled and decided. One per comparison; not for several threads at once.

    Args:
        format_assertion: whether `format` judges a value, or only describes it.
    """

    def __init__(self, *, format_assertion: bool = False) -> None:
        self._places = Places(format_assertion=format_assertion)
        self._closings = Closings()
        self._compiler = Compiler(self._places, self._closings.expand)
        self._closings.compiler = self._compiler
        self._tableau = Tableau(self._compiler.terms)
        self._locations: dict[Node, Location] = {}

    def find(self, accepts: Sequence[Reading], rejects: Sequence[Reading], budget: Budget) -> Outcome:
        """A value that every reading in `accepts` accepts and every one in `rejects` rejects. Never raises.

        A value is JSON with exact numbers, as `load_document` gives it. Running out of the budget is `unknown`, with what
        was being worked on.
        """
        budget.start()
        self._compiler.budget = budget
        self._tableau.start(budget)
        try:
            return self._find(accepts, rejects, budget)
        except BudgetExceeded as stopped:
            return Outcome("unknown", reason=str(stopped))
        except RecursionError:
            return Outcome("unknown", reason=f"nested too deeply at {self._compiler.where or '/'}")
        except MemoryError:
            return Outcome("unknown", reason=f"too large at {self._compiler.where or '/'}")

    def _find(self, accepts: Sequence[Reading], rejects: Sequence[Reading], budget: Budget) -> Outcome:
        terms = self._compiler.terms
        goal = terms.and_(
            [*(self._term(r, budget) for r in accepts), *(terms.not_(self._term(r, budget)) for r in rejects)]
        )
        result = self._tableau.sat(goal)
        if result.status == EMPTY:
            return Outcome("empty")
        if result.status != FOUND:
            return Outcome("unknown", reason=result.reason or "not decided")
        if holds(terms, goal, result.value) is not True:
            return Outcome("unknown", reason="a value was found that turned out not to be one")
        return Outcome("found", self._readable(goal, result.value, accepts))

    def _readable(self, goal: Term, value: Any, accepts: Sequence[Reading]) -> Any:
        if not accepts:
            return value
        try:
            return readable(self._compiler.terms, goal, value, Location([r.node for r in accepts]))
        except (BudgetExceeded, PatternError, NotRegular, MatchUndecided):
            return value  # as good a witness, less pretty

    def _term(self, reading: Reading, budget: Budget) -> Term:
        term = self._compiler.term(self._places.at(reading.node, budget))
        if not reading.closed:
            return term
        location = self._locations.get(reading.node)
        if location is None:
            location = self._locations[reading.node] = Location([reading.node])
        return self._compiler.terms.and_((term, self._closings.term(location)))
