"""Commands run as people run them, in a process of their own."""

import os
import subprocess
import sys


def run(folder, *arguments, code=0, **env):
    """What a command prints, if it exits with the code; no setting of whoever runs the tests reaches it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DEEDBOX_", "GITHUB_"))}
    done = subprocess.run(
        [sys.executable, "-m", "deedbox.cli.main", *map(str, arguments)],
        cwd=folder,
        env=clean | {"DEEDBOX_ACTOR": "ada"} | env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert "Traceback" not in done.stderr
    return done.stdout


def git(folder, *arguments):
    """Runs git as somebody."""
    identity = {f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, env=os.environ | identity, check=True, capture_output=True)


def committed(folder):
    """Makes a folder a repository of one commit."""
    for arguments in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        git(folder, *arguments)
