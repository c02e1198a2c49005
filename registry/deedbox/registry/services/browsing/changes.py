"""The compare page: two documents side by side, each change on its line, and who breaks."""

from __future__ import annotations

from typing import Any, cast

from deedbox.checker.documents import load_document
from deedbox.checker.model import ContentModel, Role
from deedbox.registry.services import links as linking
from deedbox.registry.services.browsing.contracts import known, picked
from deedbox.registry.services.browsing.fields import fields_of
from deedbox.registry.services.browsing.fits import Fits, settled
from deedbox.registry.services.browsing.layout import pretty
from deedbox.registry.services.browsing.overview import Overview, Snapshot
from deedbox.registry.services.browsing.side_by_side import Side, side_by_side
from deedbox.registry.services.browsing.views import version_view
from deedbox.registry.services.links import End, Pair
from deedbox.registry.services.verdicts import Question, Verdicts
from deedbox.registry.storage import browsing
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Source
from sqlalchemy.orm import Session

_MOST_NEW_LINKS = 30


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
        rows, places = side_by_side(*sides, judgement.findings)
        fields = {
            "old": fields_of(texts[before.row.schema_id], before.row.format, before.row.dialect),
            "new": fields_of(texts[after.row.schema_id], after.row.format, after.row.dialect),
        }
        others = self._others(snapshot, contract, before, after)
        findings = []
        for number, (finding, place) in enumerate(zip(judgement.findings, places, strict=True)):
            field = fields[finding.side].at(finding.pointer)
            findings.append(
                {
                    **finding.as_dict(),
                    "number": number,
                    "line": None if place is None else place[1],
                    "line_side": None if place is None else place[0],
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
            "backwards": before.row.ordinal > after.row.ordinal,
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
            "rows": rows,
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
