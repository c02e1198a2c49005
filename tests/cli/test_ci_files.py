"""What code hosts run and read: the action, the template, the hook, and reports of APIs against their schemas."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import jsonschema_rs
import pytest
import yaml
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
HOSTILE = "x%0A::error::</script><script>|`@you\n, d:e"


def api(*paths, extra=None):
    answer = {"200": {"description": "ok"}}
    operations = {path: {"get": {"operationId": path, "responses": answer}} for path in paths}
    return {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": operations | (extra or {})}


def git(folder, *arguments):
    who = {f"GIT_{a}_{b}": "a@b.c" for a in ("AUTHOR", "COMMITTER") for b in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | who, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path):
    """A repository whose API has lost twelve operations, one of a hostile name, since the last commit."""
    folder = tmp_path / "work"
    (folder / "contracts").mkdir(parents=True)
    (folder / "deedbox.toml").write_text(
        '[deedbox]\nservice = "shop"\n[[contract]]\nname = "api"\nfile = "contracts/api.json"\nrole = "provides"\n'
    )
    names = [f"/p{n}" for n in range(11)]
    (folder / "contracts/api.json").write_text(json.dumps(api("/kept", "/" + HOSTILE, *names), indent=1))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    (folder / "contracts/api.json").write_text(json.dumps(api("/kept", "/new"), indent=1))
    return folder


def environment(**more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DEEDBOX_", "GITHUB_", "CI_", "RUNNER_"))}
    return kept | {k: str(v) for k, v in more.items()}


def run(folder, *arguments, code=0, **env):
    done = subprocess.run(
        [BIN / "deedbox", *map(str, arguments)], cwd=folder, env=environment(**env), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_what_is_vendored_is_what_it_says():
    for line in (ROOT / "fixtures/sarif/SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((ROOT / "fixtures/sarif" / name).read_bytes()).hexdigest() == digest


def test_every_format_says_an_apis_breaks(project, tmp_path):
    outputs = [f"--format={name}={tmp_path}/{name}" for name in ("sarif", "junit", "gitlab", "markdown", "json")]
    lines = run(
        project, "check", "--against", "git:HEAD", *outputs, "--format=github", code=1, GITHUB_WORKSPACE=project
    ).splitlines()
    errors = [line for line in lines if line.startswith("::error ")]
    assert len(errors) == 10
    assert errors[-1].endswith("and 3 more findings: see the log")
    assert lines[: len(errors)] == errors  # the worst first
    assert all(re.match(r"::(error|warning|notice) [^:]*::", line) for line in lines)
    assert "file=contracts/api.json,line=" in errors[0]
    assert ",col=" in errors[0]

    log = json.loads((tmp_path / "sarif").read_text())
    schema = json.loads((ROOT / "fixtures/sarif/sarif-2.1.0.json").read_text())
    validator = jsonschema_rs.validator_for(schema, validate_formats=True, offline=True)
    assert [error.message for error in validator.iter_errors(log)] == []
    log["runs"][0]["results"][0]["level"] = "deadly"
    assert not validator.is_valid(log)
    regions = [r["locations"][0]["physicalLocation"]["region"] for r in log["runs"][0]["results"]]
    assert all(region["startLine"] >= 1 and region["startColumn"] >= 1 for region in regions)

    (suite,) = ET.parse(tmp_path / "junit").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    (case,) = suite.findall("testcase")
    assert "is gone" in case.find("failure").text
    quality = json.loads((tmp_path / "gitlab").read_text())
    assert len({entry["fingerprint"] for entry in quality}) == len(quality)
    assert sum(entry["severity"] == "critical" for entry in quality) == 12
    assert {entry["location"]["path"] for entry in quality} == {"contracts/api.json"}
    html = MarkdownIt("commonmark").enable("table").render((tmp_path / "markdown").read_text())
    assert "<script" not in html
    assert html.count("is gone") >= 12
    (result,) = json.loads((tmp_path / "json").read_text())["results"]
    assert all(f["line"] and f["column"] for f in result["findings"])


def check_schema(name, *files):
    done = subprocess.run(
        [BIN / "check-jsonschema", "--builtin-schema", f"vendor.{name}", *files],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def action_step(number, runner, **inputs):
    """The script and the environment of a step of the action, as the host would give them."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    given = {name: one["default"] for name, one in action["inputs"].items()}
    assert set(inputs) <= set(given)
    given |= inputs
    step = action["runs"]["steps"][number]

    def filled(text):
        return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda m: given[m[1]], text)

    runner.mkdir(exist_ok=True)
    env = {name: filled(value) for name, value in step["env"].items()}
    assert "${{" not in step["run"], "an input in a script is an injection"
    return step["run"], env | {
        "RUNNER_TEMP": runner,
        "GITHUB_ACTION_PATH": ROOT,
        "GITHUB_STEP_SUMMARY": runner / "summary",
        "GITHUB_OUTPUT": runner / "output",
    }


