"""Two documents in rows, old beside new, and the line of each finding: the one that changed, where one did."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, TypeAlias

from deedbox.checker import pointers
from deedbox.checker.documents import Document
from deedbox.checker.errors import CheckerError
from deedbox.checker.model import Finding

_CONTEXT = 3
_MOST_ROWS = 4_000
_HOLDERS = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "schemas"}
"""Keywords below which other places stand, that findings of their own are about."""

Step: TypeAlias = tuple[str, int, int, int, int]
"""As `difflib` has them: a tag, and the lines of old and new that it is about."""
Line: TypeAlias = tuple[str, int]
"""Which document ("old" or "new"), and which line of it, from 1."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two documents as it is shown, and its lines."""

    document: Document
    lines: list[str]

    def keys(self) -> list[str]:
        """What lines are compared by. In JSON a comma at a line's end says only that something follows."""
        if self.document.syntax == "yaml":
            return self.lines
        return [line.rstrip().removesuffix(",") for line in self.lines]


def side_by_side(old: Side, new: Side, findings: Sequence[Finding]) -> tuple[list[dict[str, Any]], list[Line | None]]:
    """The rows, what is equal far from any change folded away, and where each finding stands; None where in no row."""
    steps = _steps(old.keys(), new.keys())
    changed = {
        "old": [i + 1 for tag, i1, i2, _, _ in steps if tag != "equal" for i in range(i1, i2)],
        "new": [j + 1 for tag, _, _, j1, j2 in steps if tag != "equal" for j in range(j1, j2)],
    }
    sides = {"old": old, "new": new}
    places = [_place(finding, sides, changed) for finding in findings]
    at: dict[Line, list[int]] = {}
    for number, place in enumerate(places):
        if place is not None:
            at.setdefault(place, []).append(number)
    rows = _folded(list(_rows(old.lines, new.lines, steps, at)))
    shown = rows[:_MOST_ROWS]
    there = {number for row in shown for number in row.get("findings", ())}
    if len(rows) > len(shown):
        shown.append({"left_out": len(rows) - len(shown)})
    return shown, [place if number in there else None for number, place in enumerate(places)]


def _place(finding: Finding, sides: dict[str, Side], changed: dict[str, list[int]]) -> Line | None:
    """The line that shows a finding: one that changed at its place, in its own document or else in the other one."""
    order = ("old", "new") if finding.side == "old" else ("new", "old")
    for name in order:
        for pointer in (finding.location, finding.pointer):
            line = _changed_line(sides[name].document, pointer, finding.rule, changed[name])
            if line is not None:
                return name, line
    document = sides[order[0]].document
    for pointer in (finding.location, finding.pointer):
        try:
            line = document.line(pointer)
        except CheckerError:
            continue
        if line is not None:
            return order[0], line
    return None


def _changed_line(document: Document, pointer: str, rule: str, changed: list[int]) -> int | None:
    try:
        value = pointers.get(document.value, pointer)
        own = document.line(pointer)
    except (LookupError, CheckerError):
        return None
    if own is None:
        return None
    if _first(changed, own, own) is not None:
        return own
    found = []
    for key, held in value.items() if isinstance(value, dict) else ():
        line = _within(document, pointers.join(pointer, key), held, changed)
        if line is not None:
            found.append((0 if rule.startswith(_kebab(key)) else 2 if key in _HOLDERS else 1, line))
    if rule.startswith("required"):
        line = _requirement(document, pointer, changed)
        if line is not None:
            found.append((0, line))
    return min(found)[1] if found else None


def _requirement(document: Document, pointer: str, changed: list[int]) -> int | None:
    """The changed line of the list of required names that a property is in, or was."""
    tokens = pointers.split(pointer)
    if len(tokens) < 2:
        return None
    name, place = tokens[-1], pointers.join("", *tokens[:-2], "required")
    try:
        names = pointers.get(document.value, place)
    except LookupError:
        return None
    if isinstance(names, list) and name in names:
        line = document.line(pointers.join(place, names.index(name)))
        if line is not None and _first(changed, line, line) is not None:
            return line
    return _within(document, place, names, changed)


