"""From bytes to values: a small port, so that other formats can follow JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import orjson
from deedbox.kafka.judging.validation import Fault


class Decoder(Protocol):
    """Turns a message's body into a value that a schema judges. `decode` raises `ValueError` where it cannot."""

    @property
    def decode(self) -> Callable[[bytes], Any]:
        """Bytes to value. A plain callable, not a method that wraps one: it runs for every message."""
        ...

    def explain(self, error: ValueError) -> Fault:
        """What is wrong with the bytes, from the error that `decode` raised."""
        ...


class JsonDecoder:
    """JSON (RFC 8259) by orjson: UTF-8, no NaN, at most 1,024 levels; of a repeated key the last value counts.

    Integers past 64 bits become floats, as with most clients.
    """

    @property
    def decode(self) -> Callable[[bytes], Any]:
        """See `Decoder.decode`."""
        return orjson.loads

    def explain(self, error: ValueError) -> Fault:
        """See `Decoder.explain`."""
        return Fault("too-deep" if "depth limit" in str(error) else "not-json", "", f"not JSON: {error}")


DECODERS: dict[str, Decoder] = {"json-schema": JsonDecoder()}
"""By contract format."""