def bash(script, folder, code, **env):
    # As GitHub calls it: bash --noprofile --norc -eo pipefail {0}
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], cwd=folder, env=environment(**env),
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def installed(folder):
    (folder / "deedbox/bin").mkdir(parents=True)
    (folder / "deedbox/bin/deedbox").symlink_to(BIN / "deedbox")


@pytest.mark.parametrize(("paths", "code"), [("", 1), ("contracts/api.json\n", 1), ("nothing.json", 2)])
def test_the_action_annotates_and_sums_up(project, tmp_path, paths, code):
    check_schema("github-actions", ROOT / "action.yml")
    installed(tmp_path / "runner")
    script, env = action_step(1, tmp_path / "runner", against="git:HEAD", paths=paths, sarif="found.sarif")
    text = bash(script, project, code, **env, GITHUB_WORKSPACE=project)
    assert (tmp_path / "runner/output").read_text() == f"exit-code={code}\n"
    if code == 1:
        assert "::error file=contracts/api.json,line=" in text
        assert "shop/api" in (tmp_path / "runner/summary").read_text()
        assert json.loads((project / "found.sarif").read_text())["version"] == "2.1.0"


def wheel(path):
    """A package that has the command, and nothing else."""
    info = "deedbox-0.0.1.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("stand_in.py", "def main():\n    print('here')\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: deedbox\nVersion: 0.0.1\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ndeedbox = stand_in:main\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_the_action_installs_into_a_place_of_its_own(tmp_path):
    package = wheel(tmp_path / "deedbox-0.0.1-py3-none-any.whl")
    script, env = action_step(0, tmp_path / "runner", package=str(package))
    bash(script, tmp_path, 0, **env, PIP_NO_INDEX=1)
    made = tmp_path / "runner/deedbox/bin/deedbox"
    assert subprocess.run([made], capture_output=True, text=True, check=True).stdout == "here\n"


def test_the_gitlab_template_writes_what_it_announces(project, tmp_path):
    file = ROOT / "templates/deedbox.gitlab-ci.yml"
    check_schema("gitlab-ci", file)
    job = yaml.safe_load(file.read_text())["deedbox-check"]
    installed(tmp_path)
    variables = job["variables"] | {"DEEDBOX_AGAINST": "git:HEAD", "CI_BUILDS_DIR": tmp_path, "CI_PROJECT_DIR": project}
    for line in job["script"]:
        bash(line, project, 1, **variables)
    reports = job["artifacts"]["reports"]
    assert len(json.loads((project / reports["codequality"]).read_text())) >= 12
    assert ET.parse(project / reports["junit"]).getroot().get("failures") == "1"
    package = wheel(tmp_path / "deedbox-0.0.1-py3-none-any.whl")
    shutil.rmtree(tmp_path / "deedbox")
    bash("\n".join(job["before_script"]), project, 0, **variables | {"DEEDBOX_PACKAGE": package}, PIP_NO_INDEX=1)
    assert (tmp_path / "deedbox/bin/deedbox").exists()


def test_the_hook_stops_a_commit(project, tmp_path):
    """pre-commit itself installs this repository as it stands, and runs its hook."""
    hooks = tmp_path / "hooks"
    for name in (".pre-commit-hooks.yaml", "pyproject.toml", "README.md", "LICENSE"):
        (hooks / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, hooks / name)
    for name in ("checker", "codegen", "plugins", "registry", "fixtures/demo"):
        shutil.copytree(ROOT / name, hooks / name, ignore=shutil.ignore_patterns("__pycache__"))
    git(hooks, "init", "-q")
    git(hooks, "add", ".")
    git(hooks, "commit", "-qm", "hooks")
    tools = BIN / "pre-commit"
    subprocess.run([tools, "validate-manifest", hooks / ".pre-commit-hooks.yaml"], check=True, capture_output=True)
    git(project, "add", ".")
    done = subprocess.run(
        [tools, "try-repo", hooks, "deedbox-check", "--all-files", "--verbose"],
        cwd=project,
        env=environment(PRE_COMMIT_HOME=tmp_path / "cache"),
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "exit code: 1" in done.stdout, done.stdout + done.stderr
    assert "is gone" in done.stdout
