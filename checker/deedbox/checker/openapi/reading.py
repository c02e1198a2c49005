"""An OpenAPI document into the model. Lenient where documents of real APIs are, and strict where meaning depends on it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from deedbox.checker.apis.cursor import Cursor
from deedbox.checker.apis.errors import NotAnApi, UnsupportedVersion
from deedbox.checker.openapi.model import (
    METHODS,
    Api,
    Body,
    MediaType,
    Operation,
    Parameter,
    ParameterKey,
    Requirement,
    Response,
)  # fmt: skip
from deedbox.checker.openapi.paths import base_path, normalised, variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from deedbox.checker.documents import Document

_VERSION = re.compile(r"(\d+)\.(\d+)(?:\.\d+)?(?:-.+)?")
KNOWN = ((2, 0), (3, 0), (3, 1), (3, 2))
IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters that other parts of a document describe: OAS 3.1.1 §4.8.12 says to ignore them."""

_STYLES = {
    "query": "form", "cookie": "form", "path": "simple", "header": "simple", "formData": "form", "querystring": "form",
}  # fmt: skip
_COLLECTIONS = {"csv": ("form", False), "multi": ("form", True), "ssv": ("spaceDelimited", False),
                "pipes": ("pipeDelimited", False), "tsv": ("tabDelimited", False)}  # fmt: skip


def read(document: Document) -> Api:
    """Reads a document (or bundle).

    Raises:
        UnsupportedVersion, NotAnApi, UnresolvedReference, ReferenceCycle: with pointer and line.
    """
    version = version_of(document)
    return _Reader(document, version).api()


def version_of(document: Document) -> tuple[int, int]:
    """Major and minor of the specification that a document follows.

    Raises:
        NotAnApi: it says none.
        UnsupportedVersion: none that is known.
    """
    root = document.value
    key = next((k for k in ("openapi", "swagger") if isinstance(root, dict) and k in root), None)
    if key is None:
        raise NotAnApi(
            "no OpenAPI document: it must say `openapi: 3.1.0` (or 3.0, 3.2) or `swagger: \"2.0\"` at its root",
            source=document.name, pointer="", line=document.line(""),
        )  # fmt: skip
    found = _VERSION.fullmatch(str(root[key]))
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version not in KNOWN or (version[0] == 2) != (key == "swagger"):
        line, column = document.position(f"/{key}") or (None, None)
        raise UnsupportedVersion(
            f"{key} {root[key]} is not known: 3.0, 3.1, 3.2 and Swagger 2.0 are",
            source=document.name, pointer=f"/{key}", line=line, column=column,
        )  # fmt: skip
    return version


