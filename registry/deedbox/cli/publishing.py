"""`publish`: all are judged, then each is published."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deedbox.checker.errors import CheckerError
from deedbox.cli import accepted
from deedbox.cli.checking import RegistryLatest, check_all, read_contract, request_of
from deedbox.cli.comparing import check_change, failure
from deedbox.cli.errors import SourceUnreadable
from deedbox.cli.exits import Exit
from deedbox.cli.progress import track
from deedbox.cli.project import show
from deedbox.cli.report import Publication, Report
from deedbox.client.errors import ClientError, Problem, is_unavailable
from deedbox.client.values import CheckResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.checker.policy import Acceptance
    from deedbox.cli.project import Contract, Project
    from deedbox.client import RegistryClient


def publish_all(contracts: Sequence[Contract], client: RegistryClient, project: Project) -> Report:
    """Judges all contracts and publishes them where all may pass.

    A publication that fails after all (somebody else was quicker) stops those after it;
    the report names those done.
    """
    against = RegistryLatest(client)
    changes, failures = check_all(contracts, against, project)
    judged = Report("publish", tuple(changes), tuple(failures))
    if judged.exit is not Exit.FINE:
        return judged
    acceptances = accepted.read(project.root)
    published: list[Publication] = []
    for contract in track(contracts, "Publishing"):
        try:
            published.append(_publish(contract, client, acceptances))
        except (CheckerError, SourceUnreadable, ClientError) as error:
            failed = _failed(judged, contract, error, acceptances)
            return replace(failed, published=tuple(published))
    return replace(judged, published=tuple(published))


def _publish(contract: Contract, client: RegistryClient, acceptances: Sequence[Acceptance]) -> Publication:
    body = request_of(contract, read_contract(contract)) | {"accepted": [accepted.as_json(a) for a in acceptances]}
    del body["contract"]
    reply = client.publish(contract.full_name, body)
    return Publication(contract.full_name, reply["version"], reply["created"], reply.get("digest"), reply.get("bump"))


def _failed(
    judged: Report,
    contract: Contract,
    error: CheckerError | SourceUnreadable | ClientError,
    acceptances: Sequence[Acceptance],
) -> Report:
    check = error.fields.get("check") if isinstance(error, Problem) else None
    if isinstance(error, Problem) and isinstance(check, dict) and not is_unavailable(error):
        document = read_contract(contract)
        change = check_change(
            CheckResult.from_dict(check),
            against="registry:latest",
            content_model=contract.content_model,
            old=None,
            new=document,
            accepted=acceptances,
        )
        others = tuple(other for other in judged.changes if other.name != contract.full_name)
        return replace(judged, changes=(*others, change))
    return replace(judged, failures=(failure(error, contract.full_name, show(contract.path)),))
