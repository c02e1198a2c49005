"""`deedbox dlq`: list, show, diagnose, replay, work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.brokers import bootstrap_option
from deedbox.cli.daemons import log_format_option
from deedbox.cli.options import config_option, format_option, registry_option

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from deedbox.cli.exits import Exit


def _print(form: str, text: str, value: Any) -> None:
    from deedbox.cli.plain import json_text

    click.echo(json_text(value, indent=2) if form == "json" else text.rstrip("\n"))


def _named(_: click.Context, __: click.Parameter, value: str) -> str:
    if not value.strip() or len(value) > 200:
        raise click.BadParameter("1 to 200 characters, by which the replay is found again")
    return value


@click.group()
def dlq() -> None:
    """Look at dead letters, ask whether they pass now, and send them again.

    TOPIC is the dead-letter topic, such as shop.orders.dlt. `work` does the same for the registry's pages.
    """


@dlq.command("list")
@click.argument("topic")
@format_option
@bootstrap_option
def list_(*, topic: str, form: str, bootstrap: str) -> None:
    """List dead letters by fingerprint, the most frequent first."""
    from deedbox.cli.brokers import connect_for
    from deedbox.cli.letters import groups_object, listing
    from deedbox.kafka.letters.replaying import grouped, read_all

    groups = grouped(read_all(connect_for("dlq", bootstrap, topic), topic, unplaced=True))
    _print(form, listing(groups), groups_object(groups))


@dlq.command()
@click.argument("topic")
@click.argument("fingerprint")
@click.option("--last", default=3, show_default=True, type=click.IntRange(1, 1000), help="How many, the newest last.")
@format_option
@bootstrap_option
def show(*, topic: str, fingerprint: str, last: int, form: str, bootstrap: str) -> Exit:
    """Show dead letters of one FINGERPRINT: where they came from, why, and what they hold."""
    from collections import deque

    from deedbox.cli.brokers import connect_for
    from deedbox.cli.exits import Exit
    from deedbox.cli.letters import shown, shown_object
    from deedbox.kafka.letters.replaying import read_all

    broker = connect_for("dlq", bootstrap, topic)
    found = deque(
        (dead for dead in read_all(broker, topic, unplaced=True) if dead.fingerprint == fingerprint), maxlen=last
    )
    text = "\n".join(map(shown, found)) or f"{topic} has none of {fingerprint}"
    _print(form, text, list(map(shown_object, found)))
    return Exit.FINE if found else Exit.NO


@dlq.command()
@click.argument("topic")
@format_option
@bootstrap_option
@registry_option
@config_option
def diagnose(*, topic: str, form: str, bootstrap: str, registry: str | None, config: str | None) -> None:
    """Say of each kind of dead letter who sends and reads it, how many would pass now, and as which version."""
    from deedbox.cli.brokers import connect_for, lookup_at
    from deedbox.cli.letters import groups_object, listing
    from deedbox.cli.project import load
    from deedbox.kafka.letters.replaying import diagnose as judged
    from deedbox.kafka.letters.replaying import judge_of, parties, read_all

    broker = connect_for("dlq", bootstrap, topic)
    with lookup_at(registry, load(config)) as lookup:
        groups = judged(read_all(broker, topic, unplaced=True), judge_of(lookup))
        who = {origin: parties(lookup, origin) for group in groups for origin in group.topics}
    _print(form, listing(groups, judged=True, parties=who), groups_object(groups, judged=True, parties=who))


@dlq.command()
@click.argument("topic")
@click.option("--name", required=True, callback=_named, help="Of this replay, by which people find what it sent.")
@click.option("--go", is_flag=True, help="Do it; without, it says what it would do.")
@click.option("--fingerprint", help="Only dead letters of this kind.")
@click.option("--contract", help="Only those judged as this contract, SERVICE/NAME.")
@click.option(
    "--since",
    type=click.DateTime(),
    metavar="TIME",
    help="Only messages first sent at or after this time (UTC), such as 2026-05-01 or 2026-05-01T12:30:00.",
)
@click.option("--until", type=click.DateTime(), metavar="TIME", help="Only messages first sent before this time (UTC).")
@click.option(
    "--where", multiple=True, metavar="POINTER=VALUE", help="Only messages with this value there, such as /customer=42."
)
@click.option("--rate", default=0.0, type=click.FloatRange(0), metavar="N", help="At most N messages a second.")
@click.option("--most", default=3, show_default=True, type=click.IntRange(1), help="Replays before quarantine.")
@click.option("--regardless", is_flag=True, help="Send also what would fail again.")
@click.option("--again", is_flag=True, help="Send also what was sent under other names, or by orders.")
@format_option
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
    where: tuple[str, ...],
    rate: float,
    most: int,
    regardless: bool,
    again: bool,
    form: str,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> None:
    """Send dead letters to the topics they came from: a dry run, unless --go says so.

    Each is sent once, however often this runs, and whatever orders do: what was sent is recorded on TOPIC.replays, in the
    same transaction, and in the registry's feed. A second one about the same TOPIC ends the first, which can be run again
    behind it. A message that was replayed --most times goes to TOPIC.quarantine instead.
    """
    from deedbox.cli.brokers import connect_for, lookup_at
    from deedbox.cli.letters import conditions, milliseconds, outcome, outcome_object, record
    from deedbox.cli.progress import counting
    from deedbox.cli.project import actor, load
    from deedbox.kafka.letters.replaying import Query, Replayer, judge_of

    query = Query(fingerprint, contract, milliseconds(since), milliseconds(until), conditions(where))
    broker = connect_for("dlq", bootstrap, topic)
    with (
        lookup_at(registry, load(config)) as lookup,
        counting("Replaying", sum(broker.ends(topic).values()) if go else 0) as advance,
    ):
        inspector = None if regardless else judge_of(lookup)
        replayer = Replayer(
            broker, topic, name, inspector, query=query, most=most, per_second=rate, by=actor(), again=again,
            advance=advance,
        )  # fmt: skip
        try:
            done = replayer.run() if go else replayer.dry_run()
        finally:
            # What was sent before something failed is sent: the record must say so.
            sent = replayer.done.replayed + replayer.done.quarantined
            if sent and (trouble := record(lookup.client, topic, name, query, replayer.done)):
                click.echo(f"warning: {trouble}", err=True)
    _print(form, outcome(done, topic, done=go), outcome_object(done, done=go))


@dlq.command()
@click.option(
    "--topics",
    "--topic",
    "topics",
    multiple=True,
    metavar="TOPIC,…",
    help="The dead-letter topics. [default: CHANNEL.dlt of all channels of the project file]",
)
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="TOPIC,…",
    help="Likewise TOPIC.dlt, of topics that some contract in the registry must name.",
)
@click.option(
    "--values",
    is_flag=True,
    help="Also tell the registry keys and values of three letters of a kind, and the reasons, which quote them: whoever "
    "sees its pages sees them. They may hold personal data.",
)
@click.option(
    "--every",
    default=5.0,
    show_default=True,
    type=click.FloatRange(0.1, 3600),
    metavar="SECONDS",
    help="How often to look for letters and orders.",
)
@click.option(
    "--lease",
    default=60,
    show_default=True,
    type=click.IntRange(3, 3600),
    metavar="SECONDS",
    help="How long an order waits for this worker where it died in the middle.",
)
@click.option("--rate", default=0.0, type=click.FloatRange(0), metavar="N", help="Send at most N messages a second.")
@click.option("--once", is_flag=True, help="Do what there is to do now, and stop.")
@log_format_option
@bootstrap_option
@registry_option
@config_option
def work(
    *,
    topics: tuple[str, ...],
    channels: tuple[str, ...],
    values: bool,
    every: float,
    lease: int,
    rate: float,
    once: bool,
    log_format: str,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> Exit:
    """Tell the registry of dead letters, and carry out the orders to send them again that people give on its pages.

    Runs beside Kafka until Ctrl-C or SIGTERM; any number of them may run at once, each letter is told of and sent once.
    It remembers nothing: it goes on from where the registry stands. A registry or a broker that is away is waited for.
    With --once it exits with 1 where an order failed, and with 3 where one is still to be done.
    """
    from deedbox.cli.brokers import connect
    from deedbox.cli.project import actor, load, registry_url
    from deedbox.cli.watching import known_channels
    from deedbox.cli.working import Working, client_at, topics_of
    from deedbox.cli.working import work as run
    from deedbox.kafka.lookup import Lookup

    project = load(config)
    chosen = topics_of(topics, channels, project)
    broker = connect("dlq", bootstrap)
    with client_at(registry_url(registry, project), actor()) as client:
        known_channels(Lookup(client), channels)
        return run(broker, client, chosen, Working(values, every, lease, rate, once, log_format))
