"""The compare page: two documents side by side, each change on its line, and who breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from deedbox.checker.documents import Document, load_document
from deedbox.checker.errors import CheckerError
from deedbox.checker.model import ContentModel, Finding, Role
from deedbox.registry.services import links as linking
from deedbox.registry.services.browsing.contracts import known, picked
from deedbox.registry.services.browsing.fields import fields_of
from deedbox.registry.services.browsing.fits import Fits, settled
from deedbox.registry.services.browsing.layout import pretty
from deedbox.registry.services.browsing.overview import Overview, Snapshot
from deedbox.registry.services.browsing.views import version_view
from deedbox.registry.services.links import End, Pair
from deedbox.registry.services.verdicts import Question, Verdicts
from deedbox.registry.storage import browsing
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Source
from sqlalchemy.orm import Session

_CONTEXT = 3
_MOST_ROWS = 4_000
_MOST_NEW_LINKS = 30


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two documents as it is shown, and its lines."""

    document: Document
    lines: list[str]


class Changes:
    """The reading model of compare pages."""

    def __init__(self, database: Database, verdicts: Verdicts, overview: Overview, fits: Fits) -> None:
        self._database, self._verdicts, self._overview, self._fits = database, verdicts, overview, fits

    def compare(self, contract: str, old: str, new: str) -> tuple[dict[str, Any], bool]:
        """What changed between two versions of a contract, as its role sees it.

        Returns:
            The view, and whether it stays true until the next entry.

        Raises:
            NotFound, InvalidVersion: no such contract or version. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        head = known(snapshot, contract)
        with self._database.reading() as session:
            history = list(browsing.versions(session, [contract]))
            before, after = picked(history, contract, old), picked(history, contract, new)
            sides = _sides(session, before, after)
            accepted = browsing.acceptances(session, [after.row.seq])
            texts = dict(browsing.schema_texts(session, {before.row.schema_id, after.row.schema_id}))
        question = Question(
            before.schema_digest,
            after.schema_digest,
            after.row.format,
            cast(ContentModel, after.row.content_model),
            before.row.dialect,
            after.row.dialect,
            contract,
        )
        answers = self._verdicts.answer([question], {})
        self._verdicts.keep(answers.fresh)
        comparison = answers.comparisons[question]
        judgement = comparison.judge(cast(Role, after.row.role))
        lines = [_line(finding, sides) for finding in judgement.findings]
        fields = {
            "old": fields_of(texts[before.row.schema_id], before.row.format, before.row.dialect),
            "new": fields_of(texts[after.row.schema_id], after.row.format, after.row.dialect),
        }
        others = self._others(snapshot, contract, before, after)
        findings = []
        for number, (finding, line) in enumerate(zip(judgement.findings, lines, strict=True)):
            field = fields[finding.side].at(finding.pointer)
            findings.append(
                {
                    **finding.as_dict(),
                    "number": number,
                    "line": line,
                    "field": field.label if field is not None else None,
                }
            )
        live = {end.version for end in head.live}
        view = {
            "contract": contract,
            "service": head.service,
            "name": head.name,
            "role": after.row.role,
            "format": after.row.format,
            "old": version_view(before, live),
            "new": version_view(after, live),
            "verdict": judgement.verdict,
            "bump": judgement.bump,
            "content_model": comparison.content_model,
            "backward": comparison.backward.as_dict(),
            "forward": comparison.forward.as_dict(),
            "findings": findings,
            "accepted": [
                {"fingerprint": row.fingerprint, "reason": row.reason, "by": row.accepted_by, "until": row.until}
                for row, _ in accepted
            ],
            "others": others,
            "rows": _rows(sides, judgement.findings, lines),
            "versions": [v.row.version for v in reversed(history)][:300],
        }
        decided = None not in (comparison.backward.holds, comparison.forward.holds)
        return view, decided and all(o["settled"] for o in others)

    def _others(
        self, snapshot: Snapshot, contract: str, before: BriefVersion, after: BriefVersion
    ) -> list[dict[str, Any]]:
        """Each live version of the other side, and whether it fits the two versions."""
        ends: dict[tuple[str, str], End] = {}
        for pair in snapshot.pairs(contract=contract):
            for end in (pair.producer, pair.consumer):
                if end.contract != contract:
                    ends.setdefault((end.contract, end.version), end)
        asked: list[tuple[End, str, Pair]] = []
        for end in ends.values():
            for side, version in (("old", before), ("new", after)):
                own = linking.end_of(version)
                pairs = linking.pairs(end, own) if own.role == "consumes" else linking.pairs(own, end)
                asked += [(end, side, pair) for pair in pairs[:1]]
        fits = self._fits.of([pair for _, _, pair in asked], _MOST_NEW_LINKS)
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for (end, side, _), fit in zip(asked, fits, strict=True):
            row = found.setdefault(
                (end.contract, end.version),
                {
                    "contract": end.contract,
                    "version": end.version,
                    "old": None,
                    "new": None,
                    "reason": "",
                    "witness": None,
                    "settled": True,
                },
            )
            row[side] = fit.state
            row["settled"] &= settled([fit])
            if side == "new":
                outcome = fit.outcome().as_dict()
                row["reason"], row["witness"] = outcome["reason"], outcome["witness"]
        return sorted(found.values(), key=lambda row: (row["new"] != "broken", row["contract"], row["version"]))


def _sides(session: Session, before: BriefVersion, after: BriefVersion) -> tuple[Side, Side]:
    """Both documents as they were published, or both laid out alike where their own layouts cannot be compared."""
    sources = [session.get(Source, version.row.source_digest) for version in (before, after)]
    assert sources[0] is not None, "a foreign key says so"
    assert sources[1] is not None, "a foreign key says so"
    names = ["schema.yaml" if s is not None and "yaml" in s.media_type else "schema.json" for s in sources]
    documents = [load_document(s.text, name) for s, name in zip(sources, names, strict=True) if s is not None]
    texts = [s.text for s in sources if s is not None]
    if names[0] != names[1] or any(text.count("\n") < 2 and len(text) > 80 for text in texts):
        texts = [pretty(document.value) for document in documents]
        documents = [load_document(text, "schema.json") for text in texts]
    old, new = (Side(document, text.splitlines()) for document, text in zip(documents, texts, strict=True))
    return old, new


def _line(finding: Finding, sides: tuple[Side, Side]) -> int | None:
    """The line that a finding is shown at, in the document of its side."""
    document = sides[0 if finding.side == "old" else 1].document
    for place in (finding.location, finding.pointer):
        try:
            line = document.line(place)
        except CheckerError:
            line = None
        if line is not None:
            return line
    return None


def _rows(sides: tuple[Side, Side], findings: Sequence[Finding], lines: Sequence[int | None]) -> list[dict[str, Any]]:
    """The two documents in rows: what is equal far from any change is folded away."""
    old, new = sides
    at: dict[tuple[str, int], list[int]] = {}
    for number, (finding, line) in enumerate(zip(findings, lines, strict=True)):
        if line is not None:
            at.setdefault((finding.side, line), []).append(number)
    rows: list[dict[str, Any]] = []
    for tag, i1, i2, j1, j2 in _opcodes(old.lines, new.lines):
        for k in range(max(i2 - i1, j2 - j1)):
            i, j = (i1 + k if i1 + k < i2 else None), (j1 + k if j1 + k < j2 else None)
            notes = [
                n for side, line in (("old", i), ("new", j)) if line is not None for n in at.get((side, line + 1), ())
            ]
            rows.append(
                {
                    "changed": tag != "equal",
                    "old": None if i is None else [i + 1, old.lines[i]],
                    "new": None if j is None else [j + 1, new.lines[j]],
                    "findings": notes,
                }
            )
    return _folded(rows)[:_MOST_ROWS]


def _opcodes(old: list[str], new: list[str]) -> list[tuple[str, int, int, int, int]]:
    """Edit steps. Equal beginnings and ends are cut off first: the matcher's time grows with the square of the rest."""
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    middle = SequenceMatcher(None, old[start : len(old) - end], new[start : len(new) - end]).get_opcodes()
    steps: list[tuple[str, int, int, int, int]] = [("equal", 0, start, 0, start)] if start else []
    steps += [(tag, i1 + start, i2 + start, j1 + start, j2 + start) for tag, i1, i2, j1, j2 in middle]
    if end:
        steps.append(("equal", len(old) - end, len(old), len(new) - end, len(new)))
    return steps


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
