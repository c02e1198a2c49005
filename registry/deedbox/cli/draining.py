"""`drain` and `obsolete`: reading clusters for the registry, and its answers as text."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from deedbox.cli.errors import ExtraMissing, UsageError
from deedbox.cli.plain import json_text, plural, printable

if TYPE_CHECKING:
    from deedbox.checker.drain.evidence import Span
    from deedbox.client import RegistryClient
    from deedbox.kafka.drain.positions import Positions

_SHOWN = 5
_STATES = {"gone": "green", "dropped": "green", "consumed": "cyan", "blocked": "red"}


def split(field: str) -> tuple[str, str]:
    """Contract and pointer of a FIELD.

    Raises:
        UsageError: it is none.
    """
    contract, hash_, pointer = field.partition("#")
    if not hash_ or contract.count("/") != 1 or not pointer.startswith("/"):
        raise UsageError(f"{field!r} is no field: write CONTRACT#POINTER, such as billing/order-placed#/coupon")
    return contract, pointer


def positions_at(bootstrap: str) -> Positions:
    """Positions of a cluster, by confluent-kafka where it is installed: it can read more.

    Raises:
        ExtraMissing: no client is installed.
        ClientConfigInvalid: the file of its settings cannot be used.
    """
    from deedbox.cli.brokers import client_settings

    try:
        from deedbox.kafka.drain.confluent_positions import ConfluentPositions
    except ModuleNotFoundError:
        pass
    else:
        bootstrap, config = client_settings(bootstrap)
        return ConfluentPositions(bootstrap, config=config.for_confluent())
    try:
        from deedbox.kafka.drain.kafka_python_positions import KafkaPythonPositions
    except ModuleNotFoundError:
        raise ExtraMissing("drain", "confluent", "confluent_kafka") from None
    bootstrap, config = client_settings(bootstrap)
    return KafkaPythonPositions(bootstrap, **config.for_kafka_python())


@contextmanager
def client_at(registry: str | None, config: str | None) -> Iterator[RegistryClient]:
    """The registry that flag, environment or project file name."""
    from deedbox.cli.project import actor, load, registry_url
    from deedbox.client import RegistryClient

    with RegistryClient(registry_url(registry, load(config)), actor=actor()) as client:
        yield client


def read_all(client: RegistryClient, positions: Positions, fields: Sequence[str]) -> list[dict[str, Any]]:
    """Reads the cluster for each of the fields (all that are not dropped, where none is named) and records it."""
    from deedbox.cli.progress import track

    return [record(client, positions, field, {}) for field in track(_chosen(client, fields), "Reading")]


def scan(client: RegistryClient, positions: Positions, bootstrap: str, field: str, name: str) -> dict[str, Any]:
    """Scans the field's topics, and records what was found with a reading.

    Raises:
        ExtraMissing: confluent-kafka is not installed.
    """
    from deedbox.cli.brokers import client_settings

    try:
        from deedbox.kafka.drain.carrying import carrying
        from deedbox.kafka.drain.reading import SCAN_GROUP
        from deedbox.kafka.drain.scanning import Scan
    except ModuleNotFoundError:
        raise ExtraMissing("drain scan", "confluent", "confluent_kafka") from None
    (found,) = _chosen(client, [field])
    writers = {w["contract"] for w in found["producers"]} | {found["contract"]}
    readers = {c["contract"] for c in found["consumers"]}
    topics = [*found["channels"], *found["policy"]["copies"]]
    group = SCAN_GROUP + sha256(f"{field}\n{name}".encode()).hexdigest()[:16]
    bootstrap, config = client_settings(bootstrap)
    carries = carrying(found["pointer"], writers | readers)
    work = Scan(bootstrap, positions, topics, carries, group, _clock, config=config.for_confluent())
    _follow(work.run())
    return record(client, positions, found, work.spans)


def record(
    client: RegistryClient,
    positions: Positions,
    field: Mapping[str, Any],
    spans: Mapping[tuple[str, int], Sequence[Span]],
) -> dict[str, Any]:
    """Reads the cluster for one field and records it; gives the field with the claim that came of it."""
    from importlib.metadata import version

    from deedbox.kafka.drain.reading import read

    found = read(positions, field["channels"], field["policy"]["copies"], _clock)
    reading = {
        "id": str(uuid4()),
        "cluster_id": found.cluster_id,
        "tool": f"deedbox {version('deedbox')}",
        "started_at": found.started_at,
        "groups_at": found.groups_at,
        "ends_at": found.ends_at,
        "finished_at": found.finished_at,
        "topics": [asdict(topic) for topic in found.topics],
        "partitions": [asdict(partition) for partition in found.partitions(None, spans)],
        "groups": [asdict(group) for group in found.groups],
        "sent_at": _clock(),
    }
    answer = client.record_evidence(field["contract"], field["pointer"], reading)
    return {**field, "state": answer["claim"]["state"], "evidence": answer["id"], "claim": answer["claim"]}


def _chosen(client: RegistryClient, fields: Sequence[str]) -> list[dict[str, Any]]:
    if not fields:
        return [field for field in client.fields() if field["state"] != "dropped" and field["channels"]]
    found = []
    for field in fields:
        contract, pointer = split(field)
        known = client.fields(contract)
        match = next((f for f in known if f["pointer"] == pointer), None)
        if match is None:
            others = ", ".join(f"{contract}#{f['pointer']}" for f in known[:_SHOWN]) or "none"
            raise UsageError(f"{contract} marks no field {pointer} as obsolete; it marks: {others}")
        found.append(match)
    return found


def _follow(steps: Iterator[Any]) -> None:
    """A bar on standard error where somebody watches."""
    import sys

    if not sys.stderr.isatty():
        for _ in steps:
            pass
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Scanning", total=None)
        for step in steps:
            bar.update(task, total=step.total, completed=step.done)


def as_json(fields: Sequence[Mapping[str, Any]]) -> str:
    """Fields as JSON."""
    return json_text(list(fields), 2) + "\n"


def table(fields: Sequence[Mapping[str, Any]]) -> str:
    """Fields with their claims, a few lines each."""
    import click

    lines = []
    for field in fields:
        claim = field["claim"]
        state = click.style(field["state"], fg=_STATES.get(field["state"]), bold=True)
        lines.append(f"{printable(_name(field))}  {state} as of {_time(claim['as_of'])}")
        far = claim.get("progress") or {}
        if far.get("remaining"):
            lines.append(
                f"    at most {plural(far['remaining'], 'message')} with it in the logs{_when(far['gone_at'])}"
            )
        if far.get("slowest"):
            read = f"{plural(far['lag'], 'message')} to read{_when(far['consumed_at'])}"
            lines.append(f"    slowest: {printable(far['slowest'])}, {read}")
        for reason in claim["reasons"][:_SHOWN]:
            withheld = "/".join(reason["blocks"])
            lines.append(f"    not {withheld}: {printable(reason['message'])} ({reason['condition']})")
            lines.append(f"        {reason['unblocks']}")
        if len(claim["reasons"]) > _SHOWN:
            lines.append(f"    and {plural(len(claim['reasons']) - _SHOWN, 'reason')} more (--json has them all)")
        lines += [f"    note: {printable(warning)}" for warning in claim["warnings"]]
    return "".join(f"{line}\n" for line in lines) or "no obsolete fields\n"


def listing(fields: Sequence[Mapping[str, Any]]) -> str:
    """Fields, one a line."""
    lines = [
        f"{field['state']:9} {_name(field)}  marked in {field['marked_in']} on {_time(field['marked_at'])[:10]}"
        f"{', overdue' if field['overdue'] else ''}"
        for field in fields
    ]
    return "".join(f"{printable(line)}\n" for line in lines) or "no obsolete fields\n"


def _name(field: Mapping[str, Any]) -> str:
    return f"{field['contract']}#{field['pointer']}"


def _when(at: int | None) -> str:
    return f", until about {_time(at)}" if at is not None else ""


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _clock() -> int:
    return int(time.time() * 1000)
