"""The demo as a process: the story goes as told, and nothing is left behind, Ctrl-C included."""

import os
import re
import resource
import signal
import subprocess
import sys
import tomllib

import pytest
from deedbox.cli.demonstration import story_folder

COMMAND = [sys.executable, "-m", "deedbox.cli.main", "demo"]


@pytest.fixture
def temporary(tmp_path):
    return os.environ | {"TMPDIR": str(tmp_path), "DEEDBOX_URL": "http://127.0.0.1:9", "DEEDBOX_CONFIG": "/none"}


def test_the_story_goes_as_it_is_told(temporary, tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(COMMAND, env=temporary, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # Of the processor: by the clock it would depend on what else the machine does.
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 60
    for step in tomllib.loads((story_folder() / "story.toml").read_text())["step"]:
        assert step["title"] in done.stdout
    assert "published orders/order-placed 1.2.0 (additive)" in done.stdout
    assert "published orders/order-placed 1.2.1 (patch)" in done.stdout
    assert "this needs 2.0.0, you said 1.3.0" in done.stdout
    assert "billing/order-placed 1.1.0 cannot read all that orders/order-placed 1.3.0 sends" in done.stdout
    assert '"payment": {"method": "transfer"}' in done.stdout
    assert "for 61 days:" in done.stdout
    assert "deedbox demo --keep" in done.stdout  # what it shows by then is gone
    assert len(re.findall(r"^  deedbox [a-z]+", done.stdout, re.MULTILINE)) == 3
    assert not left_behind(tmp_path)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way_it_clears_away(temporary, tmp_path, stop):
    process = subprocess.Popen(COMMAND, env=temporary, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    for line in process.stdout:
        if line.startswith("published"):
            break
    assert left_behind(tmp_path)
    process.send_signal(stop)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.strip().endswith("error: interrupted")
    assert "Traceback" not in errors
    assert not left_behind(tmp_path)


def left_behind(folder):
    """The demo's files, and its processes: they all have the folder in their environment."""
    files = list(folder.glob("deedbox-demo-*"))
    return files + [pid for pid in os.listdir("/proc") if pid.isdigit() and _belongs(pid, folder)]  # noqa: PTH208


def _belongs(pid, folder):
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:  # noqa: PTH123
            return os.fsencode(f"DEEDBOX_DATABASE_URL=sqlite:///{folder}/") in environ.read()
    except OSError:
        return False
