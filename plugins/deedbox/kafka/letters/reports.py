"""What is told to the registry of a dead-letter topic: how many letters of which kind, and a few of each.

Headers of dead letters may have been written by anybody: what is told of them is bounded, and text that every store takes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deedbox.kafka.errors import InvalidDeadLetter
from deedbox.kafka.letters import dead_letters

if TYPE_CHECKING:
    from deedbox.kafka.messages import Record

MOST_SAMPLES = 3
MOST_CHARACTERS = 4_096
"""Of a key, and of a value."""
_MOST = {"contract": 201, "version": 200, "rule": 100, "pointer": 500, "origin": 249}
_MOST_REASON = 1_000
_MOST_TIME = 1 << 62


@dataclass(slots=True)
class _Kind:
    """Letters of one kind: of one fingerprint, judged as one version, from one topic."""

    reason: str
    count: int = 0
    replayed: int = 0
    first: int | None = None
    last: int | None = None
    samples: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=MOST_SAMPLES))


class Letters:
    """Dead letters being counted for one report.

    Args:
        values: whether keys and values of the samples are told, and reasons, which quote them. They may hold personal data.

    `records` were taken, and about `characters` would be sent.
    """

    def __init__(self, *, values: bool) -> None:
        self._values = values
        self._kinds: dict[tuple[str, ...], _Kind] = {}
        self.records = self.characters = 0

    def take(self, records: Sequence[Record]) -> None:
        """Counts records of the topic, in their order."""
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        self.records += 1
        partition, offset = None, None
        try:
            dead = dead_letters.read(record)
            partition, offset = dead.origin.partition, dead.origin.offset
            reason = dead.reason if self._values else ""  # which may quote the message
        except InvalidDeadLetter:
            dead = dead_letters.unplaced(record)
            reason = dead.reason
        said = {
            name: readable(text, _MOST[name])
            for name, text in (
                ("contract", dead.contract),
                ("version", dead.version),
                ("rule", dead.rule),
                ("pointer", dead.pointer),
                ("origin", dead.origin.topic),
            )
        }
        at = dead.origin.timestamp if dead.origin.timestamp >= 0 else record.timestamp
        reason = readable(reason, _MOST_REASON)
        kind = self._kinds.setdefault((dead.fingerprint, *said.values()), _Kind(reason))
        kind.reason = reason
        kind.count += 1
        kind.replayed += dead.replays > 0
        when = at if 0 <= at < _MOST_TIME else None
        if when is not None:
            kind.first = when if kind.first is None else min(kind.first, when)
            kind.last = when if kind.last is None else max(kind.last, when)
        key, key_cut = self._content(record.key)
        value, value_cut = self._content(record.value)
        self.characters += len(key or "") + len(value or "")
        kind.samples.appendleft(
            {
                "partition": record.partition,
                "offset": record.offset,
                "at": when,
                "origin_partition": partition,
                "origin_offset": offset,
                "key": key,
                "value": value,
                "truncated": key_cut or value_cut,
            }
        )

    def _content(self, data: bytes | None) -> tuple[str | None, bool]:
        """The beginning of a key or a value as text, and whether there is more of it."""
        if data is None or not self._values:
            return None, False
        # A character has four bytes at most: what cutting makes of the last one stands behind what is told.
        text = _told(data[: 4 * MOST_CHARACTERS + 4].decode("utf-8", "backslashreplace"))
        return text[:MOST_CHARACTERS], len(text) > MOST_CHARACTERS

    def report(self, place: Mapping[str, str], ranges: Mapping[int, tuple[int, int]]) -> dict[str, Any]:
        """The report as the registry takes it.

        Args:
            place: `cluster`, `topic` and `topic_id`.
            ranges: by partition the offsets that were read, the end not among them.
        """
        names = ("fingerprint", *_MOST)
        return {
            **place,
            "ranges": [{"partition": n, "start": start, "end": end} for n, (start, end) in sorted(ranges.items())],
            "groups": [
                {
                    **dict(zip(names, key, strict=True)),
                    "reason": kind.reason,
                    "count": kind.count,
                    "replayed": kind.replayed,
                    "first_at": kind.first,
                    "last_at": kind.last,
                    "samples": list(kind.samples),
                }
                for key, kind in self._kinds.items()
            ],
        }


def readable(text: str, most: int) -> str:
    """Text as every store takes it, its beginning where it is longer."""
    text = _told(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _told(text: str) -> str:
    # PostgreSQL keeps no null character; nothing that has one is JSON, so the text stays as invalid as it was.
    return text.replace("\0", "\\x00")
