"""When something happened, as messages say it, made into text that sorts by time: stores compare nothing else."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)?",
    re.ASCII,
)
"""RFC 3339, §5.6; without an offset it is taken for UTC."""
_MOST = 10**40
"""Added to numbers, so that negative ones sort before the others."""


def sortable(said: Any) -> str | None:
    """A time as text that sorts by it; None where it is none.

    Args:
        said: date and time by RFC 3339, with any offset and any part of a second; a number, such as milliseconds or a
            count; or other text that sorts by itself. Messages of one key must all say it in one of these ways.
    """
    if isinstance(said, str):
        return _of_text(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or not abs(said) < _MOST:
        return None
    whole = math.floor(said)
    return f"{whole + _MOST:041d}.{_digits(f'{Decimal(said) - whole:f}'[2:])}"


def _of_text(said: str) -> str:
    found = _DATE_TIME.fullmatch(said)
    if found is None:
        return said
    date, time, part, offset = found.groups()
    shift = "+00:00" if offset in (None, "Z", "z") else offset
    try:
        at = datetime.fromisoformat(f"{date}T{time}{shift}").astimezone(UTC)
    except (ValueError, OverflowError):
        return said  # such as a leap second, or the 31st of February
    return f"{at.replace(tzinfo=None).isoformat()}.{_digits(part or '')}"


def _digits(part: str) -> str:
    """Digits behind a point without the zeros at their end: then a shorter one sorts before a longer one it begins."""
    return part.rstrip("0")
