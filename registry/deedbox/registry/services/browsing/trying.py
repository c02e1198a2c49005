"""The try page: which versions of which contract accept a message, and why the others do not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from deedbox.checker.canonical import canonical
from deedbox.checker.documents import load_document
from deedbox.checker.errors import CheckerError
from deedbox.checker.model import ContentModel
from deedbox.checker.policy import API_FORMATS
from deedbox.registry.sandbox.pool import NoAnswer, Sandbox
from deedbox.registry.sandbox.protocol import Ask, Tried
from deedbox.registry.services.browsing.contracts import known
from deedbox.registry.services.browsing.overview import Overview
from deedbox.registry.storage import browsing
from deedbox.registry.storage.browsing import BriefVersion
from deedbox.registry.storage.database import Database

MOST = 150
"""Versions that one message is tried against."""
_MOST_CHARACTERS = 1 << 20
"""Of a message: as many as a Kafka broker takes bytes, unless it is told otherwise."""


class Trying:
    """The reading model of the try page."""

    def __init__(self, database: Database, sandbox: Sandbox, overview: Overview) -> None:
        self._database, self._sandbox, self._overview = database, sandbox, overview

    def form(self, contract: str, message: str = "") -> dict[str, Any]:
        """What the page shows before anything is tried."""
        snapshot = self._overview.current()
        return {
            "contracts": sorted(c for c, h in snapshot.heads.items() if h.format not in API_FORMATS)[:2000],
            "contract": contract,
            "message": message,
            "problem": None,
            "results": None,
            "left_out": 0,
        }

    def attempt(self, contract: str, message: str) -> dict[str, Any]:
        """Tries a message against every unretired version of a contract, or against all that is live.

        Args:
            contract: `service/name`; every contract of messages where empty.
            message: its JSON text.

        Returns:
            The view. What cannot be tried is told in `problem`; where it is no JSON, with its line and column.

        Raises:
            NotFound: no such contract. Busy, StorageUnavailable: as they say.
        """
        if len(message) > _MOST_CHARACTERS:
            view = self.form(contract)
            view["problem"] = f"It has {len(message):,} characters, and {_MOST_CHARACTERS:,} are taken here at most."
            return view
        view = self.form(contract, message)
        if contract and known(self._overview.current(), contract).format in API_FORMATS:
            view["problem"] = f"{contract} is an API document, and what is tried here are the messages of JSON Schemas."
            return view
        try:
            # The canonical text: what is tried is the value, and the comparing processes read no foreign syntax.
            text = canonical(load_document(message, "message.json").value).decode()
        except CheckerError as error:
            view["problem"] = f"This is no JSON: {str(error).removeprefix('message.json:')}"
            return view
        versions, view["left_out"] = self._versions(contract)
        answers = self._asked(text, versions, [_reading(version) for version in versions])
        rows = [
            {
                "contract": version.row.contract,
                "version": version.row.version,
                "role": version.row.role,
                "accepts": accepts,
                "why": why,
            }
            for version, (accepts, why) in zip(versions, answers, strict=True)
        ]
        order = {True: 0, None: 1, False: 2}
        view["results"] = sorted(rows, key=lambda row: order[cast("bool | None", row["accepts"])])
        return view

    def as_guards_judge(self, message: str, versions: Sequence[BriefVersion]) -> list[tuple[bool | None, str]]:
        """Whether each version lets a message pass, as a guard judges it, and why not.

        To a guard a member that nobody declared is a fault where the contract is closed, and else only worth a note.

        Raises:
            Busy: no comparing process has time.
        """
        try:
            text = canonical(load_document(message, "message.json").value).decode()
        except CheckerError as error:
            return [(False, str(error).removeprefix("message.json:"))] * len(versions)
        return self._asked(text, versions, ["closed" if v.row.content_model == "closed" else "open" for v in versions])

    def _asked(
        self, text: str, versions: Sequence[BriefVersion], models: Sequence[ContentModel]
    ) -> list[tuple[bool | None, str]]:
        """Whether versions accept a canonical text, each read under its content model, and why not."""
        if not versions:
            return []
        with self._database.reading() as session:
            schemas = dict(browsing.schema_texts(session, {v.row.schema_id for v in versions}))
        asks = [
            Ask("try", v.row.format, model, v.row.dialect, schemas[v.row.schema_id], text, contract=v.row.contract)
            for v, model in zip(versions, models, strict=True)
        ]
        return [
            (answer.accepts, answer.why)
            if isinstance(answer, Tried)
            else (None, answer.reason if isinstance(answer, NoAnswer) else str(answer))
            for answer in self._sandbox.ask(asks)
        ]

    def _versions(self, contract: str) -> tuple[list[BriefVersion], int]:
        snapshot = self._overview.current()
        if contract:
            known(snapshot, contract)
            names, live = [contract], None
        else:
            names = [c for c, h in snapshot.heads.items() if h.format not in API_FORMATS]
            live = {(end.contract, end.version) for c in names for end in snapshot.heads[c].live}
        with self._database.reading() as session:
            rows = list(browsing.versions(session, names[: MOST * 4]))
        found = [
            v
            for v in reversed(rows)
            if not v.retired
            and v.row.format not in API_FORMATS
            and (live is None or (v.row.contract, v.row.version) in live)
        ]
        return found[:MOST], max(0, len(found) - MOST)


def _reading(version: BriefVersion) -> ContentModel:
    """How a version judges a message: a writer that declares what it sends, closed; a reader to the letter."""
    if version.row.content_model == "closed" or (
        version.row.role == "produces" and version.row.content_model == "tolerant"
    ):
        return "closed"
    return "open"
