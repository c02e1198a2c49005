"""The bundle of a service, `orders-contracts`: all its packages as one, made anew when one of them comes or is retired.

Its content and version follow from what was packaged and retired, in that order, and from nothing else (see
`codegen.bundle`): however often and wherever the job runs, the same packages give the same bundle.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deedbox.checker.errors import CheckerError
from deedbox.registry.errors import NotFound, NotPackageable
from deedbox.registry.services import staging
from deedbox.registry.services.packages import reserve
from deedbox.registry.services.staging import BUILD, CHECK, INDEX, NOTIFY, VERSION, PackageSaga
from deedbox.registry.storage import jobs as stored_jobs
from deedbox.registry.storage import packages as stored
from deedbox.registry.storage import queries

if TYPE_CHECKING:
    from deedbox.codegen import Member, Wheel
    from deedbox.registry.services.jobs import Jobs, Work
    from deedbox.registry.storage.database import Database
    from deedbox.registry.storage.jobs import JobRecord
    from sqlalchemy.orm import Session


class Bundles(PackageSaga):
    """The use case of bundling, and its saga."""

    kind = "bundle"

    def __init__(self, database: Database, jobs: Jobs, *, prefix: str = "") -> None:
        self.database, self.jobs, self.prefix = database, jobs, prefix

    def start(self, session: Session, service: str, by: str) -> str:
        """Asks for the bundle of a service in the caller's transaction, unless that was done and has not begun.

        Returns:
            The id of the job.
        """
        newest = stored_jobs.newest_job(session, self.kind, service)
        record = stored_jobs.job(session, newest.id) if newest is not None else None
        if record is not None and record.queued is not None and not record.attempts:
            return record.job.id
        return self.jobs.add(session, self.kind, service, {"service": service}, by).id

    def request(self, service: str, by: str) -> JobRecord:
        """Asks for the bundle of a service again, after a failure say. What is there already is not built again.

        Raises:
            NotFound: the service has no package. Busy, StorageUnavailable: nothing was written.
        """
        with self.database.writing() as session:
            if not stored.packaged(session, service):
                raise NotFound(f"{service} has no package to bundle: publish a version with one")
            job = self.start(session, service, by)
        return self.jobs.job(job)

    def given_up(self, session: Session, work: Work, code: str, reason: str) -> None:
        """Records that a bundle failed. The packages of its members are where they were."""
        staging.tell(session, work, "failed", {"code": code, "reason": reason})

    def _check(self, work: Work) -> None:
        from deedbox.codegen import CodegenError, bundle_name

        service = work.job.payload["service"]
        try:
            distribution = bundle_name(service, self.prefix)
        except CodegenError as error:
            raise NotPackageable(str(error), reason=error.code) from None
        with work.recording(CHECK) as (session, data):
            reserve(session, distribution, service, work.job.by)
            data["distribution"] = distribution

    def _version(self, work: Work) -> None:
        from deedbox.codegen import naming
        from deedbox.codegen.generating import generator_version

        with work.recording(VERSION) as (session, data):
            version, members = _members(session, work.job.payload["service"])
            data |= {"version": version, "members": [[m.contract, m.version, m.distribution] for m in members]}
            if version is None or not members:
                data |= {"pep440": None, "build": 0, "recipe": {}, "already": []}
                return
            recipe = {"generator": generator_version(), "members": data["members"]}
            form = naming.pep440(version)
            made = [f.row for f in stored.files(session, work.done[CHECK]["distribution"]) if f.row.version == form]
            last = max((row.build for row in made), default=0)
            same = [row.filename for row in made if row.build == last and row.recipe == recipe]
            data |= {"pep440": form, "build": last if same else last + 1, "recipe": recipe, "already": same}

    def _build(self, work: Work) -> None:
        wheel = self._built(work)
        with work.recording(BUILD) as (session, data):
            data["wheels"] = [staging.keep(session, wheel)] if wheel is not None else []

    def _built(self, work: Work) -> Wheel | None:
        from deedbox.codegen import BundleRequest, CodegenError, Member, build_bundle, wheel_bytes

        said, service = work.done[VERSION], work.job.payload["service"]
        if said["already"] or not said["build"]:
            return None
        with self.database.reading() as session:
            described = queries.service(session, service)
        members = tuple(Member(*member) for member in said["members"])
        owner = described[0].owner if described is not None else ""
        try:
            return wheel_bytes(
                build_bundle(BundleRequest(service, said["version"], members, self.prefix, owner, said["build"]))
            )
        except (CodegenError, CheckerError) as error:
            raise NotPackageable(str(error), reason=error.code) from None

    def _index(self, work: Work) -> None:
        said = work.done[VERSION]
        with work.recording(INDEX) as (session, data):
            for wheel in work.done[BUILD]["wheels"]:
                staging.put_on_index(session, wheel, work.job.by, build=said["build"], recipe=said["recipe"])
            data["files"] = [w["filename"] for w in work.done[BUILD]["wheels"]] or said["already"]

    def _notify(self, work: Work) -> None:
        with work.recording(NOTIFY) as (session, data):
            if work.done[BUILD]["wheels"]:
                told: dict[str, Any] = {
                    "distribution": work.done[CHECK]["distribution"],
                    "version": work.done[VERSION]["version"],
                    "build": work.done[VERSION]["build"],
                    "files": work.done[INDEX]["files"],
                }
                data["message"] = staging.tell(session, work, "done", told)


def _members(session: Session, service: str) -> tuple[str | None, tuple[Member, ...]]:
    """What a service's bundle is now: its version and its members, each with the name of its package."""
    from deedbox.codegen import Change, released

    changes: list[tuple[int, Change]] = []
    names: dict[tuple[str, str], str] = {}
    for package in stored.packaged(session, service):
        if package.retired_seq is not None and package.retired_seq < package.seq:
            continue  # retired while it was being built
        changes.append((package.seq, Change(package.contract, package.version)))
        names[package.contract, package.version] = package.distribution
        if package.retired_seq is not None:
            changes.append((package.retired_seq, Change(package.contract, package.version, retired=True)))
    version, members = released(change for _, change in sorted(changes, key=lambda each: each[0]))
    return version, tuple(replace(m, distribution=names[m.contract, m.version]) for m in members)
