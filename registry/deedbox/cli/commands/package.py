"""`deedbox package`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.options import config_option, registry_option
from deedbox.codegen.model import STYLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.cli.exits import Exit
    from deedbox.cli.packaging import File


@click.command()
@click.argument("contracts", nargs=-1, metavar="[CONTRACT]...")
@click.option("--version", metavar="VERSION", help="Of the contract. [default: the latest]")
@click.option("--local", is_flag=True, help="Build the project's own file, published or not.")
@click.option(
    "--style",
    type=click.Choice(STYLES),
    help=f"What the classes are. [default: the project file's package-style, {STYLES[0]}]",
)
@click.option(
    "--open-enums/--closed-enums",
    default=None,
    help="Read a value that an enum does not name as UNKNOWN. [default: the project file's package-open-enums, closed]",
)
@click.option(
    "--prefix",
    envvar="DEEDBOX_PACKAGE_PREFIX",
    default="",
    metavar="NAME",
    help="What the names of your packages start with. [default: DEEDBOX_PACKAGE_PREFIX, nothing]",
)
@click.option("--out", type=click.Path(file_okay=False), help="Where the wheels go. [default: dist]")
@click.option("--publish", is_flag=True, help="Have the registry build them and put them on its own index.")
@click.option("--publish-to", metavar="URL", help="Upload them to this index, as twine does.")
@click.option("--skip-existing", is_flag=True, help="It is no failure that the index has a file already.")
@registry_option
@config_option
def package(
    *,
    contracts: tuple[str, ...],
    version: str | None,
    local: bool,
    style: str | None,
    open_enums: bool | None,
    prefix: str,
    out: str | None,
    publish: bool,
    publish_to: str | None,
    skip_existing: bool,
    registry: str | None,
    config: str | None,
) -> Exit:
    """Build the typed package of a contract version: two wheels, of its code and of its name.

    CONTRACT is service/name, or the name of one in the project file; without one, all contracts of the project
    file that have package = "…" are built, or none if one of them cannot be.

    --publish asks the registry, waits until the wheels are on its index, and with --out or --publish-to fetches
    them from there.

    --publish-to uploads the wheels to an index of your own. Its credentials come from TWINE_USERNAME and
    TWINE_PASSWORD, the keyring or ~/.pypirc, never from the command line.
    """
    from pathlib import Path

    from deedbox.cli.checking import client_for
    from deedbox.cli.errors import UsageError
    from deedbox.cli.exits import Exit
    from deedbox.cli.packaging import Shape, build_all, from_file, from_registry, select, summary, write_all
    from deedbox.cli.plain import printable
    from deedbox.cli.project import load
    from deedbox.cli.releasing import release
    from deedbox.cli.uploading import check_url, upload_files

    if publish_to is not None:
        check_url(publish_to)
    given = click.get_current_context().get_parameter_source("prefix") is click.core.ParameterSource.COMMANDLINE
    if publish and (local or given):
        raise UsageError(
            "--publish releases what is published, under the registry's own prefix: leave out --local and --prefix"
        )
    project = load(config)
    wanted = select(project, contracts, version)
    shape = Shape(style, open_enums, prefix)
    files: Sequence[File]
    if publish:
        with client_for(project, registry) as client:
            files = [file for each in wanted for file in release(each, version, shape, client)]
        for file in files:
            click.echo(f"on the index: {printable(file.filename)}")
    else:
        if local:
            requests = [from_file(each, version, shape) for each in wanted]
        else:
            with client_for(project, registry) as client:
                requests = [from_registry(each, version, shape, client) for each in wanted]
        files = wheels = build_all(requests)
        for wheel in wheels[::2]:
            for line in summary(wheel):
                click.echo(printable(line))
    if out is not None or not (publish or publish_to):
        for path in write_all(files, Path(out or "dist")):
            click.echo(f"wrote {path}")
    if publish_to is None:
        return Exit.FINE
    uploaded, there = upload_files(files, publish_to)
    for name in uploaded:
        click.echo(f"uploaded {name}")
    for name in there:
        click.echo(f"{name} is there already, and an index does not replace what it has", err=not skip_existing)
    return Exit.NO if there and not skip_existing else Exit.FINE