def _within(document: Document, pointer: str, value: Any, changed: list[int]) -> int | None:
    """The first changed line of a place with all that is below it."""
    first = last = document.line(pointer)
    while isinstance(value, dict | list) and value:
        key = next(reversed(value)) if isinstance(value, dict) else len(value) - 1
        pointer, value = pointers.join(pointer, key), value[key]
        last = document.line(pointer)
    return None if first is None or last is None else _first(changed, first, last)


def _first(changed: list[int], low: int, high: int) -> int | None:
    at = bisect_left(changed, low)
    return changed[at] if at < len(changed) and changed[at] <= high else None


def _kebab(keyword: str) -> str:
    return re.sub(r"([A-Z])", r"-\1", keyword).lower()


def _rows(old: list[str], new: list[str], steps: list[Step], at: dict[Line, list[int]]) -> Iterator[dict[str, Any]]:
    for tag, i1, i2, j1, j2 in steps:
        for k in range(max(i2 - i1, j2 - j1)):
            i, j = (i1 + k if i1 + k < i2 else None), (j1 + k if j1 + k < j2 else None)
            yield {
                "changed": tag != "equal",
                "old": None if i is None else [i + 1, old[i]],
                "new": None if j is None else [j + 1, new[j]],
                "findings": [
                    n
                    for side, line in (("old", i), ("new", j))
                    if line is not None
                    for n in at.get((side, line + 1), ())
                ],
            }


def _steps(old: list[str], new: list[str]) -> list[Step]:
    """Edit steps. Equal beginnings and ends are cut off first: the matcher's time grows with the square of the rest."""
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end]).get_opcodes()
    steps: list[Step] = [("equal", 0, start, 0, start)] if start else []
    steps += [(tag, i1 + start, i2 + start, j1 + start, j2 + start) for tag, i1, i2, j1, j2 in middle]
    if end:
        steps.append(("equal", len(old) - end, len(old), len(new) - end, len(new)))
    return _slid(steps, old, new)


def _slid(steps: list[Step], old: list[str], new: list[str]) -> list[Step]:
    """The same steps, each run of lines that only went or only came moved to where it is a whole member.

    Where the lines around a run are like those of the run, many places for it are equally short; a matcher takes any.
    """
    found = list(steps)
    for n in range(1, len(found) - 1):
        tag, i1, i2, j1, j2 = found[n]
        if tag not in ("delete", "insert") or found[n - 1][0] != "equal" or found[n + 1][0] != "equal":
            continue
        lines, low, high = (old, i1, i2) if tag == "delete" else (new, j1, j2)
        _, bi1, _, bj1, _ = found[n - 1]
        _, _, ai2, _, aj2 = found[n + 1]
        up, down = i1 - bi1, ai2 - i2
        shifts = [0]
        for step in range(1, up + 1):
            if lines[low - step] != lines[high - step]:
                break
            shifts.append(-step)
        for step in range(down):
            if lines[low + step] != lines[high + step]:
                break
            shifts.append(step + 1)
        s = min(shifts, key=lambda shift: (*_start(lines[low + shift]), abs(shift)))
        found[n - 1] = ("equal", bi1, i1 + s, bj1, j1 + s)
        found[n] = (tag, i1 + s, i2 + s, j1 + s, j2 + s)
        found[n + 1] = ("equal", i2 + s, ai2, j2 + s, aj2)
    return [step for step in found if step[1] != step[2] or step[3] != step[4]]


def _start(line: str) -> tuple[int, bool]:
    """How good a line is as the first of a run, best first: far out, and opening rather than closing something."""
    text = line.lstrip()
    return len(line) - len(text), text[:1] in ("}", "]", "")


def _folded(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    near = [False] * len(rows)
    for number, row in enumerate(rows):
        if row["changed"] or row["findings"]:
            for k in range(max(0, number - _CONTEXT), min(len(rows), number + _CONTEXT + 1)):
                near[k] = True
    found: list[dict[str, Any]] = []
    for shown, row in zip(near, rows, strict=True):
        if shown:
            found.append(row)
        elif found and "folded" in found[-1]:
            found[-1]["folded"] += 1
        else:
            found.append({"folded": 1})
    return found
