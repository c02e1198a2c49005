"""`deedbox init`."""

from __future__ import annotations

import click

_MOST_SHOWN = 8


@click.command(short_help="Write a first deedbox.toml.")
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--service", help="The service's name. [default: the folder's]")
def init(*, folder: str, service: str | None) -> None:
    """Write a commented deedbox.toml for the schemas and APIs of FOLDER (by default this one).

    Finds JSON Schemas, OpenAPI and AsyncAPI documents, in JSON or YAML. A file that only is a part of another, by
    its references, is no contract of its own.
    """
    from pathlib import Path

    from deedbox.cli.plain import printable
    from deedbox.cli.project import show
    from deedbox.cli.starting import write_project

    path, contracts, parts = write_project(Path(folder).resolve(), service)
    click.echo(f"Wrote {show(path)} with {contracts} contract{'' if contracts == 1 else 's'}.")
    if parts:
        shown = ", ".join(printable(part) for part in parts[:_MOST_SHOWN])
        more = f" and {len(parts) - _MOST_SHOWN} more" if len(parts) > _MOST_SHOWN else ""
        click.echo(f"Left out, as parts of others: {shown}{more}. Add what is a contract of its own.")
    if contracts:
        click.echo("Look at each role, then: deedbox check --against git:HEAD, or deedbox publish")
    else:
        click.echo("No schema or API document was found: the file shows what a contract looks like.")
