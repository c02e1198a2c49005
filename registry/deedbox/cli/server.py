"""The registry's server, where it is installed."""

from __future__ import annotations

import re
from importlib import import_module, metadata
from typing import Any

from deedbox.cli.errors import ExtraMissing, NotJudged, UsageError
from deedbox.cli.exits import Exit

_EXTRA = re.compile(r"""([A-Za-z0-9._-]+).*;.*extra == ['"]registry['"]""")


def serving(command: str) -> Any:
    """The module that serves, `deedbox.registry.serving`, once all that it needs is known to be installed.

    Raises:
        ExtraMissing: something is not; says how to install it.
    """
    for requirement in metadata.requires("deedbox") or ():
        if found := _EXTRA.match(requirement):
            try:
                metadata.distribution(found[1])
            except metadata.PackageNotFoundError:
                raise ExtraMissing(command, "registry", found[1]) from None
    return import_module("deedbox.registry.serving")


def run_server(server: Any, **overrides: Any) -> None:
    """Serves with the settings that are given here, then those of `DEEDBOX_*`, until it is told to stop.

    Raises:
        UsageError: a setting that cannot work.
        NotJudged: the database is away, or the server did not start.
    """
    _run(server.serve, overrides)


def run_worker(**overrides: Any) -> None:
    """Works on jobs with the settings that are given here, then those of `DEEDBOX_*`, until it is told to stop.

    Raises:
        UsageError: a setting that cannot work.
        NotJudged: the database is away.
    """
    from deedbox.registry.working import work

    _run(work, overrides)


def _run(run: Any, overrides: dict[str, Any]) -> None:
    from deedbox.registry.config import Settings
    from deedbox.registry.errors import ConfigurationError, RegistryError

    try:
        run(Settings.from_environment(**overrides))
    except ConfigurationError as error:
        raise UsageError(str(error)) from None
    except RegistryError as error:
        raise NotJudged(str(error), Exit.UNKNOWN) from None
