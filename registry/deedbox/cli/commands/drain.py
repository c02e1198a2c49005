"""`deedbox drain`: how far obsolete fields have drained, scans of history, waivers, policies of channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.cli.brokers import address_option
from deedbox.cli.options import config_option, registry_option

if TYPE_CHECKING:
    from datetime import datetime


class _Group(click.Group):
    """A group that takes what is no command of it for fields to show."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Puts `show` before what names no command."""
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Group)
def drain() -> None:
    """Say how far obsolete fields have drained from the logs, and what is in the way.

    A FIELD is CONTRACT#POINTER, such as billing/order-placed#/coupon: the contract that marks it, and where it stands in
    a message. `deedbox drain [FIELD…]` is `deedbox drain show [FIELD…]`.
    """


@drain.command()
@click.argument("fields", nargs=-1, metavar="[FIELD]…")
@click.option("--watch", type=click.FloatRange(min=1), metavar="SECONDS", help="Read and show again and again.")
@click.option("--json", "as_json", is_flag=True, help="The claims, with every reason, as JSON.")
@address_option
@registry_option
@config_option
def show(
    *,
    fields: tuple[str, ...],
    watch: float | None,
    as_json: bool,
    bootstrap: str,
    registry: str | None,
    config: str | None,
) -> None:
    """Read the cluster, record the evidence, and show the state of each field (all that are obsolete, without FIELD)."""
    import time

    from deedbox.cli import draining

    positions = draining.positions_at(bootstrap)
    with draining.client_at(registry, config) as client:
        while True:
            shown = draining.read_all(client, positions, fields)
            click.echo(draining.as_json(shown) if as_json else draining.table(shown), nl=False)
            if watch is None:
                return
            time.sleep(watch)


@drain.command()
@click.argument("field")
@click.option("--name", default="1", show_default=True, help="Of this scan: run again under it, or beside, it goes on.")
@click.option("--json", "as_json", is_flag=True, help="The claim, with every reason, as JSON.")
@address_option
@registry_option
@config_option
def scan(*, field: str, name: str, as_json: bool, bootstrap: str, registry: str | None, config: str | None) -> None:
    """Look at every record that is in the logs, record what was found, and show the FIELD.

    Needs confluent-kafka. Run in several places at once under one --name, the partitions are shared; stopped and run
    again, it goes on where it stopped. A compacted topic wants a --name of its own each time.
    """
    from deedbox.cli import draining

    positions = draining.positions_at(bootstrap)
    with draining.client_at(registry, config) as client:
        shown = draining.scan(client, positions, bootstrap, field, name)
    click.echo(draining.as_json([shown]) if as_json else draining.table([shown]), nl=False)


@drain.command()
@click.argument("field")
@click.argument("who")
@click.option("--reason", required=True, help="Why nothing is lost without it.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DATE", help="The last day on which it holds.")
@registry_option
@config_option
def waive(
    *, field: str, who: str, reason: str, until: datetime | None, registry: str | None, config: str | None
) -> None:
    """Leave WHO, a consumer (SERVICE/NAME) or a group, out of account for a FIELD, in writing."""
    from deedbox.cli import draining

    contract, pointer = draining.split(field)
    with draining.client_at(registry, config) as client:
        client.waive(contract, pointer, who, reason, until.date().isoformat() if until is not None else None)
    click.echo(f"{field}: {who} is left out of account")


@drain.command()
@click.argument("channel")
@click.option(
    "--grace",
    default=3600,
    show_default=True,
    type=click.IntRange(0),
    metavar="SECONDS",
    help="How long a writer or reader may still be at it.",
)
@click.option(
    "--opens-at",
    default="gone",
    show_default=True,
    type=click.Choice(["gone", "consumed"]),
    help="When a consumer may drop a field.",
)
@click.option(
    "--copy",
    "copies",
    multiple=True,
    metavar="TOPIC",
    help="A topic with copies of its records, beside .dlt and .checked.",
)
@click.option(
    "--overdue",
    default=90,
    show_default=True,
    type=click.IntRange(0),
    metavar="DAYS",
    help="How long a field may be obsolete.",
)
@registry_option
@config_option
def policy(
    *,
    channel: str,
    grace: int,
    opens_at: str,
    copies: tuple[str, ...],
    overdue: int,
    registry: str | None,
    config: str | None,
) -> None:
    """Say how the fields of a CHANNEL drain."""
    from deedbox.cli import draining

    said = {"grace_seconds": grace, "opens_at": opens_at, "copies": list(copies), "overdue_days": overdue}
    with draining.client_at(registry, config) as client:
        client.set_channel_policy(channel, said)
    click.echo(f"{channel}: the gate opens at {opens_at}, {grace} s of grace, overdue after {overdue} days")
