"""Whether a document can be read to its last corner, changed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deedbox.checker.apis.translation import Reading, Translator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from deedbox.checker.apis.cursor import Cursor
    from deedbox.checker.apis.translation import Dialect
    from deedbox.checker.openapi.model import Api, MediaType, Operation, Parameter


def check(api: Api, dialect: Dialect) -> None:
    """Reads every operation and translates every schema that one of them leads to.

    Raises:
        DocumentError: with pointer and line.
    """
    translator = Translator(api.root.document, dialect, Reading("client", reads=True, union=True, http=True))
    seen: set[str] = set()
    for operation in (*api.operations.values(), *api.webhooks.values()):
        for schema in _schemas(operation):
            translator.translate(schema.location, seen)


def _schemas(operation: Operation) -> Iterator[Cursor]:
    for parameter in operation.parameters.values():
        yield from _of_parameter(parameter)
    if operation.body is not None:
        yield from _of_content(operation.body.content.values())
    for response in operation.responses.values():
        yield from _of_content(response.content.values())
        for header in response.headers.values():
            yield from _of_parameter(header)
    for callback in operation.callbacks.values():
        yield from _schemas(callback)


def _of_parameter(parameter: Parameter) -> Iterator[Cursor]:
    if parameter.schema is not None:
        yield parameter.schema
    yield from _of_content(parameter.content.values())


def _of_content(media: Iterable[MediaType]) -> Iterator[Cursor]:
    for one in media:
        if one.schema is not None:
            yield one.schema
