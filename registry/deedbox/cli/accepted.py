"""`deedbox.accepted.toml`: breaks accepted by name, committed beside the project file."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from deedbox.cli.errors import ProjectError, SourceUnreadable
from deedbox.cli.nearest import did_you_mean
from deedbox.cli.project import parse_toml, show

if TYPE_CHECKING:
    from pathlib import Path

    from deedbox.checker.policy import Acceptance

FILE = "deedbox.accepted.toml"
_KEYS = ("fingerprint", "rule", "reason", "by", "until")
_HEADER = "Breaks that were accepted on purpose: each by its fingerprint. `deedbox accept` adds to this file."


def read(folder: Path) -> list[Acceptance]:
    """The acceptances of a folder's file, in its order. None where there is no file.

    Raises:
        ProjectError: it is no such file, with the line.
        SourceUnreadable: it cannot be read.
    """
    from deedbox.checker.policy import Acceptance

    path = folder / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise SourceUnreadable(show(path), error.strerror or str(error)) from None
    except UnicodeDecodeError:
        raise ProjectError("not UTF-8: save the file as UTF-8", file=show(path)) from None
    shown = show(path)
    document = parse_toml(text, shown)
    lines = [n for n, line in enumerate(text.split("\n"), start=1) if line.strip().startswith("[[accepted]]")]
    for key in document:
        if key != "accepted":
            raise ProjectError(f"unknown key {key!r}: there are only [[accepted]] tables", file=shown)
    entries = document.get("accepted", [])
    if not isinstance(entries, list):
        raise ProjectError("write [[accepted]]: acceptances are an array of tables", file=shown)
    found = []
    for number, entry in enumerate(entries):
        line = lines[number] if number < len(lines) else None
        found.append(Acceptance(**_fields(entry, shown, line)))
    return found


def _fields(entry: Any, shown: str, line: int | None) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ProjectError("write [[accepted]]: an acceptance is a table", file=shown, line=line)
    for key in entry:
        if key not in _KEYS:
            hint = did_you_mean(key, _KEYS) or f" Known are {', '.join(_KEYS)}."
            raise ProjectError(f"unknown key {key!r} in [[accepted]].{hint}", file=shown, line=line)
    fields: dict[str, Any] = {}
    for key in _KEYS[:-1]:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            raise ProjectError(f"an acceptance needs a {key}", file=shown, line=line)
        fields[key] = value
    until = entry.get("until")
    if isinstance(until, str):
        with suppress(ValueError):  # what is no day stays a text, and is refused below
            until = date.fromisoformat(until)
    if isinstance(until, datetime):
        until = until.date()
    if until is not None and not isinstance(until, date):
        raise ProjectError(f"until must be a day, as 2027-01-31, not {until!r}", file=shown, line=line)
    fields["until"] = until
    return fields


def add(folder: Path, acceptance: Acceptance) -> Path:
    """Adds an acceptance to a folder's file, or replaces the one of the same fingerprint. The rest stays.

    Returns:
        The file.

    Raises:
        ProjectError, SourceUnreadable: the file that is there cannot be used.
    """
    import tomlkit

    path = folder / FILE
    read(folder)  # refuses what is there before adding to it
    try:
        document = tomlkit.parse(path.read_text("utf-8"))
    except FileNotFoundError:
        document = tomlkit.document()
        document.add(tomlkit.comment(_HEADER))
        document.add(tomlkit.nl())
    entries = document.get("accepted")
    if entries is None:
        entries = tomlkit.aot()
        document["accepted"] = entries
    table = tomlkit.table()
    for key in _KEYS:
        value = getattr(acceptance, key)
        if value is not None:
            table[key] = value
    same = [number for number, entry in enumerate(entries) if entry["fingerprint"] == acceptance.fingerprint]
    if same:
        entries[same[0]] = table
    else:
        entries.append(table)
    path.write_text(tomlkit.dumps(document), "utf-8")
    return path


def as_json(acceptance: Acceptance) -> dict[str, Any]:
    """An acceptance as the API takes it."""
    return {
        "fingerprint": acceptance.fingerprint,
        "rule": acceptance.rule,
        "reason": acceptance.reason,
        "by": acceptance.by,
        "until": acceptance.until.isoformat() if acceptance.until else None,
    }
