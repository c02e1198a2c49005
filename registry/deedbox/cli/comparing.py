"""Turns what the checker and the registry say into reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.cli.documents import place_of
from deedbox.cli.errors import SourceUnreadable
from deedbox.cli.exits import Exit
from deedbox.cli.report import Change, Failure, Located
from deedbox.client.errors import ClientError, Problem, is_unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deedbox.checker.documents import Document
    from deedbox.checker.errors import CheckerError
    from deedbox.checker.policy import Acceptance
    from deedbox.client.values import CheckResult, Difference

_PROBLEMS = {"gate-refused": Exit.NO, "version-taken": Exit.NO, "undecided": Exit.UNKNOWN}
"""Problems that are the registry's verdict. All others are about what it was given."""

_ALLOWED = {"breaking": False, "undecided": None}


def located(difference: Difference, old: Document | None, new: Document) -> tuple[Located, ...]:
    """The findings with their places in the user's files."""
    return tuple(
        Located(finding, *place_of(finding, old, new), annotated=new.place(finding.location))
        for finding in difference.findings
    )


def diff_change(difference: Difference, old: Document, new: Document) -> Change:
    """The change from one file to another: no gate, so a break is a no."""
    return Change(
        name=new.name,
        old=old.name,
        new=new.name,
        role=difference.role,
        content_model=difference.content_model,
        verdict=difference.verdict,
        bump=difference.bump,
        allowed=_ALLOWED.get(difference.verdict, True),
        backward=difference.backward,
        forward=difference.forward,
        findings=located(difference, old, new),
        file=new.name,
    )


def check_change(
    result: CheckResult,
    *,
    against: str,
    content_model: str,
    old: Document | None,
    new: Document,
    accepted: Sequence[Acceptance] = (),
) -> Change:
    """A contract's change as the gate sees it. `old` is the old document where the user has it as a file."""
    difference = result.difference
    return Change(
        name=result.contract,
        old=against,
        new=new.name,
        role=result.role,
        content_model=difference.content_model if difference else content_model,
        verdict=result.verdict,
        bump=result.bump,
        allowed=result.allowed,
        backward=difference.backward if difference else None,
        forward=difference.forward if difference else None,
        findings=located(difference, old, new) if difference else (),
        file=new.name,
        previous=result.previous,
        declared=result.declared,
        needed=result.needed,
        allowed_by=result.allowed_by,
        refusals=result.refusals,
        links=result.links,
        accepted=tuple(accepted),
    )


def failure(
    error: CheckerError | SourceUnreadable | ClientError,
    name: str = "",
    file: str | None = None,
    document: Document | None = None,
) -> Failure:
    """A document that cannot be judged, or a registry that did not judge it; `document` is what it was given."""
    if isinstance(error, Problem):
        fields = error.fields
        pointer, line, column = fields.get("pointer"), fields.get("line"), fields.get("column")
        if document is not None and isinstance(pointer, str) and getattr(document, "files", None):
            # The registry was given one text for several files: its lines are none of the user's.
            file, line, column = document.place(pointer)
        return Failure(error.code, str(error), name, file, line, column, pointer, client_exit(error))
    if isinstance(error, ClientError):
        return Failure("registry-unavailable", str(error), name, file, exit=client_exit(error))
    if isinstance(error, SourceUnreadable):
        return Failure(error.code, str(error), name, file)
    return Failure(
        error.code,
        str(error),
        name,
        getattr(error, "source", file),
        getattr(error, "line", None),
        getattr(error, "column", None),
        getattr(error, "pointer", None),
    )


def client_exit(error: ClientError) -> Exit:
    """The exit code of what the registry answered, or did not."""
    if is_unavailable(error):
        return Exit.UNKNOWN
    if isinstance(error, Problem):
        return _PROBLEMS.get(error.code, Exit.WRONG)
    return Exit.WRONG
