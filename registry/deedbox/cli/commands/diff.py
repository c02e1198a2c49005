"""`deedbox diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from deedbox.checker.comparison import DEFAULT_MILLISECONDS
from deedbox.checker.json_schema.dialects import DIALECTS
from deedbox.checker.model import CONTENT_MODELS, ROLES
from deedbox.cli.reports import format_option

if TYPE_CHECKING:
    from deedbox.checker.model import ContentModel, Role
    from deedbox.cli.exits import Exit
    from deedbox.cli.reports import Output


@click.command(short_help="Compare two versions of a schema or an API.")
@click.argument("old", type=click.Path(allow_dash=True))
@click.argument("new", type=click.Path(allow_dash=True))
@click.option(
    "--role",
    type=click.Choice(ROLES),
    help="Whose promise it is. [default: consumes; provides for OpenAPI; each operation's own for AsyncAPI]",
)
@click.option(
    "--content-model",
    type=click.Choice(CONTENT_MODELS),
    default="tolerant",
    show_default=True,
    help="What to make of properties that a schema does not mention.",
)
@click.option(
    "--dialect",
    type=click.Choice(tuple(DIALECTS)),
    help="For schemas whose $schema is missing or no known draft. [default: draft2020-12 where it is missing]",
)
@click.option(
    "--budget-ms",
    type=click.FloatRange(min=1),
    default=int(DEFAULT_MILLISECONDS),
    show_default=True,
    metavar="MS",
    help="Milliseconds to search for a proof or a counterexample; past them the verdict is undecided.",
)
@format_option
def diff(
    *,
    old: str,
    new: str,
    role: Role | None,
    content_model: ContentModel,
    dialect: str | None,
    budget_ms: float,
    outputs: tuple[Output, ...],
) -> Exit:
    """Compare two versions of a schema or an API, OLD and NEW (JSON or YAML files; - is standard input).

    Says whether the change breaks, and shows the message that proves it. Needs no registry and no
    project file.
    Exits with 1 where it breaks and 3 where that is undecided.

    \b
    deedbox diff before.schema.json after.schema.json
    git show HEAD:openapi.yaml | deedbox diff - openapi.yaml
    """
    from deedbox.checker.errors import CheckerError
    from deedbox.checker.formats import detect
    from deedbox.checker.policy import default_role
    from deedbox.cli.comparing import diff_change, failure
    from deedbox.cli.documents import STDIN, read_document
    from deedbox.cli.errors import SourceUnreadable, UsageError
    from deedbox.cli.guarded import compare
    from deedbox.cli.report import Report
    from deedbox.cli.reports import emit
    from deedbox.client.values import Difference

    if old == new == STDIN:
        raise UsageError("only one of OLD and NEW can be standard input")
    try:
        before, after = read_document(old, dialect=dialect), read_document(new, dialect=dialect)
        named = detect(after)
        comparison = compare(
            before, after, format=named, content_model=content_model, dialect=dialect, milliseconds=budget_ms
        )
        difference = Difference.of(comparison, role or default_role(named))
        report = Report("diff", (diff_change(difference, before, after),))
    except (CheckerError, SourceUnreadable) as error:
        report = Report("diff", failures=(failure(error),))
    emit(report, outputs)
    return report.exit
