"""Path templates and media types: which are the same however they are written, and which version of an API they name."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

_VARIABLE = re.compile(r"\{([^{}]*)\}")
_VERSION = re.compile(r"v(\d+)(?:[._]\d+)*(?:(?:alpha|beta|rc|preview)\d*)?", re.IGNORECASE)
_MEDIA_VERSION = re.compile(r"(?:^|[.+;\-])\s*(?:version=|v=|v)\"?(\d+)(?:\.\d+)*\"?(?=$|[.+;\-])", re.IGNORECASE)


@lru_cache(maxsize=65536)
def normalised(path: str) -> str:
    """The template without its variables' names: `/users/{id}` and `/users/{user}` are one path (OAS 3.1.1 §4.8.8.2)."""
    path = _VARIABLE.sub("{}", path.partition("?")[0])
    return path.rstrip("/") or "/"


@lru_cache(maxsize=65536)
def variables(path: str) -> tuple[str, ...]:
    """The names of a template's variables, in order."""
    return tuple(_VARIABLE.findall(path))


def filled(path: str, values: dict[str, str]) -> str:
    """The template with its variables' values."""
    return _VARIABLE.sub(lambda found: values.get(found[1], "1"), path)


def route_version(path: str) -> str | None:
    """The version that a route names, `v1` of `/api/v1/orders`; None without one."""
    for segment in path.split("/"):
        found = _VERSION.fullmatch(segment)
        if found:
            return segment.lower()
    return None


def without_version(path: str) -> str:
    """The route less its version segment: what `/v1/orders` and `/v2/orders` share."""
    return "/".join(s for s in path.split("/") if not _VERSION.fullmatch(s)) or "/"


def base_path(server: str) -> str:
    """The path part of a server's URL, without a slash at its end."""
    return urlsplit(server).path.rstrip("/") if "{" not in server else ""


def media_version(media_type: str) -> str | None:
    """The version that a media type names: `2` of `application/vnd.shop.v2+json` or `application/json; version=2`."""
    found = _MEDIA_VERSION.search(media_type.partition("/")[2])
    return found[1] if found else None


def media_family(media_type: str) -> str:
    """A media type less the version that it names: what `application/vnd.shop.v1+json` and `.v2+json` share."""
    main, slash, rest = media_key(media_type).partition("/")
    return main + slash + _MEDIA_VERSION.sub("", rest)


def media_key(media_type: str) -> str:
    """A media type in one spelling: case, blanks and `charset=utf-8` apart (RFC 9110 §8.3)."""
    main, *parameters = (part.strip() for part in media_type.split(";"))
    kept = sorted(p.lower() for p in parameters if p and p.lower().replace('"', "") != "charset=utf-8")
    return ";".join([main.lower(), *kept])


def covers(media_range: str, media_type: str) -> bool:
    """Whether a media type range (`application/*`, `*/*`) includes a media type (RFC 9110 §12.5.1)."""
    wide, narrow = media_key(media_range).partition(";")[0], media_key(media_type).partition(";")[0]
    if wide in ("*/*", narrow):
        return True
    return wide.endswith("/*") and narrow.startswith(wide[:-1])
