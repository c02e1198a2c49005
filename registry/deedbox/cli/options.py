"""Options that several commands have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def registry_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--registry`."""
    return click.option(
        "--registry", metavar="URL", help="The registry's address. [default: DEEDBOX_URL, the project file]"
    )(function)


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--config`."""
    return click.option(
        "--config",
        type=click.Path(dir_okay=False),
        help="The project file. [default: DEEDBOX_CONFIG, deedbox.toml or pyproject.toml here or above]",
    )(function)


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--format`, of commands that print text or JSON."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="How it is printed.",
    )(function)
