"""Where a file is for those who read reports: relative to the repository's root, with forward slashes."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=8)
def _root(folder: Path) -> Path:
    workspace = os.environ.get("GITHUB_WORKSPACE") or os.environ.get("CI_PROJECT_DIR")
    if workspace and folder.is_relative_to(Path(workspace).resolve()):
        return Path(workspace).resolve()
    return next((parent for parent in (folder, *folder.parents) if (parent / ".git").exists()), folder)


def in_repository(file: str) -> str:
    """The path from the repository's root, where the file is inside of it; else the path as it is.

    Code hosts place annotations by it. Where there is no repository, the working folder stands for its root.
    """
    path = Path(os.path.normpath(Path.cwd() / file))
    root = _root(Path.cwd())
    return (path.relative_to(root) if path.is_relative_to(root) else Path(file)).as_posix()
