"""`deedbox publish`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.options import config_option, registry_option
from deedbox.cli.reports import format_option

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit
    from deedbox.cli.reports import Output


@click.command(short_help="Publish contracts to the registry.")
@click.argument("paths", nargs=-1, type=click.Path(), metavar="[PATH]...")
@registry_option
@config_option
@format_option
def publish(*, paths: tuple[str, ...], registry: str | None, config: str | None, outputs: tuple[Output, ...]) -> Exit:
    """Publish contracts to the registry, if its gate lets them pass.

    PATH is a contract's file, or a folder of them; without one, all contracts of the project file are
    published. All are judged before the first is published: where one is refused, none is. Publishing the
    same content again changes nothing.
    """
    from deedbox.cli.checking import client_for, select
    from deedbox.cli.project import require
    from deedbox.cli.publishing import publish_all
    from deedbox.cli.reports import emit

    project = require(config)
    with client_for(project, registry) as client:
        report = publish_all(select(project, paths, loose=False), client, project)
    emit(report, outputs)
    return report.exit
