"""`record-deployment` and `can-i-deploy`: which versions a checkout stands for, and do they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.cli.checking import read_contract, request_of
from deedbox.cli.errors import UsageError
from deedbox.cli.report import Change, Report
from deedbox.client.values import link_from_dict

if TYPE_CHECKING:
    from deedbox.cli.project import Project
    from deedbox.client import RegistryClient


def published_versions(project: Project, client: RegistryClient) -> dict[str, str]:
    """The published version of each contract: the declared one, else the latest that the file equals.

    Raises:
        UsageError: a contract is not published as it is here.
        ClientError: the registry did not say.
    """
    if project.service is None or not project.contracts:
        raise UsageError(f"{project.shown} has no contracts")
    found = {}
    for contract in project.contracts:
        result = client.check([request_of(contract, read_contract(contract))])[0]
        version = contract.version or result.previous
        if result.verdict != "identical" or version is None:
            raise UsageError(
                f"{contract.full_name} is not published as {contract.file} is now: run `deedbox publish` first"
            )
        found[contract.name] = version
    return found


def deployable(project: Project, client: RegistryClient, environment: str) -> Report:
    """Whether the contracts of a project fit an environment.

    Raises:
        UsageError, ClientError: see `published_versions`.
    """
    contracts = published_versions(project, client)
    reply = client.can_i_deploy(environment=environment, service=project.service or "", contracts=contracts)
    links = tuple(link_from_dict(link) for link in reply["links"])
    allowed: bool | None = reply["allowed"]
    change = Change(
        name=project.service or "",
        old=environment,
        new=", ".join(f"{name} {version}" for name, version in contracts.items()),
        role="",
        content_model="",
        verdict={True: "fits", False: "does not fit", None: "undecided"}[allowed],
        bump=None,
        allowed=allowed,
        file=project.shown,
        links=links,
    )
    return Report("can-i-deploy", (change,))