class _Reader:
    def __init__(self, document: Document, version: tuple[int, int]) -> None:
        self.document, self.version = document, version
        self.root = Cursor(document, document.value)
        self.v2 = version[0] == 2
        self._open_callbacks: set[str] = set()

    def api(self) -> Api:
        root = self.root
        if not root.has("paths") and not root.has("webhooks") and not root.has("components"):
            raise root.fault("no paths: an OpenAPI document has `paths` (3.1 also `webhooks` or `components`)")
        self.security = list(self._security(root))
        self.servers = self._servers(root)
        holder = root if self.v2 else root.object("components")
        schemes = {}
        if holder is not None:
            schemes = dict(holder.members("securityDefinitions" if self.v2 else "securitySchemes"))
        return Api(
            root=root,
            version=self.version,
            operations=self._paths("paths", received=True),
            webhooks=self._paths("webhooks", received=False),
            schemes=schemes,
            servers=self.servers,
        )

    def _paths(self, key: str, *, received: bool) -> dict[tuple[str, str], Operation]:
        found: dict[tuple[str, str], Operation] = {}
        holder = self.root.object(key)
        if holder is None:
            return found
        paths = [path for path in holder.value if not path.startswith("x-")]
        alike = Counter(normalised(path) for path in paths)
        for path in paths:
            name = normalised(path) if received else path
            if received and "?" in path and alike[name] > 1:
                # Not what the specification allows, and yet written: `/orders?draft=true` beside `/orders`.
                name += "?" + path.partition("?")[2]
            for operation in self._path_item(holder.child(path), path, received=received):
                if (operation.method, name) in found:
                    raise holder.fault(
                        f"{path} and {found[operation.method, name].path} are one path: only the names of their variables "
                        "differ", path,
                    )  # fmt: skip
                found[operation.method, name] = operation
        return found

    def _path_item(self, item: Cursor, path: str, *, received: bool) -> Iterator[Operation]:
        places = [item]
        if item.has("$ref"):  # fields beside the reference count too; where both have one, the document's own does
            places.append(item.resolved())
        if not isinstance(places[-1].value, dict):
            raise item.fault(f"{path} must be an object")
        shared: dict[ParameterKey, Parameter] = {}
        for place in reversed(places):
            shared.update(self._parameters(place, path))
        seen: set[str] = set()
        for place in places:
            servers = self._servers(place)
            holders = [(method, place) for method in METHODS if place.has(method)]
            more = place.object("additionalOperations")
            if more is not None:
                holders += [(method, more) for method in more.value]
            for method, holder in holders:
                if method in seen or holder.value[method] is None:
                    continue
                seen.add(method)
                operation = holder.object(method)
                assert operation is not None
                yield self._operation(operation, method, path, shared, servers, received=received)

    def _operation(
        self,
        at: Cursor,
        method: str,
        path: str,
        shared: dict[ParameterKey, Parameter],
        servers: tuple[str, ...],
        *,
        received: bool,
    ) -> Operation:
        parameters = shared | self._parameters(at, path)
        tags = at.raw("tags") or []
        return Operation(
            method=method,
            path=path,
            at=at,
            received=received,
            parameters=parameters,
            body=self._body_v2(at, path) if self.v2 else self._body(at),
            responses=_Later(lambda: dict(self._responses(at))),
            callbacks=self._callbacks(at, received=received),
            security=tuple(self._security(at)) if at.has("security") else tuple(self.security),
            deprecated=at.flag("deprecated"),
            sunset=self._sunset(at),
            operation_id=at.text("operationId"),
            tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
            servers=self._servers(at) or servers or self.servers,
        )

    def _sunset(self, at: Cursor) -> str:
        """The day on which an operation goes: `x-sunset`, or the `Sunset` header that its responses show (RFC 8594)."""
        if at.raw("x-sunset"):
            return str(at.raw("x-sunset"))
        responses = at.raw("responses")
        if not isinstance(responses, dict) or not at.flag("deprecated"):
            return ""
        for _, response in at.members("responses"):
            held = response.raw("headers")
            for name in held if isinstance(held, dict) else ():
                if name.lower() == "sunset":
                    return self._shown_date(response.child("headers", name).resolved())
        return ""

    @staticmethod
    def _shown_date(header: Cursor) -> str:
        schema = header.raw("schema")
        held = schema if isinstance(schema, dict) else {}
        enum = held.get("enum")
        for text in (header.raw("example"), held.get("const"), held.get("example"), held.get("default"),
                     enum[0] if isinstance(enum, list) and len(enum) == 1 else None):  # fmt: skip
            if isinstance(text, str):
                with suppress(ValueError):
                    return parsedate_to_datetime(text).date().isoformat()
        return ""

    def _parameters(self, at: Cursor, path: str) -> dict[ParameterKey, Parameter]:
        found: dict[ParameterKey, Parameter] = {}
        names = variables(path)
        for item in at.items("parameters"):
            name, within = item.text("name"), item.text("in")
            if within == "body":
                continue
            if within not in _STYLES:
                raise item.fault(f"a parameter's `in` is path, query, header or cookie, not {within!r}", "in")
            if within == "header" and name.lower() in IGNORED_HEADERS:
                continue
            key = name.lower() if within == "header" else name
            if within == "path" and name in names:
                key = str(names.index(name))
            found[within, key] = self._parameter(item, name, within)
        return found

    def _parameter(self, item: Cursor, name: str, within: str) -> Parameter:
        if self.v2:
            style, explode = _COLLECTIONS.get(item.text("collectionFormat", "csv"), ("form", False))
            if within in ("path", "header") and style == "form":
                style = "simple"
            schema: Cursor | None = item
            content: dict[str, MediaType] = {}
        else:
            style = item.text("style") or _STYLES[within]
            explode = item.flag("explode", default=style in ("form", "cookie"))
            schema = self._schema(item)
            content = self._content(item)
        return Parameter(
            name=name,
            within=within,
            at=item,
            required=item.flag("required") or within == "path",
            deprecated=item.flag("deprecated"),
            style=style,
            explode=explode,
            # OAS 3.1.1 §4.8.12: the two are about queries alone.
            allow_reserved=within in ("query", "formData") and item.flag("allowReserved"),
            allow_empty=within in ("query", "formData") and item.flag("allowEmptyValue"),
            schema=schema,
            content=content,
        )

    def _schema(self, at: Cursor, key: str = "schema") -> Cursor | None:
        if not at.has(key):
            return None
        if not isinstance(at.value[key], dict | bool):
            raise at.fault("a schema must be an object", key)
        return at.child(key)

    def _content(self, at: Cursor) -> dict[str, MediaType]:
        found = {}
        for name, media in at.members("content"):
            schema = self._schema(media) or self._schema(media, "itemSchema")
            encoding = dict(media.members("encoding"))
            found[name] = MediaType(name, media, schema, encoding)
        return found

    def _body(self, at: Cursor) -> Body | None:
        body = at.object("requestBody")
        return None if body is None else Body(body, body.flag("required"), self._content(body))

    def _body_v2(self, at: Cursor, path: str) -> Body | None:
        places = [at]
        parent = at.pointer.rpartition("/")[0]
        if parent.startswith("/paths/"):
            item = self.root.child("paths", path).resolved()
            places.insert(0, item)
        found = None
        for place in places:
            for item in place.items("parameters"):
                if item.text("in") == "body":
                    schema = self._schema(item)
                    content = {name: MediaType(name, item, schema) for name in self._media(at, "consumes")}
                    found = Body(item, item.flag("required"), content)
        return found

    def _media(self, at: Cursor, key: str) -> list[str]:
        given = at.raw(key) if at.has(key) else self.root.raw(key)
        return [str(name) for name in given] if isinstance(given, list) and given else ["application/json"]

    def _responses(self, at: Cursor) -> Iterator[tuple[str, Response]]:
        for status, response in at.members("responses"):
            if self.v2:
                schema = self._schema(response)
                media = self._media(at, "produces") if schema is not None else []
                content = {name: MediaType(name, response, schema) for name in media}
            else:
                content = self._content(response)
            headers = {
                name.lower(): self._parameter(header, name, "header")
                for name, header in response.members("headers")
                if name.lower() != "content-type"  # OAS 3.1.1 §4.8.17: the content describes it
            }
            yield (
                status.upper() if status != "default" else status,
                Response(status, response, headers, content, dict(response.members("links"))),
            )

    def _callbacks(self, at: Cursor, *, received: bool) -> dict[tuple[str, str, str], Operation]:
        found: dict[tuple[str, str, str], Operation] = {}
        for name, callback in at.members("callbacks"):
            if callback.location in self._open_callbacks:
                continue  # a callback whose operation has the same callback again
            self._open_callbacks.add(callback.location)
            for expression in callback.value:
                if expression.startswith("x-"):
                    continue
                for operation in self._path_item(callback.child(expression), expression, received=not received):
                    found[name, expression, operation.method] = operation
            self._open_callbacks.discard(callback.location)
        return found

    def _security(self, at: Cursor) -> Iterator[Requirement]:
        for item in at.items("security"):
            schemes = {}
            for name, scopes in item.value.items():
                if not isinstance(scopes, list):
                    raise item.fault("the scopes of a security requirement must be an array", name)
                schemes[name] = frozenset(str(scope) for scope in scopes)
            yield Requirement(item, schemes)

    def _servers(self, at: Cursor) -> tuple[str, ...]:
        if self.v2:
            host, base = at.raw("host"), at.raw("basePath")
            if not isinstance(host, str) and not isinstance(base, str):
                return ()
            schemes: Any = at.raw("schemes") or ["https"]
            return tuple(f"{scheme}://{host or 'localhost'}{base or ''}" for scheme in schemes)
        return tuple(server.text("url") for server in at.items("servers"))


class _Later(Mapping[str, Response]):
    """Responses that are read when they are looked at: most operations of a large document are equal in both versions."""

    def __init__(self, read: Callable[[], dict[str, Response]]) -> None:
        self._read = read

    @cached_property
    def _held(self) -> dict[str, Response]:
        return self._read()

    def __getitem__(self, status: str) -> Response:
        return self._held[status]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def base_of(operation: Operation) -> str:
    """The path that an operation's servers put before its own, where they agree on one."""
    bases = {base_path(server) for server in operation.servers}
    return bases.pop() if len(bases) == 1 else ""
