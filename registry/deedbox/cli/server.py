"""The registry's server, where it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from deedbox.cli.errors import ExtraMissing, UsageError


def serving(command: str) -> Any:
    """The module that serves, `deedbox.registry.serving`.

    Raises:
        ExtraMissing: what it needs is not installed; says how to.
    """
    try:
        return import_module("deedbox.registry.serving")
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.startswith("deedbox."):
            raise
        raise ExtraMissing(command, "registry", str(error.name)) from error


def settings_of(**overrides: Any) -> Any:
    """The server's settings: what is given here, then `DEEDBOX_*`.

    Raises:
        UsageError: a value that cannot work.
    """
    from deedbox.registry.config import Settings
    from deedbox.registry.errors import ConfigurationError

    try:
        return Settings.from_environment(**overrides)
    except ConfigurationError as error:
        raise UsageError(str(error)) from None
