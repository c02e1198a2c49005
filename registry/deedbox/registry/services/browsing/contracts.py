"""The contract page: fields and who reads them, the versions, the links, and where it is installed from."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, cast

from deedbox.checker import pointers
from deedbox.checker.canonical import canonical
from deedbox.checker.json_schema.obsolete import marks_plainly
from deedbox.checker.policy import API_FORMATS
from deedbox.registry.errors import NotFound
from deedbox.registry.services.browsing.fields import Field, Fields, Path, Section, fields_of, message_pointer, named
from deedbox.registry.services.browsing.fits import Fits, settled
from deedbox.registry.services.browsing.overview import Head, Overview, Snapshot
from deedbox.registry.services.browsing.views import fit_view, head_view, version_view
from deedbox.registry.services.browsing.words import said
from deedbox.registry.services.catalogue import pick
from deedbox.registry.services.links import End
from deedbox.registry.storage import browsing, queries
from deedbox.registry.storage.browsing import BriefVersion, Packaged
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Schema, Source
from deedbox.registry.storage.packages import content
from packaging.metadata import parse_email
from packaging.requirements import Requirement
from sqlalchemy import select
from sqlalchemy.orm import Session

_MOST_NEW_LINKS = 40
_MOST_ROWS = 1_100
"""Fields of one page."""
_MOST_READERS = 100
"""Counterparts whose fields are looked at for one page."""
_MOST_BACK = 300
"""Versions that are looked back over for the one that first marked a field obsolete."""


@dataclass(frozen=True, slots=True)
class Other:
    """A live version of the other side, and its fields."""

    end: End
    fields: dict[Path, Field]


@dataclass(frozen=True, slots=True)
class Read:
    """One version of a contract, read for a page."""

    version: BriefVersion
    history: list[BriefVersion]
    fields: Fields
    text: str
    source: Source


class Contracts:
    """Reading models of contract pages."""

    def __init__(self, database: Database, overview: Overview, fits: Fits) -> None:
        self._database, self._overview, self._fits = database, overview, fits

    def listed(self, *, role: str, kind: str, channel: str, after: str, limit: int) -> dict[str, Any]:
        """Contracts by name, filtered by what is not empty.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        snapshot = self._overview.current()
        wanted = [
            head
            for name, head in sorted(snapshot.heads.items())
            if name > after
            and role in ("", head.role)
            and kind in ("", head.kind)
            and (not channel or channel in head.channels)
        ]
        words = self._overview.words(wanted[:limit])
        return {
            "items": [head_view(head, words[head.contract].whole) for head in wanted[:limit]],
            "next": wanted[limit - 1].contract if len(wanted) > limit else None,
            "total": len(snapshot.heads),
            "roles_there": sorted({h.role for h in snapshot.heads.values()}),
            "kinds": sorted({h.kind for h in snapshot.heads.values()}),
            "chosen": {"role": role, "kind": kind, "channel": channel},
        }

    def contract(self, contract: str, version: str | None, part: int = 1) -> tuple[dict[str, Any], bool]:
        """A contract as of one version: its latest release, or its last version where there is none.

        Args:
            contract: `service/name`.
            version: which; None for the one that is shown.
            part: of fields that are too many for one page, which page of them, from 1.

        Returns:
            The view, and whether it stays true until the next entry.

        Raises:
            NotFound, InvalidVersion: no such contract or version. Busy, StorageUnavailable: as they say.
        """
        snapshot = self._overview.current()
        head = known(snapshot, contract)
        with self._database.reading() as session:
            read = read_version(session, contract, version)
            since = obsolete_since(session, read)
            accepted = browsing.acceptances(session, [v.row.seq for v in read.history])
            others = self.others(session, snapshot, contract)
            packages = browsing.packages_of(session, contract)
            npm = browsing.npm_package_of(session, contract)
            install = _install(session, head, packages)
        fits = self._fits.of(snapshot.pairs(contract=contract), _MOST_NEW_LINKS)
        row = read.version.row
        parts = max(1, -(-sum(len(section.fields) for section in read.fields.sections) // _MOST_ROWS))
        part = min(part, parts)
        live = {end.version for end in head.live}
        by_seq = {v.row.seq: v.row.version for v in read.history}
        anchored: set[str] = set()
        rows = {field.pointer for field in read.fields}
        view = {
            **head_view(head, ""),
            "description": said(json.loads(read.text)),
            "groups": list(row.groups),
            "content_model": row.content_model,
            "dialect": row.dialect,
            "shown": version_view(read.version, live),
            "schema_id": row.schema_id,
            "sections": [
                {
                    "title": section.title,
                    "pointer": section.pointer,
                    "operation": section.operation,
                    "operation_at": section.operation_at,
                    "operation_said": section.operation_said,
                    "fields": [
                        {
                            **field_view(field),
                            "anchor": _first(field.pointer, anchored),
                            "written_anchor": None if field.written in rows else _first(field.written, anchored),
                            "obsolete_since": since.get(field.pointer),
                            "others": other_views(others, field.path),
                        }
                        for field in fields
                    ],
                }
                for section, fields in _part(read.fields.sections, part)
            ],
            "part": part,
            "parts": parts,
            "left_out": read.fields.left_out,
            "others": [{"contract": o.end.contract, "version": o.end.version} for o in others],
            "source": read.source.text,
            "source_type": read.source.media_type,
            "timeline": [version_view(v, live) for v in reversed(read.history)],
            "accepted": [
                {
                    "version": by_seq[row.publication_seq],
                    "fingerprint": row.fingerprint,
                    "rule": row.rule,
                    "reason": row.reason,
                    "by": row.accepted_by,
                    "until": row.until,
                    "at": entry.at,
                }
                for row, entry in reversed(accepted)
            ],
            "links": [fit_view(fit) for fit in fits],
            "npm": None if npm is None else {"name": npm[0], "version": npm[1]},
            "install": install,
            "packages": [
                {"name": p.project, "version": p.version, "filename": p.filename, "yanked": p.yanked} for p in packages
            ],
        }
        return view, settled(fits)

    def others(self, session: Session, snapshot: Snapshot, contract: str) -> list[Other]:
        """The live versions that a contract is linked with, and their fields."""
        ends: dict[tuple[str, str], End] = {}
        for pair in snapshot.pairs(contract=contract):
            for end in (pair.producer, pair.consumer):
                if end.contract != contract:
                    ends.setdefault((end.contract, end.version), end)
        chosen = list(ends.values())[:_MOST_READERS]
        texts = {
            f: queries.schema_texts(session, {e.schema_digest for e in chosen if e.format == f}, f)
            for f in {e.format for e in chosen}
        }
        return [
            Other(end, fields_of(texts[end.format][end.schema_digest], end.format, end.dialect).by_path())
            for end in chosen
            if end.schema_digest in texts[end.format]
        ]


def _part(sections: Iterable[Section], part: int) -> Iterator[tuple[Section, list[Field]]]:
    """The sections that have fields on one page of them, each with those fields."""
    first, at = (part - 1) * _MOST_ROWS, 0
    for section in sections:
        shown = section.fields[max(0, first - at) : max(0, first - at + _MOST_ROWS)]
        if shown or (not section.fields and part == 1):
            yield section, shown
        at += len(section.fields)


def _first(pointer: str, seen: set[str]) -> str | None:
    """The pointer where nothing before has it: what all operations of a path share stands in each of them."""
    if pointer in seen:
        return None
    seen.add(pointer)
    return pointer


def _install(session: Session, head: Head, packages: Collection[Packaged]) -> dict[str, Any] | None:
    """What to install and import of the newest version with a package that is not retired.

    `requires` is what it needs that this index does not have: nothing from a public one is passed on (docs/index.md).
    """
    from deedbox.codegen import naming

    for package in packages:
        if package.yanked is None and package.recipe is not None and "distribution" in package.recipe:
            base = package.recipe["distribution"]
            module = f"{naming.module_of(base)}.{naming.major_of(package.contract_version)}"
            # A JSON Schema is one message, which its class is named after; an API is many.
            line = f"from {module} import {naming.class_name(head.name)}"
            return {
                "name": base,
                "version": package.version,
                "import": f"import {module}" if head.format in API_FORMATS else line,
                "requires": _requires(session, package, packages),
            }
    return None


def _requires(session: Session, chosen: Packaged, packages: Iterable[Packaged]) -> list[str]:
    """What the newest wheels of a version require beside each other, each as `pydantic<3,>=2.14`."""
    same = [p for p in packages if p.contract_version == chosen.contract_version]
    newest = {p.project: p for p in reversed(same)}
    lines = (
        Requirement(line)
        for p in newest.values()
        if p.metadata_digest is not None and (metadata := content(session, p.metadata_digest)) is not None
        for line in parse_email(metadata)[0].get("requires_dist", ())
    )
    return sorted({str(line) for line in lines if line.name not in newest})


def known(snapshot: Snapshot, contract: str) -> Head:
    """The summary of a contract.

    Raises:
        NotFound: nothing was published under this name.
    """
    head = snapshot.heads.get(contract)
    if head is None:
        near = ", ".join(get_close_matches(contract, snapshot.heads, 3, 0.75))
        raise NotFound(f"there is no contract {contract}" + (f"; near it: {near}" if near else ""))
    return head


def read_version(session: Session, contract: str, version: str | None) -> Read:
    """One version with its history and fields; the one that is shown where none is said.

    Raises:
        NotFound, InvalidVersion: no such contract or version.
    """
    history = list(browsing.versions(session, [contract]))
    found = picked(history, contract, version)
    text = session.execute(select(Schema.canonical).where(Schema.id == found.row.schema_id)).scalar_one()
    source = session.get(Source, found.row.source_digest)
    assert source is not None, "a foreign key says so"
    name = "schema.yaml" if "yaml" in source.media_type else "schema.json"
    # As it was published: its author's order is the one to read it in.
    return Read(found, history, fields_of(source.text, found.row.format, found.row.dialect, name), text, source)


def picked(history: Sequence[BriefVersion], contract: str, version: str | None) -> BriefVersion:
    """The version of that name; where None, the latest release, else the last version.

    Raises:
        NotFound, InvalidVersion: no such contract or version.
    """
    full = cast("Sequence[queries.Version]", history)  # as far as names and tombstones are concerned
    if version is None:
        try:
            return cast(BriefVersion, pick(full, contract, "latest"))
        except NotFound:
            if not history:
                raise
            return history[-1]
    return cast(BriefVersion, pick(full, contract, version))


def obsolete_since(session: Session, read: Read) -> dict[str, str]:
    """By pointer of each field marked obsolete: the first of the versions, without a gap up to this one, that marks it."""
    going_on = {field.pointer: field for field in read.fields if field.obsolete}
    since = dict.fromkeys(going_on, read.version.row.version)
    before = [v for v in reversed(read.history) if v.row.ordinal < read.version.row.ordinal][:_MOST_BACK]
    for start in range(0, len(before), 50):
        part = before[start : start + 50]
        texts = dict(browsing.schema_texts(session, {v.row.schema_id for v in part})) if going_on else {}
        for version in part:
            if not going_on:
                return since
            marked = _marked(texts[version.row.schema_id], version, going_on)
            since |= dict.fromkeys(marked, version.row.version)
            going_on = marked
    return since


def _marked(text: str, version: BriefVersion, fields: Mapping[str, Field]) -> dict[str, Field]:
    """Those of the fields that a version marks too."""
    value = json.loads(text)
    if version.row.format in API_FORMATS:
        # A message of an API has no place in a message of all of it: its document marks the same place.
        return {p: f for p, f in fields.items() if _deprecated(value, f.written)}
    told = {p: marks_plainly(value, message_pointer(f.path)) if named(f.path) else None for p, f in fields.items()}
    if None in told.values():
        there = fields_of(text, version.row.format, version.row.dialect).by_path()
        told |= {p: f.path in there and there[f.path].obsolete for p, f in fields.items() if told[p] is None}
    return {p: f for p, f in fields.items() if told[p]}


def _deprecated(value: Any, pointer: str) -> bool:
    try:
        place = pointers.get(value, pointer)
    except LookupError:
        return False
    return isinstance(place, dict) and place.get("deprecated") is True


def field_view(field: Field) -> dict[str, Any]:
    """One field, as JSON values."""
    return {
        "path": list(field.path),
        "label": field.label,
        "short": field.short,
        "pointer": field.pointer,
        "location": field.location,
        "type": field.type,
        "presence": field.presence,
        "constraints": list(field.constraints),
        "title": field.title,
        "description": field.description,
        "examples": [canonical(example).decode() for example in field.examples],
        "obsolete": field.obsolete,
        "note": field.note,
    }


def other_views(others: Iterable[Other], path: Path) -> list[dict[str, Any]]:
    """Who on the other side declares a field, and whether it needs it there."""
    return [
        {
            "contract": other.end.contract,
            "version": other.end.version,
            "presence": other.fields[path].presence,
            "obsolete": other.fields[path].obsolete,
        }
        for other in others
        if path in other.fields
    ]
