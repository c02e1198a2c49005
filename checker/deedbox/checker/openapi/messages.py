"""Witnesses as people see them on the wire: a request or a response."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.samples import example_of, sample
from deedbox.checker.canonical import canonical
from deedbox.checker.openapi.paths import filled

if TYPE_CHECKING:
    from deedbox.checker.openapi.model import Api, MediaType, Operation, Parameter, Response

_MISSING = object()


def request(
    operation: Operation,
    *,
    without: tuple[str, str] | None = None,
    with_value: tuple[Parameter, Any] | None = None,
    body: Any = _MISSING,
    media: MediaType | None = None,
    with_body: bool = True,
) -> dict[str, Any]:
    """A request to an operation: what it requires, and what is in question.

    Args:
        operation: the operation.
        without: (in, name) of a parameter to leave out.
        with_value: a parameter and the value it shall have.
        body: the body, where it is in question.
        media: its media type.
        with_body: whether to send a body that the operation requires.
    """
    path: dict[str, str] = {}
    query: dict[str, Any] = {}
    headers: dict[str, str] = {}
    cookies: dict[str, str] = {}
    form: dict[str, Any] = {}
    asked = with_value[0] if with_value is not None else None
    chosen = [(p, value_of(p)) for p in operation.parameters.values()
              if p.required and (p.within, p.name) != without and not (asked and same_parameter(p, asked))]  # fmt: skip
    if with_value is not None:
        chosen.append(with_value)
    for parameter, value in chosen:
        if parameter.within == "path":
            path[parameter.name] = text_of(value)
        elif parameter.within in ("query", "querystring"):
            query[parameter.name] = value
        elif parameter.within == "header":
            headers[parameter.name] = text_of(value)
        elif parameter.within == "cookie":
            cookies[parameter.name] = text_of(value)
        else:
            form[parameter.name] = value
    message: dict[str, Any] = {"method": operation.method.upper(), "path": filled(operation.path, path)}
    if query:
        message["query"] = query
    if cookies:
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    given = operation.body
    if body is _MISSING and with_body and given is not None and given.required and given.content:
        media = next(iter(given.content.values()))
        body = sample(media.schema, example_of(media.at))
    if body is _MISSING and form:
        headers["Content-Type"], body = "application/x-www-form-urlencoded", form
    if media is not None and body is not _MISSING:
        headers["Content-Type"] = media.name
    if headers:
        message["headers"] = headers
    if body is not _MISSING:
        message["body"] = body
    return message


def response(
    operation: Operation,
    answer: Response,
    *,
    header: tuple[Parameter, Any] | None = None,
    body: Any = _MISSING,
    media: MediaType | None = None,
) -> dict[str, Any]:
    """A response of an operation: what is in question, and the request that gets it."""
    message: dict[str, Any] = {"status": status_of(answer.status)}
    headers: dict[str, str] = {}
    if media is not None:
        headers["Content-Type"] = media.name if "*" not in media.name else "application/json"
    if header is not None:
        headers[header[0].name] = text_of(header[1])
    if headers:
        message["headers"] = headers
    if body is not _MISSING:
        message["body"] = body
    message["request"] = {"method": operation.method.upper(), "path": filled(operation.path, {})}
    return message


def with_credentials(operation: Operation, api: Api, schemes: tuple[str, ...]) -> dict[str, Any]:
    """A request that carries the credentials of these schemes and no other."""
    message = request(operation)
    headers, query = dict(message.get("headers", {})), dict(message.get("query", {}))
    for name in schemes:
        scheme = api.schemes.get(name)
        kind = scheme.raw("type") if scheme is not None else None
        if scheme is not None and kind == "apiKey":
            key, within = str(scheme.raw("name")), scheme.raw("in")
            if within == "query":
                query[key] = f"<{name}>"
            elif within == "cookie":
                headers["Cookie"] = f"{key}=<{name}>"
            else:
                headers[key] = f"<{name}>"
        elif kind == "basic" or (
            kind == "http" and scheme is not None and str(scheme.raw("scheme")).lower() == "basic"
        ):
            headers["Authorization"] = f"Basic <{name}>"
        else:
            headers["Authorization"] = f"Bearer <{name}>"
    if query:
        message["query"] = query
    if headers:
        message["headers"] = headers
    return message


def value_of(parameter: Parameter) -> Any:
    """A value for a parameter or header."""
    schema = parameter.schema
    if schema is None and parameter.content:
        schema = next(iter(parameter.content.values())).schema
    return sample(schema, example_of(parameter.at))


def same_parameter(one: Parameter, other: Parameter) -> bool:
    """Whether both name the same value of a request."""
    return (one.within, one.name) == (other.within, other.name)


def status_of(status: str) -> int:
    """A status that a key of `responses` stands for."""
    if status.isdigit():
        return int(status)
    return int(status[0]) * 100 if status[:1].isdigit() else 500


def text_of(value: Any) -> str:
    """A value as the text of a header or path segment."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(text_of(item) for item in value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError:
        return canonical(value).decode()
