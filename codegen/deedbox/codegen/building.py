"""Builds a contract version's wheels in a process of its own, with a limit on time and memory.

A schema from outside decides how much work the generator has, and its classes are run to be measured: neither may take
the server with it. What is killed half-way has given nothing.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from deedbox.codegen.errors import BuildTimedOut

if TYPE_CHECKING:
    from deedbox.codegen.model import PackageRequest, Wheel

SECONDS = 60.0
"""What a build may take where the caller does not say."""
MEMORY = 4 * 1024**3
"""Bytes of address space that a build may take, where the system can limit it."""

_PASSED_ON = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")


def build(request: PackageRequest, seconds: float = SECONDS) -> tuple[Wheel, Wheel]:
    """The wheels of a contract version: its code's, and the one that people install (see `package.umbrella`).

    Args:
        request: what to build.
        seconds: the time limit.

    Raises:
        CodegenError, DocumentError: as `build_package`.
        BuildTimedOut: it took longer, or its process died.
    """
    # Little of the environment: no password, and nothing that could change the bytes (a date, a time zone, a locale).
    environment = {k: v for k, v in os.environ.items() if k in _PASSED_ON} | {"PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    try:
        # Its temporary files are here, and go with it however it ends.
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "deedbox.codegen.building"],
                input=pickle.dumps(request),
                capture_output=True,
                timeout=seconds,
                env=environment | {"TMPDIR": folder},
                check=False,
            )
    except subprocess.TimeoutExpired:
        raise BuildTimedOut(
            f"building {request.contract} {request.version} took longer than {seconds:g} s and was stopped: "
            "nothing of it is kept"
        ) from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise BuildTimedOut(
            f"the process that built {request.contract} {request.version} ended with {done.returncode}"
            + (f": {said[-1][:300]}" if said else "")
        )
    outcome = pickle.loads(done.stdout)  # noqa: S301 - written by the process above
    if isinstance(outcome, Exception):
        raise outcome
    code, umbrella_ = outcome
    return code, umbrella_


def _main() -> None:
    from deedbox.checker.errors import CheckerError
    from deedbox.codegen.errors import CodegenError
    from deedbox.codegen.package import build_package, umbrella
    from deedbox.codegen.wheel import wheel_bytes

    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    request = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
    answer = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no part of the answer
    outcome: object
    try:
        package = build_package(request)
        outcome = (wheel_bytes(package), wheel_bytes(umbrella(package)))
    except (CodegenError, CheckerError) as error:
        outcome = error
    with os.fdopen(answer, "wb") as stream:
        pickle.dump(outcome, stream)


if __name__ == "__main__":
    _main()
