"""The text of `docs/cli.md`, made from the commands' own help. `python -m deedbox.cli.reference` prints it."""

from __future__ import annotations

import inspect
import re

import click
from deedbox.cli.exits import Exit
from deedbox.cli.main import COMMANDS, NAME, cli
from deedbox.cli.reports import FORMATS

_FORMAT_USES = {
    "text": "people: the worst first, each finding with its place, the message that proves it, and why",
    "json": "programs: of `diff` one object, of `check` and `publish` one a contract",
    "markdown": "a comment on a pull request, or a job's summary",
    "github": "annotations of GitHub Actions; may be printed beside text",
    "gitlab": "GitLab's code quality widget",
    "sarif": "code scanning (SARIF 2.1.0)",
    "junit": "the test reports of any CI",
}
_EXIT_USES = {
    Exit.FINE: "fine",
    Exit.NO: "the gate, or `diff`, says no",
    Exit.WRONG: "wrong usage, configuration or schema",
    Exit.UNKNOWN: "could not tell: the registry did not answer, or the verdict is undecided",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
    Exit.PIPE_CLOSED: "whoever read the output went away",
}


def page() -> str:
    """The page, in Markdown."""
    lines = [
        "# The command line",
        "",
        "This page is printed by `python -m deedbox.cli.reference` from the commands' own help.",
        "",
        "| command | does |",
        "|---|---|",
    ]
    context = click.Context(cli, info_name=NAME)
    commands = {name: cli.get_command(context, name) for name in COMMANDS}
    for name, command in commands.items():
        assert command is not None
        lines.append(f"| [`{name}`](#{NAME}-{name}) | {_first_sentence(command)} |")
    lines += ["", "## Exit codes", "", "| code | means |", "|---|---|"]
    lines += [f"| {code.value} | {use} |" for code, use in _EXIT_USES.items()]
    lines += ["", "Where several apply: 2, then 1, then 3.", "", "## Formats", "", "| `--format` | for |", "|---|---|"]
    lines += [f"| `{name}` | {_FORMAT_USES[name]} |" for name in FORMATS]
    lines += [
        "",
        "`--format` is repeatable, as `FORMAT=FILE`. Text is printed unless another format is. Colours are for",
        "terminals only; `NO_COLOR` takes them away.",
    ]
    for name, command in commands.items():
        assert command is not None
        lines += _command(context, name, command)
        if isinstance(command, click.Group):
            for below, one in command.commands.items():
                lines += _command(context, f"{name} {below}", one)
    return "\n".join(lines) + "\n"


def _command(parent: click.Context, name: str, command: click.Command) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = ["", f"## {NAME} {name}", "", f"`{NAME} {name} {usage}`", ""]
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        verbatim = paragraph.startswith("\b")
        text = paragraph.removeprefix("\b").strip("\n")
        lines += ["```", inspect.cleandoc(text), "```", ""] if verbatim else [text, ""]
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context)) is not None]
    rows = [f"| `{_cell(record[0])}` | {_cell(record[1])} |" for record in records]
    return [*lines, "| option | meaning |", "|---|---|", *rows] if rows else lines[:-1]


def _first_sentence(command: click.Command) -> str:
    return _cell((command.help or "").split("\n\n")[0]).rstrip(".")


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


if __name__ == "__main__":
    print(page(), end="")
