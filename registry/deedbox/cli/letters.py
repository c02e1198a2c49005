"""`dlq`: dead letters as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from deedbox.cli.plain import printable

if TYPE_CHECKING:
    from deedbox.kafka.dead_letters import DeadLetter
    from deedbox.kafka.replaying import Group, Replay

_MAX_BODY = 2_000


def listing(groups: Sequence[Group], *, judged: bool = False) -> str:
    """Groups of dead letters, a few lines each; `judged` says whether `passing` was counted."""
    lines = []
    for group in groups:
        about = " ".join(filter(None, (group.contract, ", ".join(sorted(group.versions))))) or "no contract"
        lines.append(f"{group.fingerprint}  {group.count} × {group.rule} at {group.pointer or 'the root'}: {about}")
        lines.append(f"    {group.reason}")
        lines.append(f"    from {', '.join(sorted(group.topics))}, {_time(group.first)} to {_time(group.last)}")
        if judged:
            passes = f", as {', '.join(sorted(group.passes_as))}" if group.passes_as else ""
            lines.append(f"    {group.passing} of {group.count} pass now{passes}")
    return "".join(f"{printable(line)}\n" for line in lines) or "no dead letters\n"


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
