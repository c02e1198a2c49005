"""`deedbox init`."""

from __future__ import annotations

import click


@click.command()
@click.argument("folder", default=".", type=click.Path(exists=True, file_okay=False))
@click.option("--service", help="The service's name. [default: the folder's]")
def init(*, folder: str, service: str | None) -> None:
    """Write a commented deedbox.toml for the schemas of FOLDER (by default this one)."""
    from pathlib import Path

    from deedbox.cli.project import show
    from deedbox.cli.starting import write_project

    path, contracts = write_project(Path(folder).resolve(), service)
    click.echo(f"Wrote {show(path)} with {contracts} contract{'' if contracts == 1 else 's'}.")
    click.echo("Look at each role, then: deedbox check --against git:HEAD, or deedbox publish")
