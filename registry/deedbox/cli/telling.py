"""The past of the demo's registry: real use cases, each at its own time, in the demo's own database before it is served.

There is no way to do this over HTTP: a client cannot say when something was recorded.
"""

from __future__ import annotations

import tomllib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deedbox.cli.errors import NotJudged
from deedbox.cli.exits import Exit

if TYPE_CHECKING:
    from deedbox.registry.services import Services


def tell(database_url: str, story: Path) -> int:
    """Plays `past.toml` into an empty database.

    Returns:
        How many days back it begins.

    Raises:
        NotJudged: it did not go as it is told.
    """
    past = tomllib.loads((story / "past.toml").read_text("utf-8"))
    today = datetime.now(UTC)
    with _services(database_url) as services:
        teller = _Teller(services, past["schemas"], past["log"])
        for number, event in enumerate(past["event"]):
            teller.play(event, today - timedelta(days=event["days"], minutes=-number))
    return int(past["event"][0]["days"])


@contextmanager
def _services(database_url: str) -> Iterator[Services]:
    from deedbox.registry.config import Settings
    from deedbox.registry.sandbox.pool import Sandbox
    from deedbox.registry.services import Services
    from deedbox.registry.storage import migrate
    from deedbox.registry.storage.database import Database

    settings = Settings(database_url=database_url)
    database = Database(database_url)
    sandbox = Sandbox(1, settings.compare_seconds, settings.compare_memory_mb, settings.compare_queue_seconds)
    try:
        migrate.upgrade(database)
        yield Services(database, sandbox, settings)
    finally:
        sandbox.close()
        database.close()


_EVENTS = ("service", "publish", "retire", "deploy", "drain", "report", "letters", "replay")


