"""`deedbox try`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.brokers import bootstrap_option
from deedbox.cli.options import config_option, format_option, registry_option

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit


@click.command("try")
@click.argument("contract")
@click.option(
    "--file", type=click.Path(dir_okay=False), help="The proposed schema. [default: as the project file says]"
)
@click.option(
    "--last",
    default=5_000,
    show_default=True,
    type=click.IntRange(1),
    help="How many messages of each topic, the newest.",
)
@click.option(
    "--topics", "--topic", "topics", multiple=True, metavar="TOPIC,…", help="Where. [default: the contract's channels]"
)
@format_option
@bootstrap_option
@registry_option
@config_option
def try_(
    *,
    contract: str,
    file: str | None,
    last: int,
    topics: tuple[str, ...],
    form: str,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> Exit:
    """Judge the messages that really travel by a proposed schema, before it is published.

    CONTRACT is a name of the project file, or SERVICE/NAME. Says how many of the last messages would fail and shows three
    of each kind; and of each property that is newly declared, how many messages carry it already. Writes nothing.
    Exits with 1 where a message would fail, and with 3 where none could be judged.
    """
    from deedbox.cli.brokers import connect, lookup_at, topic_names
    from deedbox.cli.exits import Exit
    from deedbox.cli.project import load
    from deedbox.cli.trying import as_object, as_text, find, try_contract

    project = load(config)
    found = find(project, contract, file, topic_names(topics))
    broker = connect("try", bootstrap)
    with lookup_at(registry, project) as lookup:
        trial = try_contract(broker, lookup, found, last)
    if form == "json":
        from deedbox.cli.plain import json_text

        click.echo(json_text(as_object(found.full_name, trial), indent=2))
    else:
        click.echo(as_text(found.full_name, trial), nl=False)
    if trial.failing:
        return Exit.NO
    return Exit.FINE if trial.judged > trial.unreadable else Exit.UNKNOWN
