"""`deedbox worker`."""

from __future__ import annotations

import click
from deedbox.cli.exits import Exit


@click.command()
@click.option(
    "--database-url",
    help="Where everything is kept. [default: DEEDBOX_DATABASE_URL, SQLite in the working folder]",
)
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Jobs at once. [default: DEEDBOX_JOB_WORKERS, 1]")
def worker(*, database_url: str | None, jobs: int | None) -> Exit:
    """Work on the registry's jobs, such as building packages.

    `serve` does so itself. Any number of workers may share a database, on one machine or several; with
    DEEDBOX_JOB_WORKERS=0 the servers leave the jobs to them. Ends on SIGTERM or Ctrl-C, and gives back what
    it has not finished.
    """
    from deedbox.cli.server import run_worker, serving

    serving("worker")
    run_worker(database_url=database_url, job_workers=jobs)
    return Exit.FINE
