"""`demo`: plays the story of `fixtures/demo` with the real server and the real commands, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from deedbox.cli.errors import NotJudged, UsageError
from deedbox.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Iterator

_KEEP = "To look at the pages of it all in a browser: deedbox demo --keep\n\n"
_NEXT = """\
Three commands to try next, in the folder of a service of yours:
  deedbox init                         writes a deedbox.toml for the schemas that are there
  deedbox check --against git:HEAD     judges what you have changed since the last commit: no server needed
  deedbox serve                        your own registry, on SQLite in the working folder; then: deedbox publish
"""


def run(serving: Any, *, keep: bool) -> Exit:
    """Plays the story. `serving` is the module that starts the server, `keep` goes on serving afterwards.

    Raises:
        NotJudged: the server did not start, or the story did not go as it is told.
    """
    from deedbox.cli.telling import tell
    from deedbox.registry.errors import RegistryError

    story = story_folder()
    steps = tomllib.loads((story / "story.toml").read_text("utf-8"))["step"]
    began = time.monotonic()
    with _termination_as_interrupt(), tempfile.TemporaryDirectory(prefix="deedbox-demo-") as folder:
        shop = Path(folder) / "shop"
        click.echo("Starting a registry of its own for the demo, on SQLite in a temporary folder …")
        try:
            days = tell(f"sqlite:///{folder}/demo.db", story)
            server = serving.run_in_background(f"sqlite:///{folder}/demo.db")
        except RegistryError as error:
            raise NotJudged(str(error), Exit.UNKNOWN) from None
        with server:
            click.echo(
                f"It has known payments, ledger, warehouse and dispatch for {days} days: a blocked break, an accepted one,\n"
                f"a field that drains, and seven dead letters, at {server.url}"
                + (", which stays" if keep else ", for as long as this runs (--keep leaves it)")
                + "."
            )
            for number, step in enumerate(steps, start=1):
                _play(number, step, story, shop, server.url)
            click.echo(f"\nThat took {time.monotonic() - began:.0f} seconds.\n\n{'' if keep else _KEEP}{_NEXT}")
            if shutil.which("deedbox") is None:
                click.echo(f"deedbox is in {Path(sys.argv[0]).absolute().parent}, which is not on your PATH.")
            if keep:
                _wait(server.url)
    return Exit.FINE


def story_folder() -> Path:
    """Where the story is: in the installed package, else in the source tree.

    Raises:
        UsageError: in neither.
    """
    here = Path(__file__).resolve()
    for folder in (here.parent / "demo_story", here.parents[3] / "fixtures" / "demo"):
        if (folder / "story.toml").is_file():
            return folder
    raise UsageError("the demo's files are not installed: install deedbox from a wheel or a source tree")


def _play(number: int, step: dict[str, Any], story: Path, shop: Path, url: str) -> None:
    shutil.copytree(story / step["folder"], shop, dirs_exist_ok=True)
    click.echo(click.style(f"\n{number}. {step['title']}", bold=True) + f"\n{step['text'].strip()}")
    for entry in step["run"]:
        service, command, expected = entry["service"], entry["command"], entry["exit"]
        click.echo(f"\n{click.style(f'{service}$ deedbox ' + ' '.join(command), fg='cyan')}")
        sys.stdout.flush()
        done = subprocess.run(  # noqa: S603 - this program itself, with the story's arguments
            [sys.executable, "-m", "deedbox.cli.main", *command],
            cwd=shop / service,
            env=_environment(url, service),
            check=False,
        )
        if done.returncode in (-signal.SIGINT, Exit.INTERRUPTED):
            raise KeyboardInterrupt
        if done.returncode != expected:
            raise NotJudged(
                f"the demo did not go as told: exit code {done.returncode} where {expected} was due", Exit.UNKNOWN
            )
        if expected:
            click.echo(click.style(f"exit code {done.returncode}: a CI job stops here", fg="red"))


def _environment(url: str, service: str) -> dict[str, str]:
    """The user's environment without settings that would lead the demo's commands elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DEEDBOX_")}
    return kept | {"DEEDBOX_URL": url, "DEEDBOX_ACTOR": f"the {service} team"}


def _wait(url: str) -> None:
    click.echo(f"The registry goes on at {url} until Ctrl-C.")
    sys.stdout.flush()
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        click.echo("Stopped, and removed.")


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: by the way on which everything is cleared away."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
