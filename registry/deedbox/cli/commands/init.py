"""`deedbox init`."""

from __future__ import annotations

import click


@click.command(short_help="Write a first deedbox.toml.")
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--service", help="The service's name. [default: the folder's]")
def init(*, folder: str, service: str | None) -> None:
    """Write a commented deedbox.toml for the schemas and APIs of FOLDER (by default this one).

    Finds JSON Schemas, OpenAPI and AsyncAPI documents, in JSON or YAML. A file that only is a part of another, by
    its references, is no contract of its own.
    """
    from pathlib import Path

    from deedbox.cli.project import show
    from deedbox.cli.starting import write_project

    path, contracts = write_project(Path(folder).resolve(), service)
    click.echo(f"Wrote {show(path)} with {contracts} contract{'' if contracts == 1 else 's'}.")
    if contracts:
        click.echo("Look at each role, then: deedbox check --against git:HEAD, or deedbox publish")
    else:
        click.echo("No schema or API document was found: the file shows what a contract looks like.")
