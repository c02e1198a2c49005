"""`deedbox serve`."""

from __future__ import annotations

import click
from deedbox.cli.exits import Exit


@click.command()
@click.option("--host", help="The address to listen on. [default: DEEDBOX_HOST, 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="The port, 0 for a free one. [default: DEEDBOX_PORT, 8080]",
)
@click.option(
    "--database-url",
    help="Where everything is kept. [default: DEEDBOX_DATABASE_URL, SQLite in the working folder]",
)
@click.option(
    "--workers", type=click.IntRange(min=1), metavar="N", help="Server processes. [default: DEEDBOX_WORKERS, 1]"
)
def serve(*, host: str | None, port: int | None, database_url: str | None, workers: int | None) -> Exit:
    """Run the registry.

    Every other setting is a DEEDBOX_* variable: see docs/configuration.md.
    """
    from deedbox.cli.server import run_server, serving

    run_server(serving("serve"), host=host, port=port, database_url=database_url, workers=workers)
    return Exit.FINE
