"""How much a caller is willing to pay for an answer."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


class BudgetExceeded(Exception):  # a signal inside the checker, never raised to callers
    """The budget ran out. `where` says what was being worked on."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


@dataclass(slots=True)
class Budget:
    """Nodes and milliseconds that one search may spend. Running out is an undecided answer, never a wrong one.

    `nodes` counts branches of the search, `milliseconds` wall-clock time from the first `start()`.
    """

    nodes: int = 200_000
    milliseconds: float = 2_000.0
    spent: int = 0
    _deadline: float = field(default=0.0, repr=False)

    def start(self) -> Budget:
        """Starts the clock, once."""
        if not self._deadline:
            self._deadline = time.monotonic() + self.milliseconds / 1_000
        return self

    def spend(self, nodes: int = 1, where: str = "") -> None:
        """Takes `nodes` from what is left. Looks at the clock every 64 nodes.

        Raises:
            BudgetExceeded: nodes or time ran out.
        """
        before = self.spent
        self.spent = before + nodes
        if self.spent > self.nodes:
            raise BudgetExceeded(f"{self.nodes} nodes were not enough{where and ' at ' + where}")
        if before >> 6 != self.spent >> 6:
            self.check_time(where)

    def check_time(self, where: str = "") -> None:
        """Looks at the clock alone, for loops that count their own work.

        Raises:
            BudgetExceeded: the time ran out.
        """
        self.start()
        if time.monotonic() > self._deadline:
            raise BudgetExceeded(f"{self.milliseconds:g} ms were not enough{where and ' at ' + where}")
