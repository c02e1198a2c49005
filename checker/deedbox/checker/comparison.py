"""`compare`: two documents in, a `Comparison` out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deedbox.checker.bundling import Bundle
from deedbox.checker.collecting import rare_collections
from deedbox.checker.documents import load_document
from deedbox.checker.errors import DocumentError, NotASchema, UnknownFormat
from deedbox.checker.formats import FORMATS, detect

if TYPE_CHECKING:
    from deedbox.checker.documents import Document
    from deedbox.checker.model import Comparison, ContentModel

DEFAULT_MILLISECONDS = 2_000.0
"""What one comparison may take where the caller does not say."""


def compare(
    old: Any,
    new: Any,
    *,
    format: str = "json-schema",
    content_model: ContentModel = "tolerant",
    dialect: str | None = None,
    format_assertion: bool = False,
    milliseconds: float = DEFAULT_MILLISECONDS,
    algebra: bool = True,
    contract: str = "",
    old_name: str = "old",
    new_name: str = "new",
) -> Comparison:
    """Compares two versions of a document, both ways.

    Args:
        old, new: dict, bool, str or bytes (JSON or YAML text), or a `Document`: one of several files is made by
            `apis.sources.bundle` or `json_schema.bundling.bundle_schema`.
        format: the documents' format; one of `FORMATS`.
        content_model: what of properties that a schema does not mention: "tolerant", "open" or "closed".
        dialect: for documents whose `$schema` is missing (2020-12 where None) or no known draft: "draft4", "draft6",
            "draft7", "draft2019-09" or "draft2020-12".
        format_assertion: whether `format` judges values; an annotation otherwise.
        milliseconds: the time the search may take; what it cannot decide in it is undecided.
        algebra: whether `jsonschema-rs` may prove inclusions. It cannot be interrupted, so a caller whom it cost a
            process asks again without it.
        contract: name of the contract, a part of the findings' fingerprints.
        old_name, new_name: what messages call the documents, a file's name for instance.

    Raises:
        DocumentError: a document cannot be read or is no schema; says where.
        UnknownFormat: no such format.
    """
    if format in ("openapi", "asyncapi"):
        from deedbox.checker.apis.sources import bundle
        from deedbox.checker.asyncapi.comparing import compare_asyncapi
        from deedbox.checker.openapi.comparing import compare_openapi

        with rare_collections():
            bundles = bundle(load_document(old, old_name)), bundle(load_document(new, new_name))
            try:
                return (compare_openapi if format == "openapi" else compare_asyncapi)(
                    *bundles,
                    content_model=content_model,
                    format_assertion=format_assertion,
                    milliseconds=milliseconds,
                    algebra=algebra,
                    contract=contract,
                )
            except DocumentError as error:
                _relocate(error, *bundles)
                raise
    if format != "json-schema":
        raise UnknownFormat(f"no format {format!r}: choose from {', '.join(FORMATS)}")
    from deedbox.checker.json_schema.comparing import compare_schemas

    documents = load_document(old, old_name), load_document(new, new_name)
    for document in documents:
        _refuse_api(document)
    try:
        return compare_schemas(
            *documents,
            content_model=content_model,
            dialect=dialect,
            format_assertion=format_assertion,
            milliseconds=milliseconds,
            algebra=algebra,
            contract=contract,
        )
    except DocumentError as error:
        _relocate(error, *documents)
        raise


def check_document(document: Document, format: str, dialect: str | None = None) -> None:
    """Refuses a document that is not what its format wants, or leads nowhere.

    Args:
        document: a `Document`; one of several files is a bundle, as of `compare`.
        format: one of `FORMATS`.
        dialect: as of `compare`.

    Raises:
        DocumentError: with the place.
        UnknownFormat: no such format.
    """
    if format != "json-schema":
        compare(document, document, format=format)
        return
    from deedbox.checker.json_schema.metaschema import check_schema
    from deedbox.checker.json_schema.schema import Schema

    _refuse_api(document)
    try:
        check_schema(document, Schema(document, dialect).dialect)
    except DocumentError as error:
        _relocate(error, document)
        raise


def _relocate(error: DocumentError, *documents: Document) -> None:
    """Makes an error about a place of a bundle one about the file that the place is in."""
    for document in documents:
        if isinstance(document, Bundle):
            document.relocate(error)


def _refuse_api(document: Document) -> None:
    # As a schema an API document says nothing at all: every change of it would be found compatible.
    named = detect(document)
    if named != "json-schema":
        raise NotASchema(
            f"this is no schema but {named}: compare it as format {named!r}", source=document.name, pointer=""
        )
