"""Mutation of the search: a sample of small faults is put into its code, one at a time, and its tests must notice.

A survivor is a fault that no test noticed: a missing test, or a change that changes no answer (an order of trying, a
bound on effort). `docs/mutation.md` explains those of the recorded sample.

    make mutation
    python benchmarks/mutation.py --sample 60 --seed 3
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROOM = "checker/deedbox/checker/json_schema/inclusion"
TESTS = "tests/checker/inclusion"
INERT = ("RemoveDecorator", "BitOr", "ExceptionReplacer", "NumberReplacer")
"""Operators left out: `|` stands in annotations alone here, which nothing evaluates; caught classes and constants are
mostly limits on effort."""


def configuration(seconds: int) -> str:
    command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider -p no:randomly {TESTS}"
    return (
        f'[cosmic-ray]\nmodule-path = "{ROOM}"\ntimeout = {seconds}.0\nexcluded-modules = ["{ROOM}/__init__.py"]\n'
        f'test-command = "{command}"\n[cosmic-ray.distributor]\nname = "local"\n'
    )


def chosen(database: Path, sample: int, seed: int) -> int:
    """Leaves a random sample of the faults in the session; how many there were to choose from."""
    with sqlite3.connect(database) as session:
        rows = session.execute(
            "select job_id, module_path, operator_name, start_pos_row from mutation_specs"
        ).fetchall()
        lines: dict[str, list[str]] = {}
        able = []
        for job, path, operator, row in rows:
            text = lines.setdefault(path, (ROOT / path).read_text().splitlines())[row - 1]
            if not any(name in operator for name in INERT) and "TYPE_CHECKING" not in text:
                able.append(job)
        kept = set(random.Random(seed).sample(sorted(able), min(sample, len(able))))
        gone = [(job,) for job, *_ in rows if job not in kept]
        session.executemany("delete from mutation_specs where job_id = ?", gone)
        session.executemany("delete from work_items where job_id = ?", gone)
    return len(able)


def report(database: Path, able: int) -> None:
    with sqlite3.connect(database) as session:
        rows = session.execute(
            "select m.module_path, m.operator_name, m.start_pos_row, r.test_outcome, r.worker_outcome, r.diff "
            "from work_results r join mutation_specs m on m.job_id = r.job_id order by 1, 3"
        ).fetchall()
    outcomes = Counter(str(outcome or worker).rpartition(".")[2].lower() for *_, outcome, worker, _ in rows)
    print(f"\n{len(rows)} of {able} faults tried: " + ", ".join(f"{v} {k}" for k, v in outcomes.most_common()))
    for path, operator, row, outcome, _, diff in rows:
        if str(outcome).rpartition(".")[2].lower() == "survived":
            changed = [x for x in diff.splitlines() if x[:1] in "+-" and not x.startswith(("+++", "---"))]
            print(f"\n{Path(path).name}:{row} {operator.rpartition('/')[2]}\n" + "\n".join(changed))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=150, help="how many faults to try (default: 150)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--minutes", type=float, default=60, help="stop after so many, and report what was tried")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for file in tracked.splitlines():
            if (ROOT / file).is_file() and file.split("/")[0] in ("checker", "tests", "fixtures", "pyproject.toml"):
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / file, target)
        (folder / "mutation.toml").write_text(configuration(120))
        # The copy's checker comes before the installed one, in the namespace as in everything.
        environment = os.environ | {"PYTHONPATH": str(folder / "checker"), "PYTHONDONTWRITEBYTECODE": "1"}
        tester = str(Path(sys.executable).with_name("cosmic-ray"))
        database = folder / "session.sqlite"
        subprocess.run([tester, "init", "mutation.toml", "session.sqlite"], cwd=folder, check=True, env=environment)
        able = chosen(database, options.sample, options.seed)
        try:
            subprocess.run(
                [tester, "exec", "mutation.toml", "session.sqlite"],
                cwd=folder, check=True, env=environment, timeout=options.minutes * 60,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            print("stopped by --minutes")
        report(database, able)
    return 0


if __name__ == "__main__":
    sys.exit(main())
