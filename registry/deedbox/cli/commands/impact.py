"""`deedbox impact`: whom a field reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.options import config_option, registry_option

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit


@click.command(short_help="Say whom a field reaches, and what its removal would break.")
@click.argument("field", metavar="POINTER")
@click.option("--json", "as_json", is_flag=True, help="The answers as JSON.")
@registry_option
@config_option
def impact(*, field: str, as_json: bool, registry: str | None, config: str | None) -> Exit:
    """Say whom a field reaches, and what its removal would break.

    POINTER is the field's pointer in the schema (/properties/customer), or its place in a message (/customer), in the
    contracts of the project file; CONTRACT#POINTER asks about any contract (billing/order-placed#/customer). The latest
    published version is meant.

    Exits with 1 where the removal would break a live link, and 3 where that is not known.
    """
    from deedbox.cli import impacts
    from deedbox.cli.checking import client_for
    from deedbox.cli.project import load

    project = load(config)
    asked = impacts.asked(field, project)
    with client_for(project, registry) as client:
        found = impacts.ask(client, asked)
    click.echo(impacts.as_json(found) if as_json else impacts.as_text(found), nl=False)
    return impacts.exit_of(found)