class _Teller:
    """Plays one event after the other. What an event is, its first word says."""

    def __init__(self, services: Services, schemas: dict[str, str], log: dict[str, Any]) -> None:
        self._services, self._schemas, self._log = services, schemas, log

    def play(self, event: dict[str, Any], at: datetime) -> None:
        from deedbox.registry import clock

        kind = next(k for k in _EVENTS if k in event)
        with clock.stopped_at(at):
            getattr(self, f"_{kind}")(event, at)

    def _service(self, event: dict[str, Any], _at: datetime) -> None:
        self._services.deployments.describe_service(
            event["service"], event["owner"], event["description"], _team(event["service"]), None
        )

    def _publish(self, event: dict[str, Any], _at: datetime) -> None:
        from deedbox.checker.policy import Acceptance
        from deedbox.registry.errors import GateRefused
        from deedbox.registry.services.values import Proposal

        by = _team(event["publish"])
        said: dict[str, Any] = {k: event[k] for k in ("role", "version") if k in event}
        said |= {k: tuple(event[k]) for k in ("channels", "groups") if k in event}
        proposal = Proposal(event["publish"], self._schemas[event["schema"]], "schema.json", kind="event", **said)
        if "accept" in event:
            result = self._services.publishing.check([proposal])[0]
            assert result.comparison is not None, "it follows another version"
            open_ = [f for f in result.comparison.judge("produces").findings if f.level == "breaking"]
            accepted = tuple(Acceptance(f.fingerprint, f.rule, event["accept"], by) for f in open_)
            proposal = Proposal(
                event["publish"], self._schemas[event["schema"]], "schema.json", kind="event", accepted=accepted, **said
            )
        try:
            self._services.publishing.publish(proposal, by)
        except GateRefused as error:
            if not event.get("refused"):
                raise NotJudged(f"the demo's past did not go as told: {error}", Exit.UNKNOWN) from None
        else:
            if event.get("refused"):
                raise NotJudged(f"the demo's past did not go as told: {event['publish']} passed", Exit.UNKNOWN)

    def _retire(self, event: dict[str, Any], _at: datetime) -> None:
        for version in event["versions"]:
            self._services.publishing.retire(event["retire"], version, event["reason"], _team(event["retire"]))

    def _deploy(self, event: dict[str, Any], _at: datetime) -> None:
        self._services.deployments.record(
            str(uuid.uuid4()), event["environment"], event["deploy"], event["version"], event["contracts"], "ci"
        )

    def _drain(self, event: dict[str, Any], at: datetime) -> None:
        """One reading of the log: it was scanned to its end, and the group has come as far as the event says."""
        from deedbox.checker.drain.evidence import Committed, End, Group, Partition, Span, Topic
        from deedbox.registry.services.drains import Submitted

        log, now = self._log, int(at.timestamp() * 1000)
        began = now - 60_000
        span = Span(
            log["start"], log["end"], log["topic_id"], 0, began, now, log["last_with_field"], now - 20 * 86_400_000
        )
        end = End(log["start"], log["end"], log["end"], now, now, log["topic_id"], 0)
        committed = (Committed(log["topic"], 0, event["committed"]),)
        reading = Submitted(
            str(uuid.uuid4()),
            log["cluster"],
            "deedbox demo",
            now,
            began,
            now,
            now,
            now,
            (
                Topic(log["topic"], log["topic_id"], log["topic_id"], 1, 1),
                # What a guard would write; here it only observes.
                *(Topic(log["topic"] + copy, "", "", 0, 0, exists=False) for copy in (".checked", ".dlt")),
            ),
            (Partition(log["topic"], 0, (end,), (span,)),),
            (Group(event["group"], "classic", "Stable", 1, committed),),
        )
        self._services.drains.record(event["drain"], event["pointer"], reading, "drain job")

    def _report(self, event: dict[str, Any], at: datetime) -> None:
        """What a guard counted in a day of traffic."""
        from deedbox.registry.services.observations import Report, SeenCount, SeenPartition, SeenTopic

        log, now = self._log, int(at.timestamp() * 1000)
        bad = sum(group["count"] for group in event["bad"])
        messages = event["valid"] + bad
        contract = (event["contract"], event["version"])
        counts = [SeenCount(*contract, "valid", "", "", event["valid"]), SeenCount(*contract, "invalid", "", "", bad)]
        counts += [SeenCount(*contract, "fault", g["rule"], g["pointer"], g["count"]) for g in event["bad"]]
        start = log["end"] - messages
        partition = SeenPartition(0, start, log["end"], log["start"], 0, messages, now - 86_400_000, now)
        topic = SeenTopic(event["report"], log["topic_id"], (), tuple(counts), ("ledger-worker",), (partition,))
        since = (at - timedelta(days=1)).isoformat(timespec="microseconds").replace("+00:00", "Z")
        until = at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        report = Report(
            str(uuid.uuid4()), "deedbox-guard", "deedbox demo", log["cluster"], since, until, 0, 0, (topic,)
        )
        self._services.observations.record(report, "guard")

    def _letters(self, event: dict[str, Any], at: datetime) -> None:
        """What a worker read in a dead-letter topic since it looked last."""
        from deedbox.registry.services.dead_letters import ReadGroup, ReadRange, ReadSample, Report

        topic, cluster, now = event["letters"], self._log["cluster"], int(at.timestamp() * 1000)
        start = self._services.dead_letters.positions(cluster, topic, "").get(0, 0)
        end = start + sum(group["count"] for group in event["groups"])
        origin = topic.removesuffix(".dlt")
        groups = []
        for group in event["groups"]:
            samples = tuple(
                ReadSample(
                    0, end - 1 - n, now - n * 60_000, 0, self._log["start"] + end - n, s["key"], s["value"], False
                )
                for n, s in enumerate(group["samples"])
            )
            said = {"pointer": "", "reason": "", **group, "origin": origin, "replayed": 0, "samples": samples}
            groups.append(ReadGroup(**said, first_at=now - group["count"] * 60_000, last_at=now))
        report = Report(str(uuid.uuid4()), cluster, topic, "", (ReadRange(0, start, end),), tuple(groups))
        self._services.dead_letters.record(report, "dlq worker")

    def _replay(self, event: dict[str, Any], at: datetime) -> None:
        """An order that somebody made, tried, confirmed, and that a worker carried out."""
        from deedbox.registry import clock
        from deedbox.registry.services.replay_orders import Result

        orders, by, worker = self._services.replay_orders, event["by"], "dlq worker"
        read = event["sent"] + event["failing"]
        found = Result(worker, read, event["sent"], 0, event["failing"], 0, (), ({"partition": 0, "end": read},), None)
        id_ = str(uuid.uuid4())
        orders.order(id_, self._log["cluster"], event["topic"], event["replay"], by)
        with clock.stopped_at(at + timedelta(minutes=1)):
            orders.claim(id_, worker, 60)
            trial = orders.result(id_, "dry-run", found, worker).record.trial
            assert trial is not None, "it was just told"
        with clock.stopped_at(at + timedelta(minutes=9)):
            orders.confirm(id_, trial[0].digest, by)
        with clock.stopped_at(at + timedelta(minutes=10)):
            orders.claim(id_, worker, 60)
            orders.result(id_, "replay", found, worker)


def _team(contract: str) -> str:
    return f"the {contract.partition('/')[0]} team"
