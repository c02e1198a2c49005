"""Output formats: one module each, with `render(report) -> str`, and where they are written to."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from deedbox.cli.errors import ReportUnwritable
from deedbox.cli.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from deedbox.cli.report import Report

FORMATS = {
    "text": "text",
    "json": "json_report",
    "markdown": "markdown",
    "github": "github",
    "gitlab": "gitlab",
    "sarif": "sarif",
    "junit": "junit",
}
"""Names of the formats and their modules in this package."""

_LINES = ("text", "github")
"""Formats of lines, which may follow one another on one stream."""


@dataclass(frozen=True, slots=True)
class Output:
    """One `--format`: a format, and the file it goes to, or None for standard output."""

    format: str
    file: Path | None = None


class OutputType(click.ParamType[Output]):
    """`FORMAT` or `FORMAT=FILE`."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """How the help shows it."""
        return "FORMAT[=FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Output:
        """Reads one."""
        if isinstance(value, Output):
            return value
        format, equals, file = str(value).partition("=")
        if format not in FORMATS:
            self.fail(f"{format!r} is none of {', '.join(FORMATS)}.{did_you_mean(format, FORMATS)}", param, ctx)
        if equals and not file:
            self.fail(f"{value!r} names no file", param, ctx)
        return Output(format, Path(file) if file else None)

    def shell_complete(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        param: click.Parameter,  # noqa: ARG002 - click's signature
        incomplete: str,
    ) -> list[click.shell_completion.CompletionItem]:
        """The formats that begin so."""
        return [click.shell_completion.CompletionItem(f) for f in FORMATS if f.startswith(incomplete)]


def _one_on_stdout(_: click.Context, __: click.Parameter, value: Sequence[Output]) -> tuple[Output, ...]:
    printed = [output.format for output in value if output.file is None]
    if len(printed) > 1 and not set(printed) <= set(_LINES):
        raise click.BadParameter(
            f"{' and '.join(printed)} cannot share standard output: give one a file, as in {printed[-1]}=FILE"
        )
    return tuple(value) if printed else (Output("text"), *value)


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds `--format` to a command, which gets `outputs: tuple[Output, ...]`."""
    return click.option(
        "--format",
        "outputs",
        type=OutputType(),
        multiple=True,
        callback=_one_on_stdout,
        help=f"{', '.join(FORMATS)}; repeatable, as FORMAT=FILE. Text is printed unless another format is.",
    )(function)


def emit(report: Report, outputs: Sequence[Output]) -> None:
    """Writes the report in each format: files first, so that a closed pipe does not lose them.

    Raises:
        ReportUnwritable: a file cannot be written.
    """
    for output in sorted(outputs, key=lambda output: output.file is None):
        text = _module(output.format).render(report)
        if output.file is None:
            click.echo(text, nl=False)
            continue
        try:
            output.file.write_text(click.unstyle(text), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise ReportUnwritable(str(output.file), error.strerror or str(error)) from None


def _module(format: str) -> Any:
    return import_module(f"deedbox.cli.reports.{FORMATS[format]}")
