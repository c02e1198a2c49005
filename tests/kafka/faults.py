"""Faults put in the way of a guard on a real Kafka, and the count of what became of every message.

Each scenario sends messages of which some are invalid, lets guards (processes of their own) judge them in mode
dead-letter while something fails, and counts afterwards, from Kafka and the registry: dead letters by origin, verdicts,
and offsets without a gap. Run as a program, this is such a guard process.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import orjson
from deedbox.client import RegistryClient
from deedbox.kafka.errors import LiveError
from deedbox.kafka.guard.guarding import Guard
from deedbox.kafka.guard.observing import Observer
from deedbox.kafka.guard.reporting import Reporter
from deedbox.kafka.guard.spool import Spool
from deedbox.kafka.judging.obsolete import watch_of
from deedbox.kafka.kafka_python import KafkaPythonBroker
from deedbox.kafka.letters.replaying import read_all
from deedbox.kafka.limits import Limits
from deedbox.kafka.lookup import Lookup, connect
from deedbox.kafka.messages import TopicPartition

if TYPE_CHECKING:
    from deedbox.kafka.broker import Broker

CONTRACT = "orders/order-placed"
SCHEMA = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "note": {"type": "string", "deprecated": True}},
}
NOW = int(time.time() * 1000)
OWN = [("deedbox-contract", CONTRACT.encode()), ("deedbox-version", b"1.0.0")]
_ROOT = Path(__file__).resolve().parents[2]

PILLS: dict[str, tuple[bytes | None, list[tuple[str, bytes]], bool]] = {
    # what, its value, its headers, whether it is invalid
    "empty": (b"", OWN, True),
    "not JSON": (b'{"id":', OWN, True),
    "not UTF-8": (b'{"id":"\xff"}', OWN, True),
    "NaN": (b'{"id":NaN}', OWN, True),
    "deep": (b'{"id":' + b"[" * 20_000 + b"]" * 20_000 + b"}", OWN, True),
    "huge": (b'{"id":' + b"1" * 900_000 + b"}", OWN, True),
    "wrong magic": (b"\x05" + b'{"id":"a"}', OWN, True),
    "unknown id": (b'\x00\x00\x0f\x42\x40{"id":"a"}', [], True),
    "unknown GUID": (b"\x01" + b"\x07" * 16 + b'{"id":"a"}', [], True),
    "bad schema header": (b'{"id":"a"}', [("__value_schema_id", b"\x09")], True),
    "unknown contract": (b'{"id":"a"}', [("deedbox-contract", b"no/body")], True),
    "unknown version": (b'{"id":"a"}', [OWN[0], ("deedbox-version", b"9.9.9")], True),
    "version that is none": (b'{"id":"a"}', [OWN[0], ("deedbox-version", b"\xff\x00" * 500)], True),
    "contract that is none": (b'{"id":"a"}', [("deedbox-contract", b"\xfe" * 5_000)], True),
    "wrong type": (b"[]", OWN, True),
    "null": (b"null", OWN, True),
    "tombstone": (None, OWN, False),
    "key twice": (b'{"id":3,"id":"a"}', OWN, False),
    "lone surrogate": (b'{"id":"\\ud800"}', OWN, True),
}


@dataclass(slots=True)
class Outcome:
    """What was put in the way, and what was counted. All of `wrong` must be empty."""

    name: str
    injected: str
    messages: int
    invalid: int
    judged: int = 0
    letters: int = 0
    lost: int = 0
    doubled: int = 0
    covered: str = ""
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class _Quick(KafkaPythonBroker):
    """A member that died is given up after six seconds, so that a run does not take minutes."""

    def _consumer(self, **options: Any) -> Any:
        return super()._consumer(**{"session_timeout_ms": 6_000, "heartbeat_interval_ms": 1_000, **options})


def _quick(client: str, bootstrap: str) -> Broker:
    if client == "kafka-python":
        return _Quick(bootstrap)
    from deedbox.kafka.confluent import ConfluentBroker

    return ConfluentBroker(bootstrap, config={"session.timeout.ms": 6_000, "heartbeat.interval.ms": 1_000})


@dataclass
class World:
    """A Kafka, a registry, a topic with a published contract, and guard processes on it."""

    bootstrap: str
    registry: str
    topic: str
    folder: Path
    batch: int = 50
    client: str = "kafka-python"
    guards: list[subprocess.Popen[bytes]] = field(default_factory=list)
    bad: set[int] = field(default_factory=set)
    sent: int = 0

    def __post_init__(self) -> None:
        self.broker = KafkaPythonBroker(self.bootstrap)
        body = {"schema": orjson.dumps(SCHEMA).decode(), "role": "produces", "kind": "event", "channels": [self.topic]}
        with RegistryClient(self.registry) as client:
            client.publish(CONTRACT, body)

    @property
    def group(self) -> str:
        return f"{self.topic}-guard"

    def send(self, count: int, stamp: Callable[[int], int] = lambda _: NOW) -> None:
        """Sends messages, every seventh of them invalid."""
        producer = self.broker.producer()
        for n in range(self.sent, self.sent + count):
            value = orjson.dumps({"id": n if n % 7 == 3 else str(n)})
            if n % 7 == 3:
                self.bad.add(n)
            producer.send(self.topic, str(n).encode(), value, OWN, stamp(n), 0)
        producer.flush()
        producer.close()
        self.sent += count

    def start(self, instance: str = "0") -> subprocess.Popen[bytes]:
        """Starts a guard process."""
        where = [self.client, self.bootstrap, self.registry, self.topic]
        arguments = [*where, self.group, instance, str(self.batch)]
        with (self.folder / f"guard-{instance}.log").open("ab") as log:
            guard = subprocess.Popen(
                [sys.executable, "-m", "tests.kafka.faults", *arguments, str(self.folder / f"spool-{instance}.db")],
                cwd=_ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        self.guards.append(guard)
        ready, deadline = self.folder / f"ready-{guard.pid}", time.monotonic() + 120
        while not ready.exists() and guard.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        return guard

    def stop(self, guard: subprocess.Popen[bytes], number: int = signal.SIGTERM) -> int:
        """Ends a guard process, and gives its exit code."""
        guard.send_signal(number)
        self.guards.remove(guard)
        return guard.wait(90)

    def committed(self) -> int:
        """How far the guards have come; -1 while the broker is away."""
        try:
            return self.broker.committed(self.group, self.topic).get(TopicPartition(self.topic, 0), 0)
        except LiveError:
            return -1

    def until(self, offset: int, seconds: float = 240.0) -> bool:
        """Waits until so much is judged and committed."""
        deadline = time.monotonic() + seconds
        while self.committed() < offset:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        return True

    def count(self, outcome: Outcome) -> Outcome:
        """Counts what became of every message."""
        origins = [dead.origin.offset for dead in read_all(self.broker, f"{self.topic}.dlt")]
        reader_count = _messages(self.broker, f"{self.topic}.dlt")
        with RegistryClient(self.registry) as client:
            (channel,) = client.observed_channels(self.topic)
            coverage = client.observed_coverage(CONTRACT, "/note")
        cells = channel["counts"]
        outcome.judged = sum(c["count"] for c in cells if c["kind"] in ("valid", "invalid", "tombstone", "unjudged"))
        outcome.letters = reader_count
        outcome.lost = len(self.bad - set(origins))
        outcome.doubled = reader_count - len(set(origins))
        outcome.covered = " ".join(f"{a}–{b}" for a, b in coverage[0]["ranges"]) if coverage else "nothing"
        checks = {
            f"{outcome.lost} dead letters are missing": outcome.lost == 0,
            f"{outcome.doubled} dead letters stand twice": outcome.doubled == 0,
            f"{len(set(origins) - self.bad)} valid messages were dead-lettered": set(origins) <= self.bad,
            f"{outcome.judged} of {self.sent} messages are counted": outcome.judged == self.sent,
            f"offsets without a gap: {outcome.covered}": bool(coverage) and coverage[0]["ranges"] == [[0, self.sent]],
        }
        outcome.wrong += [said for said, holds in checks.items() if not holds]
        return outcome


def _messages(broker: KafkaPythonBroker, topic: str) -> int:
    """Every committed message of a topic, also those of one origin."""
    ends = {place: end for place, end in broker.ends(topic).items() if end > 0}
    reader, count, until = broker.reader(topic), 0, time.monotonic() + 60
    try:
        while any(reader.position(place) < end for place, end in ends.items()) and time.monotonic() < until:
            count += len(reader.poll(500, 0.2))
    finally:
        reader.close()
    return count


@contextmanager
def world(
    bootstrap: str, registry: str, topic: str, folder: Path, batch: int = 50, client: str = "kafka-python"
) -> Iterator[World]:
    """A world whose guard processes, with a client, are ended at its end, whatever happened."""
    made = World(bootstrap, registry, topic, folder, batch, client)
    try:
        yield made
    finally:
        for guard in made.guards:
            guard.kill()
            guard.wait(10)


def _finish(made: World, outcome: Outcome, began: float, seconds: float = 240.0) -> Outcome:
    if not made.until(made.sent, seconds):
        outcome.wrong.append(f"stuck at offset {made.committed()} of {made.sent}")
    for guard in list(made.guards):
        code = made.stop(guard)
        if code:
            outcome.wrong.append(f"a guard ended with exit code {code}")
    outcome.messages, outcome.invalid = made.sent, len(made.bad)
    outcome.seconds = time.monotonic() - began
    return made.count(outcome)


def killed(made: World, count: int, kills: int) -> Outcome:
    """Guards killed by SIGKILL while they work, each followed by one of the same name."""
    began = time.monotonic()
    guard, part = made.start(), count // (kills + 1)
    for n in range(kills):
        made.send(part)
        made.until(made.sent - part // 2)
        made.stop(guard, signal.SIGKILL)
        guard = made.start()
        made.send(1 if n else 7)
    made.send(count - made.sent)
    return _finish(made, Outcome("kill -9 of the guard mid-batch", f"{kills} kills", 0, 0), began)


def broker_restarted(made: World, count: int, restart: Callable[[], None]) -> Outcome:
    """The broker stopped and started while a guard works."""
    began = time.monotonic()
    made.start()
    made.send(count // 2)
    made.until(count // 4)
    restart()
    deadline = time.monotonic() + 120
    while True:
        try:
            made.send(count - made.sent)
            break
        except LiveError:
            if time.monotonic() > deadline:
                raise
            time.sleep(1)
    return _finish(made, Outcome("broker restart", "1 restart", 0, 0), began)


def registry_away(made: World, count: int, stop: Callable[[], None], start: Callable[[], None]) -> Outcome:
    """The registry stopped while a guard works, until after that guard's end; the next one tells it."""
    began = time.monotonic()
    guard = made.start()
    made.send(count // 2)
    made.until(count // 4)
    stop()
    made.send(count - made.sent)
    made.until(made.sent)
    code = made.stop(guard)
    start()
    made.start()
    outcome = Outcome("registry away", "1 absence, over the guard's end", 0, 0)
    outcome.wrong += [f"the guard without a registry ended with exit code {code}"] if code else []
    return _finish(made, outcome, began)


def rebalanced(made: World, count: int, times: int) -> Outcome:
    """Other members that come and go while a guard works."""
    began = time.monotonic()
    made.start("0")
    for n in range(times):
        made.send(count // times)
        other = made.start("1")
        made.until(made.sent - count // times // 2)
        if n == 0:
            made.until(made.sent)
        made.stop(other)
    made.send(count - made.sent)
    return _finish(made, Outcome("rebalance in flight", f"{times} members came and went", 0, 0), began)


def poisoned(made: World, each: int) -> Outcome:
    """Poison pills of every kind among good messages."""
    began = time.monotonic()
    made.start()
    producer = made.broker.producer()
    for _ in range(each):
        for value, headers, invalid in PILLS.values():
            producer.send(made.topic, b"k", value, headers, NOW, 0)
            if invalid:
                made.bad.add(made.sent)
            made.sent += 1
            for n in range(2):
                producer.send(made.topic, None, orjson.dumps({"id": str(n)}), OWN, NOW, 0)
            made.sent += 2
    producer.flush()
    producer.close()
    return _finish(made, Outcome("poison pills", f"{len(PILLS)} kinds × {each}", 0, 0), began)


def skewed(made: World, count: int) -> Outcome:
    """Timestamps of clocks gone wrong, back and forth."""
    began = time.monotonic()
    # An hour ahead is what a broker takes: message.timestamp.after.max.ms.
    clocks = (0, 1, NOW - 10 * 365 * 86_400_000, NOW, NOW + 3_000_000)
    made.start()
    made.send(count, lambda n: clocks[n % len(clocks)])
    return _finish(made, Outcome("clock skew", f"{len(clocks)} clocks, 1970 to in 50 minutes", 0, 0), began)


def refused(made: World, count: int, limit: Callable[[str, int | None], None]) -> Outcome:
    """A dead-letter topic that takes no message of this size for a while."""
    began = time.monotonic()
    dlt = f"{made.topic}.dlt"
    limit(dlt, 200)  # less than a dead letter, more than a marker of a transaction
    made.start()
    made.send(count)
    time.sleep(5)
    wrong = ["a dead letter went past the refusal"] if _messages(made.broker, dlt) else []
    if made.committed() >= min(made.bad) + 1:
        wrong.append("an offset was committed past a message whose dead letter was refused")
    limit(dlt, None)
    return _finish(made, Outcome("dead-letter topic refuses", "for 5 s", 0, 0, wrong=wrong), began)


def table(outcomes: list[Outcome]) -> str:
    """What was injected and counted, as a Markdown table."""
    lines = [
        "| fault | injected | messages | invalid | judged | dead letters | lost | doubled | offsets without a gap | |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for o in outcomes:
        cells = (o.name, o.injected, o.messages, o.invalid, o.judged, o.letters, o.lost, o.doubled, o.covered)
        lines.append(f"| {' | '.join(str(cell) for cell in cells)} | {'; '.join(o.wrong) or 'fine'} |")
    return "\n".join(lines)


def _guard() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    for name in ("client", "bootstrap", "registry", "topic", "group", "instance", "batch", "spool"):
        options.add_argument(name)
    given = options.parse_args()
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    client = connect(given.registry)
    lookup = Lookup(client)
    spool = Spool(given.spool)
    observer = Observer(spool, f"{given.group}/{given.instance}", lambda topic: watch_of(lookup, topic))
    reporter = Reporter(spool, client)
    guard = Guard(
        _quick(given.client, given.bootstrap), lookup, [given.topic], modes={given.topic: "dead-letter"}, group=given.group,
        instance=given.instance, observer=observer, report_seconds=2.0, limits=Limits(ratio=0.9, consecutive=500),
    )  # fmt: skip
    reporter.start()
    Path(given.spool).with_name(f"ready-{os.getpid()}").touch()
    while not stopping.is_set():
        guard.run_once(int(given.batch), 0.2)
        reporter.wake()
    guard.close()
    reporter.stop(20)
    spool.close()
    client.close()


if __name__ == "__main__":
    _guard()
