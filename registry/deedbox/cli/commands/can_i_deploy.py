"""`deedbox can-i-deploy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.options import config_option, registry_option
from deedbox.cli.reports import format_option

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit
    from deedbox.cli.reports import Output


@click.command("can-i-deploy", short_help="Ask whether an environment can take this service.")
@click.option("--environment", "-e", required=True, help="Where it is to run, such as prod.")
@registry_option
@config_option
@format_option
def can_i_deploy(*, environment: str, registry: str | None, config: str | None, outputs: tuple[Output, ...]) -> Exit:
    """Ask whether this service's contracts fit all that an environment runs.

    Exits with 1 where a producer or consumer there would no longer fit, and 3 where that is not known.
    """
    from deedbox.cli.checking import client_for
    from deedbox.cli.deploying import deployable
    from deedbox.cli.project import require
    from deedbox.cli.reports import emit

    project = require(config)
    with client_for(project, registry) as client:
        report = deployable(project, client, environment)
    emit(report, outputs)
    return report.exit
