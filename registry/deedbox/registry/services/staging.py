"""What the sagas of packages have in common: steps, keeping built wheels, putting them on the index, telling others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, uuid5

from deedbox.registry.services.packages import add_file
from deedbox.registry.services.uploads import WHEEL, FileFacts
from deedbox.registry.storage import jobs as stored_jobs
from deedbox.registry.storage import packages as stored
from deedbox.registry.storage import queries

if TYPE_CHECKING:
    from deedbox.codegen import Wheel
    from deedbox.registry.services.jobs import Work
    from sqlalchemy.orm import Session

CHECK, VERSION, BUILD, INDEX, NOTIFY = "check", "version", "build", "index", "notify"


class PackageSaga(ABC):
    """A `Saga` that ends with files on the index. Each step is a method, which records it under its name."""

    steps: tuple[str, ...] = (CHECK, VERSION, BUILD, INDEX, NOTIFY)

    def step(self, name: str, work: Work) -> None:
        """Does one step: see `Saga`."""
        {
            CHECK: self._check,
            VERSION: self._version,
            BUILD: self._build,
            INDEX: self._index,
            NOTIFY: self._notify,
        }[name](work)

    @abstractmethod
    def _check(self, work: Work) -> None:
        """Whether there may be a package at all, and under which name."""

    @abstractmethod
    def _version(self, work: Work) -> None:
        """What installers call the version, and which build of it this is, or that it was built already."""

    @abstractmethod
    def _build(self, work: Work) -> None:
        """Builds and keeps the files. They are not on the index."""

    @abstractmethod
    def _index(self, work: Work) -> None:
        """Puts all that was built on the index, or nothing."""

    @abstractmethod
    def _notify(self, work: Work) -> None:
        """Tells others, in the feed and by the outbox, unless nothing is new."""


def keep(session: Session, wheel: Wheel) -> dict[str, Any]:
    """Keeps a wheel's bytes, which are not on the index yet, and gives what `put_on_index` needs to know of it."""
    from deedbox.codegen import naming

    stored.put_content(session, wheel.sha256, wheel.content)
    stored.put_content(session, wheel.metadata_sha256, wheel.metadata)
    return {
        "filename": wheel.filename,
        "project": naming.normalise(wheel.distribution),
        "version": wheel.version,
        "requires_python": wheel.requires_python,
        "sha256": wheel.sha256,
        "size": len(wheel.content),
        "metadata_sha256": wheel.metadata_sha256,
    }


def put_on_index(
    session: Session,
    kept: Mapping[str, Any],
    by: str,
    *,
    build: int,
    recipe: Mapping[str, Any],
    publication_seq: int | None = None,
    contract: str = "",
) -> None:
    """Puts a kept wheel on the index."""
    facts = FileFacts(kept["filename"], WHEEL, kept["project"], kept["version"], kept["requires_python"], None)
    add_file(
        session,
        facts,
        None,
        by,
        digest=kept["sha256"],
        size=kept["size"],
        metadata_digest=kept["metadata_sha256"],
        build=build,
        publication_seq=publication_seq,
        recipe=recipe,
        contract=contract,
    )


def tell(session: Session, work: Work, ended: str, data: Mapping[str, Any]) -> str:
    """Records in the feed and in the outbox that a job ended as `done` or `failed`.

    Returns:
        The message's id, which is the same however often the same job tells the same.
    """
    shown = {"state": ended, "job": work.job.id, **data}
    queries.add_entry(session, work.job.by, work.job.kind, work.job.subject, shown)
    kind = f"{work.job.kind}-{ended}"
    id_ = str(uuid5(NAMESPACE_OID, f"{work.job.id}/{kind}"))
    stored_jobs.add_message(session, id_, kind, work.job.subject, shown)
    return id_
