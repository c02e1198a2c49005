"""`deedbox accept`."""

from __future__ import annotations

import click
from deedbox.cli.options import config_option, registry_option


@click.command(short_help="Accept a break on purpose.")
@click.argument("fingerprint")
@click.option("--reason", required=True, help="Why the break is right. It is kept.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DATE",
    help="The last day on which it is accepted. [default: none]",
)
@click.option("--by", help="Who accepts it. [default: DEEDBOX_ACTOR, the user's name]")
@click.option(
    "--against",
    default="registry:latest",
    show_default=True,
    metavar="WHAT",
    help="What `check` was run against when it gave the fingerprint.",
)
@registry_option
@config_option
def accept(
    *,
    fingerprint: str,
    reason: str,
    until: object,
    by: str | None,
    against: str,
    registry: str | None,
    config: str | None,
) -> None:
    """Accept a break on purpose: writes it to deedbox.accepted.toml, to be committed.

    FINGERPRINT is one that `check` gave, or its beginning. The check is made again, so that only what
    was found can be accepted.

    \b
    deedbox accept 3f9a1c02b7de --reason "refunds never went live" --until 2027-06-30
    """
    from datetime import UTC, datetime

    from deedbox.checker.policy import Acceptance
    from deedbox.cli import accepted
    from deedbox.cli.checking import against as baseline_of
    from deedbox.cli.checking import check_all, client_for, select
    from deedbox.cli.errors import NotJudged, UsageError
    from deedbox.cli.plain import printable
    from deedbox.cli.project import actor, require, show
    from deedbox.cli.report import LINK_ADVICE

    day = until.date() if isinstance(until, datetime) else None
    if day is not None and day < datetime.now(UTC).date():
        raise UsageError(f"--until {day} is over")
    if not reason.strip():
        raise UsageError("--reason is empty: say why the break is right")
    project = require(config)
    client = client_for(project, registry) if against.startswith("registry:") else None
    contracts = select(project, (), loose=False)
    changes, failures = check_all(contracts, baseline_of(against, project, client), project)
    found = {
        located.finding.fingerprint: (change, located.finding)
        for change in changes
        for located in change.findings
        if located.finding.level in ("breaking", "undecided") and located.finding.fingerprint.startswith(fingerprint)
    }
    if len(found) != 1:
        if not found and failures:
            raise NotJudged(failures[0].message, failures[0].exit)
        raise UsageError(
            f"{len(found)} findings begin with {fingerprint!r}: give more of it"
            if found
            else f"`deedbox check --against {against}` finds no break {fingerprint!r}"
        )
    change, finding = next(iter(found.values()))
    file = accepted.add(project.root, Acceptance(finding.fingerprint, finding.rule, reason.strip(), by or actor(), day))
    click.echo(f"{printable(change.name)}: accepted {finding.rule} at {printable(finding.pointer) or 'the root'}.")
    click.echo(f"Commit {show(file)}.")
    if any(refusal.code == "link-broken" for refusal in change.refusals):
        click.echo(f"The gate goes on saying no, see `deedbox check`: {LINK_ADVICE}.")
