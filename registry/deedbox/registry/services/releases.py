"""The release of a contract version as a package: check → version → build → index → notify.

Nothing that was published is taken back when a release fails: the version stays, nothing of its package is on the index
(both wheels get there in one transaction, or none), the failure is recorded with its reason, in the audit feed and the
outbox, and the release can be asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from deedbox.checker.drain.claiming import drained_on
from deedbox.checker.errors import CheckerError
from deedbox.registry.errors import IdTaken, NotFound, NotPackageable, RegistryError, ReleaseUnderWay
from deedbox.registry.services import npm, staging
from deedbox.registry.services.jobs import state_of
from deedbox.registry.services.names import check_uuid
from deedbox.registry.services.packages import reserve
from deedbox.registry.services.staging import BUILD, CHECK, INDEX, NOTIFY, VERSION, PackageSaga
from deedbox.registry.storage import jobs as stored_jobs
from deedbox.registry.storage import npm as stored_npm
from deedbox.registry.storage import packages as stored
from deedbox.registry.storage import queries
from deedbox.registry.storage.models import Publication, Source

if TYPE_CHECKING:
    from deedbox.codegen import PackageRequest, Wheel
    from deedbox.codegen.model import Style
    from deedbox.registry.services.bundles import Bundles
    from deedbox.registry.services.jobs import Jobs, Work
    from deedbox.registry.services.npm import Npm
    from deedbox.registry.storage.database import Database
    from deedbox.registry.storage.jobs import JobRecord
    from deedbox.registry.storage.queries import Version
    from sqlalchemy.orm import Session


class BuildStopped(RegistryError):
    """A build that took too long or whose process died: it may do better another time."""

    code = "build-stopped"


@dataclass(frozen=True, slots=True)
class Wish:
    """How a version's package is wanted. `package`: its name, worked out from the contract's where None."""

    package: str | None = None
    style: Style = "pydantic"
    open_enums: bool = False


class Releases(PackageSaga):
    """The use case of releasing, and its saga."""

    kind = "release"

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        bundles: Bundles,
        npm: Npm,
        *,
        prefix: str = "",
        build_seconds: float = 60,
    ) -> None:
        self.database, self.jobs, self.bundles, self.npm = database, jobs, bundles, npm
        self.prefix, self.build_seconds = prefix, build_seconds

    def check_wish(self, contract: str, wish: Wish) -> str:
        """The distribution that a contract's package is called by.

        Raises:
            NotPackageable: the name is none, or the standard library's, or lacks the prefix of this index.
        """
        from deedbox.codegen import CodegenError, naming

        try:
            return naming.distribution_name(contract, wish.package, self.prefix)
        except CodegenError as error:
            raise NotPackageable(str(error), pointer="/package", reason=error.code) from None

    def start(self, session: Session, row: Publication, wish: Wish, by: str, id_: str | None = None) -> str:
        """Asks for the release of a version in the caller's transaction, and reserves the package's name.

        Returns:
            The id of the job: of a new one, or of one that is under way or did the same already.

        Raises:
            NotPackageable: see `check_wish`; a version that installers cannot order.
            PackageNameTaken: the name is another's. ReleaseUnderWay: a release with other options has not ended.
            IdTaken: the id is that of another job.
        """
        from deedbox.codegen import CodegenError, naming

        distribution = self.check_wish(row.contract, wish)
        try:
            naming.pep440(row.version)
        except CodegenError as error:
            raise NotPackageable(str(error), pointer="/version", reason=error.code) from None
        payload = {
            "publication": row.seq,
            "distribution": distribution,
            "style": wish.style,
            "open_enums": wish.open_enums,
        }
        subject = f"{row.contract}@{row.version}"
        if id_ is not None and (known := stored_jobs.job(session, check_uuid(id_))) is not None:
            if known.job.subject != subject or known.job.payload != payload:
                raise IdTaken(f"the id {id_} is that of another job, about {known.job.subject}", pointer="/id")
            return known.job.id
        newest = stored_jobs.newest_job(session, self.kind, subject)
        record = stored_jobs.job(session, newest.id) if newest is not None else None
        if record is not None and record.queued is not None:
            if record.job.payload != payload:
                raise ReleaseUnderWay(
                    f"a release of {subject} with other options is under way: ask again when it has ended",
                    job=record.job.id,
                )
            return record.job.id
        reserve(session, distribution, row.contract, by)
        return self.jobs.add(session, self.kind, subject, payload, by, id_).id

    def ensure(self, row: Publication, wish: Wish, by: str) -> str:
        """The release of a version that was published before: the one that is under way or done, else a new one.

        Raises:
            NotPackageable, PackageNameTaken, ReleaseUnderWay: as `start`. Busy, StorageUnavailable: nothing was written.
        """
        with self.database.reading() as session:
            newest = stored_jobs.newest_job(session, self.kind, f"{row.contract}@{row.version}")
            record = stored_jobs.job(session, newest.id) if newest is not None else None
        if record is not None and state_of(record) != "failed":
            return record.job.id
        with self.database.writing() as session:
            return self.start(session, row, wish, by)

    def request(self, contract: str, version: str, wish: Wish, by: str, id_: str | None = None) -> JobRecord:
        """Asks for the release of a version that is published: the first, again after a failure, or as a new build.

        A package that was made already with the same generator and options is not built again.

        Raises:
            NotFound: no such version. NotPackageable, PackageNameTaken, ReleaseUnderWay, IdTaken: as `start`.
            Busy, StorageUnavailable: nothing was written.
        """
        with self.database.writing() as session:
            found = next((v for v in queries.history(session, contract) if v.row.version == version), None)
            if found is None:
                raise NotFound(f"{contract} has no version {version}")
            if found.retired:
                raise NotPackageable(f"{contract} {version} is retired ({found.retired_reason}): nothing is released")
            if wish.package is None and (names := stored.names_of(session, contract)):
                wish = Wish(names[-1], wish.style, wish.open_enums)
            job = self.start(session, found.row, wish, by, id_)
        return self.jobs.job(job)

    def of_version(self, session: Session, row: Publication) -> str | None:
        """The id of the job that released a version, or last tried to."""
        job = stored_jobs.newest_job(session, self.kind, f"{row.contract}@{row.version}")
        return job.id if job is not None else None

    def retired(self, session: Session, row: Publication, by: str) -> None:
        """Follows the retirement of a version: its files are yanked by it, and the service's bundle is made anew."""
        if stored.last_build(session, row.seq):
            self.bundles.start(session, row.service, by)

    def given_up(self, session: Session, work: Work, code: str, reason: str) -> None:
        """Records that a release failed. What was published stays; nothing of the package is on the index."""
        staging.tell(session, work, "failed", {"code": code, "reason": reason, **_about(work)})

    def _check(self, work: Work) -> None:
        """The version is one that may be released, under a name that is its own."""
        with work.recording(CHECK) as (session, data):
            version = _version_of(session, work)
            if version.retired:
                raise NotPackageable(f"{work.job.subject} was retired meanwhile ({version.retired_reason})")
            distribution = self.check_wish(version.row.contract, Wish(work.job.payload["distribution"]))
            owner = stored.owner_of(session, distribution)
            if owner != version.row.contract:
                raise NotPackageable(f"{distribution} is not the package of {version.row.contract}")
            data |= {
                "contract": version.row.contract,
                "distribution": distribution,
                "verdict": version.row.gate["verdict"],
                "allowed_by": version.row.gate["allowed_by"],
            }

    def _version(self, work: Work) -> None:
        """What installers call the version, and which build of it this is."""
        from deedbox.codegen import naming
        from deedbox.codegen.generating import generator_version

        payload = work.job.payload
        recipe = {
            "generator": generator_version(),
            "style": payload["style"],
            "open_enums": payload["open_enums"],
            "distribution": work.done[CHECK]["distribution"],
        }
        with work.recording(VERSION) as (session, data):
            version = _version_of(session, work)
            made = stored.builds(session, version.row.seq)
            last = stored.last_build(session, version.row.seq)
            same = [f.row.filename for f in made if f.row.build == last and f.row.recipe == recipe]
            data |= {
                "version": version.row.version,
                "digest": version.row.digest,
                "pep440": naming.pep440(version.row.version),
                "build": last if same else last + 1,
                "recipe": recipe,
                "already": same,
                # npm has no builds: a version has one package there, or none yet.
                "npm": self.npm.offered and not stored_npm.has_npm(session, version.row.seq),
            }

    def _build(self, work: Work) -> None:
        """Both wheels. Their bytes are kept, but are not on the index."""
        said = work.done[VERSION]
        with self.database.reading() as session:
            request = self._wanted(session, work)
        wheels: tuple[Wheel, ...] = () if said["already"] else self._built(request)
        types = self.npm.build(request) if said["npm"] else None
        with work.recording(BUILD) as (session, data):
            data["npm"] = npm.keep(session, types) if types is not None else None
            data["wheels"] = [staging.keep(session, wheel) for wheel in wheels]
            if wheels:
                fidelity = wheels[0].package.fidelity
                data |= {"messages": fidelity.messages, "round_tripped": fidelity.round_tripped}

    def _built(self, request: PackageRequest) -> tuple[Wheel, ...]:
        from deedbox.codegen import CodegenError, build
        from deedbox.codegen.errors import BuildTimedOut

        try:
            return build(request, self.build_seconds)
        except BuildTimedOut as error:
            raise BuildStopped(str(error)) from None
        except (CodegenError, CheckerError) as error:
            raise NotPackageable(str(error), reason=error.code) from None

    def _wanted(self, session: Session, work: Work) -> PackageRequest:
        from deedbox.codegen import PackageRequest, history

        version, payload = _version_of(session, work), work.job.payload
        row = version.row
        versions = {v.row.version: v.row for v in queries.history(session, row.contract)}

        def text(known: str) -> bytes:
            source = session.get(Source, versions[known].source_digest)
            assert source is not None, "a foreign key says so"
            return source.text.encode()

        document = text(row.version)
        described = queries.service(session, row.service)
        return PackageRequest(
            contract=row.contract,
            version=row.version,
            document=document,
            format=row.format,
            dialect=row.dialect,
            digest=row.digest,
            distribution=work.done[CHECK]["distribution"],
            prefix=self.prefix,
            style=cast("Style", payload["style"]),
            open_enums=payload["open_enums"],
            history=history(row.version, document, versions, text),
            removed=tuple((drain["pointer"], drained_on(drain)) for drain in row.gate.get("drains", ())),
            owner=described[0].owner if described is not None else "",
            build=work.done[VERSION]["build"],
        )

    def _index(self, work: Work) -> None:
        """Both wheels get on the index, or none."""
        with work.recording(INDEX) as (session, data):
            row = _version_of(session, work).row
            for wheel in work.done[BUILD]["wheels"]:
                staging.put_on_index(
                    session,
                    wheel,
                    work.job.by,
                    build=work.done[VERSION]["build"],
                    recipe=work.done[VERSION]["recipe"],
                    publication_seq=row.seq,
                    contract=row.contract,
                )
            types = work.done[BUILD]["npm"]
            if types is not None:
                npm.put_on_index(session, types, row.seq, row.contract, work.job.by)
            data["files"] = [w["filename"] for w in work.done[BUILD]["wheels"]] or work.done[VERSION]["already"]

    def _notify(self, work: Work) -> None:
        """Others are told, in the feed and by the outbox, and the service's bundle is asked for; unless nothing is new."""
        with work.recording(NOTIFY) as (session, data):
            if work.done[VERSION]["already"] and work.done[BUILD]["npm"] is None:
                return
            data["message"] = staging.tell(session, work, "done", _about(work))
            data["bundle"] = self.bundles.start(session, _version_of(session, work).row.service, work.job.by)


def _about(work: Work) -> dict[str, Any]:
    """What the steps so far say of a release."""
    said: dict[str, Any] = {"steps": list(work.done)}
    for step, names in ((CHECK, ("contract", "distribution")), (VERSION, ("version", "build")), (INDEX, ("files",))):
        said |= {name: work.done[step][name] for name in names if step in work.done}
    return said


def _version_of(session: Session, work: Work) -> Version:
    row = session.get(Publication, work.job.payload["publication"])
    assert row is not None, "publications stay"
    return next(v for v in queries.history(session, row.contract) if v.row.seq == row.seq)
