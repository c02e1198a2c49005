"""What can go wrong in the command line itself: one root, each with the exit code it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence


class CliError(Exception):
    """Root of the command line's own errors. `str()` says where and what to do."""

    exit = Exit.WRONG
    code = "usage"


class ProjectError(CliError):
    """A project file (`deedbox.toml`, `[tool.deedbox]`, `deedbox.accepted.toml`) that cannot be used.

    `file` is its path as shown to people, `line` counts from 1 or is None where it is not known.
    """

    code = "project-invalid"

    def __init__(self, message: str, *, file: str, line: int | None = None) -> None:
        super().__init__(message)
        self.message, self.file, self.line = message, file, line

    def __str__(self) -> str:
        return f"{self.file}{'' if self.line is None else f':{self.line}'}: {self.message}"


class UsageError(CliError):
    """Arguments that do not go together, or name what is not there."""


class NoTopic(CliError):
    """Of the topics that were to be read none is there, so nothing can be said of their messages."""

    exit = Exit.UNKNOWN
    code = "no-topic"

    def __init__(self, topics: Sequence[str]) -> None:
        super().__init__(f"there is no topic {' or '.join(topics)} on this cluster: are name and cluster right?")


class SourceUnreadable(CliError):
    """A file, standard input or a git revision that cannot be read. `source` says which."""

    code = "unreadable"

    def __init__(self, source: str, message: str) -> None:
        super().__init__(f"{source}: {message}")
        self.source = source


class ReportUnwritable(CliError):
    """A report's file cannot be written."""

    code = "unwritable"

    def __init__(self, file: str, message: str) -> None:
        super().__init__(f"{file}: {message}")
        self.file = file


class ExtraMissing(CliError):
    """A command needs an extra that is not installed."""

    code = "extra-missing"

    def __init__(self, command: str, extra: str, package: str) -> None:
        super().__init__(
            f"`deedbox {command}` needs the {extra} extra, {package} is missing: pip install 'deedbox[{extra}]'"
        )
        self.extra, self.package = extra, package


class NotJudged(CliError):
    """What a command builds on could not be judged. `exit` is that of the cause."""

    code = "not-judged"

    def __init__(self, message: str, exit: Exit) -> None:
        super().__init__(message)
        self.exit = exit
