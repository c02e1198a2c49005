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
        lines.append(f"    from {', '.join(sorted(group.topics))}, {_time(group.first)} to {_time(group.last)}")
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
    origin = dead.origin
    return {
        "topic": origin.topic,
        "partition": origin.partition,
        "offset": origin.offset,
        "sent_at": origin.timestamp,
        "rule": dead.rule,
        "pointer": dead.pointer,
        "fingerprint": dead.fingerprint,
        "reason": dead.reason,
        "contract": dead.contract,
        "version": dead.version,
        "replays": dead.replays,
        "trace": dead.trace,
        "value": None if dead.record.value is None else dead.record.value.decode("utf-8", "backslashreplace"),
    }


def shown(dead: DeadLetter) -> str:
    """One dead letter in full."""
    body = (dead.record.value or b"").decode("utf-8", "backslashreplace")
    if len(body) > _MAX_BODY:
        body = f"{body[:_MAX_BODY]}… ({len(dead.record.value or b'')} bytes)"
    lines = [
        f"{dead.origin}, sent {_time(dead.origin.timestamp)}, replayed {dead.replays} times",
        f"    {dead.rule} at {dead.pointer or 'the root'}: {dead.reason}",
        f"    judged as {f'{dead.contract} {dead.version}'.strip() or 'no contract'}",
        *([f"    trace {dead.trace}"] if dead.trace else []),
        f"    {body}",
    ]
    return "\n".join(printable(line) for line in lines)


def outcome(replay: Replay, *, done: bool) -> str:
    """What a replay did or would do."""
    words = ("sent", "put in quarantine") if done else ("would be sent", "would be put in quarantine")
    said = f"{replay.replayed} {words[0]}, {replay.quarantined} {words[1]}, {replay.failing} would fail again"
    return f"of {replay.read} dead letters {said}, {replay.skipped} not asked for or done before" + (
        "" if done else " (a dry run: --go does it)"
    )


def outcome_object(replay: Replay, *, done: bool) -> dict[str, Any]:
    """What a replay did or would do, as JSON."""
    return {
        "done": done,
        "read": replay.read,
        "replayed": replay.replayed,
        "quarantined": replay.quarantined,
        "failing": replay.failing,
        "skipped": replay.skipped,
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
    del run["done"]
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
