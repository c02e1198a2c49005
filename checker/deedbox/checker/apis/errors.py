"""What can be wrong with an API document."""

from __future__ import annotations

from deedbox.checker.errors import DocumentError


class ApiDocumentError(DocumentError):
    """Root of what is wrong with an OpenAPI or AsyncAPI document as such."""

    code = "not-an-api"


class UnsupportedVersion(ApiDocumentError):
    """A version of the specification that the checker does not know."""

    code = "unsupported-version"


class NotAnApi(ApiDocumentError):
    """A value that is not what the specification wants at that place."""

    code = "not-an-api"


class ReferenceCycle(ApiDocumentError):
    """References that lead only to each other."""

    code = "reference-cycle"
