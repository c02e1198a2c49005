"""`deedbox check`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click
from deedbox.cli.brokers import bootstrap_option
from deedbox.cli.options import config_option, registry_option
from deedbox.cli.reports import format_option

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit
    from deedbox.cli.reports import Output


@click.command(short_help="Judge contract files before they are published: the gate for CI.")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@click.option(
    "--against",
    default="registry:latest",
    show_default=True,
    metavar="WHAT",
    help="registry:latest, registry:VERSION, git:REF, or a file or folder.",
)
@click.option(
    "--observed",
    is_flag=True,
    help="Also judge the last messages of each contract's channels: the gate says no where one that is read today fails.",
)
@click.option(
    "--last",
    default=5_000,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="With --observed: how many of each topic.",
)
@bootstrap_option
@registry_option
@config_option
@format_option
def check(
    *,
    paths: tuple[str, ...],
    against: str,
    observed: bool,
    last: int,
    bootstrap: str,
    registry: str | None,
    config: str | None,
    outputs: tuple[Output, ...],
) -> Exit:
    """Judge each contract file before it is published: the gate for CI.

    PATH is a contract's file, or a folder of them; without one, all contracts of the project file are judged.
    Against the registry it also names each producer and consumer whose contract would no longer fit.
    Exits with 1 where the gate says no and 3 where it could not tell.

    \b
    deedbox check                              with what is published and live
    deedbox check --against git:origin/main    with the branch to merge into: no registry
    deedbox check contracts/order-placed.json --format text --format sarif=deedbox.sarif
    """
    from deedbox.cli.checking import against as baseline_of
    from deedbox.cli.checking import check_all, client_for, select
    from deedbox.cli.project import load
    from deedbox.cli.report import Report
    from deedbox.cli.reports import emit

    project = load(config)
    remote = against.startswith("registry:")
    contracts = select(project, paths, loose=not remote)
    with ExitStack() as stack:
        client = stack.enter_context(client_for(project, registry)) if remote else None
        observe = None
        if observed:
            from deedbox.cli.brokers import connect, lookup_at
            from deedbox.cli.trying import observing

            broker = connect("check --observed", bootstrap)
            observe = observing(broker, stack.enter_context(lookup_at(registry, project)), last)
        changes, failures = check_all(contracts, baseline_of(against, project, client), project, observe)
    report = Report("check", tuple(changes), tuple(failures))
    emit(report, outputs)
    return report.exit
