"""`dlq`: dead letters as text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deedbox.cli.errors import UsageError
from deedbox.cli.plain import printable

if TYPE_CHECKING:
    from deedbox.client import RegistryClient
    from deedbox.kafka.letters.dead_letters import DeadLetter
    from deedbox.kafka.letters.replaying import Group, Parties, Query, Replay

_MAX_BODY = 2_000


def listing(
    groups: Sequence[Group], *, judged: bool = False, parties: Mapping[str, Parties | None] | None = None
) -> str:
    """Groups of dead letters, a few lines each; `judged` says whether `passing` was counted."""
    lines = []
    for group in groups:
        about = " ".join(filter(None, (group.contract, ", ".join(sorted(group.versions))))) or "no contract"
        lines.append(f"{group.fingerprint}  {group.count} × {group.rule} at {group.pointer or 'the root'}: {about}")
        lines.append(f"    {group.reason}")
        topics = ", ".join(sorted(group.topics)) or "somewhere"
        lines.append(f"    from {topics}, {_time(group.first)} to {_time(group.last)}")
        for topic in sorted(group.topics) if parties is not None else ():
            lines.append(f"    {topic}: {_who(parties.get(topic) if parties else None)}")
        if judged:
            passes = f", as {', '.join(sorted(group.passes_as))}" if group.passes_as else ""
            lines.append(f"    {group.passing} of {group.count} pass now{passes}")
    return "".join(f"{printable(line)}\n" for line in lines) or "no dead letters\n"


def _who(found: Parties | None) -> str:
    if found is None:
        return "the registry is away: who sends and reads it is not known"
    sent = ", ".join(found.producers) or "nobody that is registered"
    read = ", ".join(found.consumers) or "nobody that is registered"
    return f"sent by {sent}; read by {read}"


def groups_object(
    groups: Sequence[Group], *, judged: bool = False, parties: Mapping[str, Parties | None] | None = None
) -> list[dict[str, Any]]:
    """Groups of dead letters as JSON."""
    found = []
    for group in groups:
        item: dict[str, Any] = {
            "fingerprint": group.fingerprint,
            "rule": group.rule,
            "pointer": group.pointer,
            "contract": group.contract,
            "versions": sorted(group.versions),
            "reason": group.reason,
            "count": group.count,
            "topics": sorted(group.topics),
            "first_at": group.first,
            "last_at": group.last,
        }
        if judged:
            item |= {"passing": group.passing, "passes_as": sorted(group.passes_as)}
        if parties is not None:
            item["parties"] = {
                topic: {"producers": list(who.producers), "consumers": list(who.consumers)} if who else None
                for topic, who in ((topic, parties.get(topic)) for topic in sorted(group.topics))
            }
        found.append(item)
    return found


def shown_object(dead: DeadLetter) -> dict[str, Any]:
    """One dead letter as JSON."""
    origin, record = dead.origin, dead.record
    placed = bool(origin.topic)
    return {
        "topic": origin.topic if placed else None,
        "partition": origin.partition if placed else None,
        "offset": origin.offset if placed else None,
        "sent_at": origin.timestamp,
        "letter": {"topic": record.topic, "partition": record.partition, "offset": record.offset},
        "rule": dead.rule,
        "pointer": dead.pointer,
        "fingerprint": dead.fingerprint,
        "reason": dead.reason,
        "contract": dead.contract,
        "version": dead.version,
        "replays": dead.replays,
        "trace": dead.trace,
        "key": _decoded(record.key),
        "headers": [[name, _decoded(value)] for name, value in dead.own_headers],
        "value": _decoded(record.value),
    }


def _decoded(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "backslashreplace")


def shown(dead: DeadLetter) -> str:
    """One dead letter in full; of what is long the beginning."""
    came = str(dead.origin) if dead.origin.topic else dead.record.where
    lines = [
        f"{came}, sent {_time(dead.origin.timestamp)}, replayed {dead.replays} times",
        f"    {dead.rule} at {dead.pointer or 'the root'}: {dead.reason}",
        f"    judged as {f'{dead.contract} {dead.version}'.strip() or 'no contract'}",
        *([f"    trace {dead.trace}"] if dead.trace else []),
        *([f"    key {_shortened(dead.record.key)}"] if dead.record.key is not None else []),
        *(f"    header {name}: {_shortened(value)}" for name, value in dead.own_headers),
        f"    {_shortened(dead.record.value)}",
    ]
    return "\n".join(printable(line) for line in lines)


def _shortened(data: bytes | None) -> str:
    text = _decoded(data)
    if text is None:
        return "null"
    return text if len(text) <= _MAX_BODY else f"{text[:_MAX_BODY]}… ({len(data or b'')} bytes)"


def outcome(replay: Replay, topic: str, *, done: bool) -> str:
    """What a replay of a dead-letter topic did or would do, and why the first few were left."""
    words = ("sent", "put in quarantine") if done else ("would be sent", "would be put in quarantine")
    said = f"{replay.replayed} {words[0]}, {replay.quarantined} {words[1]}, {replay.failing} would fail again"
    lines = [f"of {replay.read} dead letters {said}, {replay.skipped} not asked for or done before"]
    lines[0] += "" if done else " (a dry run: --go does it)"
    lines += [f"    {topic}[{each.partition}]@{each.offset}: {each.obstacle.reason}" for each in replay.examples]
    if replay.failing > len(replay.examples):
        lines.append(f"    and {replay.failing - len(replay.examples)} more: dlq diagnose says of each kind why")
    return "\n".join(map(printable, lines))


def outcome_object(replay: Replay, *, done: bool) -> dict[str, Any]:
    """What a replay did or would do, as JSON."""
    return {
        "done": done,
        "read": replay.read,
        "replayed": replay.replayed,
        "quarantined": replay.quarantined,
        "failing": replay.failing,
        "skipped": replay.skipped,
        "examples": [
            {"partition": each.partition, "offset": each.offset, "reason": each.obstacle.reason}
            for each in replay.examples
        ],
    }


def conditions(given: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """`--where POINTER=VALUE`, each value as JSON or, where it is none, as text.

    Raises:
        UsageError: no pointer, or no value.
    """
    found = []
    for text in given:
        pointer, equals, value = text.partition("=")
        if not equals or not pointer.startswith("/"):
            raise UsageError(f"--where {text}: write POINTER=VALUE, such as /customer/id=42")
        try:
            found.append((pointer, json.loads(value)))
        except ValueError:
            found.append((pointer, value))
    return tuple(found)


def record(client: RegistryClient, topic: str, name: str, query: Query, done: Replay) -> str:
    """Puts a run in the registry's audit feed; what to say where that did not work."""
    from uuid import uuid4

    from deedbox.client import ClientError

    run = {"topic": topic, "name": name, "query": str(query)[:2_000], **outcome_object(done, done=True)}
    del run["done"], run["examples"]
    try:
        client.record_replay(uuid4(), run)
    except ClientError as error:
        return f"not recorded in the registry ({error}); {topic}.replays has each message that was sent"
    return ""


def milliseconds(time: datetime | None) -> int | None:
    """A time in UTC as Kafka counts it."""
    return None if time is None else int(time.replace(tzinfo=UTC).timestamp() * 1000)


def _time(milliseconds: int) -> str:
    if milliseconds < 0:
        return "at an unknown time"
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"at {milliseconds} ms"  # a clock gone wild
