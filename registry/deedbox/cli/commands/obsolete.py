"""`deedbox obsolete`: the fields that are marked to go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.options import config_option, registry_option

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit


@click.command()
@click.option("--overdue", is_flag=True, help="Only those obsolete for longer than their channel's policy allows.")
@click.option("--json", "as_json", is_flag=True, help="The fields as JSON.")
@registry_option
@config_option
def obsolete(*, overdue: bool, as_json: bool, registry: str | None, config: str | None) -> Exit:
    """List obsolete fields and their states.

    With --overdue it has the registry say so in its feed, once a field, and ends with 1 where there are any: a job that
    runs it every day can open a task.
    """
    from deedbox.cli import draining
    from deedbox.cli.exits import Exit

    with draining.client_at(registry, config) as client:
        fields = client.remind() if overdue else client.fields()
    click.echo(draining.as_json(fields) if as_json else draining.listing(fields), nl=False)
    return Exit.NO if overdue and fields else Exit.FINE
