"""`package --publish`: the registry builds the wheels and puts them on its own index, and this waits until they are there."""

from __future__ import annotations

import sys
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from deedbox.cli.errors import CliError, UsageError
from deedbox.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deedbox.cli.packaging import Shape, Wanted
    from deedbox.client import RegistryClient

WAIT = 300.0
"""Seconds after which this stops waiting; the registry goes on."""
_PAUSE = 0.5


class NotReleased(CliError):
    """A release that failed, or has not ended. `exit` says which."""

    code = "not-released"

    def __init__(self, message: str, exit: Exit) -> None:
        super().__init__(message)
        self.exit = exit


@dataclass(frozen=True, slots=True)
class Released:
    """A file that is on the registry's index."""

    distribution: str
    filename: str
    content: bytes = field(repr=False)


def release(wanted: Wanted, version: str | None, shape: Shape, client: RegistryClient) -> list[Released]:
    """Releases a published version, the latest where none is given, and fetches what is on the index then.

    Raises:
        UsageError: there is no such version.
        NotReleased: the registry could not make it (2), or has not within `WAIT` (3).
        ClientError: the registry refuses or does not answer.
    """
    published = client.publication(wanted.name, version or "latest")
    if published is None:
        raise UsageError(
            f"{client.url} has no {f'version {version}' if version else 'released version'} of {wanted.name}: publish it first"
        )
    found = str(published["version"])
    style, open_enums = shape.of(wanted.contract)
    wish: dict[str, Any] = {"style": style, "open_enums": open_enums, "id": str(uuid.uuid4())}
    if wanted.contract is not None and wanted.contract.package is not None:
        wish["package"] = wanted.contract.package
    job = client.release(wanted.name, found, wish)
    with _telling(f"{wanted.name} {found}") as tell:
        job = _ended(job, client, tell)
    if job["state"] == "failed":
        wrong = job.get("code") not in (
            "build-stopped",
            "attempts-exhausted",
            "internal",
            "storage-unavailable",
            "busy",
        )
        raise NotReleased(
            f"{wanted.name} {found} was not released: {job.get('reason') or job.get('code') or 'no reason given'} (job {job['id']})",
            Exit.WRONG if wrong else Exit.UNKNOWN,
        )
    steps = {step["name"]: step["data"] for step in job["steps"]}
    return [
        Released(name, filename, client.package_file(name, filename))
        for filename in steps["index"]["files"]
        for name in [filename.partition("-")[0].replace("_", "-")]
    ]


def _ended(job: dict[str, Any], client: RegistryClient, tell: Callable[[str], None]) -> dict[str, Any]:
    until = time.monotonic() + WAIT
    while job["state"] in ("waiting", "running"):
        if time.monotonic() > until:
            raise NotReleased(
                f"{job['subject']} is {job['state']} after {WAIT:g} s. The registry goes on: ask {client.url}/api/v1/jobs/{job['id']}. "
                "Does a worker run?",
                Exit.UNKNOWN,
            )
        steps = job["steps"]
        tell(f"{job['state']}, {steps[-1]['name']} is done" if steps else str(job["state"]))
        time.sleep(_PAUSE)
        job = client.job(str(job["id"]))
    return job


@contextmanager
def _telling(what: str) -> Iterator[Callable[[str], None]]:
    """A line that says how it stands, where a person watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status(f"Releasing {what}") as status:
        yield lambda state: status.update(f"Releasing {what}: {state}")
