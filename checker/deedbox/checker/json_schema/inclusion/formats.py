"""Formats: sample values that show them, and where they are asserted what they say."""

from __future__ import annotations

import re
from typing import Final

SAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "date-time": ("2026-01-31T10:00:00Z", "2025-12-24T08:30:00+01:00", "1999-06-01T23:59:59Z"),
    "date": ("2026-01-31", "2025-12-24", "1999-06-01"),
    "time": ("10:00:00Z", "08:30:00+01:00", "23:59:59Z"),
    "duration": ("P1D", "PT2H", "P3Y"),
    "email": ("ada@example.com", "grace@example.org", "a@b.cd"),
    "idn-email": ("ada@example.com", "grace@example.org", "a@b.cd"),
    "hostname": ("example.com", "www.example.org", "localhost"),
    "idn-hostname": ("example.com", "www.example.org", "localhost"),
    "ipv4": ("192.0.2.1", "198.51.100.7", "127.0.0.1"),
    "ipv6": ("2001:db8::1", "2001:db8::2", "::1"),
    "uri": ("https://example.com/", "https://example.org/a", "urn:example:a"),
    "uri-reference": ("https://example.com/", "/a", "a"),
    "iri": ("https://example.com/", "https://example.org/a", "urn:example:a"),
    "iri-reference": ("https://example.com/", "/a", "a"),
    "uri-template": ("https://example.com/{id}", "/a", "/b/{c}"),
    "uuid": ("123e4567-e89b-12d3-a456-426614174000", "00000000-0000-4000-8000-000000000001"),
    "json-pointer": ("/a", "/a/b", "/0"),
    "relative-json-pointer": ("0", "1/a", "2/b"),
    "regex": ("^a$", "[0-9]+", "a"),
}

FORMATS: Final[dict[str, int]] = {
    **dict.fromkeys(("date-time", "email", "hostname", "ipv4", "ipv6", "uri"), 4),
    # Draft 7 took these up; validators have known them all along.
    **dict.fromkeys(("date", "time", "regex"), 4),
    **dict.fromkeys(("uri-reference", "uri-template", "json-pointer"), 6),
    **dict.fromkeys(("idn-email", "idn-hostname", "iri", "iri-reference", "relative-json-pointer"), 7),
    **dict.fromkeys(("duration", "uuid"), 19),
}
"""Format → the first draft in which it is asserted."""

_EMAIL: Final = "^[a-z]{1,40}@[a-z]{1,20}\\.(com|org|net)$"
_URI: Final = "^https://[a-z]{1,20}\\.(com|org|net)/[a-z0-9]*$"
_DAY: Final = "[12][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
_BYTE: Final = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
SURE: Final[dict[str, str]] = {
    "date": f"^{_DAY}$",
    "time": f"^{_CLOCK}Z$",
    "date-time": f"^{_DAY}T{_CLOCK}(\\.[0-9]{{1,3}})?(Z|[+-]0[0-9]:00)$",
    "email": _EMAIL,
    "idn-email": _EMAIL,
    "uuid": "^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    "ipv4": f"^{_BYTE}(\\.{_BYTE}){{3}}$",
    "hostname": "^[a-z]{1,20}(\\.[a-z]{1,20}){0,2}$",
    "idn-hostname": "^[a-z]{1,20}(\\.[a-z]{1,20}){0,2}$",
    "uri": _URI,
    "iri": _URI,
}
"""Format → a pattern that only strings of the format match."""
POSSIBLE: Final[dict[str, str]] = {
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "date-time": "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]",
    "time": "^[0-9]{2}:[0-9]{2}:[0-9]{2}",
    "email": "@",
    "idn-email": "@",
    "uuid": "^[0-9A-Fa-f-]{32,36}$",
    "ipv4": f"^{_BYTE}(\\.{_BYTE}){{3}}$",
    "ipv6": "^[0-9A-Fa-f:.]{2,45}$",
    "uri": ":",
    "iri": ":",
}
"""Format → a pattern that all strings of the format match."""
COUNTEREXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "uri-reference": ("\\\\",),
    "iri-reference": ("\\\\",),
    "uri-template": ("{",),
    "regex": ("(",),
    "duration": ("a", "1"),
    "relative-json-pointer": ("a", "/a"),
}
"""Format → strings that are not of it."""

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.ASCII)
_SURE_EMAIL = re.compile(r"[a-z0-9]+(\.[a-z0-9]+)*@[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)+", re.ASCII)
_SURE_HOST = re.compile(r"[a-z]([a-z0-9]{0,20})(\.[a-z]([a-z0-9]{0,20})){0,4}", re.ASCII)
_SURE_URI = re.compile(r"(https?|ftp)://[a-z][a-z0-9]*(\.[a-z][a-z0-9]*)*(/[a-z0-9./]*)?", re.ASCII)


def candidates(formats: list[str]) -> tuple[str, ...]:
    """Strings worth trying where one of these formats is asked for."""
    return tuple(dict.fromkeys(sample for name in formats for sample in SAMPLES.get(name, ())))


def is_of_format(name: str, text: str) -> bool | None:
    """Whether a string is of a format. None where validators may differ, or the format is not known here."""
    if text in SAMPLES.get(name, ()):
        return True
    if text in COUNTEREXAMPLES.get(name, ()):
        return False
    if name == "date":
        return _date(text)
    if name == "ipv4":
        return _ipv4(text)
    if name == "time":
        return True if _TIME.fullmatch(text) else None if re.match(r"\d\d:\d\d:\d\d", text) else False
    if name == "date-time":
        if len(text) > 11 and text[10] == "T" and _date(text[:10]) and _TIME.fullmatch(text[11:]):
            return True
        return None if re.match(r"\d{4}-\d\d-\d\d.", text) else False
    if name == "uuid":
        return True if _UUID.fullmatch(text) else None if len(text.replace("-", "")) == 32 else False
    if name in ("email", "idn-email"):
        return True if _SURE_EMAIL.fullmatch(text) else None if "@" in text else False
    if name in ("hostname", "idn-hostname"):
        return True if _SURE_HOST.fullmatch(text) else False if not text or " " in text else None
    if name in ("uri", "iri"):
        return True if _SURE_URI.fullmatch(text) else None if ":" in text else False
    if name == "ipv6":
        return None if ":" in text else False
    if name in ("uri-reference", "iri-reference", "uri-template"):
        return True if re.fullmatch(r"[a-z0-9/]+", text) else None
    if name in ("json-pointer",):
        return False if text and text[0] != "/" else True if "~" not in text else None
    return None


def _date(text: str) -> bool:
    found = _DATE.fullmatch(text)
    if not found:
        return False
    year, month, day = map(int, found.groups())
    if not 1 <= month <= 12 or day < 1:
        return False
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return day <= days[month - 1]


def _ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 4 and all(
        p.isascii() and p.isdigit() and int(p) < 256 and (p == "0" or p[0] != "0") for p in parts
    )
