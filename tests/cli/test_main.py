"""The entry point: help, unknown commands, completion, exit codes of faults, and how soon it starts."""

import os
import shutil
import subprocess
import sys
from importlib import metadata

import click
import pytest
from deedbox.checker.errors import InvalidVersion
from deedbox.cli import main as entry
from deedbox.cli.catalogue import entries
from deedbox.cli.exits import Exit, worst
from deedbox.client import Problem, RegistryUnavailable


def run(*arguments, **options):
    given = {"capture_output": True, "text": True, "timeout": 60}
    return subprocess.run([sys.executable, "-m", "deedbox.cli.main", *arguments], check=False, **(given | options))


def test_help_lists_every_command_with_a_sentence():
    done = run("--help")
    assert done.returncode == 0
    for command in entry.COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", entry.COMMANDS)
def test_each_command_has_help_that_ends_well(command):
    context = click.Context(entry.cli)
    found = entry.cli.get_command(context, command)
    assert found.name == command
    assert found.help
    assert entry.main([command, "--help"]) == 0


def test_no_command_is_wrong_usage_and_shows_the_help():
    done = run()
    assert done.returncode == 2
    assert "Commands:" in done.stderr


@pytest.mark.parametrize(("wrong", "words"), [("dif", "Did you mean 'diff'?"), ("xyzzy", "No such command 'xyzzy'")])
def test_an_unknown_command_is_2_and_names_the_nearest(wrong, words):
    done = run(wrong)
    assert done.returncode == 2
    assert words in done.stderr


def test_version():
    from importlib.metadata import version

    done = run("--version")
    assert (done.returncode, done.stdout) == (0, f"deedbox {version('deedbox')}\n")


def failing(monkeypatch, error):
    def fail():
        raise error

    monkeypatch.setattr(entry.LazyGroup, "get_command", lambda self, ctx, name: click.Command("explain", callback=fail))
    return entry.main(["explain"])


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (InvalidVersion("'1' is no semantic version"), Exit.WRONG, "no semantic version"),
        (RegistryUnavailable("refused", url="http://x", attempts=4), Exit.UNKNOWN, "did not answer: refused"),
        (Problem(503, {"code": "busy"}, url="http://x"), Exit.UNKNOWN, "busy"),
        (Problem(422, {"code": "gate-refused"}, url="http://x"), Exit.NO, "gate-refused"),
        (Problem(409, {"code": "version-taken"}, url="http://x"), Exit.NO, "version-taken"),
        (Problem(422, {"code": "undecided"}, url="http://x"), Exit.UNKNOWN, "undecided"),
        (Problem(422, {"code": "invalid-name"}, url="http://x"), Exit.WRONG, "invalid-name"),
        (ZeroDivisionError("by zero"), Exit.UNKNOWN, "a fault in deedbox itself"),
        (MemoryError(), Exit.UNKNOWN, "a fault in deedbox itself"),
        (RecursionError("deep"), Exit.UNKNOWN, "a fault in deedbox itself"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "interrupted"),
        (click.Abort(), Exit.INTERRUPTED, "interrupted"),
        (click.ClickException("odd"), Exit.WRONG, "odd"),
        (FileNotFoundError(2, "No such file or directory", "gone"), Exit.WRONG, "gone: No such file"),
    ],
)
def test_what_stops_a_command_has_its_exit_code(monkeypatch, capsys, error, code, words):
    assert failing(monkeypatch, error) == code
    assert words in capsys.readouterr().err


def test_a_fault_shows_where_when_asked_to(monkeypatch, capsys):
    monkeypatch.setenv("DEEDBOX_DEBUG", "1")
    assert failing(monkeypatch, ZeroDivisionError("by zero")) == 3
    assert "Traceback" in capsys.readouterr().err


def test_of_several_codes_2_wins_then_1_then_3():
    assert worst([]) is Exit.FINE
    assert worst([Exit.FINE, Exit.UNKNOWN]) is Exit.UNKNOWN
    assert worst([Exit.UNKNOWN, Exit.NO, Exit.FINE]) is Exit.NO
    assert worst([Exit.UNKNOWN, Exit.NO, Exit.WRONG]) is Exit.WRONG


def test_explain_lists_all_and_tells_one(capsys):
    assert entry.main(["explain"]) == 0
    listed = capsys.readouterr().out
    for name in entries():
        assert f"{name} " in listed
        assert entry.main(["explain", name]) == 0
        told = capsys.readouterr().out
        assert told.startswith(f"{name}: ")
        assert entries()[name].title
    for group in ("JSON Schema", "OpenAPI", "AsyncAPI"):
        assert listed.count(f"{group}\n") == 1
    assert entry.main(["explain", "operation-removed"]) == 0
    told = capsys.readouterr().out
    assert "The other way round: operation-added" in told
    assert "Format: OpenAPI. Source: OpenAPI 3" in told


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("enum-value-remvd", ["enum-value-removed"]),
        ("parameter removed", ["parameter-removed", "required-parameter-removed"]),
        ("webhook", ["webhook-removed", "webhook-added"]),
        ("404", ["`deedbox explain` lists them all"]),
    ],
)
def test_explain_offers_what_may_have_been_meant(capsys, asked, offered):
    assert entry.main(["explain", asked]) == 2
    told = capsys.readouterr().err
    assert f"there is no rule {asked!r}." in told
    assert all(name in told for name in offered)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_this_program(shell):
    done = run("completion", shell)
    assert done.returncode == 0
    assert "_DEEDBOX_COMPLETE" in done.stdout


def test_bash_completes_commands_and_formats():
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    for words, expected in (("deedbox che", "check"), ("deedbox diff --format ma", "markdown")):
        count = len(words.split()) - 1
        env = os.environ | {"_DEEDBOX_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(count)}
        assert run(env=env).stdout.strip() == f"plain,{expected}"


HEAVY = (
    "rich",
    "httpx2",
    "jsonschema",
    "jsonschema_rs",
    "referencing",
    "yaml",
    "tomlkit",
    "flask",
    "sqlalchemy",
    "tomllib",
)


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from deedbox.cli.main import main; main(['--help']); "
        f"print([m for m in {HEAVY!r} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"


def test_diff_imports_no_client_no_server_and_no_tables(tmp_path):
    (tmp_path / "a.json").write_text('{"type": "object"}')
    code = (
        "import sys; from deedbox.cli.main import main; "
        f"main(['diff', {str(tmp_path / 'a.json')!r}, {str(tmp_path / 'a.json')!r}]); "
        "print([m for m in ('rich', 'httpx2', 'flask', 'tomlkit', 'sqlalchemy') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_without_the_registry_extra_it_says_what_to_install(command, monkeypatch, capsys):
    installed = metadata.distribution

    def distribution(name):
        if name == "granian":
            raise metadata.PackageNotFoundError(name)
        return installed(name)

    monkeypatch.setattr(metadata, "distribution", distribution)
    assert entry.main([command]) == 2
    assert "granian is missing: pip install 'deedbox[registry]'" in capsys.readouterr().err
