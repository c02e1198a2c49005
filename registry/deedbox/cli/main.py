"""The entry point: finds the command, runs it, turns what happened into an exit code."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING

import click
from deedbox.cli.errors import CliError
from deedbox.cli.exits import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

NAME = "deedbox"
COMPLETE = "_DEEDBOX_COMPLETE"
"""The variable by which a shell asks for completions; its scripts set it."""

COMMANDS = (
    "accept",
    "can-i-deploy",
    "changelog",
    "check",
    "completion",
    "demo",
    "diff",
    "dlq",
    "drain",
    "explain",
    "guard",
    "impact",
    "init",
    "obsolete",
    "package",
    "publish",
    "record-deployment",
    "serve",
    "try",
    "worker",
)


class LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in alphabetical order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command, or None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        function = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        command = getattr(import_module(f"deedbox.cli.commands.{function}"), function)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Finds the command; an unknown one is an error that names the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from deedbox.cli.nearest import did_you_mean

            ctx.fail(f"No such command {args[0]!r}.{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)


def _version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"deedbox {version('deedbox')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 fine; 1 the gate or diff says no; 2 wrong usage, configuration or schema; 3 could not tell.",
)
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
def cli() -> None:
    """Contract testing and schema registry: says, with proof, whether a change breaks anyone.

    Begin with `deedbox demo`, with `deedbox diff OLD NEW` on two files, or with `deedbox init` in a repository.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code. Never 0 where something stopped it."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal or a pipe that is not UTF-8 must not turn a verdict into a traceback.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        code = Exit.PIPE_CLOSED
    except OSError as error:
        code = _fail(_sentence(error), Exit.WRONG)
    if code in (Exit.PIPE_CLOSED, Exit.WRONG):
        _silence(sys.stdout)
    return code


def _run(args: Sequence[str] | None) -> int:
    try:
        # Not `cli.main`: it answers a closed pipe with exit code 1, which here means "no".
        if instruction := os.environ.get(COMPLETE):
            from click.shell_completion import shell_complete

            return shell_complete(cli, {}, NAME, COMPLETE, instruction)
        arguments = list(sys.argv[1:] if args is None else args)
        with cli.make_context(NAME, arguments, color=_color()) as ctx:
            result = cli.invoke(ctx)
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code if error.exit_code != 1 else Exit.WRONG
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", Exit.INTERRUPTED)
    except CliError as error:
        return _fail(str(error), error.exit)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: a traceback's exit code 1 would mean "no"
        return _unexpected(error)
    return Exit.FINE if result is None else int(result)


def _unexpected(error: Exception) -> int:
    from deedbox.checker.errors import CheckerError

    if isinstance(error, CheckerError):
        return _fail(str(error), Exit.WRONG)
    if "deedbox.client.errors" in sys.modules:
        from deedbox.cli.comparing import client_exit
        from deedbox.client.errors import ClientError

        if isinstance(error, ClientError):
            return _fail(str(error), client_exit(error))
    if "deedbox.codegen.errors" in sys.modules:
        from deedbox.codegen.errors import BuildTimedOut, CodegenError

        if isinstance(error, CodegenError):
            return _fail(str(error), Exit.UNKNOWN if isinstance(error, BuildTimedOut) else Exit.WRONG)
    if "deedbox.kafka.errors" in sys.modules:
        from deedbox.kafka.errors import (
            BrokerUnavailable,
            DeadLetterRefused,
            Fenced,
            LimitReached,
            LiveError,
            RegistryAway,
        )

        if isinstance(error, LimitReached):
            return _fail(str(error), Exit.NO)
        if isinstance(error, LiveError):
            away = isinstance(error, BrokerUnavailable | DeadLetterRefused | Fenced | RegistryAway)
            return _fail(str(error), Exit.UNKNOWN if away else Exit.WRONG)
    if os.environ.get("DEEDBOX_DEBUG"):
        import traceback

        traceback.print_exc()
    return _fail(
        f"a fault in deedbox itself, so no verdict: {type(error).__name__}: {error} "
        "(DEEDBOX_DEBUG=1 shows where; please report it)",
        Exit.UNKNOWN,
    )


def _color() -> bool | None:
    """False where nobody wants colours; None leaves it to whether the stream is a terminal."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _sentence(error: OSError) -> str:
    """What the machine refused: a disk that is full, a file that is not there."""
    return f"{error.filename or 'standard output'}: {error.strerror or error}"


def _fail(message: str, code: Exit) -> int:
    from deedbox.cli.plain import printable

    try:
        click.echo(
            f"{click.style('error:', fg='red', bold=True)} {printable(message, newlines=True)}",
            err=True,
            color=_color(),
        )
    except OSError:
        _silence(sys.stderr)
    return code


def _silence(stream: TextIO) -> None:
    """Points a stream that cannot be flushed at nothing, so that the interpreter's last flush does not fail again."""
    try:
        stream.flush()
    except OSError:
        pass
    else:
        return
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return


if __name__ == "__main__":
    sys.exit(main())
