"""`deedbox record-deployment`."""

from __future__ import annotations

import click
from deedbox.cli.options import config_option, registry_option


@click.command("record-deployment", short_help="Tell the registry what an environment runs now.")
@click.option("--environment", "-e", required=True, help="Where it runs, such as prod.")
@click.option("--service-version", required=True, help="The version of the service that runs there now.")
@click.option(
    "--id",
    "id_",
    type=click.UUID,
    help="The deployment's id, to record it once however often this runs. [default: a new one]",
)
@registry_option
@config_option
def record_deployment(
    *, environment: str, service_version: str, id_: object, registry: str | None, config: str | None
) -> None:
    """Tell the registry that an environment runs this service with these contracts.

    Each contract's version is the one in the project file, or the published one that its file equals.

    \b
    deedbox record-deployment -e prod --service-version 2.3.1
    """
    from uuid import UUID, uuid4

    from deedbox.cli.checking import client_for
    from deedbox.cli.deploying import published_versions
    from deedbox.cli.plain import printable
    from deedbox.cli.project import require

    project = require(config)
    with client_for(project, registry) as client:
        contracts = published_versions(project, client)
        deployment = id_ if isinstance(id_, UUID) else uuid4()
        client.record_deployment(
            deployment,
            environment=environment,
            service=project.service or "",
            service_version=service_version,
            contracts=contracts,
        )
    said = ", ".join(f"{name} {version}" for name, version in contracts.items())
    click.echo(printable(f"{environment} runs {project.service} {service_version} with {said} ({deployment})"))
