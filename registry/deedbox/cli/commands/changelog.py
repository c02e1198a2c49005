"""`deedbox changelog`."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click
from deedbox.checker.model import ROLES
from deedbox.cli.options import config_option, registry_option

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from deedbox.checker.documents import Document
    from deedbox.checker.model import ContentModel, Role

_MILLISECONDS = 10_000.0
"""More than the gate takes: nobody waits for it, and what is published should not say "undecided" of a busy machine."""


@click.command(short_help="Write a changelog of two versions, to publish.")
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option("--contract", metavar="SERVICE/NAME", help="OLD and NEW are versions of this contract in the registry.")
@click.option(
    "--format",
    "style",
    type=click.Choice(("markdown", "html")),
    default="markdown",
    show_default=True,
    help="How it is written; HTML is a whole page.",
)
@click.option("--output", "-o", type=click.Path(dir_okay=False), help="The file to write. [default: standard output]")
@click.option("--title", help="The heading. [default: the document's title and versions, or the files' names]")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    help="Whose changes they are: it decides what is breaking. [default: the contract's; of files consumes, "
    "provides for OpenAPI, each operation's own for AsyncAPI]",
)
@registry_option
@config_option
def changelog(
    *,
    old: str,
    new: str,
    contract: str | None,
    style: str,
    output: str | None,
    title: str | None,
    role: Role | None,
    registry: str | None,
    config: str | None,
) -> None:
    """Write a changelog to publish: what changed from OLD to NEW, for readers of an API or a message.

    OLD and NEW are files (JSON or YAML), or versions with --contract. What breaks comes first; then what is
    deprecated, removed, added and changed, by operation or field. It is no gate: a break does not fail it.

    \b
    deedbox changelog before/openapi.yaml openapi.yaml -o CHANGES.md
    deedbox changelog 1.4.0 2.0.0 --contract shop/orders-api --format html
    """
    from pathlib import Path

    from deedbox.checker.formats import detect
    from deedbox.checker.policy import default_role
    from deedbox.cli import changelog as telling
    from deedbox.cli.documents import read_document
    from deedbox.cli.errors import ReportUnwritable
    from deedbox.cli.guarded import compare
    from deedbox.client.values import Difference

    before: Document
    after: Document
    model: ContentModel = "tolerant"
    dialect: str | None = None
    drains: Sequence[Mapping[str, object]] = ()
    if contract is None:
        before, after = read_document(old), read_document(new)
    else:
        before, after, published, drains = _published(contract, (old, new), registry, config)
        role = role or cast("Role", published["role"])
        model, dialect = cast("ContentModel", published["content_model"]), cast("str | None", published.get("dialect"))
        title = title or f"{contract} {old} → {new}"
    named = detect(after)
    comparison = compare(before, after, format=named, content_model=model, dialect=dialect, milliseconds=_MILLISECONDS)
    log = telling.changelog(Difference.of(comparison, role or default_role(named)), before, after, title, drains)
    text = telling.as_html(log) if style == "html" else telling.as_markdown(log)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReportUnwritable(output, error.strerror or str(error)) from None


def _published(
    contract: str, versions: tuple[str, str], registry: str | None, config: str | None
) -> tuple[Document, Document, dict[str, object], Sequence[Mapping[str, object]]]:
    """Two versions of a contract, what is said of the second, and the proofs of what was dropped between them."""
    from deedbox.checker.documents import load_document
    from deedbox.cli.changelog import drains_between
    from deedbox.cli.checking import client_for
    from deedbox.cli.errors import UsageError
    from deedbox.cli.project import load

    with client_for(load(config), registry) as client:
        published = client.publication(contract, versions[1])
        if published is None:
            raise UsageError(f"the registry has no {contract} {versions[1]}")
        old, new = (load_document(client.schema(contract, v), f"{contract} {v}") for v in versions)
        drains = drains_between(client.versions(contract), *versions)
    return old, new, published, drains
