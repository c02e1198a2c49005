"""`deedbox diff` as a process: verdicts, exit codes, formats, streams."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

DRAFT = "https://json-schema.org/draft/2020-12/schema"
OLD = f"""\
{{
  "$schema": "{DRAFT}",
  "type": "object",
  "properties": {{
    "id": {{"type": "string"}},
    "status": {{"enum": ["paid", "sent", "refunded"]}}
  }},
  "required": ["id", "status"]
}}
"""
CHANGES = {
    "identical": (OLD, 0, "none"),
    "patch": (OLD.replace('"id": {"type"', '"id": {"title": "The id", "type"'), 0, "patch"),
    "additive": (OLD.replace('"id": {', '"note": {"type": "string"},\n    "id": {'), 0, "minor"),
    "breaking": (OLD.replace(', "refunded"', ""), 1, "major"),
}


def run(*arguments, **options):
    given = {"capture_output": True, "text": True, "timeout": 60}
    return subprocess.run(
        [sys.executable, "-m", "deedbox.cli.main", *map(str, arguments)], check=False, **(given | options)
    )


@pytest.fixture
def files(tmp_path):
    def write(new, old=OLD, suffix="json"):
        (tmp_path / "old.json").write_text(old)
        (tmp_path / f"new.{suffix}").write_text(new)
        return tmp_path / "old.json", tmp_path / f"new.{suffix}"

    return write


@pytest.mark.parametrize("verdict", CHANGES)
def test_the_exit_code_follows_the_verdict(files, verdict):
    new, code, bump = CHANGES[verdict]
    done = run("diff", *files(new), "--format", "json")
    found = json.loads(done.stdout)
    assert (found["verdict"], done.returncode, found["bump"]) == (verdict, code, bump)
    assert done.stderr == ""


def test_a_break_is_shown_with_file_line_and_the_message_that_proves_it(files):
    old, new = files(CHANGES["breaking"][0])
    done = run("diff", old, new)
    assert done.returncode == 1
    assert f"{new}:6 /properties/status" in done.stdout
    assert '"status": "refunded"' in done.stdout
    assert "why: " in done.stdout
    assert "\x1b" not in done.stdout  # no terminal, no colours


def test_json_output_is_the_agreed_object(files):
    old, new = files(CHANGES["breaking"][0])
    found = json.loads(run("diff", old, new, "--format", "json").stdout)
    assert list(found) == ["verdict", "bump", "role", "content_model", "backward", "forward", "findings"]
    assert (found["role"], found["content_model"]) == ("consumes", "tolerant")
    assert set(found["backward"]) == {"holds", "proof", "reason", "witness"}
    assert found["backward"]["holds"] is False
    assert found["backward"]["witness"]["value"]["status"] == "refunded"
    breaking = [finding for finding in found["findings"] if finding["level"] == "breaking"]
    assert breaking
    for finding in breaking:
        assert {"rule", "pointer", "level", "direction", "message", "witness", "fingerprint", "file", "line"} <= set(
            finding
        )
        assert (finding["file"], finding["line"]) == (str(new), 6)


def test_what_was_removed_is_shown_in_the_old_file(files):
    without = OLD.replace('    "id": {"type": "string"},\n', "").replace('["id", "status"]', '["status"]')
    old, new = files(without)
    found = json.loads(run("diff", old, new, "--format", "json").stdout)
    removed = [finding for finding in found["findings"] if finding["side"] == "old"]
    assert {(finding["file"], finding["line"]) for finding in removed} == {(str(old), 4)}  # its "properties"
    assert found["verdict"] == "breaking"
    # A pull request has the new file alone: an annotation on any other is shown nowhere.
    annotations = run("diff", old, new, "--format", "github").stdout
    assert re.search(r"^::\w+ file=\S*new\.json,line=4,col=3,title=[^:]*property-removed::", annotations, re.M)
    assert str(old) not in annotations


def test_the_role_turns_the_direction(files):
    narrower = files(CHANGES["breaking"][0])
    assert run("diff", *narrower, "--role", "produces").returncode == 0
    assert run("diff", *narrower[::-1], "--role", "produces").returncode == 1
    assert run("diff", *narrower[::-1]).returncode == 0
    for both in (narrower, narrower[::-1]):
        assert run("diff", *both, "--role", "both").returncode == 1


def test_the_content_model_is_asked_for(files):
    added = files(CHANGES["additive"][0])
    assert run("diff", *added).returncode == 0
    assert run("diff", *added, "--content-model", "open").returncode == 1


def test_a_dialect_for_a_schema_of_ones_own(files):
    old, new = files(*(text.replace(DRAFT, "https://example.org/own") for text in (CHANGES["patch"][0], OLD)))
    assert run("diff", old, new).returncode == 2
    assert run("diff", old, new, "--dialect", "draft7").returncode == 0


def test_yaml_against_json_and_standard_input(files):
    yaml = (
        "type: object\nproperties:\n  id: {type: string}\n  status:\n    enum: [paid, sent]\nrequired: [id, status]\n"
    )
    old, new = files(yaml, suffix="yaml")
    done = run("diff", old, new, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["line"] == 4
    for arguments in ((old, "-"), ("-", old)):
        done = run("diff", *arguments, "--format", "json", input=CHANGES["breaking"][0])
        assert done.returncode == (1 if arguments[1] == "-" else 0)
    done = run("diff", old, "-", "--format", "json", input=CHANGES["breaking"][0])
    assert json.loads(done.stdout)["findings"][0]["file"] == "<stdin>"


def test_formats_go_to_files_and_text_is_still_printed(files, tmp_path):
    old, new = files(CHANGES["breaking"][0])
    specs = [("json", "o.json"), ("sarif", "o.sarif"), ("junit", "o.xml"), ("gitlab", "o.gl"), ("markdown", "o.md")]
    done = run("diff", old, new, *(part for f, name in specs for part in ("--format", f"{f}={tmp_path / name}")))
    assert done.returncode == 1
    assert "breaking" in done.stdout
    for _, name in specs:
        assert (tmp_path / name).stat().st_size > 50
    assert json.loads((tmp_path / "o.json").read_text())["verdict"] == "breaking"


def test_annotations_and_text_may_share_the_log_and_nothing_else_may(files):
    pair = files(CHANGES["breaking"][0])
    done = run("diff", *pair, "--format", "text", "--format", "github")
    assert done.returncode == 1
    assert "::error file=" in done.stdout
    assert "message: " in done.stdout
    done = run("diff", *pair, "--format", "json", "--format", "sarif")
    assert done.returncode == 2
    assert "share standard output" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "jsn"], "Did you mean 'json'?"),
        (["--format", "json="], "names no file"),
        (["--role", "reads"], "consumes"),
        (["--budget-ms", "0"], "0"),
        (["--no-such"], "No such option"),
    ],
)
def test_wrong_usage_is_2(files, arguments, words):
    done = run("diff", *files(OLD), *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_a_report_that_cannot_be_written_is_2(files, tmp_path):
    done = run("diff", *files(OLD), "--format", f"json={tmp_path / 'none' / 'o.json'}")
    assert done.returncode == 2
    assert "o.json" in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")  # noqa: PTH110
def test_a_full_disk_is_not_green(files):
    with open("/dev/full", "w") as full:  # noqa: PTH123
        done = run("diff", *files(OLD), capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == "error: standard output: No space left on device\n"


def test_a_reader_that_goes_away_is_not_green(files):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = run("diff", *files(OLD), capture_output=False, stdout=writing, stderr=subprocess.PIPE)
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_ctrl_c_is_130_without_a_traceback(files):
    old, _ = files(OLD)
    command = [sys.executable, "-m", "deedbox.cli.main", "diff", str(old), "-"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(" " * 1_000_000)  # more than a pipe holds: it returns when they are being read
    process.stdin.flush()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.strip() == "error: interrupted"


def test_output_that_is_no_utf8_is_still_written(files):
    env = os.environ | {"PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    done = run("diff", *files(CHANGES["breaking"][0]), env=env)
    assert done.returncode == 1
    assert "\\u2192" in done.stdout


def test_colours_come_with_a_terminal_only_and_no_color_is_heeded(files):
    pty = pytest.importorskip("pty")
    old, new = files(CHANGES["breaking"][0])

    def shown(**environment):
        main, other = pty.openpty()
        env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | {"TERM": "xterm"} | environment
        run("diff", old, new, capture_output=False, stdout=other, stderr=other, env=env)
        os.close(other)
        data = os.read(main, 100_000).decode()
        os.close(main)
        return data

    assert "\x1b[" in shown()
    assert "\x1b[" not in shown(NO_COLOR="1")
    assert "\x1b[" not in shown(TERM="dumb")


def test_an_api_is_known_by_what_it_says(tmp_path):
    """An OpenAPI document is compared as one, as its provider's promise, without a word from the user."""
    api = "openapi: 3.0.3\ninfo: {title: t, version: 1.0.0}\npaths:\n  /orders:\n    get: {responses: {'200': {description: ok}}}\n"
    (tmp_path / "old.yaml").write_text(api + "    post: {responses: {'201': {description: made}}}\n")
    (tmp_path / "new.yaml").write_text(api)
    done = run("diff", tmp_path / "old.yaml", tmp_path / "new.yaml")
    assert done.returncode == 1
    assert "(provides, tolerant)" in done.stdout
    assert "operation-removed" in done.stdout
