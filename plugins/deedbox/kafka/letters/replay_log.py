"""`TOPIC.replays`: what replays of a dead-letter topic did, written in the transactions that did it.

It is read back before anything is sent, so that a letter is sent once, however often a replay is cut off: what stands
here was sent, and what was sent stands here.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, TypeAlias
from uuid import uuid4

from deedbox.kafka.errors import BrokerUnavailable, InvalidDeadLetter
from deedbox.kafka.letters import dead_letters
from deedbox.kafka.letters.keeping import Keeping
from deedbox.kafka.messages import Record, text
from deedbox.kafka.reading import stretches

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker
    from deedbox.kafka.letters.dead_letters import DeadLetter, Origin
    from deedbox.kafka.settling import Settler

log = logging.getLogger("deedbox.dlq")

SUFFIX = ".replays"
REPLAY, QUARANTINE = "replay", "quarantine"
"""What becomes of a letter."""
_BEGIN = "begin"
_NAME, _ACTION, _RUN = "deedbox-replay", "deedbox-replay-action", "deedbox-replay-run"

Letter: TypeAlias = bytes
"""A dead letter wherever it stands: of its origin, and how often it was replayed before it failed. A digest, since
millions of them are kept in mind."""


def identity(dead: DeadLetter) -> Letter:
    """What two copies of a dead letter share."""
    return _letter(dead.origin, dead.replays)


def _letter(origin: Origin, replays: int) -> Letter:
    said = f"{origin.topic} {origin.partition} {origin.offset} {origin.timestamp} {replays}"
    return blake2b(said.encode(), digest_size=16).digest()


@dataclass(slots=True)
class Done:
    """What was done before: by runs of the same name each letter with what became of it, and by others."""

    here: dict[Letter, str] = field(default_factory=dict)
    elsewhere: set[Letter] = field(default_factory=set)


class ReplayLog:
    """The log of a dead-letter topic, as one replay writes and reads it.

    Args:
        broker: a filling of the port.
        topic: the dead-letter topic.
        name: of the replay.
        about: who asks for it and for which letters, for people.
        fingerprint: of the letters it is about; None for all.
    """

    def __init__(self, broker: Broker, topic: str, name: str, about: str, fingerprint: str | None) -> None:
        self._broker, self._name, self._about = broker, name, about
        self._key = fingerprint.encode() if fingerprint is not None else None
        self.topic = topic + SUFFIX

    def note(self, action: str, dead: DeadLetter) -> Record:
        """What is written beside a letter that is sent."""
        said = f"{action} {dead.origin} {self._about}"
        again = (dead_letters.REPLAYS, str(dead.replays).encode())
        headers = [*dead_letters.origin_headers(dead.origin), again, *self._headers(action)]
        return Record(self.topic, -1, -1, dead.fingerprint.encode(), said.encode(), headers)

    def _headers(self, action: str) -> list[tuple[str, bytes]]:
        return [(_NAME, self._name.encode()), (_ACTION, action.encode())]

    def read(self) -> Done:
        """What was done so far, as far as it is visible; for a forecast.

        Raises:
            BrokerUnavailable: it did not answer.
        """
        done = Done()
        for stretch in stretches(self._broker, self.topic, self._ranges()):
            for record in stretch.records:
                self._take(record, done)
        return done

    def begin(self, settler: Settler, seconds: float = 60.0) -> Done:
        """Takes over from earlier runs under the settler's id: all that they did, of which nothing is left undecided.

        Other transactions that are still open hide what stands behind them in the log. So a mark is written to each
        partition, and all before it read.

        Raises:
            DeadLetterRefused: the log takes no messages. BrokerUnavailable: the marks were not seen in time.
            Fenced: another run has taken over from this one.
        """
        settler.open()
        Keeping(self._broker).see_to([self.topic])
        waiting = set(self._ranges())
        run = uuid4().hex.encode()
        headers = [*self._headers(_BEGIN), (_RUN, run)]
        said = f"{_BEGIN} {self._about}".encode()
        settler.write([Record(self.topic, n, -1, b"", said, headers) for n in sorted(waiting)])
        done = Done()
        if not waiting:
            return done
        reader = self._broker.reader(self.topic)
        try:
            until = time.monotonic() + seconds
            while waiting:
                records = reader.poll(500, 0.2)
                for record in records:
                    if record.partition in waiting:
                        self._take(record, done)
                        if dict(record.headers).get(_RUN) == run:
                            waiting.discard(record.partition)
                if records:
                    until = time.monotonic() + seconds
                elif time.monotonic() > until:
                    raise BrokerUnavailable(
                        f"{self.topic}: what was just written cannot be read: is a transaction stuck?"
                    )
        finally:
            reader.close()
        return done

    def _ranges(self) -> dict[int, tuple[int, int]]:
        """Where its partitions begin and end. Says where they have forgotten something."""
        facts = self._broker.describe([self.topic]).get(self.topic)
        if facts is None:
            return {}
        if any(facts.starts.values()):
            log.warning(
                "%s has dropped what it held first: letters that were sent before then would be sent again. "
                "Give it retention.ms=-1",
                self.topic,
            )
        return {n: (start, facts.ends[n]) for n, start in facts.starts.items()}

    def _take(self, record: Record, done: Done) -> None:
        if self._key is not None and record.key != self._key:
            return
        action = text(record.headers, _ACTION)
        if action not in (REPLAY, QUARANTINE):
            return
        try:
            letter = _letter(dead_letters.origin(record), dead_letters.replays(record))
        except InvalidDeadLetter:
            return
        if text(record.headers, _NAME) == self._name:
            done.here[letter] = action
        else:
            done.elsewhere.add(letter)
