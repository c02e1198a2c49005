"""The pages on the command line: made from it, or true of it."""

import re
from pathlib import Path

import click
from deedbox.cli import main, reference
from deedbox.cli.exits import Exit
from deedbox.cli.reports import FORMATS

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_reference_is_what_the_commands_say():
    assert (DOCS / "cli.md").read_text("utf-8") == reference.page(), "python -m deedbox.cli.reference > docs/cli.md"


def test_the_reference_has_every_command_format_and_exit_code():
    page = reference.page()
    for command in main.COMMANDS:
        assert f"\n## deedbox {command}\n" in page
    assert set(reference._FORMAT_USES) == set(FORMATS)
    assert set(reference._EXIT_USES) == set(Exit)


def test_the_calls_on_the_ci_page_exist():
    calls = re.findall(r"deedbox ([a-z-]+)((?: (?:--?[a-z-]+)?[^\n`|]*)?)", (DOCS / "ci.md").read_text("utf-8"))
    named = 0
    for command, rest in calls:
        if command not in main.COMMANDS:
            continue
        found = main.cli.get_command(click.Context(main.cli), command)
        known = {option for parameter in found.params for option in parameter.opts}
        for option in re.findall(r"(?<!\S)--?[a-z-]+", rest):
            assert option in known, f"deedbox {command} {option}"
            named += 1
    assert named >= 8
