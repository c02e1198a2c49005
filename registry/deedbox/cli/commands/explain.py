"""`deedbox explain`."""

from __future__ import annotations

import click


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001
    from deedbox.cli.catalogue import entries

    return [name for name in entries() if name.startswith(incomplete)]


@click.command()
@click.argument("rule", required=False, shell_complete=_complete)
def explain(rule: str | None) -> None:
    """Say what a rule or code of a report means and where it comes from; without RULE, list them all."""
    from deedbox.checker.errors import UnknownRule
    from deedbox.cli.catalogue import entries
    from deedbox.cli.nearest import did_you_mean

    known = entries()
    if rule is None:
        width = max(map(len, known))
        for entry in known.values():
            click.echo(f"{click.style(entry.id.ljust(width), bold=True)}  {entry.title}")
        return
    if rule not in known:
        raise UnknownRule(f"there is no rule {rule!r}.{did_you_mean(rule, known)} `deedbox explain` lists them.")
    entry = known[rule]
    click.echo(f"{click.style(entry.id, bold=True)}: {entry.title}")
    for text in (entry.why, entry.source and f"Source: {entry.source}"):
        if text:
            click.echo(f"\n{click.wrap_text(text, width=100)}")
