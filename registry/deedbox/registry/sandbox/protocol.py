"""What goes between a server process and its comparing processes.

Frames on pipes: four bytes of length, then a pickle. A request is a list of questions; each gets one reply as soon as it
is known, so that the parent can tell which of them a process died of.
"""

from __future__ import annotations

import pickle
import struct
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from deedbox.checker.model import ContentModel

LENGTH = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. `check` reads one document and says what it is; `compare` takes two canonical texts.

    `try` takes the canonical text of a JSON Schema and, as `new`, a message; of content models it knows "closed" and
    all else. `format` is empty where `check` is to find out.
    """

    action: Literal["check", "compare", "try"]
    format: str
    content_model: ContentModel
    dialect: str | None
    old: str
    new: str = ""
    name: str = "schema"
    algebra: bool = True
    contract: str = ""
    old_dialect: str | None = None
    """Where the two were published under different dialects; `dialect` is then the new one's."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What a readable document is: its digest, its canonical text, the syntax it was written in, and its format."""

    digest: str
    canonical: str
    syntax: str
    format: str


@dataclass(frozen=True, slots=True)
class Tried:
    """Whether a schema accepts a message (None: it could not be told), and why not."""

    accepts: bool | None
    why: str


@dataclass(frozen=True, slots=True)
class Fault:
    """The checker failed in a way it should not."""

    summary: str
    trace: str


def read_frame(stream: IO[bytes]) -> Any:
    """The next frame.

    Raises:
        EOFError: the other side is gone.
    """
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError
    return pickle.loads(stream.read(LENGTH.unpack(head)[0]))  # noqa: S301 - from our own other half


def write_frame(stream: IO[bytes], value: Any) -> None:
    """Sends one frame."""
    data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(LENGTH.pack(len(data)) + data)
    stream.flush()
