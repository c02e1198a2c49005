"""Services and where they run, and whether a service's contracts fit what runs in an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deedbox.checker.policy import LinkOutcome
from deedbox.checker.versions import parse
from deedbox.registry.errors import IdTaken, NotFound, PreconditionFailed
from deedbox.registry.services import links as linking
from deedbox.registry.services.catalogue import ServiceView, pick
from deedbox.registry.services.names import check_name, check_uuid
from deedbox.registry.services.verdicts import Verdicts
from deedbox.registry.storage import queries
from deedbox.registry.storage.database import Database
from deedbox.registry.storage.models import Deployment, Service
from sqlalchemy.orm import Session

if TYPE_CHECKING:
    from deedbox.registry.storage.models import Entry


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A recorded deployment."""

    row: Deployment
    entry: Entry
    created: bool = False


@dataclass(frozen=True, slots=True)
class DeployAnswer:
    """Whether a service may be deployed: False where a link fails, None where one is undecided."""

    allowed: bool | None
    links: tuple[LinkOutcome, ...]


class Deployments:
    """The use cases around what runs where."""

    def __init__(self, database: Database, verdicts: Verdicts) -> None:
        self.database, self.verdicts = database, verdicts

    def describe_service(
        self, name: str, owner: str, description: str, by: str, if_match: int | None
    ) -> tuple[ServiceView, bool]:
        """Says whose a service is and what it does. Saying the same again changes nothing.

        Args:
            name: the service's.
            owner: a person or team.
            description: what it does.
            by: who is recorded.
            if_match: the state that the caller has seen; needed where the service is described already.

        Returns:
            The service, and whether this call made it.

        Raises:
            InvalidName: no name. PreconditionFailed: it changed since. Busy, StorageUnavailable: nothing was written.
        """
        check_name(name, "service")
        with self.database.writing() as session:
            current = queries.service(session, name)
            if current is not None:
                row, entry = current
                if (row.owner, row.description) == (owner, description):
                    return ServiceView(name, current), False
                if if_match != row.seq:
                    raise PreconditionFailed(
                        f"service {name} was described by {entry.by} at {entry.at}: read it, and send its ETag as "
                        f"If-Match to describe it anew",
                        current=row.seq,
                        missed=[{"owner": row.owner, "description": row.description, "by": entry.by}],
                    )
            elif if_match is not None:
                raise PreconditionFailed(f"service {name} is not described yet: leave If-Match out", current=0)
            entry = queries.add_entry(session, by, "service", name, {"owner": owner, "description": description})
            row = Service(seq=entry.seq, name=name, owner=owner, description=description)
            session.add(row)
            session.flush()
            return ServiceView(name, (row, entry)), current is None

    def record(
        self,
        uuid: str,
        environment: str,
        service: str,
        service_version: str,
        contracts: Mapping[str, str],
        by: str,
    ) -> DeploymentView:
        """Records that an environment runs a version of a service, with these versions of its contracts.

        The same id with the same content is the row that exists.

        Raises:
            IdTaken: the id names another deployment. NotFound: a contract or version that was never published.
            InvalidName, InvalidRequest, InvalidVersion: no name, no UUID, no version. Busy, StorageUnavailable: nothing was written.
        """
        uuid = check_uuid(uuid)
        check_name(environment, "environment")
        check_name(service, "service")
        contracts = dict(sorted(contracts.items()))
        with self.database.writing() as session:
            known = queries.deployment(session, uuid)
            said = (environment, service, service_version, contracts)
            if known is not None:
                row, entry = known
                if (row.environment, row.service, row.service_version, row.contracts) != said:
                    raise IdTaken(f"deployment {uuid} was recorded by {entry.by} with other content: use a new id")
                return DeploymentView(row, entry)
            for version in contracts.values():
                parse(version)  # a record of "latest" would change its meaning
            _picked(session, service, contracts)
            data = {"environment": environment, "service_version": service_version, "contracts": contracts}
            entry = queries.add_entry(session, by, "deployment", f"{service}@{service_version}", data)
            row = Deployment(
                seq=entry.seq,
                uuid=uuid,
                environment=environment,
                service=service,
                service_version=service_version,
                contracts=contracts,
            )
            session.add(row)
            session.flush()
            return DeploymentView(row, entry, True)

    def current(self, environment: str | None) -> list[DeploymentView]:
        """What runs now, of one environment or all."""
        with self.database.reading() as session:
            rows = queries.current_deployments(session, environment=environment)
        return [DeploymentView(row, entry) for row, entry in rows]

    def can_deploy(self, service: str, environment: str, contracts: Mapping[str, str]) -> DeployAnswer:
        """Whether these versions of a service's contracts fit what else runs in an environment.

        Args:
            service: the service to deploy.
            environment: where to.
            contracts: version (or "latest") by contract name; the latest of each where empty.

        Raises:
            NotFound: no such contract or version. Busy: no process came free.
        """
        with self.database.reading() as session:
            if not contracts:
                names = queries.contract_names(
                    session, service=service, message=None, channel=None, after="", limit=1 << 30
                )
                if not names:
                    raise NotFound(f"service {service} has no contracts")
                contracts = {name.partition("/")[2]: "latest" for name in names}
            own = [linking.end_of(version) for version in _picked(session, service, contracts)]
            others: list[linking.End] = []
            for deployment, _ in queries.current_deployments(session, environment=environment):
                if deployment.service != service:
                    running = _picked(session, deployment.service, deployment.contracts)
                    others += [linking.end_of(version) for version in running]
        pairs = [pair for end in own for other in others for pair in _either_way(end, other)]
        # A service that sends to itself meets its own new versions.
        pairs += [
            p
            for a in own
            for b in own
            if a.role in linking.WRITERS and b.role == "consumes"
            for p in linking.pairs(a, b)
        ]
        answers = self.verdicts.answer([p.question for p in pairs if p.question is not None], {})
        self.verdicts.keep(answers.fresh)
        links = tuple(linking.outcome(pair, answers.comparisons) for pair in pairs)
        held = [link.holds for link in links]
        return DeployAnswer(False if False in held else None if None in held else True, links)


def _picked(session: Session, service: str, contracts: Mapping[str, str]) -> list[queries.Version]:
    histories = queries.histories(session, [f"{service}/{name}" for name in contracts])
    return [pick(histories[f"{service}/{name}"], f"{service}/{name}", version) for name, version in contracts.items()]


def _either_way(one: linking.End, other: linking.End) -> list[linking.Pair]:
    if one.role in linking.WRITERS and other.role == "consumes":
        return linking.pairs(one, other)
    if one.role == "consumes" and other.role in linking.WRITERS:
        return linking.pairs(other, one)
    return []
