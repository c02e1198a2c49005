"""Logs of servers and daemons alike: as one JSON object a line, and without what clients say over and over."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

_REPEAT_SECONDS = 60.0
_MOST_TEXTS = 1_000


class JsonLines(logging.Formatter):
    """A record as one line of JSON: `at` (UTC), `level`, `logger`, `message`, what `extra={"fields": …}` adds, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update(self.context())
        line.update(getattr(record, "fields", {}))
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)

    def context(self) -> dict[str, Any]:
        """What belongs to every line that is written now."""
        return {}


class Repeats(logging.Filter):
    """Lets the same text, numbers apart, pass once a minute: a client says at every attempt that the broker is away."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter.filter`."""
        text, now = re.sub(r"\d+", "", record.getMessage()), time.monotonic()
        if now - self._said.get(text, -_REPEAT_SECONDS) < _REPEAT_SECONDS:
            return False
        if len(self._said) >= _MOST_TEXTS:
            self._said.clear()
        self._said[text] = now
        return True
