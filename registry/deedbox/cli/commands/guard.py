"""`deedbox guard`."""

from __future__ import annotations

import click
from deedbox.cli.brokers import bootstrap_option
from deedbox.cli.daemons import log_format_option
from deedbox.cli.options import config_option, registry_option


@click.command()
@click.option(
    "--topics",
    "--topic",
    "topics",
    multiple=True,
    metavar="TOPIC,…",
    help="What to judge. [default: all channels of the project file]",
)
@click.option(
    "--channel",
    "channels",
    multiple=True,
    metavar="TOPIC,…",
    help="Likewise, topics that some contract in the registry must name.",
)
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="[TOPIC=]MODE",
    help="observe, mark (to TOPIC.checked) or dead-letter (to TOPIC.dlt), for one topic or all. [default: observe]",
)
@click.option("--group", default="deedbox-guard", show_default=True, help="The guard's consumer group.")
@click.option("--instance", default="0", show_default=True, help="This process's name in it, the same after a restart.")
@click.option(
    "--spool",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Where it keeps what the registry has not heard yet. [default: deedbox-guard-GROUP-INSTANCE.db]",
)
@click.option(
    "--stop-ratio",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0, 1, min_open=True),
    help="Stop where more than this part of a topic's last 200 messages would be dead-lettered.",
)
@click.option(
    "--stop-row",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="Stop where more than so many in a row would be.",
)
@click.option(
    "--metrics-port", type=click.IntRange(0, 65535), help="Serve counters to Prometheus at this port, under /metrics."
)
@click.option("--metrics-host", default="127.0.0.1", show_default=True, help="The address to serve them at.")
@log_format_option
@click.option("--once", is_flag=True, help="Judge what is there now, and stop.")
@bootstrap_option
@registry_option
@config_option
def guard(
    *,
    topics: tuple[str, ...],
    channels: tuple[str, ...],
    modes: tuple[str, ...],
    group: str,
    instance: str,
    spool: str | None,
    stop_ratio: float,
    stop_row: int,
    metrics_port: int | None,
    metrics_host: str,
    log_format: str,
    once: bool,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> None:
    """Judge live messages by what is registered: a consumer group of its own, in any number of processes.

    Counts by contract, version and rule, tells the registry every minute, and says at its end (Ctrl-C or SIGTERM, behind
    the batch in hand) what it saw. Where nearly everything of a topic fails in mode dead-letter it stops with exit code
    1: then the schema or its version is wrong, not the messages.
    """
    from urllib.parse import quote

    from deedbox.cli.brokers import connect, lookup_at
    from deedbox.cli.project import load
    from deedbox.cli.watching import Watching, known_channels, modes_of, summary, topics_of, watch

    project = load(config)
    chosen = topics_of(topics, channels, project)
    by_topic = modes_of(modes, chosen)
    broker = connect("guard", bootstrap)
    with lookup_at(registry, project) as lookup:
        known_channels(lookup, channels)
        options = Watching(
            group,
            instance,
            spool or f"deedbox-guard-{quote(group, safe='')}-{quote(instance, safe='')}.db",
            stop_ratio,
            stop_row,
            once,
            metrics_port,
            metrics_host,
            log_format,
        )
        counts, samples = watch(broker, lookup, chosen, by_topic, options)
    click.echo(summary(counts, samples), nl=False)
