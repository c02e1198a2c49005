"""What was seen of one partition, read on and on since some offset: how far, how much, and which fields last where.

Knows no client, no disk and no registry: a part can be extended by what comes behind it, written into the guard's journal
and read back, and said as the registry takes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Mark:
    """Messages of one kind: how many, and the last one."""

    count: int = 0
    last_offset: int = -1
    last_at: int = -1

    def add(self, count: int, offset: int, at: int) -> None:
        """Takes note of later ones."""
        self.count += count
        self.last_offset, self.last_at = offset, at


Key = tuple[str, str, str, str]
"""Of a sighting: the field's contract and pointer, and what the message was written as."""


@dataclass(slots=True)
class Part:
    """What was seen of one partition, from one offset to below another. `hole`: the first offset without a message."""

    start: int
    end: int
    messages: int = 0
    first_at: int = -1
    last_at: int = -1
    hole: int | None = None
    unreadable: Mark = field(default_factory=Mark)
    sightings: dict[Key, Mark] = field(default_factory=dict)

    def extend(self, later: Part) -> None:
        """Takes in what was seen right behind it."""
        self.end = later.end
        self.messages += later.messages
        if later.first_at >= 0:
            self.first_at = later.first_at if self.first_at < 0 else min(self.first_at, later.first_at)
            self.last_at = max(self.last_at, later.last_at)
        self.hole = later.hole if self.hole is None else self.hole
        if later.unreadable.count:
            self.unreadable.add(later.unreadable.count, later.unreadable.last_offset, later.unreadable.last_at)
        for key, mark in later.sightings.items():
            self.sightings.setdefault(key, Mark()).add(mark.count, mark.last_offset, mark.last_at)

    def new_report(self) -> None:
        """Begins counting anew for the next report; what is said since `start` stays."""
        self.messages, self.first_at, self.last_at = 0, -1, -1

    def forget_below(self, offset: int) -> None:
        """What is not in the log any more, and may not have been seen before it went."""
        self.start, self.hole = offset, None
        self.sightings = {key: mark for key, mark in self.sightings.items() if mark.last_offset >= offset}
        if self.unreadable.last_offset < offset:
            self.unreadable = Mark()

    def as_line(self) -> dict[str, Any]:
        """For the journal."""
        unreadable = self.unreadable
        return {
            "from": self.start,
            "to": self.end,
            "messages": self.messages,
            "times": [self.first_at, self.last_at],
            "unreadable": [unreadable.count, unreadable.last_offset, unreadable.last_at],
            "sightings": [[*key, m.count, m.last_offset, m.last_at] for key, m in self.sightings.items()],
        }

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Part:
        """From the journal."""
        return cls(
            line["from"],
            line["to"],
            line["messages"],
            first_at=line["times"][0],
            last_at=line["times"][1],
            unreadable=Mark(*line["unreadable"]),
            sightings={(s[0], s[1], s[2], s[3]): Mark(*s[4:]) for s in line["sightings"]},
        )

    def as_report(self, partition: int, log_start: int | None, epoch: int | None) -> dict[str, Any]:
        """As the registry takes it."""
        return {
            "partition": partition,
            "from": self.start,
            "to": self.end,
            "log_start": log_start,
            "leader_epoch": epoch,
            "messages": self.messages,
            "first_at": self.first_at if self.first_at >= 0 else None,
            "last_at": self.last_at if self.last_at >= 0 else None,
            "unreadable": _marked(self.unreadable),
            "sightings": [
                {
                    "contract": key[0],
                    "pointer": key[1],
                    "writer": key[2],
                    "writer_version": key[3],
                    **_marked(mark),
                }
                for key, mark in sorted(self.sightings.items())
            ],
        }


def unknown() -> Part:
    """Nothing that can be said: it begins with the next message."""
    return Part(-1, -1)


@dataclass(slots=True)
class Stretch:
    """One partition as it is read now. `told` is what the last report said of it."""

    part: Part
    topic_id: str
    epoch: int
    told: int = -1


def _marked(mark: Mark) -> dict[str, Any]:
    return {
        "count": mark.count,
        "last_offset": mark.last_offset if mark.last_offset >= 0 else None,
        "last_at": mark.last_at if mark.last_at >= 0 else None,
    }
