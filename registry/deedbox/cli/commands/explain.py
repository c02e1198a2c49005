"""`deedbox explain`."""

from __future__ import annotations

import click


def _complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:  # noqa: ARG001 - click's signature
    from deedbox.cli.catalogue import entries

    return [name for name in entries() if name.startswith(incomplete)]


@click.command(short_help="Say what a rule or code of a report means.")
@click.argument("rule", required=False, shell_complete=_complete)
def explain(rule: str | None) -> None:
    """Say what a rule or code of a report means and where it comes from; without RULE, list them all.

    A word of its name will do to be shown those near it: `deedbox explain parameter`.
    """
    from deedbox.checker.errors import UnknownRule
    from deedbox.cli.catalogue import entries, near

    known = entries()
    if rule is None:
        width = max(map(len, known))
        group = ""
        for entry in known.values():
            if entry.group != group:
                click.echo(f"{'' if not group else chr(10)}{click.style(entry.group, underline=True)}")
                group = entry.group
            click.echo(f"{click.style(entry.id.ljust(width), bold=True)}  {entry.title}")
        return
    if rule not in known:
        found = near(rule)
        hint = (
            f" Did you mean {' or '.join((', '.join(found[:-1]), found[-1]) if found[1:] else found)}?" if found else ""
        )
        raise UnknownRule(f"there is no rule {rule!r}.{hint} `deedbox explain` lists them all.")
    entry = known[rule]
    click.echo(f"{click.style(entry.id, bold=True)}: {entry.title}")
    mirror = f"The other way round: {entry.mirror}" if entry.mirror not in ("", entry.id) else ""
    for text in (entry.why, mirror, entry.source and f"Format: {entry.group}. Source: {entry.source}"):
        if text:
            click.echo(f"\n{click.wrap_text(text, width=100)}")
