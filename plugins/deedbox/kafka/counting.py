"""Counting messages by channel, contract, version and rule; and the few that are kept to look at. Bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from deedbox.kafka.judging.validation import UNDECLARED

if TYPE_CHECKING:
    from deedbox.kafka.inspection import Inspection
    from deedbox.kafka.lookup import Version


class Cell(NamedTuple):
    """What is counted together. `rule` is empty and `kind` a status for messages as a whole; for a fault, for an
    undeclared member and for a note, `kind` is `fault`, `undeclared` or `note`, and `pointer` where in the message."""

    channel: str
    contract: str
    version: str
    kind: str
    rule: str = ""
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted, and how much of it found no room of its own."""

    cells: dict[Cell, int]
    crowded: int


class Counts:
    """Counts of messages. Safe to share between threads.

    Args:
        most: different cells; what comes after is counted under pointer and version "(other)", or not at all.
    """

    def __init__(self, most: int = 5_000) -> None:
        self._most, self._lock = most, Lock()
        self._cells: Counter[Cell] = Counter()
        self._crowded = 0

    def add_valid(self, channel: str, version: Version, count: int = 1) -> None:
        """Counts messages of which there is no more to say than that they are valid."""
        with self._lock:
            self._put(Cell(channel, version.contract, version.version, "valid"), count)

    def add_all(self, batch: Iterable[tuple[str, Inspection]]) -> None:
        """Counts messages by channel."""
        plain: Counter[tuple[str, Version]] = Counter()
        with self._lock:
            for channel, found in batch:
                if found.status == "valid" and found.version and found.undeclared is None and not found.notes:
                    plain[channel, found.version] += 1
                else:
                    self._add(channel, found)
            for (channel, version), count in plain.items():
                self._put(Cell(channel, version.contract, version.version, "valid"), count)

    def add_tally(self, tally: Tally) -> None:
        """Takes in what was counted elsewhere."""
        with self._lock:
            for cell, count in tally.cells.items():
                self._put(cell, count)
            self._crowded += tally.crowded

    def _add(self, channel: str, found: Inspection) -> None:
        contract, version = found.contract_name, found.version_number
        self._put(Cell(channel, contract, version, found.status))
        if found.fault is not None:
            self._put(Cell(channel, contract, version, "fault", found.fault.rule, _general(found.fault.pointer)))
        if found.undeclared is not None:
            self._put(Cell(channel, contract, version, "undeclared", UNDECLARED, _general(found.undeclared)))
        for note in found.notes:
            self._put(Cell(channel, contract, version, "note", note))

    def _put(self, cell: Cell, count: int = 1) -> None:
        if cell not in self._cells and len(self._cells) >= self._most:
            self._crowded += count
            cell = cell._replace(version="(other)", pointer="(other)")
            if cell not in self._cells and len(self._cells) >= 2 * self._most:
                return
        self._cells[cell] += count

    def take(self) -> Tally:
        """What was counted since the last time."""
        with self._lock:
            tally = Tally(dict(self._cells), self._crowded)
            self._cells.clear()
            self._crowded = 0
        return tally

    def read(self) -> Tally:
        """What has been counted so far."""
        with self._lock:
            return Tally(dict(self._cells), self._crowded)


def _general(pointer: str) -> str:
    """A pointer with array indices as `*`, so that the number of different ones follows the schema and not the data."""
    return "/".join("*" if token.isdigit() else token for token in pointer.split("/"))[:500]
