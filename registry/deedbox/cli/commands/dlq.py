"""`deedbox dlq`: list, show, diagnose, replay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.brokers import bootstrap_option
from deedbox.cli.options import config_option, registry_option

if TYPE_CHECKING:
    from datetime import datetime

    from deedbox.cli.exits import Exit


@click.group()
def dlq() -> None:
    """Look at dead letters, ask whether they pass now, and send them again.

    TOPIC is the dead-letter topic, such as shop.orders.dlt.
    """


@dlq.command("list")
@click.argument("topic")
@bootstrap_option
def list_(*, topic: str, bootstrap: str) -> None:
    """List dead letters by fingerprint, the most frequent first."""
    from deedbox.cli.brokers import connect
    from deedbox.cli.letters import listing
    from deedbox.kafka.replaying import grouped, read_all

    broker = connect("dlq", bootstrap)
    click.echo(listing(grouped(read_all(broker, topic))), nl=False)


@dlq.command()
@click.argument("topic")
@click.argument("fingerprint")
@click.option("--last", default=3, show_default=True, type=click.IntRange(1, 1000), help="How many, the newest last.")
@bootstrap_option
def show(*, topic: str, fingerprint: str, last: int, bootstrap: str) -> Exit:
    """Show dead letters of one FINGERPRINT: where they came from, why, and what they hold."""
    from deedbox.cli.brokers import connect
    from deedbox.cli.exits import Exit
    from deedbox.cli.letters import shown
    from deedbox.kafka.replaying import read_all

    broker = connect("dlq", bootstrap)
    found = [dead for dead in read_all(broker, topic) if dead.fingerprint == fingerprint]
    click.echo("\n".join(shown(dead) for dead in found[-last:]) or f"{topic} has none of {fingerprint}")
    return Exit.FINE if found else Exit.NO


@dlq.command()
@click.argument("topic")
@bootstrap_option
@registry_option
@config_option
def diagnose(*, topic: str, bootstrap: str, registry: str | None, config: str | None) -> None:
    """Say of each kind of dead letter how many would pass now, and as which version."""
    from deedbox.cli.brokers import connect, lookup_at
    from deedbox.cli.letters import listing
    from deedbox.cli.project import load
    from deedbox.kafka.inspection import Inspector
    from deedbox.kafka.replaying import diagnose as judged
    from deedbox.kafka.replaying import read_all

    broker = connect("dlq", bootstrap)
    with lookup_at(registry, load(config)) as lookup:
        groups = judged(read_all(broker, topic), Inspector(lookup))
    click.echo(listing(groups, judged=True), nl=False)


@dlq.command()
@click.argument("topic")
@click.option("--name", required=True, help="Of this replay: run again under it, it goes on where it stopped.")
@click.option("--go", is_flag=True, help="Do it; without, it says what it would do.")
@click.option("--fingerprint", help="Only dead letters of this kind.")
@click.option("--contract", help="Only those judged as this contract, SERVICE/NAME.")
@click.option("--since", type=click.DateTime(), help="Only messages first sent at or after this time (UTC).")
@click.option("--until", type=click.DateTime(), help="Only messages first sent before this time (UTC).")
@click.option("--rate", default=0.0, type=click.FloatRange(0), metavar="N", help="At most N messages a second.")
@click.option("--most", default=3, show_default=True, type=click.IntRange(1), help="Replays before quarantine.")
@click.option("--regardless", is_flag=True, help="Send also what would fail again.")
@bootstrap_option
@registry_option
@config_option
def replay(
    *,
    topic: str,
    name: str,
    go: bool,
    fingerprint: str | None,
    contract: str | None,
    since: datetime | None,
    until: datetime | None,
    rate: float,
    most: int,
    regardless: bool,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> None:
    """Send dead letters to the topics they came from: a dry run, unless --go says so.

    Each is sent once, however often this runs under one --name. What was sent is recorded on TOPIC.replays; a message
    that was replayed --most times goes to TOPIC.quarantine instead.
    """
    from deedbox.cli.brokers import connect, lookup_at
    from deedbox.cli.letters import milliseconds, outcome
    from deedbox.cli.project import actor, load
    from deedbox.kafka.inspection import Inspector
    from deedbox.kafka.replaying import Query, Replayer

    broker = connect("dlq", bootstrap)
    query = Query(fingerprint, contract, milliseconds(since), milliseconds(until))
    with lookup_at(registry, load(config)) as lookup:
        inspector = None if regardless else Inspector(lookup)
        replayer = Replayer(broker, topic, name, inspector, query=query, most=most, per_second=rate, by=actor())
        done = replayer.run() if go else replayer.dry_run()
    click.echo(outcome(done, done=go))
