"""`deedbox demo`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from deedbox.cli.exits import Exit


@click.command(short_help="Watch the whole story on this machine.")
@click.option("--keep", is_flag=True, help="Leave the registry running until Ctrl-C, to look around.")
def demo(keep: bool) -> Exit:
    """Watch the whole story: a shop of four services, a safe change, and a break that is stopped.

    Starts a registry in a temporary folder and removes all of it at the end.
    """
    from deedbox.cli.demonstration import run
    from deedbox.cli.server import serving

    return run(serving("demo"), keep=keep)
