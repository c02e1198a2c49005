"""`deedbox guard`."""

from __future__ import annotations

import click
from deedbox.cli.brokers import bootstrap_option
from deedbox.cli.options import config_option, registry_option


@click.command()
@click.option("--topic", "topics", multiple=True, help="What to judge. [default: all channels of the project file]")
@click.option(
    "--mode",
    "modes",
    multiple=True,
    metavar="[TOPIC=]MODE",
    help="observe, mark (to TOPIC.checked) or dead-letter (to TOPIC.dlt), for one topic or all. [default: observe]",
)
@click.option("--group", default="deedbox-guard", show_default=True, help="The guard's consumer group.")
@click.option("--instance", default="0", show_default=True, help="This process's name in it, the same after a restart.")
@click.option("--once", is_flag=True, help="Judge what is there now, and stop.")
@bootstrap_option
@registry_option
@config_option
def guard(
    *,
    topics: tuple[str, ...],
    modes: tuple[str, ...],
    group: str,
    instance: str,
    once: bool,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> None:
    """Judge live messages by what is registered: a consumer group of its own, in any number of processes.

    Counts by contract, version and rule, and says at its end (Ctrl-C) what it saw. Where nearly everything of a topic
    fails in mode dead-letter it stops with exit code 1: then the schema or its version is wrong, not the messages.
    """
    from deedbox.cli.brokers import connect, lookup_at
    from deedbox.cli.project import load
    from deedbox.cli.watching import modes_of, summary, topics_of, watch

    project = load(config)
    chosen = topics_of(topics, project)
    by_topic = modes_of(modes, chosen)
    broker = connect("guard", bootstrap)
    with lookup_at(registry, project) as lookup:
        counts = watch(broker, lookup, chosen, by_topic, group=group, instance=instance, once=once)
    click.echo(summary(counts), nl=False)
