"""Recording that dead letters were sent again: by whom, which, and what became of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from deedbox.registry.errors import IdTaken
from deedbox.registry.services.names import check_channel, check_uuid
from deedbox.registry.services.values import Page
from deedbox.registry.storage import queries
from deedbox.registry.storage import replays as store
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Entry
from deedbox.registry.storage.replays import Replay
from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Run:
    """One run; its fields are those of `storage.replays.Replay`."""

    topic: str
    name: str
    query: str
    read: int
    replayed: int
    quarantined: int
    failing: int
    skipped: int


@dataclass(frozen=True, slots=True)
class RunView:
    """A recorded run, and whether this call recorded it."""

    row: Replay
    entry: Entry
    created: bool = False


class Replays:
    """The use cases around replays."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def record(self, uuid: str, run: Run, by: str) -> RunView:
        """Records a run in the audit feed. The same id with the same content again changes nothing.

        Raises:
            InvalidRequest, InvalidName: says which field. IdTaken: the id names another run.
            Busy, StorageUnavailable: nothing was written.
        """
        uuid = check_uuid(uuid)
        check_channel(run.topic)
        said = asdict(run)
        with self.database.writing() as session:
            known = store.by_uuid(session, uuid)
            if known is not None:
                if any(getattr(known[0], name) != held for name, held in said.items()):
                    raise IdTaken(f"replay {uuid} was recorded by {known[1].by} with other content: use a new id")
                return RunView(*known)
            return add(session, uuid, run, by)

    def runs(self, topic: str | None, after: int, limit: int) -> Page:
        """Recorded runs, in their order."""
        with self.database.reading() as session:
            rows = store.of_topic(session, topic, after, limit + 1)
        views = [RunView(*row) for row in rows[:limit]]
        return Page(views, str(views[-1].row.seq) if len(rows) > limit else None)


def add(session: Session, uuid: str, run: Run, by: str, **more: Any) -> RunView:
    """Adds a run to the audit feed, with what `more` the entry is to show. Only inside `Database.writing()`."""
    said = asdict(run)
    entry = queries.add_entry(session, by, "replay", run.topic, {**said, **more})
    row = Replay(seq=entry.seq, uuid=uuid, **said)
    session.add(row)
    session.flush()
    return RunView(row, entry, created=True)
