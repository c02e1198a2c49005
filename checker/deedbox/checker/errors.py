"""What can be wrong with a document, each as a class with fields: where it is, and what to do about it."""

from __future__ import annotations

from typing import Any, Self


class CheckerError(Exception):
    """Root of all that the checker raises. `str()` is one sentence that says what, where and what to do."""

    code = "checker-error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class DocumentError(CheckerError):
    """A document that cannot be read or used as what it claims to be.

    `source` names the document ("old", "new", a file), `pointer` is a JSON pointer into it or None, `line` and `column`
    count from 1 or are None.
    """

    code = "document-invalid"

    def __init__(
        self,
        message: str,
        *,
        source: str = "document",
        pointer: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message)
        self.source, self.pointer, self.line, self.column = source, pointer, line, column

    def __str__(self) -> str:
        """`file:line:column: at /pointer: message`, as far as known."""
        where = self.source
        if self.line is not None:
            where += f":{self.line}" + (f":{self.column}" if self.column is not None else "")
        at = f" at {self.pointer or 'the root'}:" if self.pointer is not None else ""
        return f"{where}:{at} {self.message}"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickles with its fields: documents are compared in worker processes."""
        return (_rebuild, (type(self), self.message, self.source, self.pointer, self.line, self.column, self._extra()))

    def _extra(self) -> dict[str, object]:
        return {}


class SyntaxInvalid(DocumentError):
    """Neither JSON nor YAML."""

    code = "syntax-invalid"


class DuplicateKey(DocumentError):
    """The same key twice in one object: parsers differ in which one they keep (RFC 8259 §4)."""

    code = "duplicate-key"


class NotJsonValue(DocumentError):
    """A value that JSON has no way to say: NaN, infinity, a lone surrogate, a number of absurd size, a YAML date."""

    code = "not-json"


class TooLarge(DocumentError):
    """Over a limit on size or depth that protects the checker."""

    code = "too-large"


class NotASchema(DocumentError):
    """A document that its own metaschema rejects."""

    code = "not-a-schema"


class UnknownDialect(DocumentError):
    """A `$schema` that is none of the known drafts, and no dialect was given."""

    code = "unknown-dialect"


class UnresolvedReference(DocumentError):
    """A `$ref` that leads nowhere, or out of the document. Nothing is ever fetched."""

    code = "unresolved-reference"


class FileMissing(DocumentError):
    """A `$ref` to a file that is not there, lies outside the root folder, or is on the network."""

    code = "file-missing"


class LeadsOut(FileMissing):
    """A `$ref` to a file outside of the folder that files are read from."""

    def __init__(self, message: str, *, reference: str = "", **where: Any) -> None:
        super().__init__(message, **where)
        self.reference = reference

    @classmethod
    def of(cls, reference: str, folder: str, **where: Any) -> Self:
        """The error about a reference as it is written, and the folder as people call it."""
        message = f"{reference!r} leads out of {folder}: only files under it are read"
        return cls(message, reference=reference, **where)

    def _extra(self) -> dict[str, object]:
        return {"reference": self.reference}


class NotBundled(DocumentError):
    """Files that cannot be made one document without changing what one of them means."""

    code = "not-bundled"


class UnknownFormat(CheckerError):
    """A document format that the checker does not have."""

    code = "unknown-format"


class UnknownRule(CheckerError):
    """A rule id that is in no catalogue."""

    code = "unknown-rule"


class InvalidVersion(CheckerError):
    """A version that is no semantic version (semver.org, 2.0.0)."""

    code = "invalid-version"


def _rebuild(
    kind: type[DocumentError],
    message: str,
    source: str,
    pointer: str | None,
    line: int | None,
    column: int | None,
    extra: dict[str, object],
) -> DocumentError:
    error = kind(message, source=source, pointer=pointer, line=line, column=column)
    error.__dict__.update(extra)
    return error
